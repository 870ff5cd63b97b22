// The evolution: one point per build date or submission date. Amounts show the median and the 5th, 25th, 75th
// and 95th percentiles; named bins show the share of the chosen bins. Under it the pings of each date.

import { sameLayout } from "./answer.js";
import { isCategories, isGeometric, percentile, shares } from "./statistics.js";
import { area, Chart, dateTicks, line, linear, logarithmic, logTicks, niceTicks, spread, xLabels, yAxis } from "./svg.js";
import { h, render } from "./tree.js";
import { amount, binName, compact, day, percentileText, share, whole } from "./words.js";

const HEIGHT = 300;
const PINGS = 40;
const RIGHT = 54;
const DAY_MS = 86_400_000;
const LINES = [["5th", 0.05], ["25th", 0.25], ["Median", 0.5], ["75th", 0.75], ["95th", 0.95]];
const MOST_BINS = 6;
const LONGEST = 16; // characters of a line's name
const CAPITAL = 8; // width of a capital letter, in pixels

export class Evolution {
  #chart; #note; #table; #bins; #choose;

  // `choose(bins)` is called when a reader picks other bins to follow.
  constructor(section, choose) {
    this.#chart = new Chart(section.querySelector(".plot"));
    this.#note = section.querySelector(".note");
    this.#table = section.querySelector(".table");
    this.#bins = section.querySelector(".bins");
    this.#choose = choose;
  }

  // `view`: {metric, answer, total, points, unit, clock, bins, log, starts: [{version, time}], note}.
  show(view) {
    const named = isCategories(view.answer.kind);
    const bins = named ? chosenBins(view) : [];
    const model = { ...view, named, bins, series: named ? shareSeries(view, bins) : percentileSeries(view) };
    this.#showBins(model);
    this.#chart.show((width) => draw(model, width));
    render(this.#note, [view.note]);
    render(this.#table, tableOf(model));
  }

  #showBins({ answer, total, bins, named }) {
    this.#bins.hidden = !named;
    if (!named) return;
    const all = total.histogram.map((count, i) => ({ i, count })).filter(({ i, count }) => count > 0 || bins.includes(i));
    const offered = all.sort((a, b) => Number(b.count) - Number(a.count)).slice(0, 12);
    render(this.#bins, offered.map(({ i }) => h("button", {
      type: "button", class: "chip", "aria-pressed": String(bins.includes(i)),
      onclick: () => this.#choose(toggled(bins, i)),
    }, binName(answer, i, ""))));
  }
}

function toggled(bins, i) {
  if (!bins.includes(i)) return [...bins, i].slice(-MOST_BINS);
  return bins.length > 1 ? bins.filter((bin) => bin !== i) : bins;
}

// The bins to follow: those asked for, else "true" of a yes-or-no metric, else the four largest.
function chosenBins({ answer, total, bins }) {
  const asked = bins.filter((i) => i >= 0 && i < total.histogram.length);
  if (asked.length > 0) return asked.slice(0, MOST_BINS);
  if (answer.kind === "boolean" || answer.kind === "flag") return [1];
  const order = total.histogram.map((count, i) => ({ count, i })).sort((a, b) => Number(b.count) - Number(a.count));
  return order.filter(({ count }, k) => count > 0 || k === 0).slice(0, 4).map(({ i }) => i);
}

function shareSeries({ answer, points }, bins) {
  // Another layout has other bins under the same number.
  const byPoint = points.map((point) => (point.samples > 0 && sameLayout(point, answer) ? shares(point.histogram) : null));
  return bins.map((i) => ({ name: binName(answer, i, ""), values: byPoint.map((ofPoint) => ofPoint?.[i] ?? null) }));
}

function percentileSeries({ points }) {
  return LINES.map(([name, p]) => {
    const results = points.map((point) => point.percentile?.(p) ?? percentile(point.buckets, point.histogram, point.kind, p));
    return { name, results, values: results.map((result) => result?.value ?? null) };
  });
}

// Exponential metrics are read by ratio unless the reader wants otherwise.
export function usesLog(answer, scale) {
  return !isCategories(answer.kind) && (scale === "log" || (scale === "" && isGeometric(answer.kind)));
}

function draw(model, width) {
  const { points, series, log } = model;
  const plot = { left: 46, right: width - (model.named ? labelRoom(series, width) : RIGHT), top: 12, bottom: HEIGHT - PINGS - 44 };
  const x = timeScale(points, plot);
  const values = series.flatMap(({ values: ofLine }) => ofLine).filter((value) => value !== null);
  const { y, ticks } = valueScale(values, log, plot);
  const xs = points.map((point) => x(point.time.getTime()));
  const text = model.named ? (tick) => `${amount(tick * 100)}%` : (tick) => amount(tick);
  return {
    height: HEIGHT, axis: "x", stops: xs, plot: { ...plot, bottom: HEIGHT - 26 },
    label: `${model.metric} by ${model.clock}: ${points.length} dates. Arrow keys read them one by one.`,
    nodes: [
      ...yAxis(ticks, y, plot.left, plot.right, text),
      ...starts(model, x, plot),
      ...(model.named ? shareLines(model, xs, y) : bands(model, xs, y)),
      ...endLabels(series, y, plot, model.named, width - plot.right),
      ...pingBars(points, xs, plot),
      ...xLabels(dateTicks(...span(points), Math.max(2, Math.floor((plot.right - plot.left) / 64)))
        .map(({ time, text: label }) => ({ x: x(time), text: label })), HEIGHT - 8, 0, width),
      h("text", { class: "axis", x: 0, y: plot.bottom + 26 }, "pings"),
    ],
    tip: (i) => tipOf(model, i),
  };
}

function labelRoom(series, width) {
  const longest = Math.max(0, ...series.map(({ name }) => name.length));
  const shown = Math.min(LONGEST, longest);
  return Math.min(width * 0.3, Math.max(RIGHT, shown * CAPITAL + 8));
}

function span(points) {
  const first = points[0]?.time.getTime() ?? 0;
  const last = points.at(-1)?.time.getTime() ?? 0;
  return first === last ? [first - DAY_MS, last + DAY_MS] : [first, last];
}

function timeScale(points, plot) {
  const [from, to] = span(points);
  return linear(from, to, plot.left + 8, plot.right - 8);
}

function valueScale(values, log, plot) {
  const top = Math.max(0, ...values);
  if (log && top > 0) {
    const smallest = Math.min(...values.filter((value) => value > 0));
    const floor = Math.max(smallest, top / 1e5);
    const from = Math.min(floor, top / 2) * 0.9;
    return { y: logarithmic(from, top * 1.1, plot.bottom, plot.top, from), ticks: logTicks(from, top * 1.1, 5) };
  }
  const low = Math.min(0, ...values);
  const upper = niceTicks(Math.max(top, -low) || 1, 4);
  const ticks = low < 0 ? [...upper.slice(1).map((tick) => -tick).reverse(), ...upper].filter((tick) => tick >= low - upper[1] && tick <= top + upper[1]) : upper;
  return { y: linear(ticks[0], ticks.at(-1), plot.bottom, plot.top), ticks };
}

function at(values, xs, y) {
  return values.flatMap((value, i) => (value === null ? [] : [[xs[i], y(value)]]));
}

function bands({ series, points }, xs, y) {
  const lines = series.map(({ values }) => at(values, xs, y));
  if (points.length === 1) return lines.flatMap((ofLine, k) => dots(ofLine, k === 2 ? "line dot" : "dot quiet"));
  const [p5, p25, p50, p75, p95] = lines;
  return [
    h("path", { class: "wide", d: area(p95, p5) }),
    h("path", { class: "middle-half", d: area(p75, p25) }),
    h("path", { class: "edge", d: line(p95) }),
    h("path", { class: "edge", d: line(p5) }),
    h("path", { class: "line", d: line(p50) }),
    ...(points.length <= 60 ? dots(p50, "line dot") : []),
  ];
}

function shareLines({ series, points }, xs, y) {
  return series.flatMap(({ values }, k) => {
    const ofLine = at(values, xs, y);
    return [
      h("path", { class: `line s${k}`, d: line(ofLine) }),
      ...(points.length <= 60 ? dots(ofLine, `dot line s${k}`) : []),
    ];
  });
}

function dots(points, name) {
  return points.map(([x, y]) => h("circle", { class: name, cx: x.toFixed(1), cy: y.toFixed(1), r: 2.5 }));
}

function endLabels(series, y, plot, named, room) {
  const labels = series.flatMap(({ name, values }, k) => {
    const last = values.findLast((value) => value !== null);
    if (last === undefined || last === null) return [];
    const fit = Math.min(LONGEST, Math.floor((room - 6) / CAPITAL));
    return [{ y: y(last) + 4, text: name.length > fit ? `${name.slice(0, fit - 1)}…` : name, name: named ? `s${k}` : name === "Median" ? "s0" : "" }];
  });
  return spread(labels, 14, plot.top + 6, plot.bottom + 2)
    .map((label) => h("text", { class: `line-name ${label.name}`, x: plot.right + 4, y: label.y.toFixed(1) }, label.text));
}

function pingBars(points, xs, plot) {
  const top = Math.max(1, ...points.map((point) => Number(point.count)));
  const bottom = HEIGHT - 26.5;
  const y = linear(0, top, bottom, bottom - PINGS);
  const gaps = xs.slice(1).map((x, i) => x - xs[i]);
  const width = Math.max(1, Math.min(12, Math.min(...gaps, 12) - 2));
  return [
    ...points.map((point, i) => h("rect", {
      class: "pings", x: (xs[i] - width / 2).toFixed(1), width: width.toFixed(1),
      y: y(Number(point.count)).toFixed(1), height: Math.max(0, bottom - y(Number(point.count))).toFixed(1),
    })),
    h("line", { class: "base", x1: plot.left, x2: plot.right, y1: bottom, y2: bottom }),
    h("text", { class: "tick", x: plot.right + 4, y: bottom - PINGS + 10 }, compact(top)),
  ];
}

function starts({ starts: versions }, x, plot) {
  return versions.flatMap(({ version, time }) => {
    const left = Math.round(x(time)) + 0.5;
    const text = version.length > LONGEST ? `${version.slice(0, LONGEST - 1)}…` : version;
    const fits = left + 4 + text.length * CAPITAL <= plot.right;
    return [
      h("line", { class: "start", x1: left, x2: left, y1: plot.top - 4, y2: plot.bottom }),
      h("text", { class: fits ? "tick" : "tick end", x: fits ? left + 4 : left - 4, y: plot.top + 4 }, text),
    ];
  });
}

function tipOf({ points, series, unit, named }, i) {
  const values = series.map(({ name, results, values: ofLine }) => {
    if (!named) return [name, percentileText(results[i], unit)];
    return [name, ofLine[i] === null ? "–" : share(ofLine[i])];
  });
  if (!named) values.reverse();
  return { title: day(points[i].time), rows: [...values, ["Pings", whole(points[i].count)], ["Samples", whole(points[i].samples)]] };
}

function tableOf(model) {
  const head = ["Date", ...model.series.map(({ name }) => name), "Pings", "Samples"];
  const rows = model.points.map((point, i) => h("tr", {}, [
    h("th", { scope: "row" }, day(point.time)),
    ...model.series.map(({ results, values }) => h("td", {}, results ? percentileText(results[i], model.unit) : values[i] === null ? "–" : share(values[i]))),
    h("td", {}, whole(point.count)), h("td", {}, whole(point.samples)),
  ]));
  return [
    h("caption", {}, `${model.metric} by ${model.clock}`),
    h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows.reverse()),
  ];
}
