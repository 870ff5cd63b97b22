// What the views share: the state, which is that of the address, the controls and charts, notices, and the absence of data.

import { hideAbsence, showAbsence } from "./absence.js";
import { ofSource, readAddress, withoutFilters, writeAddress, writeBins } from "./address.js";
import { Controls } from "./controls.js";
import { Distribution } from "./distribution.js";
import { Evolution } from "./evolution.js";
import { h, render } from "./tree.js";
import { visible } from "./words.js";

// Reasons for which nobody's users are shown either.
const NOTHING_AT_ALL = ["nothing_received", "stored_not_counted", "not_folded_yet", "unreachable"];

export const byId = (id) => document.getElementById(id);

class Page {
  state; controls; distribution; evolution;
  names = null; // of the bins that are shown, where their order is not always the same
  onchange = () => {}; // draws what the state says

  constructor() {
    this.controls = new Controls((part) => this.change(part), () => this.change(withoutFilters(this.state)));
    this.distribution = new Distribution(byId("distribution"));
    this.evolution = new Evolution(byId("evolution"), (bins) => this.change({ bins: writeBins(bins, this.names) }));
  }

  // A reader changed something: the address says it, the views follow. Of another source everything is another.
  change(part) {
    this.state = part.source === undefined ? { ...this.state, ...part } : ofSource(part.source);
    history.pushState(null, "", writeAddress(this.state));
    this.tell([]);
    this.onchange({ fresh: false });
  }

  // The state as it turned out to be, after defaults.
  settle(part, quiet) {
    this.state = { ...this.state, ...part };
    if (!quiet) history.replaceState(null, "", writeAddress(this.state));
  }

  fromAddress() {
    const read = readAddress(location.hash);
    this.state = read.state;
    this.onchange({ fresh: true, notices: read.notices });
  }

  // Sentences for the reader above the charts; none hides the line.
  tell(notices) {
    const notice = byId("notice");
    notice.hidden = notices.length === 0;
    render(notice, notices.length === 0 ? [] : [
      h("p", {}, notices.join(" ")),
      h("button", { type: "button", onclick: () => this.tell([]) }, "Dismiss"),
    ]);
  }

  // No data, and why.
  absent(error) {
    for (const id of ["distribution", "evolution", "labels", "groups"]) byId(id).hidden = true;
    if (NOTHING_AT_ALL.includes(error.reason)) byId("users-section").hidden = true;
    byId("metric-name").textContent = visible(this.state.metric || this.state.source || "Highwater");
    byId("metric-description").textContent = byId("source-about").textContent = "";
    this.controls.showKeys([], "");
    showAbsence(byId("absence"), error, () => this.change(withoutFilters(this.state)));
  }

  present() {
    hideAbsence(byId("absence"));
  }
}

export const page = new Page();
