// Products whose pings are stored: those that are not counted, by name, with their counts.

import { h, render } from "./tree.js";
import { whole } from "./words.js";

const NO_NAMES = ["", "UNKNOWN", "OTHER"]; // what a chunk is kept under when its pings say nothing, or too much

// The product's name: its application, or where that is not said, its namespace.
export function productName({ namespace, app_name: app }) {
  if (namespace === "OTHER") return "Other products";
  return NO_NAMES.includes(app ?? "") ? namespace : app;
}

// The document type's name, in words where chunks of several types share a place.
export function typeName({ doc_type: type }) {
  if (type === "OTHER") return "types without a partition of their own";
  return type === "UNKNOWN" || !type ? "no type" : type;
}

// `products` as the API lists them; nothing to name hides the section.
export function showProducts(section, products) {
  const waiting = products.filter(({ charted }) => !charted).sort((a, b) => b.pings - a.pings);
  section.hidden = waiting.length === 0;
  const head = ["Product", "Document type", "Pings"];
  render(section.querySelector("table"), [
    h("caption", { class: "unseen" }, "Stored, not counted"),
    h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, waiting.map((product) => h("tr", {}, [
      h("th", { scope: "row" }, [productName(product), productName(product) === product.namespace || product.namespace === "OTHER" ? null : h("small", {}, ` ${product.namespace}`)].filter(Boolean)),
      h("td", { class: "text" }, [typeName(product), product.note ? h("small", {}, ` ${product.note}`) : null].filter(Boolean)),
      h("td", {}, whole(product.pings)),
    ]))),
  ]);
}
