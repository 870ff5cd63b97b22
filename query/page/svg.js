// What all charts share: scales, ticks, axes, labels that do not overlap, and the Chart, which holds an SVG,
// redraws it when its width changes and moves a cursor over its values by pointer or arrow keys.

import { h, render } from "./tree.js";
import { dayShort, month } from "./words.js";

const DAY_MS = 86_400_000;
const VALUES = 60; // room of the values written at the end of rows
export const CHARACTER = 6.6; // width of an average character of an axis label, in pixels

// A function from [from, to] to [start, end] pixels.
export function linear(from, to, start, end) {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
}

// As linear(), by logarithm; values below `floor` lie on its line.
export function logarithmic(from, to, start, end, floor) {
  const position = (value) => Math.log(Math.max(value, floor));
  const inner = linear(position(from), position(to), start, end);
  return (value) => inner(position(value));
}

// Round values from 0 to at least `top`, about `wanted` of them.
export function niceTicks(top, wanted = 4) {
  if (!(top > 0)) return [0, 1];
  const rough = top / wanted;
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  const ticks = [];
  for (let i = 0; i * step < top + step * 0.999; i += 1) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

// Round values on a logarithmic axis between `from` and `to`: 1, 2, 5 of each decade, thinned to about `wanted`.
export function logTicks(from, to, wanted = 5) {
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power += 1) {
      for (const factor of factors) ticks.push(Number((factor * Math.pow(10, power)).toPrecision(6)));
    }
    const inside = ticks.filter((tick) => tick >= from * 0.999 && tick <= to * 1.001);
    if (inside.length <= wanted + 2 || factors.length === 1) return inside;
  }
  return [];
}

// Days to label between two times: {time, text}, at most about `wanted`, on round days or months.
export function dateTicks(from, to, wanted) {
  const days = Math.max(1, Math.round((to - from) / DAY_MS));
  const step = [1, 2, 3, 5, 7, 10, 14].find((size) => days / size <= wanted);
  if (step) {
    const ticks = [];
    for (let time = Math.ceil(from / DAY_MS) * DAY_MS; time <= to; time += step * DAY_MS) {
      ticks.push({ time, text: dayShort(new Date(time)) });
    }
    return ticks;
  }
  const months = [1, 2, 3, 6, 12, 24, 60, 120].find((size) => days / (30.4 * size) <= wanted) ?? 240;
  return monthTicks(new Date(from), to, months);
}

function monthTicks(start, to, step) {
  const ticks = [];
  let at = start.getUTCFullYear() * 12 + Math.ceil(start.getUTCMonth() / step) * step;
  for (;;) {
    const time = Date.UTC(Math.floor(at / 12), at % 12, 1);
    if (time > to) return ticks;
    if (time >= start.getTime()) ticks.push({ time, text: month(new Date(time)) });
    at += step;
  }
}

// Horizontal grid lines with their labels left of `left`.
export function yAxis(ticks, scale, left, right, text) {
  return ticks.flatMap((tick) => {
    const y = Math.round(scale(tick)) + 0.5;
    return [
      h("line", { class: tick === 0 ? "base" : "grid", x1: left, x2: right, y1: y, y2: y }),
      h("text", { class: "tick end", x: left - 8, y: y + 4 }, text(tick)),
    ];
  });
}

// Labels below the line `y`; each {x, text}. Those at the edges are pulled inside [left, right].
export function xLabels(labels, y, left, right) {
  return labels.map(({ x, text }) => {
    const half = (text.length * CHARACTER) / 2;
    const at = Math.min(Math.max(x, left + half), right - half);
    return h("text", { class: "tick middle", x: at.toFixed(1), y }, text);
  });
}

// Moves labels {y, …} apart by at least `gap` between `top` and `bottom`, keeping their order.
export function spread(labels, gap, top, bottom) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  let floor = top;
  for (const label of sorted) {
    label.y = Math.max(label.y, floor);
    floor = label.y + gap;
  }
  let ceiling = bottom;
  for (const label of sorted.reverse()) {
    label.y = Math.min(label.y, ceiling);
    ceiling = label.y - gap;
  }
  return sorted;
}

// The "d" of a line through [x, y] points.
export function line(points) {
  return points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)},${y.toFixed(1)}`).join("");
}

// The "d" of the area between two lines over the same x.
export function area(upper, lower) {
  return `${line(upper)}${line([...lower].reverse()).replace("M", "L")}Z`;
}

// An SVG in `container`. draw(width) gives {height, nodes, label, stops, axis, plot, tip(i)}: `stops` are the
// pixel positions of the values along `axis` ("x" or "y"), `plot` the rectangle the cursor may cover.
export class Chart {
  #container; #svg; #tip; #draw = null; #picture = null; #at = null; #width = 0;

  constructor(container) {
    this.#container = container;
    render(container, [h("svg", { tabindex: "0", role: "img" }), h("div", { class: "tip", role: "status", hidden: true })]);
    [this.#svg, this.#tip] = container.children;
    this.#svg.addEventListener("pointermove", (event) => this.#follow(event));
    this.#svg.addEventListener("pointerdown", (event) => this.#follow(event));
    this.#svg.addEventListener("pointerleave", () => this.#move(null));
    this.#svg.addEventListener("blur", () => this.#move(null));
    this.#svg.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#resized()).observe(container);
  }

  // Draws, now and again whenever the width changes.
  show(draw) {
    this.#draw = draw;
    this.#redraw();
  }

  #resized() {
    if (this.#container.clientWidth !== this.#width) this.#redraw();
  }

  #redraw() {
    this.#width = this.#container.clientWidth;
    if (!this.#draw || this.#width === 0) return;
    this.#picture = this.#draw(this.#width);
    const { height, label } = this.#picture;
    const size = { width: this.#width, height, viewBox: `0 0 ${this.#width} ${height}` };
    for (const [name, value] of Object.entries({ ...size, "aria-label": label })) this.#svg.setAttribute(name, value);
    if (this.#at !== null && this.#at >= this.#picture.stops.length) this.#at = null;
    this.#paint();
  }

  #paint() {
    const { nodes } = this.#picture;
    render(this.#svg, [h("g", { class: "drawing" }, nodes), h("g", { class: "cursor" }, this.#cursor())]);
    this.#tip.hidden = this.#at === null;
    if (this.#at !== null) this.#writeTip();
  }

  #cursor() {
    if (this.#at === null) return [];
    const { stops, axis, plot, band } = this.#picture;
    const at = stops[this.#at];
    if (axis === "y") {
      return [h("rect", { class: "band", x: plot.left, width: plot.right - plot.left, y: at - band / 2, height: band })];
    }
    if (band) return [h("rect", { class: "band", x: at - band / 2, width: band, y: plot.top, height: plot.bottom - plot.top })];
    return [h("line", { x1: at, x2: at, y1: plot.top, y2: plot.bottom })];
  }

  #writeTip() {
    const { title, rows } = this.#picture.tip(this.#at);
    render(this.#tip, [
      h("strong", {}, title),
      h("dl", {}, rows.map(([name, value]) => h("div", {}, [h("dt", {}, name), " ", h("dd", {}, value)]))),
    ]);
    const { stops, axis, plot } = this.#picture;
    const { offsetWidth: width } = this.#tip;
    const at = axis === "y" ? plot.right - VALUES : stops[this.#at];
    const right = at + 14 + width <= this.#width && axis === "x" ? at + 14 : at - 14 - width;
    this.#tip.style.left = `${Math.min(Math.max(0, right), Math.max(0, this.#width - width))}px`;
    this.#tip.style.top = `${axis === "y" ? stops[this.#at] + 18 : plot.top}px`;
  }

  #move(at) {
    if (at === this.#at || !this.#picture) return;
    this.#at = at;
    this.#paint();
  }

  #follow(event) {
    if (!this.#picture?.stops.length) return;
    const box = this.#svg.getBoundingClientRect();
    const { axis, stops } = this.#picture;
    const at = axis === "y" ? event.clientY - box.top : event.clientX - box.left;
    let nearest = 0;
    stops.forEach((stop, i) => {
      if (Math.abs(stop - at) < Math.abs(stops[nearest] - at)) nearest = i;
    });
    this.#move(nearest);
  }

  #key(event) {
    const last = (this.#picture?.stops.length ?? 0) - 1;
    if (last < 0) return;
    const at = this.#at ?? (event.key === "ArrowLeft" || event.key === "ArrowUp" ? last + 1 : -1);
    const steps = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: last };
    if (event.key === "Escape") this.#move(null);
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.#move(Math.min(last, Math.max(0, steps[event.key])));
  }
}
