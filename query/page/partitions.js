// The table of chunks by partition, a page at a time. It reads the whole index, so it is asked rarely.

import { partitions } from "./api.js";
import { h, render } from "./tree.js";
import { size, whole } from "./words.js";

const EVERY_MS = 30_000;
const SOON_MS = 3_000;

const COLUMNS = [
  ["submission_date", "Date"], ["source_name", "Namespace"], ["doc_type", "Type"], ["app_name", "Application"],
  ["app_update_channel", "Channel"], ["app_version", "Version"], ["app_build_id", "Build"],
];

export class Partitions {
  constructor(section) {
    this.section = section;
    this.from = 0;
    this.by = "bytes";
    this.generation = 0;
    const step = (direction) => () => this.show(Math.max(0, this.from + direction * this.length));
    this.length = 20;
    this.find("#before").onclick = step(-1);
    this.find("#after").onclick = step(1);
    this.find("#by").onchange = (event) => {
      this.by = event.target.value;
      this.show(0);
    };
  }

  find(selector) {
    return this.section.querySelector(selector);
  }

  // Asks now, and again as long as the page is open: soon while there is nothing yet, rarely afterwards.
  async start() {
    const empty = document.hidden || !(await this.load());
    setTimeout(() => this.start(), empty ? SOON_MS : EVERY_MS);
  }

  show(from) {
    this.from = from;
    this.load();
  }

  async load() {
    const mine = ++this.generation;
    let page;
    try {
      page = await partitions(this.by, this.from);
    } catch {
      return false; // The verdicts say that the server does not answer.
    }
    if (mine === this.generation) this.draw(page);
    return page.partitions.length > 0;
  }

  draw({ from, more, partitions: rows }) {
    render(this.find("table"), [
      h("caption", {}, `Partitions with most ${this.by === "bytes" ? "bytes" : "pings"}`),
      h("thead", {}, h("tr", {}, [
        ...COLUMNS.map(([, name]) => h("th", { scope: "col", class: "text" }, name)),
        ...["Chunks", "Pings", "Stored"].map((name) => h("th", { scope: "col" }, name)),
      ])),
      h("tbody", {}, rows.map((row) => h("tr", {}, [
        ...COLUMNS.map(([field], at) => (at === 0
          ? h("th", { scope: "row" }, row[field])
          : h("td", { class: "text" }, row[field] + (field === "doc_type" && row.errors ? " (errored)" : "")))),
        h("td", {}, whole(row.chunks)), h("td", {}, whole(row.records)), h("td", {}, size(row.stored_bytes)),
      ]))),
    ]);
    this.explain(rows);
    const words = rows.length === 0 ? "No chunk is indexed yet." : `${whole(from + 1)} to ${whole(from + rows.length)}`;
    if (this.find("#shown").textContent !== words) this.find("#shown").textContent = words;
    this.find("#before").disabled = from === 0;
    this.find("#after").disabled = !more;
  }

  // What the two names that stand for others mean, where one is shown.
  explain(rows) {
    const words = explanation(rows);
    if (this.find("#names").textContent !== words) this.find("#names").textContent = words;
  }
}

export function explanation(rows) {
  const shown = (value) => rows.some((row) => COLUMNS.some(([field]) => row[field] === value));
  return [
    shown("OTHER") && "OTHER: names without a partition of their own, kept together; \u201chighwater pings --doc-type OTHER\u201d (or --namespace, --app and so on) prints such pings with their true names.",
    shown("UNKNOWN") && "UNKNOWN: not in the URI of these pings; those of other namespaces than telemetry say it in their bodies, where \u201chighwater pings\u201d finds it.",
  ].filter(Boolean).join(" ");
}
