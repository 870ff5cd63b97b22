// The header's live strip: how many pings were accepted, wait, were folded, and how old the newest number is.
// Asks once a second while the page is visible and hands each status on.

import { health, status } from "./api.js";
import { h, render } from "./tree.js";
import { age, whole } from "./words.js";

const EVERY_MS = 1000;
const VERDICT_EVERY = 5; // looks

const FIELDS = [
  ["Accepted", "accepted", "Pings answered with 200 since this directory exists"],
  ["Waiting", "waiting", "Accepted, not yet in a chunk"],
  ["Folded", "folded", "Counted in the numbers below"],
  ["Repeated", "repeated", "Received again and counted once"],
  ["Errored", "errored_pings", "Kept, but could not be read"],
];

// `onStatus` is called with every status that arrives.
export function watchHealth(element, onStatus) {
  let known = null;
  let alive = true;
  let looks = 0;
  const ask = async () => {
    if (!document.hidden) {
      try {
        if (looks++ % VERDICT_EVERY === 0) showVerdict((await health()).severity);
        known = await status();
        alive = true;
        onStatus(known);
      } catch {
        alive = false;
      }
      draw(element, known, alive);
    }
    setTimeout(ask, EVERY_MS);
  };
  document.addEventListener("visibilitychange", () => draw(element, known, alive));
  ask();
}

function draw(element, known, alive) {
  element.classList.toggle("lost", !alive);
  const cells = FIELDS.map(([name, field, meaning]) => cell(name, whole(known?.[field]), meaning, `health-${field}`));
  cells.push(cell("Newest number", newestAge(known), "Age of the newest ping that is counted", "health-age"));
  if (known?.set_aside > 0) cells.push(cell("Set aside", whole(known.set_aside), "Chunks that could not be read; the log names them", "health-set-aside"));
  render(element, cells);
  const state = element.nextElementSibling;
  const text = !alive ? "The server does not answer; these are its last numbers." : "";
  if (state.textContent !== text) state.textContent = text;
}

// The link to the page of health says what stands there when that is more than a notice.
function showVerdict(severity) {
  const link = document.getElementById("health-link");
  const ill = severity === "warning" || severity === "alarm";
  const text = ill ? `Health: ${severity}` : "Health";
  link.classList.toggle("ill", ill);
  if (link.textContent !== text) link.textContent = text;
}

function cell(name, value, meaning, id) {
  return h("div", { title: meaning }, [h("dt", {}, name), h("dd", { id }, value)]);
}

function newestAge(known) {
  if (!known?.newest_receive_time) return "–";
  return `${age(Date.now() - Date.parse(known.newest_receive_time))} old`;
}
