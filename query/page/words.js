// How numbers, units, dates and kinds are written for a reader. Pure.

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const DAY_SHORT = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat("en", { month: "short", year: "numeric", timeZone: "UTC" });

const UNITS_BY_ENDING = [
  [/_(MS|MSEC|MILLISECONDS)(_|\d|$)/, "ms"],
  [/^SIMPLE_MEASURES_(FIRSTPAINT|SESSIONRESTORED|SESSIONRESTOREINIT|CREATETOPLEVELWINDOW|MAIN|START|DELAYEDSTARTUP\w*|FIRSTLOADURI)$/, "ms"],
  [/^SIMPLE_MEASURES_UPTIME$/, "min"],
  [/_(US|MICROSECONDS)(_|\d|$)/, "µs"],
  [/_(SECONDS|SECS?|S)$/, "s"],
  [/_(MINUTES|MIN)$/, "min"],
  [/_(KB|KIB)(_|$)/, "KB"],
  [/_(MB|MIB)(_|$)/, "MB"],
  [/_BYTES(_|$)/, "bytes"],
  [/_(PCT|PERCENT|PERCENTAGE)(_|$)/, "%"],
];

const UNITS_BY_DESCRIPTION = [
  [/\(ms\)|\bmilliseconds?\b|\bin ms\b/i, "ms"],
  [/\(us\)|\bmicroseconds?\b/i, "µs"],
  [/\(s\)|\bin seconds\b|\(seconds?\)/i, "s"],
  [/\(KB\)|\bkilobytes?\b|\bin KB\b/i, "KB"],
  [/\(MB\)|\bmegabytes?\b/i, "MB"],
  [/\bin bytes\b|\(bytes\)/i, "bytes"],
  [/\bpercentage\b|\bpercent\b/i, "%"],
];

// The unit of a metric's values as its name or description tells, else "".
export function unitOf(metric, description = "") {
  const byName = UNITS_BY_ENDING.find(([pattern]) => pattern.test(metric.toUpperCase()));
  const found = byName ?? UNITS_BY_DESCRIPTION.find(([pattern]) => pattern.test(description));
  return found ? found[1] : "";
}

// 12,345,678; every digit, also of a BigInt.
export function whole(value) {
  return value === null || value === undefined ? "–" : GROUPED.format(value);
}

// 12.3M
export function compact(value) {
  return COMPACT.format(value);
}

// Three to four significant digits, grouped: 0.123, 12.3, 1,234.
export function amount(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(Number(value));
  if (size >= 1e7) return compact(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

// An amount with its unit.
export function withUnit(value, unit) {
  if (!unit) return amount(value);
  return unit === "%" ? `${amount(value)}%` : `${amount(value)} ${unit}`;
}

const ENDS = new Map([["9223372036854775807", "≥ "], ["-9223372036854775808", "≤ "]]);

// A sum with every digit, and its unit; one at either end of 64 bits may be larger than is said.
export function sumText(value, unit) {
  const text = `${ENDS.get(String(value)) ?? ""}${whole(value)}`;
  if (!unit) return text;
  return unit === "%" ? `${text}%` : `${text} ${unit}`;
}

// Bytes in the units in which settings are written: 1.5 GiB.
export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let power = 0;
  let value = bytes;
  while (value >= 1024 && power + 1 < units.length) {
    value /= 1024;
    power += 1;
  }
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.floor(value)} ${units[power]}`;
}

// What a reader must know of samples that lie in none of the bins. `leftOut` is null where only `ofAllKeys` are counted.
export function leftOutText(leftOut, ofAllKeys, isAmount) {
  const [number, whose] = leftOut === null ? [ofAllKeys, " of all keys together"] : [leftOut, ""];
  const [samples, lie] = String(number) === "1" ? ["sample", "lies"] : ["samples", "lie"];
  const text = `${whole(number)} ${samples}${whose} ${lie} in none of the bins shown: shares${isAmount ? " and percentiles" : ""} are of the others.`;
  if (!isAmount) return text;
  return `${text} ${leftOut === null ? "How many of them have this key is not known, so no mean is shown." : "Sum and mean are of all samples."}`;
}

// A percentile as statistics.js gives it; "or more" when it lies in the last, open bin.
export function percentileText(result, unit) {
  if (!result) return "–";
  return result.open ? `≥ ${withUnit(result.value, unit)}` : withUnit(result.value, unit);
}

// 0.1234 as 12.3%; never 0% for something, never 100% for nearly everything. A share below nothing is shown as
// it is: the bins of some metrics are differences.
export function share(value) {
  if (value === 0) return "0%";
  if (value < 0) return value > -0.0001 ? ">−0.01%" : `−${share(-value)}`;
  if (value < 0.0001) return "<0.01%";
  if (value > 0.9995 && value < 1) return ">99.9%";
  const percent = value * 100;
  return `${percent.toFixed(percent >= 99.95 ? 0 : percent < 1 ? 2 : 1)}%`;
}

export function day(date) {
  return DAY.format(date);
}

export function dayShort(date) {
  return DAY_SHORT.format(date);
}

export function month(date) {
  return MONTH.format(date);
}

// How long ago, in words that fit a small field: 0.8 s, 45 s, 12 min, 5 h, 3 days.
export function age(milliseconds) {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  if (seconds < 86_400 * 730) return `${whole(seconds / 86_400)} days`;
  return `${whole(seconds / (86_400 * 365.25))} years`;
}

// The name of bin `i` for a reader: a category, yes or no, or the range of values it holds.
export function binName(answer, i, unit) {
  const { buckets, kind } = answer;
  if (kind === "boolean") return ["False", "True", "Other"][i] ?? String(buckets[i]);
  if (kind === "flag") return ["Not set", "Set", "Other"][i] ?? String(buckets[i]);
  if (kind === "categorical") return buckets[i] === "spill" ? "Other (spill)" : String(buckets[i]);
  if (kind === "enumerated") return String(buckets[i] ?? i);
  const lower = amount(buckets[i]);
  const suffix = unit ? (unit === "%" ? "%" : ` ${unit}`) : "";
  if (i + 1 >= buckets.length) return `${lower}${suffix} or more`;
  if (buckets[i + 1] - buckets[i] === 1) return `${lower}${suffix}`;
  return `${lower} to below ${amount(buckets[i + 1])}${suffix}`;
}

// Characters that are not seen, or that turn what stands beside them.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

// A text of somebody else with every character to be seen.
export function visible(text) {
  return text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

// The value of a dimension, a label or a category for a reader.
export function valueName(value) {
  if (value === "UNKNOWN") return "not stated";
  if (value === "OTHER") return "other (not told apart)";
  return value === "" ? "(empty)" : visible(value);
}

// A dimension's name for a reader: os_version as "os version".
export function dimensionName(name) {
  return visible(name).replaceAll("_", " ");
}
