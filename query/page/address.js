// The page's state and the address it lives in: one flat object of strings, written after the "#".
// Pure; applying it to what the server has is choice.js.

// Every key the address may hold, with its default. A default is not written.
export const DEFAULTS = Object.freeze({
  channel: "", version: "", clock: "build_id", metric: "", process: "",
  application: "", os: "", osVersion: "", architecture: "", e10s: "",
  key: "", cumulative: "", bins: "", allBins: "", allVersions: "", allDates: "", scale: "",
  users: "channel", group: "", measure: "dau",
  source: "", by: "", from: "", to: "", dates: "", show: "",
});

// Before the name of a dimension by which a source other than Firefox is filtered.
export const FILTER = "is.";

const ALLOWED = {
  clock: ["build_id", "submission_date"],
  cumulative: ["", "1"], allBins: ["", "1"], allVersions: ["", "1"], allDates: ["", "1"],
  scale: ["", "log", "linear"],
  users: ["version", "channel", "everyone"],
  group: ["", "application", "channel", "version", "os"],
  measure: ["dau", "mau", "er"],
  show: ["", "sum", "mean", "pings"],
};

// {state, notices}: what the text after "#" says; what it should not say is replaced and named.
export function readAddress(hash) {
  const state = { ...DEFAULTS };
  const notices = [];
  for (const [name, value] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (name.startsWith(FILTER)) {
      state[name] = value;
    } else if (!Object.hasOwn(DEFAULTS, name)) {
      notices.push(`The address has a part “${name}” that this page does not know; it was left out.`);
    } else if (ALLOWED[name] && !ALLOWED[name].includes(value)) {
      notices.push(`The address asks for ${name} “${value}”, which does not exist; the default is shown.`);
    } else {
      state[name] = value;
    }
  }
  return { state, notices };
}

// The text after "#" for a state; parts that have their default are left out.
export function writeAddress(state) {
  const parts = new URLSearchParams();
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    if (state[name] !== usual) parts.set(name, state[name]);
  }
  for (const [name, value] of filtersOf(state)) parts.set(FILTER + name, value);
  return `#${parts}`;
}

// The dimensions by which the state filters, each with its value.
export function filtersOf(state) {
  return Object.entries(state).filter(([name, value]) => name.startsWith(FILTER) && value !== "")
    .map(([name, value]) => [name.slice(FILTER.length), value]);
}

// The state in which nothing is asked of a source yet.
export function ofSource(source) {
  return { ...DEFAULTS, source };
}

// The part of a state that filters, emptied.
export function withoutFilters(state) {
  const names = ["process", "application", "os", "osVersion", "architecture", "e10s", "key", "from", "to", ...filtersOf(state).map(([name]) => FILTER + name)];
  return Object.fromEntries(names.map((name) => [name, ""]));
}

// The bins to follow as the address has them: by number, or where `names` are given by name, for their order may change.
export function writeBins(bins, names) {
  return bins.map((i) => (names ? encodeURIComponent(names[i]) : String(i))).join(",");
}

export function readBins(text, names) {
  const parts = text.split(",").filter(Boolean);
  return names ? parts.map((part) => names.findIndex((name) => encodeURIComponent(name) === part)).filter((i) => i >= 0) : parts.map(Number);
}
