// Statistics of one histogram: percentiles, mean, shares. Pure numbers in, pure numbers out.
// No fetching, no drawing, no wording. A histogram is a list of counts; `buckets` are the bins' lower bounds.
// Counts and sums are whole numbers: a Number where it is exact, else a BigInt. Ratios are Numbers.

const CATEGORIES = new Set(["boolean", "flag", "enumerated", "categorical"]);

// True for kinds whose bins are names rather than amounts: a percentile of them means nothing.
export function isCategories(kind) {
  return CATEGORIES.has(kind);
}

// The exact sum of two whole numbers.
export function plus(a, b) {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const sum = BigInt(a) + BigInt(b);
  return Number.isSafeInteger(Number(sum)) ? Number(sum) : sum;
}

// Number of samples in a histogram.
export function samples(histogram) {
  return histogram.reduce(plus, 0);
}

// Upper edge of bin `i`. The last bin has none of its own: it is continued as the bin before it
// (same width, for exponential kinds same ratio), and callers say "or more" about it.
export function upperEdge(buckets, kind, i) {
  if (i + 1 < buckets.length) return buckets[i + 1];
  const last = buckets[i];
  const before = buckets[i - 1];
  if (before === undefined) return last + 1;
  return isGeometric(kind) && before > 0 ? (last * last) / before : last + (last - before);
}

// The value below which a share `p` (0..1) of the samples lies: interpolated inside the edges of the bin
// where it falls, geometrically for exponential kinds, else linearly. Samples are whole numbers, so a bin that
// is one wide holds one value only, and that is it. `open` is true when that bin is the last one, so that the
// true value may lie anywhere above `value`. Null when there are no samples.
export function percentile(buckets, histogram, kind, p) {
  const total = Number(samples(histogram));
  if (total <= 0) return null;
  const target = p * total;
  let below = 0;
  for (let i = 0; i < histogram.length; i += 1) {
    const count = Math.max(0, Number(histogram[i]));
    if (count > 0 && below + count >= target) {
      return inside(buckets, kind, i, (target - below) / count);
    }
    below += count;
  }
  return null;
}

function inside(buckets, kind, i, fraction) {
  const lower = buckets[i];
  if (i === buckets.length - 1) return { value: lower, open: true, bin: i, fraction: 0 };
  const upper = upperEdge(buckets, kind, i);
  if (upper - lower === 1) return { value: lower, open: false, bin: i, fraction: 0.5 };
  const value = isGeometric(kind) && lower > 0
    ? lower * Math.pow(upper / lower, fraction)
    : lower + (upper - lower) * fraction;
  return { value, open: false, bin: i, fraction };
}

// Scalars and counts use layouts that grow like exponential ones.
export function isGeometric(kind) {
  return kind === "exponential" || kind === "count";
}

// The mean of the samples: the exact sum the clients sent, divided by their samples: those of the histogram, and the
// `leftOut` that lie in none of its bins. Null when there are none, or when nobody knows how many were left out.
export function mean(sum, histogram, leftOut = 0) {
  if (leftOut === null) return null;
  const total = plus(samples(histogram), leftOut);
  return total > 0 ? Number(sum) / Number(total) : null;
}

// Each bin's share of all samples, 0..1; running totals when `cumulative`.
export function shares(histogram, cumulative = false) {
  const total = Number(samples(histogram));
  if (total <= 0) return histogram.map(() => 0);
  let running = 0;
  return histogram.map((count) => {
    running = plus(running, count);
    return Number(cumulative ? running : count) / total;
  });
}

// Adds `b` to `a` bin by bin; the longer one decides the length.
export function addHistograms(a, b) {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return long.map((count, i) => plus(count, short[i] ?? 0));
}

// The range of bins [first, last] worth drawing: edge bins with less than `least` of the samples are
// left out, but never so many that fewer than `keep` bins remain.
export function worthDrawing(histogram, least = 0.0001, keep = 3) {
  const total = Number(samples(histogram));
  let first = 0;
  let last = histogram.length - 1;
  if (total <= 0) return [first, last];
  const negligible = (i) => Math.abs(Number(histogram[i])) / total < least;
  while (last - first + 1 > keep && negligible(last)) last -= 1;
  while (last - first + 1 > keep && negligible(first)) first += 1;
  return [first, last];
}
