// What is really shown: the state of the address applied to what the server has. Pure.
// A value that the server does not have is replaced by the default, and a sentence says so.

const USUAL_METRIC = "GC_MS";
const FUTURE_DAYS = 1; // the date line, and builds of a night that is not over everywhere
const NO_NAMES = new Set(["", "UNKNOWN", "OTHER"]);

// Of channels with equally new data, the one that most builds go to first.
const USUAL_CHANNEL = "nightly";

// The channel and version with the newest data. `dates` maps a channel to its [{version, date}].
// Dates in the future come from clocks that are wrong, versions that doubtful() finds from who knows where: they decide
// only when nothing else is there.
export function newest(dates, limit) {
  let best = null;
  for (const [channel, entries] of Object.entries(dates)) {
    const strange = doubtful(entries);
    for (const { version, date } of entries) {
      const sound = (date <= limit && /^\d{8}$/.test(date) ? 4 : 0) + (strange.has(version) ? 0 : 2) + (NO_NAMES.has(channel) ? 0 : 1);
      const candidate = { channel, version, date, sound, dates: entries.length };
      if (best === null || better(candidate, best)) best = candidate;
    }
  }
  return best;
}

function better(a, b) {
  if (a.sound !== b.sound) return a.sound > b.sound;
  if (a.date !== b.date) return a.date > b.date;
  if (a.channel === b.channel) return compareVersions(a.version, b.version) < 0;
  if (a.channel === USUAL_CHANNEL || b.channel === USUAL_CHANNEL) return a.channel === USUAL_CHANNEL;
  return a.dates > b.dates;
}

// The versions of a channel that are hardly meant: no whole numbers, and numbers far above those with the most
// dates, as long as they have few dates themselves.
export function doubtful(entries) {
  const dates = new Map();
  for (const { version } of entries) dates.set(version, (dates.get(version) ?? 0) + 1);
  const numbers = [...dates].filter(([version]) => /^\d{1,9}$/.test(version)).map(([version, count]) => ({ version, number: Number(version), count }))
    .sort((a, b) => a.number - b.number);
  const half = numbers.reduce((sum, { count }) => sum + count, 0) / 2;
  const most = Math.max(0, ...numbers.map(({ count }) => count));
  let below = 0;
  const middle = numbers.find(({ count }) => (below += count) >= half)?.number ?? 0;
  const meant = new Set(numbers.filter(({ number, count }) => number <= middle * 1.5 + 10 || count > Math.max(2, most / 10)).map(({ version }) => version));
  return new Set([...dates.keys()].filter((version) => !meant.has(version)));
}

// The latest date that can be meant, as "YYYYMMDD": a day ahead of now.
export function latestSaneDate(nowMs) {
  return new Date(nowMs + FUTURE_DAYS * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
}

// Newest version first: by number; what is no number comes last, by name.
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => (/^\d{1,9}$/.test(version) ? Number(version) : -1));
  return right - left || (a < b ? 1 : a > b ? -1 : 0);
}

// The versions of a channel, newest first; those that are hardly meant last.
export function versionsOf(entries) {
  const strange = doubtful(entries);
  const versions = [...new Set(entries.map(({ version }) => version))];
  return versions.sort((a, b) => strange.has(a) - strange.has(b) || compareVersions(a, b));
}

// Channel and version to show: those of the state when the server has them, else the newest.
export function choosePlace(state, dates, limit, notices) {
  const chosen = { channel: state.channel, version: state.version };
  if (chosen.channel && !dates[chosen.channel]?.length) {
    notices.push(`There is no data for channel “${chosen.channel}”; the newest channel is shown.`);
    chosen.channel = "";
    chosen.version = "";
  }
  const pool = chosen.channel ? { [chosen.channel]: dates[chosen.channel] } : dates;
  const fallback = newest(pool, limit);
  if (fallback === null) return null;
  chosen.channel ||= fallback.channel;
  const versions = versionsOf(dates[chosen.channel]);
  if (chosen.version && !versions.includes(chosen.version)) {
    notices.push(`There is no version “${chosen.version}” in ${chosen.channel}; the newest is shown.`);
    chosen.version = "";
  }
  chosen.version ||= fallback.version;
  return chosen;
}

// The metric to show. `fresh` is true when the wish comes from an address rather than from a hand on the
// controls: only then is an unknown one replaced, since changing the version must not change the metric.
export function chooseMetric(wish, metrics, fresh, notices) {
  if (wish && (!fresh || metrics.includes(wish))) return wish;
  const usual = metrics.includes(USUAL_METRIC) ? USUAL_METRIC : (metrics[0] ?? "");
  if (wish) notices.push(`There is no metric “${wish}” in this channel and version; ${usual} is shown.`);
  return usual;
}

const FILTERS = [
  ["process", "child", "process"],
  ["application", "application", "application"],
  ["architecture", "architecture", "architecture"],
  ["e10s", "e10sEnabled", "e10s value"],
];

// The filters to apply: those of the state that occur in this channel and version.
export function chooseFilters(state, options, notices) {
  const chosen = {};
  for (const [name, field, word] of FILTERS) {
    chosen[name] = state[name];
    if (state[name] && !(options[field] ?? []).includes(state[name])) {
      notices.push(`There is no ${word} “${state[name]}” in this channel and version; all are shown.`);
      chosen[name] = "";
    }
  }
  const systems = systemsOf(options.os ?? []);
  chosen.os = state.os;
  chosen.osVersion = state.osVersion;
  if (chosen.os && !systems.has(chosen.os)) {
    notices.push(`There is no operating system “${chosen.os}” in this channel and version; all are shown.`);
    chosen.os = "";
  }
  if (chosen.osVersion && !systems.get(chosen.os)?.includes(chosen.osVersion)) {
    notices.push(`There is no version “${chosen.osVersion}” of that operating system; all are shown.`);
    chosen.osVersion = "";
  }
  return chosen;
}

// "Windows_NT,6.1" entries as a map from system to its versions.
export function systemsOf(entries) {
  const systems = new Map();
  for (const entry of entries) {
    const comma = entry.indexOf(",");
    const name = comma < 0 ? entry : entry.slice(0, comma);
    if (!systems.has(name)) systems.set(name, []);
    if (comma >= 0) systems.get(name).push(entry.slice(comma + 1));
  }
  return systems;
}
