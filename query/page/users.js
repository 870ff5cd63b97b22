// Active users: daily (DAU) and monthly (MAU) by day, with the standard error of the estimate, and their
// ratio ER. With a group-by, one line per group of the chosen measure.

import { parseDate } from "./answer.js";
import { area, Chart, dateTicks, line, linear, niceTicks, spread, xLabels, yAxis } from "./svg.js";
import { h, render } from "./tree.js";
import { compact, day, share, whole } from "./words.js";

const HEIGHT = 210;
const DAY_MS = 86_400_000;
const MOST_GROUPS = 6;
const REST = "(all others)"; // the groups of which the answer says only the sum
const MEASURES = { dau: "DAU", mau: "MAU", er: "ER" };

export class Users {
  #chart; #headline; #note; #table; #empty; #plot;

  constructor(section) {
    this.#plot = section.querySelector(".plot");
    this.#chart = new Chart(this.#plot);
    this.#headline = section.querySelector(".summary");
    this.#note = section.querySelector(".note");
    this.#table = section.querySelector(".table");
    this.#empty = section.querySelector(".empty");
  }

  // `view`: {answer (of the engagement route, null if there is none), group, measure, who, today, reason}.
  show(view) {
    const days = view.answer ? daysOf(view.answer) : [];
    this.#plot.hidden = days.length === 0;
    this.#empty.hidden = days.length > 0;
    render(this.#empty, [h("p", {}, view.reason || "No user has been counted for this choice yet.")]);
    if (days.length === 0) {
      for (const part of [this.#headline, this.#note, this.#table]) render(part, []);
      return;
    }
    const error = view.answer.standard_error;
    const model = { ...view, days, error, lines: view.group ? groupLines(days, view) : plainLines(days) };
    this.#chart.show((width) => draw(model, width));
    this.#writeHeadline(model);
    render(this.#note, [noteOf(model)]);
    render(this.#table, tableOf(model));
  }

  #writeHeadline({ days, group, error }) {
    if (group) return render(this.#headline, []);
    const { dau, mau, er } = days.at(-1).groups.get("") ?? {};
    const spot = (value) => h("small", {}, ` ± ${whole(value * error)}`);
    const facts = [["DAU", [whole(dau), spot(dau)]], ["MAU", [whole(mau), spot(mau)]], ["ER", [er === null || er === undefined ? "–" : share(er)]]];
    return render(this.#headline, facts.map(([name, value]) => h("div", {}, [h("dt", {}, name), h("dd", {}, value)])));
  }
}

// The answer as days, oldest first, each with a map from group to its numbers; empty days at the start left out.
function daysOf(answer) {
  const days = new Map();
  for (const { date, group: name, rest, dau, mau, er } of answer.data) {
    const group = rest ? REST : name;
    if (!days.has(date)) days.set(date, { date, time: parseDate(date), groups: new Map() });
    days.get(date).groups.set(group, { dau, mau, er });
  }
  const sorted = [...days.values()].filter(({ time }) => time !== null).sort((a, b) => a.time - b.time);
  const first = sorted.findIndex(({ groups }) => [...groups.values()].some(({ dau, mau }) => dau > 0 || mau > 0));
  return first < 0 ? [] : sorted.slice(first);
}

function plainLines(days) {
  return ["mau", "dau"].map((measure) => ({ name: MEASURES[measure], banded: true, dotted: true, values: days.map(({ groups }) => groups.get("")?.[measure] ?? null) }));
}

function groupLines(days, { measure }) {
  const names = new Set(days.flatMap(({ groups }) => [...groups.keys()]));
  const latest = (name) => days.at(-1).groups.get(name)?.mau ?? 0;
  const largest = [...names].sort((a, b) => latest(b) - latest(a)).slice(0, MOST_GROUPS);
  return largest.map((name) => ({
    name: name || "(none)", banded: measure !== "er",
    values: days.map(({ groups }) => groups.get(name)?.[measure] ?? null),
  }));
}

function isRatio({ group, measure }) {
  return Boolean(group) && measure === "er";
}

function draw(model, width) {
  const { days, lines, error } = model;
  const longest = Math.max(...lines.map(({ name }) => name.length));
  const plot = { left: 46, right: width - Math.min(130, Math.max(44, longest * 6.8 + 12)), top: 12, bottom: HEIGHT - 30 };
  const first = days[0].time.getTime();
  const last = days.at(-1).time.getTime();
  const [from, to] = first === last ? [first - DAY_MS, last + DAY_MS] : [first, last];
  const x = linear(from, to, plot.left + 8, plot.right - 8);
  const top = Math.max(...lines.flatMap(({ values }) => values).map((value) => (value ?? 0) * (1 + error)));
  const ticks = niceTicks(top, 4);
  const y = linear(0, ticks.at(-1), plot.bottom, plot.top);
  const xs = days.map(({ time }) => x(time.getTime()));
  const wanted = Math.max(2, Math.floor((plot.right - plot.left) / 64));
  return {
    height: HEIGHT, plot, axis: "x", stops: xs,
    label: `Active users by day: ${days.length} days. Arrow keys read them one by one.`,
    nodes: [
      ...yAxis(ticks, y, plot.left, plot.right, isRatio(model) ? (tick) => `${Math.round(tick * 100)}%` : compact),
      ...lines.flatMap((ofLine, k) => drawLine(ofLine, k, xs, y, error)),
      ...lineNames(lines, y, plot),
      ...xLabels(dateTicks(from, to, wanted).map(({ time, text }) => ({ x: x(time), text })), HEIGHT - 8, 0, width),
    ],
    tip: (i) => tipOf(model, i),
  };
}

function drawLine({ values, banded, dotted }, k, xs, y, error) {
  const known = values.flatMap((value, i) => (value === null ? [] : [[xs[i], value]]));
  const at = (factor) => known.map(([x, value]) => [x, y(value * factor)]);
  return [
    banded && known.length > 1 && h("path", { class: `error s${k}`, d: area(at(1 + error), at(1 - error)) }),
    h("path", { class: `line s${k}`, d: line(at(1)) }),
    ...at(1).filter(() => dotted || known.length === 1).map(([x, top]) => h("circle", { class: `dot line s${k}`, cx: x.toFixed(1), cy: top.toFixed(1), r: known.length === 1 ? 4 : 2 })),
  ].filter(Boolean);
}

function lineNames(lines, y, plot) {
  const labels = lines.flatMap(({ name, values }, k) => {
    const last = values.findLast((value) => value !== null);
    return last === undefined ? [] : [{ y: y(last) + 4, text: name.length > 17 ? `${name.slice(0, 16)}…` : name, k }];
  });
  return spread(labels, 14, plot.top + 4, plot.bottom)
    .map(({ y: top, text, k }) => h("text", { class: `line-name s${k}`, x: plot.right + 6, y: top.toFixed(1) }, text));
}

function written(value, measure, error) {
  if (value === null || value === undefined) return "–";
  return measure === "er" ? share(value) : `${whole(value)} ± ${whole(value * error)}`;
}

function tipOf({ days, lines, group, measure, error }, i) {
  const title = day(days[i].time);
  if (group) return { title, rows: lines.map(({ name, values }) => [name, written(values[i], measure, error)]) };
  const { dau, mau, er } = days[i].groups.get("") ?? {};
  return { title, rows: [["DAU", written(dau, "dau", error)], ["MAU", written(mau, "mau", error)], ["ER", written(er, "er")]] };
}

function noteOf({ who, days, error, today, group, lines }) {
  const parts = [`${who}. DAU: clients seen that day; MAU: in the 28 days ending with it; ER: DAU over MAU.`];
  parts.push(`Estimated from sketches, standard error ${(error * 100).toFixed(1)}% (the band).`);
  const groups = new Set(days.flatMap(({ groups: ofDay }) => [...ofDay.keys()])).size;
  if (group && groups > lines.length) parts.push(`The ${lines.length} largest of ${groups} groups are drawn; the table has all.`);
  if (days.at(-1).date === today) parts.push("The last day is today and still being counted.");
  return parts.join(" ");
}

function tableOf({ days, group, error }) {
  const head = ["Day", ...(group ? ["Group"] : []), "DAU", "MAU", "ER"];
  const rows = [...days].reverse().flatMap(({ time, groups }) => [...groups].map(([name, { dau, mau, er }]) => h("tr", {}, [
    h("th", { scope: "row" }, day(time)),
    ...(group ? [h("td", { class: "text" }, name || "(none)")] : []),
    h("td", {}, written(dau, "dau", error)), h("td", {}, written(mau, "mau", error)), h("td", {}, written(er, "er")),
  ])));
  return [
    h("caption", {}, "Active users by day"),
    h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows),
  ];
}
