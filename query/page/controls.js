// The controls: what is offered in each, what is chosen, and a call when a reader changes one.
// They hold no state of their own; show() makes them say what the state says.

import { systemsOf, versionsOf } from "./choice.js";
import { Combobox } from "./combobox.js";
import { h, render } from "./tree.js";
import { whole } from "./words.js";

const PROCESS_NAMES = { parent: "Parent", content: "Content", gpu: "GPU" };
const SELECTS = ["channel", "version", "clock", "process", "application", "os", "osVersion", "architecture", "e10s", "users", "group", "measure"];
const TOGGLES = ["cumulative", "allBins", "allVersions", "allDates"];
const FILTERS = ["application", "os", "osVersion", "architecture", "e10s"];

export class Controls {
  #change; #metric; #key; #keyCounts = new Map();

  // `change(part)` is called with the part of the state that a reader changed.
  constructor(change) {
    this.#change = change;
    this.#metric = new Combobox(byId("metric-box"), (metric) => change({ metric, key: "", bins: "", scale: "" }));
    this.#key = new Combobox(byId("key-box"), (key) => change({ key: key === "All keys together" ? "*" : key }), (key) => this.#keyRemark(key));
    for (const id of SELECTS) byId(id).addEventListener("change", (event) => this.#selected(id, event.target.value));
    for (const id of TOGGLES) byId(id).addEventListener("change", (event) => change({ [id]: event.target.checked ? "1" : "" }));
    byId("logScale").addEventListener("change", (event) => change({ scale: event.target.checked ? "log" : "linear" }));
    byId("clear").addEventListener("click", () => this.clearFilters());
    this.#foldFilters();
  }

  clearFilters() {
    this.#change({ process: "", ...Object.fromEntries(FILTERS.map((name) => [name, ""])) });
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

  // `dates` by channel, `options` as the filters route gives them.
  show(state, dates, options) {
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
    this.#key.set(["All keys together", ...keys.map(({ key }) => key)], chosen === "*" ? "All keys together" : chosen);
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

function fill(id, values, chosen, name = (value) => value || "All") {
  const offered = chosen && !values.includes(chosen) ? [...values, chosen] : values;
  render(byId(id), offered.map((value) => h("option", { value, selected: value === chosen }, name(value))));
}

function byId(id) {
  return document.getElementById(id);
}
