// Products whose pings are stored: those that are not charted yet, by name, with their counts.

import { h, render } from "./tree.js";
import { whole } from "./words.js";

// `products` as the API lists them; nothing to name hides the section.
export function showProducts(section, products) {
  const waiting = products.filter(({ charted }) => !charted).sort((a, b) => b.pings - a.pings);
  section.hidden = waiting.length === 0;
  const head = ["Product", "Document type", "Pings"];
  render(section.querySelector("table"), [
    h("caption", { class: "unseen" }, "Stored, not charted yet"),
    h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, waiting.map(({ namespace, doc_type: type, app_name: app, pings }) => h("tr", {}, [
      h("th", { scope: "row" }, [app || namespace, app && app !== namespace ? h("small", {}, ` ${namespace}`) : null].filter(Boolean)),
      h("td", { class: "text" }, type), h("td", {}, whole(pings)),
    ]))),
  ]);
}
