// The wiring: address -> source -> its view, and again whenever a reader or the numbers change something.

import * as api from "./api.js";
import { showFirefox } from "./firefox.js";
import { watchHealth } from "./health.js";
import { byId, page } from "./page.js";
import { showProduct } from "./product.js";
import { showProducts } from "./products.js";
import { chooseSource, FIREFOX } from "./sources.js";

const REFRESH_MS = 2500;
const SOURCES_MS = 10_000;

let generation = 0; // a newer load makes an older one's answers void
let sources = { list: [], at: 0 };
let shownFolded = null;
let shownAt = 0;
let busy = false;
let failed = false; // the last load met an error: the next status asks again

async function load({ fresh, notices = [], quiet = false }) {
  const mine = ++generation;
  const current = () => mine === generation;
  busy = true;
  if (!quiet) document.body.setAttribute("aria-busy", "true");
  try {
    await Promise.all([loadProducts(current), loadCharts({ fresh, quiet, notices, current })]);
    failed = false;
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    failed = true;
    if (current() && !(quiet && error.reason === "unreachable")) page.absent(error);
  } finally {
    if (current()) {
      busy = false;
      shownAt = Date.now();
      document.body.removeAttribute("aria-busy");
    }
  }
  if (current() && notices.length > 0) page.tell(notices);
}

async function loadCharts(how) {
  if (!how.quiet || Date.now() - sources.at > SOURCES_MS) sources = { list: await api.sources(), at: Date.now() };
  if (!how.current()) return undefined;
  const source = chooseSource(page.state.source, sources.list);
  page.controls.showSources(sources.list, source);
  return source === FIREFOX ? showFirefox(how) : showProduct(how, source, sources.list);
}

async function loadProducts(current) {
  const products = await api.products().catch((error) => {
    if (error instanceof api.ApiError) return []; // the charts do not wait for this list
    throw error;
  });
  if (current()) showProducts(byId("products"), products);
}

// The charts follow the numbers: when pings were folded since the last drawing, at most every few seconds.
function follow({ folded, stored_only: stored, repeated }) {
  const sign = `${folded} ${stored} ${repeated}`;
  if ((sign === shownFolded && !failed) || busy || Date.now() - shownAt < REFRESH_MS) return;
  shownFolded = sign;
  load({ fresh: false, quiet: true });
}

page.onchange = load;
window.addEventListener("popstate", () => page.fromAddress());
page.fromAddress();
watchHealth(byId("health"), follow);
