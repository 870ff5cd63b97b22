// Which source is shown: those that are counted, by name, and those that are only stored. Pure.

export const FIREFOX = "telemetry/main";

const READERS = { telemetry: "Firefox’s main pings", glean: "Glean", declared: "declared", none: "stored, not counted" };

// The source to show: the one of the address, whatever it is; else Firefox where it is counted; else what has the newest day.
export function chooseSource(wish, sources) {
  if (wish) return wish;
  const counted = sources.filter(isCounted);
  if (counted.length === 0 || counted.some(({ source }) => source === FIREFOX)) return FIREFOX;
  return counted.reduce((best, one) => (one.last_day > best.last_day ? one : best)).source;
}

export function isCounted({ reader }) {
  return reader !== "none";
}

// What a source is, in a line: its name, how it is read, from when to when.
export function aboutSource({ source, reader, first_day: first, last_day: last }, day) {
  const days = first === last ? `of ${day(first)}` : `of ${day(first)} to ${day(last)}`;
  return `${source}, ${READERS[reader] ?? reader}, pings ${days}.`;
}

// Why nothing of a source is counted, as the views say it: {reason, description}.
export function whyStored({ source, stored, reason }) {
  const pings = stored === 1 ? `1 ping of ${source} is` : `${Number(stored ?? 0).toLocaleString("en")} pings of ${source} are`;
  return {
    reason: "stored_not_counted",
    description: `${pings} stored and in no number. ${reason ?? ""} “highwater pings” prints what is stored.`,
  };
}
