// The controls: what is offered in each, what is chosen, and a call when a reader changes one.
// They hold no state of their own; show() makes them say what the state says.

import { systemsOf, versionsOf } from "./choice.js";
import { Combobox } from "./combobox.js";
import { Filters } from "./filters.js";
import { FIREFOX, isCounted } from "./sources.js";
import { h, render } from "./tree.js";
import { dimensionName, visible, whole } from "./words.js";

const PROCESS_NAMES = { parent: "Parent", content: "Content", gpu: "GPU" };
const SELECTS = ["source", "channel", "version", "clock", "process", "application", "os", "osVersion", "architecture", "e10s", "users", "group", "measure", "dates"];
const ALL_KEYS = "All together";
const TOGGLES = ["cumulative", "allBins", "allVersions", "allDates"];
const FILTERS = ["application", "os", "osVersion", "architecture", "e10s"];

export class Controls {
  #change; #metric; #key; #filters; #keyCounts = new Map(); #remarks = new Map(); #find = null;

  // `change(part)` is called with the part of the state that a reader changed, `clear` when all filters go.
  constructor(change, clear) {
    this.#change = change;
    this.#filters = new Filters(change, clear);
    this.#metric = new Combobox(byId("metric-box"), (metric) => change({ metric, key: "", bins: "", scale: "", show: "" }), (name) => this.#remarks.get(name) ?? "", (text) => this.#more(text));
    this.#key = new Combobox(byId("key-box"), (key) => change({ key: key === ALL_KEYS ? "*" : key }), (key) => this.#keyRemark(key));
    for (const id of SELECTS) byId(id).addEventListener("change", (event) => this.#selected(id, event.target.value));
    for (const id of TOGGLES) byId(id).addEventListener("change", (event) => change({ [id]: event.target.checked ? "1" : "" }));
    byId("logScale").addEventListener("change", (event) => change({ scale: event.target.checked ? "log" : "linear" }));
    byId("clear").addEventListener("click", clear);
    this.#foldFilters();
  }

  #selected(id, value) {
    if (id === "channel") this.#change({ channel: value, version: "" });
    else if (id === "os") this.#change({ os: value, osVersion: "" });
    else this.#change({ [id]: value });
  }

  // On a narrow screen the filters start folded.
  #foldFilters() {
    const wide = window.matchMedia("(min-width: 800px)");
    const apply = () => { byId("filters").open = wide.matches; };
    wide.addEventListener("change", apply);
    apply();
  }

  // Which sources there are, as the API lists them; one that is not among them is offered, too, while it is the one chosen.
  showSources(sources, chosen) {
    const named = sources.some(({ source }) => source === chosen) ? sources : [...sources, { source: chosen, reader: "none" }];
    const group = (label, some) => some.length > 0 && h("optgroup", { label }, some.map((one) => h("option", { value: one.source, selected: one.source === chosen }, sourceName(one))));
    render(byId("source"), [group("Counted", named.filter(isCounted)), group("Stored, not counted", named.filter((one) => !isCounted(one)))]);
    const known = sources.find(({ source }) => source === chosen);
    offer(chosen === FIREFOX, Boolean(known) && isCounted(known));
  }

  // A source that says itself what it has: `lists` are its metrics and the values of its dimensions, `find(text)` looks for more metrics.
  showProduct(state, about, lists, find) {
    this.#find = find;
    this.#tellMetrics(lists.metrics, state.metric);
    this.#filters.show(state, about, lists.values);
    for (const id of TOGGLES) byId(id).checked = state[id] === "1";
  }

  // By which of its dates a source's evolution is drawn.
  showDates(dimensions, chosen) {
    const dates = dimensions.filter((name) => /(^|_)date$/.test(name));
    fill("dates", dates, chosen, dimensionName);
    byId("dates").closest("label").hidden = dates.length < 2;
  }

  #tellMetrics(metrics, chosen) {
    for (const { metric, kind, unit, labelled } of metrics) {
      this.#remarks.set(metric, [kind, unit, labelled && "by label"].filter(Boolean).join(", "));
    }
    this.#metric.set(metrics.map(({ metric }) => metric), chosen);
  }

  async #more(text) {
    const found = this.#find ? await this.#find(text) : [];
    for (const { metric, kind, unit } of found) this.#remarks.set(metric, [kind, unit].filter(Boolean).join(", "));
    return found.map(({ metric }) => metric);
  }

  // `dates` by channel, `options` as the filters route gives them.
  show(state, dates, options) {
    this.#find = null;
    this.#remarks.clear();
    byId("dates").closest("label").hidden = true;
    fill("channel", Object.keys(dates), state.channel);
    fill("version", versionsOf(dates[state.channel] ?? []), state.version);
    byId("clock").value = state.clock;
    fill("process", ["", ...(options.child ?? [])], state.process, (name) => (name === "" ? "All" : PROCESS_NAMES[name] ?? name));
    fill("application", ["", ...(options.application ?? [])], state.application);
    fill("architecture", ["", ...(options.architecture ?? [])], state.architecture);
    fill("e10s", ["", ...(options.e10sEnabled ?? [])], state.e10s, (name) => ({ "": "All", true: "On", false: "Off" })[name] ?? name);
    const systems = systemsOf(options.os ?? []);
    fill("os", ["", ...systems.keys()], state.os);
    fill("osVersion", ["", ...(systems.get(state.os) ?? [])], state.osVersion);
    byId("osVersion").disabled = !state.os;
    this.#metric.set(options.metric ?? [], state.metric);
    for (const id of TOGGLES) byId(id).checked = state[id] === "1";
    for (const id of ["users", "group", "measure"]) byId(id).value = state[id];
    byId("measure").closest("label").hidden = !state.group;
    const active = FILTERS.filter((name) => state[name]).length;
    byId("filter-count").textContent = active > 0 ? ` (${active} set)` : "";
    byId("clear").hidden = active === 0 && !state.process;
  }

  // Keys of a keyed metric, [{key, count}]; none hides the picker.
  showKeys(keys, chosen) {
    byId("key-field").hidden = keys.length === 0;
    this.#keyCounts = new Map(keys.map(({ key, count }) => [key, count]));
    this.#key.set([ALL_KEYS, ...keys.map(({ key }) => key)], chosen === "*" ? ALL_KEYS : chosen);
  }

  // Offers only the switches that do something for the metric at hand.
  showSwitches({ log, offered }) {
    byId("logScale").checked = log;
    for (const [id, wanted] of Object.entries(offered)) byId(id).closest("label").hidden = !wanted;
  }

  #keyRemark(key) {
    const count = this.#keyCounts.get(key);
    return count === undefined ? "" : `${whole(count)} pings`;
  }
}

// Shows the controls of one kind of source; of one that is not counted there is nothing to choose.
function offer(isFirefox, isOfProduct) {
  for (const element of document.querySelectorAll(".of-firefox")) element.hidden = !isFirefox;
  for (const element of document.querySelectorAll(".of-product")) element.hidden = isFirefox || !isOfProduct;
  byId("metric-box").hidden = byId("filters").hidden = !isFirefox && !isOfProduct;
  byId("key-name").textContent = isFirefox ? "Key" : "Label";
}

function sourceName(one) {
  return one.source === FIREFOX ? `Firefox (${one.source})` : visible(one.source);
}

function fill(id, values, chosen, name = (value) => value || "All") {
  const offered = chosen && !values.includes(chosen) ? [...values, chosen] : values;
  render(byId(id), offered.map((value) => h("option", { value, selected: value === chosen }, name(value))));
}

function byId(id) {
  return document.getElementById(id);
}
