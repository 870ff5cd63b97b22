// What answers of the aggregates route say, put together for the charts: points by date and key.
// Pure; no fetching, no drawing.

import { addHistograms, plus, samples } from "./statistics.js";

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

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

// Merges answers for parts of one version's dates (a long list is asked for in pieces). Counts are only added
// within one layout: the one with the most pings leads, and `others` are the answers of each other one. A ping has one or
// more keys, so the pings of a date are those of its most frequent key: else one ping with many keys would lead.
export function joinAnswers(answers) {
  const byLayout = new Map();
  for (const answer of answers) {
    const key = JSON.stringify([answer.kind, answer.buckets]);
    if (!byLayout.has(key)) byLayout.set(key, []);
    byLayout.get(key).push(answer);
  }
  const joined = [...byLayout.values()].map((same) => ({ ...same[0], data: same.flatMap(({ data }) => data), leftOut: sumLeftOut(same) }));
  const pings = new Map(joined.map((answer) => [answer, Number(pingsOf(answer))]));
  const [lead, ...others] = joined.sort((a, b) => pings.get(b) - pings.get(a));
  return { ...lead, others };
}

function pingsOf(answer) {
  const largest = new Map();
  for (const { date, count } of answer.data) if (!(largest.get(date) >= count)) largest.set(date, count);
  return [...largest.values()].reduce(plus, 0);
}

// How many samples of these answers lie in none of their bins, in whatever layout.
export function sumLeftOut(answers) {
  return answers.flatMap((answer) => [answer, ...(answer.others ?? [])]).map(({ leftOut }) => leftOut ?? 0).reduce(plus, 0);
}

// The keys of a keyed metric with their pings, most pings first; empty for a metric without keys.
export function keysOf(answer) {
  const pings = new Map();
  for (const { label, count } of answer.data) pings.set(label, plus(pings.get(label) ?? 0, count));
  if (pings.size === 1 && pings.has("")) return [];
  return [...pings].map(([key, count]) => ({ key, count }))
    .sort((a, b) => Number(b.count) - Number(a.count) || (a.key < b.key ? -1 : 1));
}

// One histogram over all dates of the leading layout; `key` null means all keys together. `leftOut` is how many samples lie
// in none of its bins: the server counts those of all keys together, so that of one key among others it may be unknown, null.
export function total(answer, key) {
  const rows = rowsOf(answer, key);
  const all = answer.leftOut ?? 0;
  return { ...sumOf(rows, answer.buckets.length), leftOut: rows.length === answer.data.length ? all : all === 0 ? 0 : null };
}

// What of an answer is in other layouts than the leading one: how many dates and pings.
export function elsewhere(answer, key) {
  const rows = (answer.others ?? []).flatMap((other) => rowsOf(other, key));
  return { dates: new Set(rows.map(({ date }) => date)).size, pings: rows.reduce((sum, { count }) => plus(sum, count), 0) };
}

// One point per date, oldest first: {date, time, kind, buckets, histogram, sum, count, samples}, each in its own
// layout. Dates that are no calendar dates are left out and counted in `strange`.
export function byDate(answer, key) {
  const dates = [answer, ...(answer.others ?? [])].flatMap((one) => datesOf(one, key));
  return byDay(dates.map(({ kind, buckets, rows, date }) => ({ date, kind, buckets, ...sumOf(rows, buckets.length) })));
}

// Points with a date each as those of a line: {points, strange}.
export function byDay(dated) {
  const points = dated.map((point) => ({ ...point, time: parseDate(point.date) }));
  const sound = points.filter(({ time }) => time !== null);
  return { points: mergePoints([sound]), strange: points.length - sound.length };
}

function datesOf(answer, key) {
  const { kind, buckets } = answer;
  const rows = new Map();
  for (const row of rowsOf(answer, key)) {
    if (!rows.has(row.date)) rows.set(row.date, []);
    rows.get(row.date).push(row);
  }
  return [...rows].map(([date, ofDate]) => ({ kind, buckets, date, rows: ofDate }));
}

// Points of several versions on one line. Where two versions have one date, their histograms are added
// if they share a layout; otherwise the one with more pings stays.
export function mergePoints(lists) {
  const byDay = new Map();
  for (const point of lists.flat()) {
    const other = byDay.get(point.date);
    if (!other) byDay.set(point.date, point);
    else if (sameLayout(other, point)) byDay.set(point.date, addPoints(other, point));
    else if (point.count > other.count) byDay.set(point.date, point);
  }
  return [...byDay.values()].sort((a, b) => a.time - b.time);
}

// Whether two points, or a point and an answer, have the same bins.
export function sameLayout(a, b) {
  return a.kind === b.kind && String(a.buckets) === String(b.buckets);
}

// Leaves out dates after `limit` ("YYYYMMDD"), and those at either end that hold less than a hundredth of all pings
// and lie further from the others than a year and than three times what the others span: clocks that are wrong. Keeps everything
// when nothing else would remain.
export function plausible(points, limit) {
  let kept = points.filter(({ date }) => date <= limit);
  if (kept.length === 0) return points;
  const all = kept.reduce((sum, { count }) => sum + Number(count), 0);
  for (const end of [-1, 1]) {
    const sorted = [...kept].sort((a, b) => end * (b.time - a.time));
    let pings = 0;
    for (let i = 0; i + 1 < sorted.length; i += 1) {
      pings += Number(sorted[i].count);
      const gap = Math.abs(sorted[i].time - sorted[i + 1].time);
      const span = Math.abs(sorted[i + 1].time - sorted.at(-1).time);
      if (pings * 100 >= all) break;
      if (gap > Math.max(YEAR_MS, 3 * span)) kept = sorted.slice(i + 1);
    }
  }
  return kept.sort((a, b) => a.time - b.time);
}

// Leaves out dates with less than a hundredth of the pings of the fullest date; keeps everything when
// fewer than `keep` dates would remain, so that small data never disappears.
export function withoutSparse(points, keep = 5) {
  const fullest = Math.max(0, ...points.map((point) => Number(point.count)));
  const kept = points.filter((point) => point.count >= fullest / 100);
  return kept.length >= Math.min(keep, points.length) ? kept : points;
}

function rowsOf(answer, key) {
  return key === null ? answer.data : answer.data.filter((row) => row.label === key);
}

function addPoints(a, b) {
  const histogram = addHistograms(a.histogram, b.histogram);
  return { ...a, histogram, sum: plus(a.sum, b.sum), count: plus(a.count, b.count), samples: plus(a.samples, b.samples) };
}

function sumOf(rows, bins) {
  let histogram = new Array(bins).fill(0);
  let sum = 0;
  let count = 0;
  for (const row of rows) {
    histogram = addHistograms(histogram, row.histogram);
    sum = plus(sum, row.sum);
    count = plus(count, row.count);
  }
  return { histogram, sum, count, samples: samples(histogram) };
}
