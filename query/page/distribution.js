// The distribution: one histogram over all dates of the version, as bars, with its summary and its table.
// Amounts are upright bars by bin; named bins (boolean, flag, categorical) are rows.

import { isCategories, mean, percentile, shares, worthDrawing } from "./statistics.js";
import { CHARACTER, Chart, linear, niceTicks, xLabels, yAxis } from "./svg.js";
import { h, render } from "./tree.js";
import { amount, binName, leftOutText, percentileText, share, sumText, whole, withUnit } from "./words.js";

const PERCENTILES = [["5th", 0.05], ["25th", 0.25], ["Median", 0.5], ["75th", 0.75], ["95th", 0.95]];
const HEIGHT = 250;
const ROW = 28;
const TALL_ROW = 44;
export const MOST_ROWS = 24;
const WIDE = 8; // width of a wide character, in pixels

export class Distribution {
  #chart; #summary; #note; #table;

  constructor(section) {
    this.#chart = new Chart(section.querySelector(".plot"));
    this.#summary = section.querySelector(".summary");
    this.#note = section.querySelector(".note");
    this.#table = section.querySelector(".table");
  }

  // `view`: {metric, answer, total (sum of the dates in its layout), unit, cumulative, allBins, elsewhere, otherLayouts}, and, where
  // they are known, {kindName, more (a sentence)}.
  show(view) {
    const model = { ...view, shares: shares(view.total.histogram, view.cumulative), plain: shares(view.total.histogram) };
    this.#chart.show((width) => (hasRows(view.answer.kind) ? drawRows(model, width) : drawBars(model, width)));
    this.#writeSummary(model);
    this.#writeNote(model);
    render(this.#table, tableOf(model));
  }

  #writeSummary({ answer, total, unit, kindName }) {
    const { kind } = answer;
    const facts = [];
    if (!isCategories(kind)) {
      for (const [name, p] of PERCENTILES) {
        facts.push([name, percentileText(percentileOf(answer, total, p), unit), name === "Median"]);
      }
      const average = mean(total.sum, total.histogram, total.leftOut);
      facts.push(["Mean", average === null ? "–" : withUnit(average, unit)]);
    }
    const counts = [["Pings", whole(total.count)], ["Samples", whole(total.samples)]];
    if (!isCategories(kind)) counts.push(["Sum", sumText(total.sum, unit)]);
    counts.push(["Kind", kindName ?? kind]);
    render(this.#summary, [facts, counts].filter((list) => list.length > 0).map(factList));
  }

  #writeNote({ answer, total, elsewhere, otherLayouts, hidden, more }) {
    const parts = [];
    if (!isCategories(answer.kind)) parts.push("Percentiles are interpolated inside the bin’s own edges, unless it holds one value; the mean is the exact sum over the samples.");
    if (answer.leftOut) parts.push(leftOutText(total.leftOut, answer.leftOut, !isCategories(answer.kind)));
    if (total.samples === 0 && total.count > 0 && !answer.leftOut) parts.push("Clients reported this metric without a single sample.");
    if (hidden > 0) parts.push(`${hidden} ${hidden === 1 ? "bin" : "bins"} at the edges with less than 0.01% of the samples ${hidden === 1 ? "is" : "are"} not drawn.`);
    if (elsewhere.dates > 0) {
      parts.push(`${whole(elsewhere.pings)} pings of ${whole(elsewhere.dates)} ${elsewhere.dates === 1 ? "date" : "dates"} have bins of another layout and are not in this histogram; the evolution shows them.`);
    }
    if (more) parts.push(more);
    if (otherLayouts) parts.push(`Left out at some dates, since more pings have another layout there: ${otherLayouts}.`);
    render(this.#note, [parts.join(" ")]);
  }
}

// As the server computed it, where it did.
function percentileOf({ buckets, kind }, total, p) {
  return total.percentile ? total.percentile(p) : percentile(buckets, total.histogram, kind, p);
}

function factList(facts) {
  return h("dl", {}, facts.map(([name, value, main]) => (
    h("div", main ? { class: "main" } : {}, [h("dt", {}, name), h("dd", {}, value)]))));
}

// True for kinds whose bins have names and are drawn as rows.
export function hasRows(kind) {
  return ["boolean", "flag", "categorical"].includes(kind);
}

// How many edge bins a view leaves out, and the range drawn.
export function drawnRange(answer, total, allBins) {
  const end = total.histogram.length - 1;
  const [first, last] = allBins ? [0, end] : worthDrawing(total.histogram);
  return { first, last, hidden: first + (end - last) };
}

function drawBars(model, width) {
  const { range, unit, answer } = model;
  const plot = { left: 46, right: width - 4, top: 14, bottom: HEIGHT - 42 };
  const bins = [];
  for (let i = range.first; i <= range.last; i += 1) bins.push(i);
  const ticks = niceTicks(Math.max(0.000001, ...bins.map((i) => model.shares[i])), 4).filter((tick) => !model.cumulative || tick <= 1);
  const y = linear(0, ticks.at(-1), plot.bottom, plot.top);
  const step = (plot.right - plot.left) / bins.length;
  const left = (k) => plot.left + k * step;
  const gap = step >= 5 ? 1 : step >= 3 ? 0.5 : 0;
  const bars = bins.map((i, k) => h("rect", {
    class: "bar", x: (left(k) + gap / 2).toFixed(2), width: Math.max(0.5, step - gap).toFixed(2),
    y: y(model.shares[i]).toFixed(2), height: Math.max(0, plot.bottom - y(model.shares[i])).toFixed(2),
  }));
  return {
    height: HEIGHT, plot, axis: "x", band: step, stops: bins.map((_, k) => left(k) + step / 2),
    label: `Distribution of ${model.metric}: ${bins.length} bins. Arrow keys read them one by one.`,
    nodes: [
      ...yAxis(ticks, y, plot.left, plot.right, (tick) => `${amount(tick * 100)}%`),
      h("g", { class: "bars" }, bars),
      ...medianMark(model, range, left, step, plot),
      ...xLabels(binLabels(answer, bins, left, step), plot.bottom + 18, 0, width),
      h("text", { class: "axis end", x: plot.right, y: HEIGHT - 4 }, axisTitle(answer, unit)),
    ],
    tip: (k) => tipOf(model, bins[k]),
  };
}

function axisTitle({ kind }, unit) {
  if (kind === "enumerated") return "value";
  return unit ? `lower bound of the bin, ${unit}` : "lower bound of the bin";
}

function medianMark({ answer, total, unit }, range, left, step, plot) {
  if (isCategories(answer.kind)) return [];
  const median = percentileOf(answer, total, 0.5);
  if (!median || median.bin < range.first || median.bin > range.last) return [];
  const x = left(median.bin - range.first + median.fraction);
  const text = `median ${percentileText(median, unit)}`;
  const onLeft = x + text.length * WIDE + 8 > plot.right;
  return [h("g", { class: "mark" }, [
    h("line", { x1: x, x2: x, y1: plot.top - 6, y2: plot.bottom }),
    h("text", { class: onLeft ? "end" : "", x: onLeft ? x - 6 : x + 6, y: plot.top + 2 }, text),
  ])];
}

// Labels of lower bounds, as many as fit, at the left edges of their bins (in the middle for enumerated).
function binLabels({ buckets, kind }, bins, left, step) {
  const texts = bins.map((i) => amount(buckets[i] ?? i));
  const widest = Math.max(...texts.map((text) => text.length)) * CHARACTER + 14;
  const every = Math.max(1, Math.ceil(widest / step));
  const middle = kind === "enumerated" || step > 40 ? step / 2 : Math.min(step / 2, 8);
  return bins.flatMap((_, k) => (k % every === 0 ? [{ x: left(k) + middle, text: texts[k] }] : []));
}

function rowsWorthDrawing({ answer, total, allBins }) {
  const all = total.histogram.map((_, i) => i);
  if (answer.kind !== "categorical") return all.filter((i) => i < 2 || total.histogram[i] > 0);
  const rows = allBins ? all : all.filter((i) => total.histogram[i] > 0);
  return (rows.length > 0 ? rows : all).slice(0, MOST_ROWS);
}

function drawRows(model, width) {
  const { answer } = model;
  const rows = rowsWorthDrawing(model);
  const names = rows.map((i) => binName(answer, i, ""));
  const room = Math.min(width * 0.42, Math.max(...names.map((name) => name.length)) * CHARACTER + 14);
  const fit = Math.floor((room - 12) / CHARACTER);
  const row = rows.length <= 3 ? TALL_ROW : ROW;
  const thick = row / 2 + 2;
  const plot = { left: 0, right: width, top: 8, bottom: 8 + rows.length * row };
  const x = linear(0, Math.max(1, ...rows.map((i) => model.shares[i])), room, width - 64); // differences may exceed the whole
  const stops = rows.map((_, k) => plot.top + k * row + row / 2);
  return {
    height: plot.bottom + 8, plot, axis: "y", band: row, stops,
    label: `Distribution of ${model.metric}: ${rows.length} named bins. Arrow keys read them one by one.`,
    nodes: rows.flatMap((i, k) => [
      h("text", { class: "name", x: 2, y: stops[k] + 4 }, names[k].length > fit ? `${names[k].slice(0, fit - 1)}…` : names[k]),
      h("rect", { class: "track", x: x(0), width: x(1) - x(0), y: stops[k] - thick / 2, height: thick }),
      h("rect", { class: "bar", x: x(0), width: Math.max(0, x(model.shares[i]) - x(0)).toFixed(1), y: stops[k] - thick / 2, height: thick }),
      h("text", { class: "value end", x: width - 2, y: stops[k] + 4 }, share(model.shares[i])),
    ]),
    tip: (k) => tipOf(model, rows[k]),
  };
}

function tipOf(model, i) {
  const rows = [["Samples", whole(model.total.histogram[i])], ["Share", share(model.plain[i])]];
  if (model.cumulative) rows.push(["Up to here", share(model.shares[i])]);
  return { title: binName(model.answer, i, model.unit), rows };
}

function tableOf(model) {
  const running = shares(model.total.histogram, true);
  const head = ["Bin", "Samples", "Share", "Up to here"];
  const rows = model.total.histogram.map((count, i) => h("tr", {}, [
    h("th", { scope: "row" }, binName(model.answer, i, model.unit)),
    h("td", {}, whole(count)), h("td", {}, share(model.plain[i])), h("td", {}, share(running[i])),
  ]));
  return [
    h("caption", {}, `Distribution of ${model.metric}`),
    h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows),
  ];
}
