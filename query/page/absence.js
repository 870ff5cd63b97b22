// "No data", and which of the reasons it is: a heading, the server's sentence, and a way on where there is one.

import { h, render } from "./tree.js";

const HEADINGS = {
  nothing_received: "Nothing has been counted yet",
  channel_unknown: "This channel has no data",
  version_unknown: "This version has no data",
  metric_unknown: "This metric has no data in this version",
  dates_without_data: "These dates have no data",
  filters_exclude: "The filters leave nothing",
  withheld: "This metric is withheld",
  missing_parameter: "The question was incomplete",
  unreachable: "The server does not answer",
};

// Shows `error` (an ApiError), with a button when clearing the filters would help.
export function showAbsence(element, error, clearFilters) {
  element.hidden = false;
  element.dataset.reason = error.reason;
  render(element, [
    h("h2", {}, HEADINGS[error.reason] ?? "No data"),
    h("p", {}, error.description),
    error.reason === "filters_exclude" && h("button", { type: "button", onclick: clearFilters }, "Clear the filters"),
  ]);
}

export function hideAbsence(element) {
  element.hidden = true;
  render(element, []);
}
