// What is really shown: the state of the address applied to what the server has. Pure.
// A value that the server does not have is replaced by the default, and a sentence says so.

const USUAL_METRIC = "GC_MS";
const FUTURE_DAYS = 100;

// Of channels with equally new data, the one that most builds go to first.
const USUAL_CHANNEL = "nightly";

// The channel and version with the newest data. `dates` maps a channel to its [{version, date}].
// Dates far in the future come from clocks that are wrong; they decide only when nothing else is there.
export function newest(dates, limit) {
  let best = null;
  for (const [channel, entries] of Object.entries(dates)) {
    for (const { version, date } of entries) {
      const candidate = { channel, version, date, sane: date <= limit };
      if (best === null || better(candidate, best)) best = candidate;
    }
  }
  return best;
}

function better(a, b) {
  if (a.sane !== b.sane) return a.sane;
  if (a.date !== b.date) return a.date > b.date;
  if (a.channel !== b.channel) return a.channel === USUAL_CHANNEL;
  return compareVersions(a.version, b.version) < 0;
}

// The latest date that can be meant, as "YYYYMMDD": some days ahead of now.
export function latestSaneDate(nowMs) {
  return new Date(nowMs + FUTURE_DAYS * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
}

// Newest version first: by number where both are numbers.
export function compareVersions(a, b) {
  const difference = Number(b) - Number(a);
  return Number.isNaN(difference) ? (a < b ? 1 : a > b ? -1 : 0) : difference;
}

// The versions of a channel, newest first.
export function versionsOf(entries) {
  return [...new Set(entries.map(({ version }) => version))].sort(compareVersions);
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
