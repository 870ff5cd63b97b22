// A metric by label, or by a dimension: numbers as rows of bars, distributions and categories as small charts beside each
// other, and all of it as a table.

import { drawn, exact, sideBySide } from "./rows.js";
import { shares, worthDrawing } from "./statistics.js";
import { Chart, linear } from "./svg.js";
import { h, render } from "./tree.js";
import { amount, percentileText, share, sumText, valueName, visible, whole, withUnit } from "./words.js";

const MOST = 8; // small charts beside each other
const MOST_ROWS = 24;
const ROW = 28;
const SMALL = { width: 240, height: 84 };
const NAMES = 5; // of a category, in a small chart
const WIDE = 7.5; // width of a character of a name, in pixels
const PARTS = 1e6; // of a whole, to decide which bins are worth drawing
const MEASURES = { sum: "Sum", mean: "Mean", pings: "Pings" };
const PERCENTILES = [["5th", 0.05], ["Median", 0.5], ["95th", 0.95]];

export class Groups {
  #section; #chart; #small; #note; #table; #show; #plot;

  // `choose(show)` is called when a reader picks another measure of numbers.
  constructor(section, choose) {
    this.#section = section;
    this.#plot = section.querySelector(".plot");
    this.#chart = new Chart(this.#plot);
    this.#small = section.querySelector(".small-charts");
    this.#note = section.querySelector(".note");
    this.#table = section.querySelector(".table");
    this.#show = section.querySelector("select");
    this.#show.addEventListener("change", () => choose(this.#show.value));
  }

  hide() {
    this.#section.hidden = true;
  }

  // `view`: {title, by (the dimension, or label), rows, groups, kind, scale: {unit, by}, measure, names (of a category)}.
  show(view) {
    this.#section.hidden = false;
    this.#section.querySelector("h2").textContent = view.title;
    const groups = view.rows.filter(({ rest }) => !rest).map((row) => ({ row, name: nameOf(row, view.by), point: drawn(row, row.kind ?? view.kind, view.scale, view.names) }));
    const rest = view.rows.find((row) => row.rest);
    const isNumber = view.kind === "number";
    this.#plot.hidden = !isNumber;
    this.#small.hidden = isNumber;
    this.#show.closest("label").hidden = !isNumber;
    this.#show.value = view.measure;
    const model = { ...view, drawnGroups: groups, rest };
    if (isNumber) this.#chart.show((width) => drawBars(model, width));
    else render(this.#small, groups.slice(0, MOST).map((group) => smallChart(model, group)));
    render(this.#note, [noteOf(model, isNumber ? MOST_ROWS : MOST)]);
    render(this.#table, tableOf(model));
  }
}

function nameOf(row, by) {
  return valueName(String(row[by]));
}

function noteOf({ drawnGroups, rest, kind, groups, by }, most) {
  const parts = [];
  if (drawnGroups.length > most) parts.push(`The ${most} with the most pings of ${whole(groups)} are drawn; the table has ${rest ? `${drawnGroups.length} of them` : "all"}.`);
  if (rest) parts.push(`${whole(rest.groups)} more, with ${whole(exact(rest.samples))} samples, are one row of the table.`);
  if (kind === "distribution" && drawnGroups.length > 1) parts.push("All are drawn over the same bins; each bar is a share of its own group’s samples.");
  if (by === "label" && drawnGroups.length > 1) parts.push("A ping may have several labels: their pings do not add up.");
  return parts.join(" ");
}

function measured({ row, point }, measure) {
  if (measure === "mean") return Number(point.samples) > 0 ? Number(point.sum) / Number(point.samples) : 0;
  return measure === "pings" ? row.pings : Number(point.sum);
}

function drawBars(model, width) {
  const { measure, scale } = model;
  const rows = model.drawnGroups.slice(0, MOST_ROWS);
  const values = rows.map((group) => measured(group, measure));
  const texts = values.map((value) => (measure === "pings" ? whole(value) : withUnit(value, scale.unit)));
  const room = Math.min(width * 0.4, Math.max(0, ...rows.map(({ name }) => name.length)) * WIDE + 14);
  const fit = Math.max(1, Math.floor((room - 12) / WIDE));
  const end = Math.max(0, ...texts.map((text) => text.length)) * 8 + 10;
  const x = linear(Math.min(0, ...values), Math.max(0, ...values) || 1, room, width - end);
  const plot = { left: 0, right: width, top: 4, bottom: 4 + rows.length * ROW };
  const stops = rows.map((_, k) => plot.top + k * ROW + ROW / 2);
  return {
    height: plot.bottom + 4, plot, axis: "y", band: ROW, stops,
    label: `${MEASURES[measure]} ${model.title.toLowerCase()}: ${rows.length} rows. Arrow keys read them one by one.`,
    nodes: rows.flatMap(({ name }, k) => [
      h("text", { class: "name", x: 2, y: stops[k] + 4 }, name.length > fit ? `${name.slice(0, fit - 1)}…` : name),
      h("rect", { class: "bar", x: Math.min(x(0), x(values[k])).toFixed(1), width: Math.abs(x(values[k]) - x(0)).toFixed(1), y: stops[k] - 8, height: 16 }),
      h("text", { class: "value end", x: width - 2, y: stops[k] + 4 }, texts[k]),
    ]),
    tip: (k) => ({ title: rows[k].name, rows: facts(rows[k], model) }),
  };
}

function facts({ row, point }, { kind, scale }) {
  const list = [["Pings", whole(row.pings)], ["Samples", whole(point.samples)]];
  if (kind === "category") return list;
  return [...list, ["Sum", sumText(point.sum, scale.unit)], ["Mean", withUnit(measured({ row, point }, "mean"), scale.unit)]];
}

// One group's chart, with what it shows in words; the table says the rest.
function smallChart(model, group) {
  const drawing = model.kind === "category" ? categoryRows(model, group) : smallBars(model, group);
  const median = group.point.percentile?.(0.5);
  const words = median ? `median ${percentileText(median, model.scale.unit)}` : topOf(group);
  return h("figure", {}, [
    h("figcaption", {}, [h("span", {}, group.name), h("small", {}, `${pingsText(group.row)}, ${words}`)]),
    h("svg", { role: "img", viewBox: `0 0 ${SMALL.width} ${SMALL.height}`, "aria-label": `${group.name}: ${pingsText(group.row)}, ${words}` }, drawing),
  ]);
}

function pingsText({ pings }) {
  return `${whole(pings)} ${pings === 1 ? "ping" : "pings"}`;
}

function topOf({ point: { buckets, histogram, samples } }) {
  const top = histogram.reduce((best, count, i) => (count > histogram[best] ? i : best), 0);
  return histogram.length === 0 ? "no value" : `mostly ${valueName(buckets[top])} (${share(Number(histogram[top]) / Number(samples || 1))})`;
}

function smallBars({ drawnGroups }, group) {
  const shown = drawnGroups.slice(0, MOST);
  const { buckets, histograms } = sideBySide(shown.map(({ point }) => point));
  const all = histograms.map((histogram) => shares(histogram));
  const [first, last] = worthDrawing(buckets.map((_, i) => Math.round(all.reduce((sum, one) => sum + one[i] * PARTS, 0))));
  const top = Math.max(0.000001, ...all.flatMap((one) => one.slice(first, last + 1)));
  const step = SMALL.width / (last - first + 1);
  const mine = all[shown.indexOf(group)];
  return [
    ...mine.slice(first, last + 1).map((value, k) => h("rect", {
      class: "bar", x: (k * step).toFixed(2), width: Math.max(0.5, step - (step > 4 ? 1 : 0)).toFixed(2),
      y: ((1 - value / top) * (SMALL.height - 18)).toFixed(2), height: ((value / top) * (SMALL.height - 18)).toFixed(2),
    })),
    h("line", { class: "base", x1: 0, x2: SMALL.width, y1: SMALL.height - 18, y2: SMALL.height - 18 }),
    h("text", { x: 0, y: SMALL.height - 4 }, amount(buckets[first])),
    h("text", { class: "end", x: SMALL.width, y: SMALL.height - 4 }, amount(buckets[Math.min(last, buckets.length - 1)])),
  ];
}

// The names that are the most frequent of all, the same in each chart.
function categoryRows({ names }, { point: { histogram, samples } }) {
  const rows = names.slice(0, NAMES);
  const step = SMALL.height / NAMES;
  const left = SMALL.width * 0.42;
  return rows.flatMap((name, i) => {
    const part = Number(histogram[i]) / Number(samples || 1);
    const text = valueName(name);
    const fit = Math.floor((left - 6) / WIDE);
    return [
      h("text", { class: "name", x: 0, y: (i + 0.5) * step + 4 }, text.length > fit ? `${text.slice(0, fit - 1)}…` : text),
      h("rect", { class: "track", x: left, width: SMALL.width - left - 48, y: i * step + 3, height: step - 6 }),
      h("rect", { class: "bar", x: left, width: ((SMALL.width - left - 48) * part).toFixed(1), y: i * step + 3, height: step - 6 }),
      h("text", { class: "value end", x: SMALL.width, y: (i + 0.5) * step + 4 }, share(part)),
    ];
  });
}

function tableOf(model) {
  const { kind, scale, names, drawnGroups, rest, title } = model;
  const isCategory = kind === "category";
  const columns = isCategory ? names.slice(0, NAMES).map((name) => valueName(name)) : [...PERCENTILES.map(([name]) => name), "Mean", "Sum"];
  const rows = drawnGroups.map((group) => {
    const { row, point } = group;
    const cells = isCategory
      ? names.slice(0, NAMES).map((_, i) => share(Number(point.histogram[i]) / Number(point.samples || 1)))
      : [...PERCENTILES.map(([, p]) => percentileText(point.percentile(p), scale.unit)), withUnit(measured(group, "mean"), scale.unit), sumText(point.sum, scale.unit)];
    return tableRow(group.name, [whole(row.pings), whole(point.samples), ...cells]);
  });
  if (rest) rows.push(tableRow(`all ${whole(rest.groups)} others`, [whole(rest.pings), whole(exact(rest.samples)), ...columns.map((name) => (name === "Sum" && !isCategory ? sumText(Number(exact(rest.sum ?? 0)) / scale.by, scale.unit) : "–"))]));
  return [
    h("caption", {}, title),
    h("thead", {}, h("tr", {}, [visible(model.head), "Pings", "Samples", ...columns].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows),
  ];
}

function tableRow(name, cells) {
  return h("tr", {}, [h("th", { scope: "row" }, name), ...cells.map((text) => h("td", {}, text))]);
}
