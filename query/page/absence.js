// "No data", and which of the reasons it is: a heading, the server's sentence, and a way on where there is one.

import { productName, typeName } from "./products.js";
import { h, render } from "./tree.js";
import { whole } from "./words.js";

const MOST_NAMES = 5;

const HEADINGS = {
  nothing_received: "Nothing has been received yet",
  stored_not_counted: "Stored, not counted",
  not_folded_yet: "Stored, not counted yet",
  channel_unknown: "This channel has no data",
  version_unknown: "This version has no data",
  metric_unknown: "This metric has no data in this version",
  dates_without_data: "These dates have no data",
  filters_exclude: "The filters leave nothing",
  withheld: "This metric is withheld",
  no_such_source: "There is no such source",
  no_such_metric: "This source has no such metric",
  not_under_these_filters: "The filters leave nothing",
  older_than_kept: "These days are no longer kept",
  incomplete_day: "This day is not over yet",
  too_large: "Too much for one answer",
  busy: "The server is busy",
  missing_parameter: "The question was incomplete",
  unreachable: "The server does not answer",
};

// Why nothing is counted, {reason, description}, by what is stored: `products` as the API lists them.
export function absenceOf(products) {
  const pings = (list) => list.reduce((sum, product) => sum + product.pings, 0);
  const waiting = products.filter(({ charted }) => charted);
  if (pings(products) === 0) {
    return { reason: "nothing_received", description: "As soon as a first ping of a type that is counted is received and folded, its numbers appear here by themselves." };
  }
  if (pings(waiting) > 0) {
    return { reason: "not_folded_yet", description: `${whole(pings(waiting))} pings of types that are counted are stored; their numbers appear here by themselves once they are folded.` };
  }
  const names = products.map((product) => `${productName(product)} ${typeName(product)} (${whole(product.pings)})`);
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return {
    reason: "stored_not_counted",
    description: `${whole(pings(products))} stored, none of a counted type: ${names.slice(0, MOST_NAMES).join(", ")}${more}. So there are no distributions and no users of them. They are kept, and \u201chighwater pings\u201d prints them.`,
  };
}

// Shows `error` (an ApiError), with a button when clearing the filters would help.
export function showAbsence(element, error, clearFilters) {
  element.hidden = false;
  element.dataset.reason = error.reason;
  render(element, [
    h("h2", {}, HEADINGS[error.reason] ?? "No data"),
    h("p", {}, error.description),
    ["filters_exclude", "not_under_these_filters", "older_than_kept", "incomplete_day"].includes(error.reason) && h("button", { type: "button", onclick: clearFilters }, "Clear the filters"),
  ]);
}

export function hideAbsence(element) {
  element.hidden = true;
  render(element, []);
}
