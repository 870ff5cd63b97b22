// Rows of /api/v1/aggregates as the charts take them: bins between edges, in a unit that reads well. Pure.

const SCALES = {
  ns: [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]],
  bytes: [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10], ["bytes", 1]],
};

// What the page asks for: enough for its summary and its bands.
export const PERCENTILES = "5,25,50,75,95";

// A whole number that came as a text is beyond what a Number holds.
export function exact(value) {
  return typeof value === "string" ? BigInt(value) : value;
}

// {unit, by}: the unit in which these rows read well, and what their values are divided by.
export function scaleOf(unit, rows) {
  const sizes = SCALES[unit];
  if (!sizes) return { unit: unit ?? "", by: 1 };
  const typical = Math.max(0, ...rows.map((row) => Math.abs(row.percentiles?.["50"]?.value ?? 0)));
  const [name, by] = sizes.find(([, size]) => typical >= size) ?? sizes.at(-1);
  return { unit: name, by };
}

// Rows of the leading layout, that with the most pings, and how many pings the others have.
export function leading(rows) {
  const byLayout = new Map();
  for (const row of rows.filter(({ rest }) => !rest)) {
    const key = JSON.stringify([row.kind, row.layout]);
    byLayout.set(key, [...(byLayout.get(key) ?? []), row]);
  }
  const pings = (list) => list.reduce((sum, row) => sum + row.pings, 0);
  const [lead = [], ...others] = [...byLayout.values()].sort((a, b) => pings(b) - pings(a));
  return { rows: lead, others: others.flat() };
}

// Of a row: {kind, buckets, histogram, sum, count, samples, percentile}. `buckets` are the lower bounds of its bins, and where
// the last one ends, if it does. `names` are the bins of a category, in the order of the whole.
export function drawn(row, kind, { by }, names = null) {
  const about = { count: row.pings, samples: exact(row.samples), sum: scaled(exact(row.sum ?? 0), by) };
  if (kind === "category") {
    const counts = new Map(row.bins);
    const buckets = names ?? row.bins.map(([name]) => name);
    return { ...about, kind: "categorical", buckets, histogram: buckets.map((name) => exact(counts.get(name) ?? 0)) };
  }
  const counts = new Map(row.bins);
  const edges = row.edges ?? row.bins.map(([low]) => low);
  const isOpen = !row.edges || edges.at(-1) === null;
  const bounds = edges.filter((edge) => edge !== null);
  const lows = isOpen ? bounds : bounds.slice(0, -1);
  const percentile = (p) => percentileOf(row, lows, by, p);
  return {
    ...about, kind: row.edges ? kindOf(row, kind) : "enumerated", percentile,
    buckets: bounds.map((bound) => bound / by), histogram: lows.map((low) => exact(counts.get(low) ?? 0)),
  };
}

// How bins widen decides how a chart's axis does.
function kindOf({ layout }, kind) {
  return kind === "distribution" && layout.kind !== "linear" ? "exponential" : "linear";
}

function scaled(sum, by) {
  return by === 1 ? sum : Number(sum) / by;
}

// As the server computed it, in the form of statistics.js.
function percentileOf({ percentiles }, lows, by, p) {
  const found = percentiles?.[String(Math.round(p * 100))];
  if (!found) return null;
  const { value, low, high } = found;
  const fraction = high === null ? 0 : high - low <= 1 ? 0.5 : (value - low) / (high - low);
  return { value: value / by, open: high === null, bin: lows.indexOf(low), fraction };
}

// Several rows over the bins of all of them, for charts beside each other: {buckets, histograms}.
export function sideBySide(points) {
  const bounds = [...new Set(points.flatMap(({ buckets }) => buckets))].sort((a, b) => a - b);
  const histograms = points.map(({ buckets, histogram }) => {
    const counts = new Map(histogram.map((count, i) => [buckets[i], count]));
    return bounds.map((bound) => counts.get(bound) ?? 0);
  });
  return { buckets: bounds, histograms };
}

// A value inside a filter: commas and dots that are its own, and the sign that encodes them, are encoded.
export function encodeValue(value) {
  return value.replaceAll("%", "%25").replaceAll(",", "%2C").replaceAll("..", "%2E%2E");
}
