// What answers of the aggregates route say, put together for the charts: points by date and key.
// Pure; no fetching, no drawing.

import { addHistograms, samples } from "./statistics.js";

const DAY_MS = 86_400_000;

// "20261123" as a Date at 00:00 UTC, or null when it is no calendar date.
export function parseDate(text) {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date : null;
}

// A Date as "20261123".
export function formatDate(date) {
  return date.toISOString().slice(0, 10).replaceAll("-", "");
}

// `days` after the date `text`, in the same form.
export function addDays(text, days) {
  return formatDate(new Date(parseDate(text).getTime() + days * DAY_MS));
}

// Merges answers for parts of one version's dates (a long list is asked for in pieces).
export function joinAnswers(answers) {
  const [first] = answers;
  return { ...first, data: answers.flatMap((answer) => answer.data) };
}

// The keys of a keyed metric with their pings, most pings first; empty for a metric without keys.
export function keysOf(answer) {
  const pings = new Map();
  for (const { label, count } of answer.data) pings.set(label, (pings.get(label) ?? 0) + count);
  if (pings.size === 1 && pings.has("")) return [];
  return [...pings].map(([key, count]) => ({ key, count }))
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
}

// One histogram over all dates; `key` null means all keys together.
export function total(answer, key) {
  return sumOf(rowsOf(answer, key), answer.buckets.length);
}

// One point per date, oldest first: {date, time, histogram, sum, count, samples}.
// Dates that are no calendar dates are left out and counted in `strange`.
export function byDate(answer, key) {
  const rows = new Map();
  for (const row of rowsOf(answer, key)) {
    if (!rows.has(row.date)) rows.set(row.date, []);
    rows.get(row.date).push(row);
  }
  const points = [];
  let strange = 0;
  for (const [date, ofDate] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const time = parseDate(date);
    if (time === null) strange += 1;
    else points.push({ date, time, buckets: answer.buckets, ...sumOf(ofDate, answer.buckets.length) });
  }
  return { points, strange };
}

// Points of several versions on one line. Where two versions have one date, their histograms are added
// if they share a layout; otherwise the one with more pings stays.
export function mergePoints(lists) {
  const byDay = new Map();
  for (const point of lists.flat()) {
    const other = byDay.get(point.date);
    if (!other) byDay.set(point.date, point);
    else if (String(other.buckets) === String(point.buckets)) byDay.set(point.date, addPoints(other, point));
    else if (point.count > other.count) byDay.set(point.date, point);
  }
  return [...byDay.values()].sort((a, b) => a.time - b.time);
}

// Leaves out dates with less than a hundredth of the pings of the fullest date; keeps everything when
// fewer than `keep` dates would remain, so that small data never disappears.
export function withoutSparse(points, keep = 5) {
  const fullest = Math.max(0, ...points.map((point) => point.count));
  const kept = points.filter((point) => point.count >= fullest / 100);
  return kept.length >= Math.min(keep, points.length) ? kept : points;
}

function rowsOf(answer, key) {
  return key === null ? answer.data : answer.data.filter((row) => row.label === key);
}

function addPoints(a, b) {
  const histogram = addHistograms(a.histogram, b.histogram);
  return { ...a, histogram, sum: a.sum + b.sum, count: a.count + b.count, samples: a.samples + b.samples };
}

function sumOf(rows, bins) {
  let histogram = new Array(bins).fill(0);
  let sum = 0;
  let count = 0;
  for (const row of rows) {
    histogram = addHistograms(histogram, row.histogram);
    sum += row.sum;
    count += row.count;
  }
  return { histogram, sum, count, samples: samples(histogram) };
}
