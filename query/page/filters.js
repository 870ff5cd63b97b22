// The controls of a source that says itself what it has: a filter for each of its dimensions, what to group by, from which
// day to which. They hold no state of their own.

import { FILTER, filtersOf } from "./address.js";
import { h, render } from "./tree.js";
import { dimensionName, valueName } from "./words.js";

const DAY = "submission_date";
const MOST_OPTIONS = 300; // of more values one is typed

export class Filters {
  #change; #clear; #row; #by;

  // `change(part)` is called with the part of the state that a reader changed, `clear` when all filters go.
  constructor(change, clear) {
    this.#change = change;
    this.#clear = clear;
    this.#row = byId("dimensions");
    this.#by = byId("by");
    this.#by.addEventListener("change", () => change({ by: this.#by.value }));
    for (const end of ["from", "to"]) {
      byId(end).addEventListener("change", (event) => change({ [end]: event.target.value.replaceAll("-", "") }));
    }
  }

  // `source` as the API lists it; `values` by dimension: {values, left_out}, where they are known.
  show(state, source, values) {
    const dimensions = source.dimensions ?? [];
    const groups = dimensions.filter((name) => name !== DAY);
    render(this.#by, ["", ...groups].map((name) => h("option", { value: name, selected: name === state.by }, name === "" ? "nothing" : dimensionName(name))));
    for (const end of ["from", "to"]) {
      const field = byId(end);
      field.min = dashed(source.first_day);
      field.max = dashed(source.last_day);
      const shown = dashed(state[end]);
      if (field.value !== shown) field.value = shown;
    }
    render(this.#row, [
      ...groups.map((name) => this.#field(name, state[FILTER + name] ?? "", values[name])),
      h("button", { type: "button", class: "plain", hidden: filtersOf(state).length === 0 && !state.from && !state.to, onclick: this.#clear }, "Clear filters"),
    ]);
    const active = filtersOf(state).length;
    byId("filter-count").textContent = active > 0 ? ` (${active} set)` : "";
  }

  #field(name, chosen, known) {
    const offered = (known?.values ?? []).map(({ value }) => value);
    const pick = (event) => this.#change({ [FILTER + name]: event.target.value });
    const title = h("span", {}, dimensionName(name));
    if (offered.length > MOST_OPTIONS || known?.left_out > 0) {
      const list = `values-${name}`;
      return h("label", { class: "field" }, [
        title,
        h("input", { type: "text", list, value: chosen, placeholder: "all", spellcheck: "false", onchange: pick }),
        h("datalist", { id: list }, offered.slice(0, MOST_OPTIONS).map((value) => h("option", { value }))),
      ]);
    }
    const all = chosen && !offered.includes(chosen) ? [...offered, chosen] : offered;
    return h("label", { class: "field" }, [
      title,
      h("select", { "data-dimension": name, onchange: pick }, ["", ...all].map((value) => h("option", { value, selected: value === chosen }, value === "" ? "All" : valueName(value)))),
    ]);
  }
}

// "20261130" as a field of dates has it.
function dashed(day) {
  return day ? `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}` : "";
}

function byId(id) {
  return document.getElementById(id);
}
