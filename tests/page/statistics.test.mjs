// The page's pure modules: statistics, answers, search, address and choice. Run with `node --test`.
// What is expected is written out by hand or computed from the samples themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { filtersOf, readAddress, readBins, writeBins, withoutFilters, writeAddress, DEFAULTS } from "../../query/page/address.js";
import { aggregates } from "../../query/page/api.js";
import { absenceOf } from "../../query/page/absence.js";
import { addDays, byDate, elsewhere, joinAnswers, keysOf, mergePoints, parseDate, plausible, sumLeftOut, total, withoutSparse } from "../../query/page/answer.js";
import { explanation } from "../../query/page/partitions.js";
import { chooseFilters, chooseMetric, choosePlace, versionsOf } from "../../query/page/choice.js";
import { drawn, encodeValue, leading, scaleOf, sideBySide } from "../../query/page/rows.js";
import { search } from "../../query/page/search.js";
import { chooseSource, whyStored } from "../../query/page/sources.js";
import { mean, percentile, plus, samples, shares, upperEdge, worthDrawing } from "../../query/page/statistics.js";
import { unitOf, share, sumText, binName, leftOutText, valueName, visible, whole } from "../../query/page/words.js";

const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("a percentile lies inside its own bin's edges, linearly", () => {
  const result = percentile([0, 10, 30, 100], [1, 2, 1, 0], "linear", 0.5);
  close(result.value, 20); // the second of four samples: half of bin 10..30
  assert.equal(result.open, false);
});

test("a percentile of an exponential histogram is interpolated by ratio", () => {
  close(percentile([0, 1, 4, 16], [0, 2, 2, 0], "exponential", 0.25).value, 2);
  close(percentile([0, 1, 4, 16], [0, 2, 2, 0], "exponential", 0.75).value, 8);
});

test("a percentile in the last bin is open", () => {
  assert.deepEqual(percentile([0, 1, 2], [0, 0, 5], "linear", 0.5), { value: 2, open: true, bin: 2, fraction: 0 });
});

test("a percentile of nothing is nothing", () => {
  assert.equal(percentile([0, 1], [0, 0], "linear", 0.5), null);
});

test("percentiles of a fine histogram equal those of the sorted samples within one bin", () => {
  const samples = Array.from({ length: 999 }, (_, i) => (i * 7919) % 500);
  const buckets = Array.from({ length: 501 }, (_, i) => i);
  const histogram = buckets.map((lower) => samples.filter((sample) => sample === lower).length);
  const sorted = [...samples].sort((a, b) => a - b);
  for (const p of [0.05, 0.25, 0.5, 0.75, 0.95]) {
    const exact = sorted[Math.ceil(p * sorted.length) - 1];
    assert.ok(Math.abs(percentile(buckets, histogram, "linear", p).value - exact) <= 1);
  }
});

test("the mean is the exact sum over the samples", () => {
  close(mean(30, [1, 2, 3]), 5);
  assert.equal(mean(30, [0, 0]), null);
});

// What the page reads of answers whose bodies are these rows, with headers as the server writes them.
async function readAnswers(...answers) {
  const given = answers.map(([data, headers]) => new Response(JSON.stringify({ buckets: [0, 1], kind: "linear", description: "", data }), { headers }));
  globalThis.fetch = async () => given.shift();
  const dates = Array.from({ length: 120 * answers.length }, (_, i) => addDays("20260101", i));
  return joinAnswers((await aggregates("build_id", "nightly", "54", dates, "X", {})).answers);
}

test("where samples lie in no bin the mean divides what it adds up, and they are counted", async () => {
  const row = (date, label, shown, sum) => ({ date, label, histogram: [0, shown], sum, count: 1 });
  const leftOut = (samples) => ({ "X-Highwater-Samples-Left-Out": String(samples) });
  const plain = await readAnswers([[row("20260101", "", 20, 100_000)], leftOut(100)], [[row("20260501", "", 0, 58_960)], leftOut(80)]);
  const all = total(plain, null);
  assert.deepEqual([all.samples, all.leftOut, sumLeftOut([plain])], [20, 180, 180]);
  close(mean(all.sum, all.histogram, all.leftOut), 794.8); // 158,960 of 200 samples
  assert.match(leftOutText(all.leftOut, plain.leftOut, true), /^180 samples lie in none .* shares and percentiles are of the others\. Sum and mean are of all/);
  assert.match(leftOutText(1, 1, false), /^1 sample lies in none of the bins shown: shares are of the others\.$/);
  const keyed = await readAnswers([[row("20260101", "a", 1, 5), row("20260101", "b", 1, 500)], leftOut(9)]);
  const one = total(keyed, "a");
  assert.equal(mean(one.sum, one.histogram, one.leftOut), null); // Whose samples were left out is not known.
  assert.match(leftOutText(one.leftOut, keyed.leftOut, true), /^9 samples of all keys together .* no mean is shown/);
  const whole = await readAnswers([[row("20260101", "a", 1, 5), row("20260101", "b", 1, 500)], {}]);
  const own = total(whole, "a");
  assert.equal(mean(own.sum, own.histogram, own.leftOut), 5);
  const many = await readAnswers([[row("20260101", "", 1, 5)], leftOut("9223372036854775807")]);
  assert.equal(total(many, null).leftOut, 9223372036854775807n);
});

test("the last bin is continued as the one before it", () => {
  assert.equal(upperEdge([0, 5, 10], "linear", 2), 15);
  assert.equal(upperEdge([0, 5, 10], "exponential", 2), 20);
});

test("cumulative shares end at one", () => {
  assert.deepEqual(shares([1, 1, 2]), [0.25, 0.25, 0.5]);
  assert.deepEqual(shares([1, 1, 2], true), [0.25, 0.5, 1]);
});

test("empty edges are not drawn, but three bins always are", () => {
  assert.deepEqual(worthDrawing([0, 0, 5, 6, 7, 8, 0, 0]), [2, 5]);
  assert.equal(worthDrawing([0, 0, 0, 9, 0, 0]).reduce((a, b) => b - a) + 1, 3);
});

test("keys are sorted by pings and a metric without keys has none", () => {
  const row = (label, count) => ({ date: "20260101", label, histogram: [count], sum: 0, count });
  assert.deepEqual(keysOf({ data: [row("a", 1), row("b", 3), row("a", 1)] }).map(({ key }) => key), ["b", "a"]);
  assert.deepEqual(keysOf({ data: [row("", 1)] }), []);
});

test("a date that is no calendar date is counted, not drawn", () => {
  const data = ["20260230", "20260102", "20260101"].map((date) => ({ date, label: "", histogram: [1], sum: 1, count: 1 }));
  const { points, strange } = byDate({ buckets: [0], data }, null);
  assert.deepEqual(points.map(({ date }) => date), ["20260101", "20260102"]);
  assert.equal(strange, 1);
});

test("days are added across the end of a month", () => {
  assert.equal(addDays("20261130", 1), "20261201");
  assert.equal(addDays("20260301", -1), "20260228");
  assert.equal(parseDate("2026"), null);
});

test("versions that share a date and a layout become one point", () => {
  const point = (buckets) => ({ date: "20260101", time: 1, buckets, histogram: [1, 2], sum: 3, count: 2, samples: 3 });
  const [merged] = mergePoints([[point([0, 1])], [point([0, 1])]]);
  assert.deepEqual([merged.histogram, merged.count], [[2, 4], 4]);
  assert.equal(mergePoints([[point([0, 1])], [point([0, 2])]])[0].count, 2);
});

test("sparse dates are left out, small data is not", () => {
  const points = [1, 500, 500, 500, 500, 500].map((count) => ({ count }));
  assert.equal(withoutSparse(points).length, 5);
  assert.equal(withoutSparse(points.slice(0, 3)).length, 3);
});

test("a search takes a space for an underscore and skips letters", () => {
  const names = ["CYCLE_COLLECTOR", "GC_MS", "GC_MAX_PAUSE_MS", "SCALARS_TELEMETRY.OS"];
  assert.equal(search(names, "gc ms")[0], "GC_MS");
  assert.deepEqual(search(names, "gcmax"), ["GC_MAX_PAUSE_MS"]);
  assert.deepEqual(search(names, "telemetry os"), ["SCALARS_TELEMETRY.OS"]);
  assert.deepEqual(search(names, "zzz"), []);
});

test("a state survives the address and defaults are not written", () => {
  const state = { ...DEFAULTS, channel: "release & co", key: "a=b,c", cumulative: "1" };
  assert.deepEqual(readAddress(writeAddress(state)).state, state);
  assert.equal(writeAddress({ ...DEFAULTS }), "#");
});

test("an unknown part of the address is named and left out", () => {
  const { state, notices } = readAddress("#foo=1&clock=moon&channel=beta");
  assert.equal(state.clock, "build_id");
  assert.equal(state.channel, "beta");
  assert.equal(notices.length, 2);
});

test("the newest channel and version are the default, and a clock gone wrong does not decide", () => {
  const dates = { beta: [{ version: "9", date: "20260101" }], nightly: [{ version: "10", date: "20260102" }], odd: [{ version: "1", date: "29990101" }] };
  assert.deepEqual(choosePlace(DEFAULTS, dates, "20270101", []), { channel: "nightly", version: "10" });
});

test("a stale channel falls back and says so", () => {
  const notices = [];
  const dates = { beta: [{ version: "9", date: "20260101" }] };
  assert.deepEqual(choosePlace({ ...DEFAULTS, channel: "aurora", version: "3" }, dates, "20270101", notices), { channel: "beta", version: "9" });
  assert.equal(notices.length, 1);
});

test("a metric that a version lacks stays chosen by hand but not from an address", () => {
  const notices = [];
  assert.equal(chooseMetric("X", ["GC_MS"], false, notices), "X");
  assert.equal(chooseMetric("X", ["GC_MS"], true, notices), "GC_MS");
  assert.equal(notices.length, 1);
});

test("a stale filter falls back to all", () => {
  const notices = [];
  const chosen = chooseFilters({ ...DEFAULTS, os: "Linux", osVersion: "9", e10s: "true" }, { os: ["Linux,3.1"], e10sEnabled: ["true"] }, notices);
  assert.deepEqual([chosen.os, chosen.osVersion, chosen.e10s], ["Linux", "", "true"]);
  assert.equal(notices.length, 1);
});

test("units come from the name, else from the description", () => {
  assert.equal(unitOf("GC_MS"), "ms");
  assert.equal(unitOf("MEMORY_RESIDENT", "Resident memory size (KB)"), "KB");
  assert.equal(unitOf("GC_REASON_2"), "");
});

test("a share never rounds something to nothing or to everything", () => {
  assert.deepEqual([0, 0.00001, 0.5, 0.99999, 1].map(share), ["0%", "<0.01%", "50.0%", ">99.9%", "100%"]);
  assert.deepEqual([-0.3, -0.00001, 1.3].map(share), ["−30.0%", ">−0.01%", "130%"]);
});

test("a bin is named by its values", () => {
  assert.equal(binName({ buckets: [0, 1, 5], kind: "exponential" }, 1, "ms"), "1 to below 5 ms");
  assert.equal(binName({ buckets: [0, 1, 5], kind: "exponential" }, 2, "ms"), "5 ms or more");
  assert.equal(binName({ buckets: [0, 1], kind: "boolean" }, 1, ""), "True");
});

test("skipped letters are only searched for when little else matches", () => {
  const names = ["GC_A", "GC_B", "GC_C", "GC_D", "GC_E", "GFX_CACHE"];
  assert.equal(search(names, "gc").length, 5);
  assert.deepEqual(search(names.slice(4), "gc"), ["GC_E", "GFX_CACHE"]);
});

test("a bin that is one wide holds one value", () => {
  for (const kind of ["linear", "exponential", "count"]) {
    for (const p of [0.01, 0.5, 0.99]) assert.equal(percentile([0, 1, 2, 4, 8], [0, 9, 0, 0, 0], kind, p).value, 1);
    assert.ok(percentile([0, 1, 2, 4, 8], [0, 0, 9, 0, 0], kind, 0.5).value > 2);
  }
});

test("counts and sums are exact above what a number holds", () => {
  const large = 2n ** 53n + 1n;
  let expected = 0n;
  let found = 0;
  for (const part of [7, large, -3, large, 2 ** 53, -large]) {
    expected += BigInt(part);
    found = plus(found, part);
  }
  assert.equal(BigInt(found), expected);
  assert.equal(typeof plus(large, -2), "number");
  assert.equal(samples([large, 1, 0]), large + 1n);
  assert.deepEqual(shares([large, 0, large]), [0.5, 0, 0.5]);
  assert.equal(whole(large), "9,007,199,254,740,993");
  assert.equal(sumText(2n ** 63n - 1n, "ms"), "≥ 9,223,372,036,854,775,807 ms");
  assert.equal(mean(large * 2n, [large, large]), 1);
});

test("one ping with many keys does not choose the layout that is shown", () => {
  const piece = (buckets, date, rows) => ({ buckets, kind: "linear", description: "", data: rows.map(([label, count]) => ({ date, label, histogram: [0, count], sum: count, count })) });
  const many = Array.from({ length: 200 }, (_, i) => [`key ${i}`, 1]);
  assert.deepEqual(joinAnswers([piece([0, 7], "20260102", many), piece([0, 1], "20260101", [["a", 40]])]).buckets, [0, 1]);
});

test("pieces of another layout are never added, and are said", () => {
  const piece = (buckets, date, histogram, count) => ({ buckets, kind: "linear", description: "", data: [{ date, label: "", histogram, sum: count, count }] });
  const joined = joinAnswers([piece([0, 1, 2], "20260101", [0, 0, 3], 3), piece([0, 1000, 2000], "20260102", [0, 0, 9], 9), piece([0, 1, 2], "20260103", [0, 1, 0], 1)]);
  assert.deepEqual(joined.buckets, [0, 1000, 2000]);
  assert.deepEqual(total(joined, null).histogram, [0, 0, 9]);
  assert.deepEqual(elsewhere(joined, null), { dates: 2, pings: 4 });
  const { points } = byDate(joined, null);
  assert.deepEqual(points.map(({ date, buckets }) => [date, buckets[2]]), [["20260101", 2], ["20260102", 2000], ["20260103", 2]]);
});

test("versions that are hardly meant come last, and are chosen only where there is nothing else", () => {
  const of = (version, dates) => Array.from({ length: dates }, (_, i) => ({ version, date: `202601${String(i + 1).padStart(2, "0")}` }));
  const entries = [...of("54", 20), ...of("55", 9), ...of("2048", 1), ...of("UNKNOWN", 20), ...of("0x99", 1), ...of("Infinity", 1), ...of("", 1), ...of("57", 1)];
  assert.deepEqual(versionsOf(entries).slice(0, 3), ["57", "55", "54"]);
  assert.equal(versionsOf(entries).length, 8);
  const junk = [...of("2048", 1).map(({ version }) => ({ version, date: "20260131" })), ...entries];
  assert.equal(choosePlace(DEFAULTS, { release: junk }, "20270101", []).version, "54");
  assert.equal(choosePlace(DEFAULTS, { release: of("UNKNOWN", 1) }, "20270101", []).version, "UNKNOWN");
  const channels = { OTHER: of("54", 31), UNKNOWN: of("54", 31), release: of("54", 20), "release/cck": of("54", 20).slice(19) };
  assert.equal(choosePlace(DEFAULTS, channels, "20270101", []).channel, "release");
});

test("dates in the future or far from all others do not stretch the axis, and small data stays", () => {
  const at = (date, count) => ({ date, time: parseDate(date), count });
  const usual = Array.from({ length: 9 }, (_, i) => at(`2026010${i + 1}`, 500));
  const shown = (points) => plausible(points, "20260110").map(({ date }) => date);
  assert.deepEqual(shown([at("19700101", 1), at("19800101", 2), ...usual, at("21000101", 3)]), usual.map(({ date }) => date));
  assert.deepEqual(shown([at("20200101", 500), ...usual]).length, 10);
  assert.deepEqual(shown([at("21000101", 3)]), ["21000101"]);
  assert.deepEqual(shown([at("20100101", 3), at("20260101", 3)]).length, 2);
});

test("names that stand for others are explained where they are shown", () => {
  const row = { submission_date: "20170101", source_name: "shop", doc_type: "metrics", app_name: "UNKNOWN", app_update_channel: "UNKNOWN", app_version: "UNKNOWN", app_build_id: "UNKNOWN" };
  assert.ok(explanation([row]).startsWith("UNKNOWN: not in the URI"));
  assert.ok(explanation([{ ...row, doc_type: "OTHER" }]).includes("--doc-type OTHER"));
  assert.equal(explanation([{ submission_date: "20170101", source_name: "telemetry", doc_type: "main" }]), "");
});

test("what is stored and not counted is no absence of pings", () => {
  const glean = { namespace: "org-mozilla-fenix", doc_type: "metrics", app_name: "UNKNOWN", pings: 20, charted: false };
  const { reason, description } = absenceOf([glean, { namespace: "telemetry", doc_type: "OTHER", app_name: "Firefox", pings: 3, charted: false }]);
  assert.equal(reason, "stored_not_counted");
  assert.ok(description.startsWith("23 stored, none of a counted type: org-mozilla-fenix metrics (20), Firefox types without a partition of their own (3)"), description);
  const others = { namespace: "OTHER", doc_type: "OTHER", app_name: "OTHER", pings: 7, charted: false };
  assert.ok(absenceOf([others]).description.includes("Other products types without a partition of their own (7)"));
  assert.equal(absenceOf([]).reason, "nothing_received");
  assert.equal(absenceOf([{ ...glean, charted: true }]).reason, "not_folded_yet");
});

const loads = {
  pings: 3, samples: 5, sum: 100_000_000, layout: { kind: "functional" }, bins: [[10_000_000, 2], [30_000_000, 3]],
  edges: [10_000_000, 20_000_000, 30_000_000, 40_000_000], percentiles: { 50: { value: 35_000_000, low: 30_000_000, high: 40_000_000 } },
};

test("a row of the API is drawn between its edges, in the unit that its median reads well in", () => {
  const scale = scaleOf("ns", [loads]);
  assert.deepEqual(scale, { unit: "ms", by: 1e6 });
  const point = drawn(loads, "distribution", scale);
  assert.deepEqual(point.buckets, [10, 20, 30, 40]);
  assert.deepEqual(point.histogram, [2, 0, 3]);
  assert.equal(point.sum, 100);
  assert.deepEqual(point.percentile(0.5), { value: 35, open: false, bin: 2, fraction: 0.5 });
  assert.equal(point.percentile(0.9), null);
  assert.equal(binName(point, 2, "ms"), "30 to below 40 ms");
});

test("an open bin stays open, and bins whose edges nobody knows are values", () => {
  const open = drawn({ ...loads, edges: [10_000_000, 20_000_000, 30_000_000, null], percentiles: { 50: { value: 3e7, low: 3e7, high: null } } }, "distribution", { by: 1 });
  assert.deepEqual(open.buckets, [10_000_000, 20_000_000, 30_000_000]);
  assert.deepEqual(open.histogram, [2, 0, 3]);
  assert.equal(open.percentile(0.5).open, true);
  const { edges, ...unknown } = loads;
  assert.equal(edges.length, 4);
  assert.deepEqual([drawn(unknown, "distribution", { by: 1 }).kind, drawn(unknown, "distribution", { by: 1 }).buckets], ["enumerated", [10_000_000, 30_000_000]]);
});

test("numbers beyond what JavaScript holds keep every digit", () => {
  const row = { pings: 1, samples: "9007199254740993", sum: "-9007199254740995", layout: { kind: "linear" }, bins: [[0, "9007199254740993"]], edges: [0, 1], percentiles: {} };
  const point = drawn(row, "number", { by: 1 });
  assert.equal(whole(point.samples), "9,007,199,254,740,993");
  assert.equal(sumText(point.sum, ""), "-9,007,199,254,740,995");
  assert.equal(samples(point.histogram), 9007199254740993n);
});

test("values of a category stand in the order of the whole, also where a row lacks some", () => {
  const row = { pings: 2, samples: 3, bins: [["b", 2], ["<i>", 1]], layout: { kind: "categories" } };
  assert.deepEqual(drawn(row, "category", { by: 1 }, ["a", "b", "<i>"]).histogram, [0, 2, 1]);
});

test("the layout with the most pings leads, and the rest is no row of it", () => {
  const of = (kind, pings) => ({ layout: { kind }, pings });
  const { rows, others } = leading([of("linear", 4), of("functional", 3), of("functional", 3), { rest: true, pings: 99 }]);
  assert.deepEqual([rows.map(({ pings }) => pings), others.map(({ pings }) => pings)], [[3, 3], [4]]);
});

test("histograms over different parts of one layout are laid beside each other", () => {
  const both = sideBySide([{ buckets: [1, 2, 4], histogram: [5, 6] }, { buckets: [4, 8], histogram: [7] }]);
  assert.deepEqual(both, { buckets: [1, 2, 4, 8], histograms: [[5, 6, 0, 0], [0, 0, 7, 0]] });
});

test("a value within a filter is one value, whatever it holds", () => {
  for (const value of ["a,b", "a..b", "50%", "%2C", "日本語 €", "'; --"]) {
    const parts = encodeValue(value).split(",");
    assert.deepEqual(parts.map(decodeURIComponent), [value]);
    assert.ok(!encodeValue(value).includes(".."));
  }
});

test("filters of any dimension live in the address, and go together", () => {
  const written = writeAddress({ ...DEFAULTS, source: "a/b", "is.plan": "x&y=z", "is.os": "", from: "20260101" });
  const { state, notices } = readAddress(written);
  assert.deepEqual(notices, []);
  assert.deepEqual(filtersOf(state), [["plan", "x&y=z"]]);
  assert.deepEqual(filtersOf({ ...state, ...withoutFilters(state) }), []);
  assert.equal(withoutFilters(state).from, "");
});

test("bins with names are followed by name, whatever their order becomes", () => {
  const written = writeBins([0, 2], ["a,b", "c", "<%>"]);
  assert.deepEqual(readBins(written, ["c", "<%>", "new", "a,b"]), [3, 1]);
  assert.deepEqual(readBins(written, ["c"]), []);
  assert.deepEqual(readBins(writeBins([1, 4], null), null), [1, 4]);
});

test("without a wish Firefox is shown where it is counted, else the source with the newest day", () => {
  const of = (source, last_day, reader = "glean") => ({ source, last_day, reader });
  assert.equal(chooseSource("x/y", []), "x/y");
  assert.equal(chooseSource("", [of("a/b", "20260101"), of("telemetry/main", "20250101", "telemetry")]), "telemetry/main");
  assert.equal(chooseSource("", [of("a/b", "20260101"), of("c/d", "20260102"), of("e/f", undefined, "none")]), "c/d");
  assert.equal(chooseSource("", []), "telemetry/main");
  assert.match(whyStored({ source: "e/f", stored: 1, reason: "Because." }).description, /^1 ping of e\/f is stored.* Because\./);
});

test("texts of others are shown with every character to be seen", () => {
  assert.equal(visible("a\u0000b\u202ec\n"), "a\\u{0}b\\u{202e}c\\u{a}");
  assert.deepEqual(["UNKNOWN", "OTHER", "", "<b>"].map(valueName), ["not stated", "other (not told apart)", "(empty)", "<b>"]);
});
