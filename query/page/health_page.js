// The page of health: asks once a second, draws verdicts, stations, room, what is set aside and what errored.
// What the sentences say is decided by the server; the partitions are drawn by partitions.js.

import { health } from "./api.js";
import { Partitions } from "./partitions.js";
import { h, render } from "./tree.js";
import { age, size, whole } from "./words.js";

const EVERY_MS = 1000;
const WORDS = { well: "✓ Well", notice: "i Notice", warning: "! Warning", alarm: "✕ Alarm" };

const byId = (id) => document.getElementById(id);

let known = null;
let alive = true;

async function ask() {
  if (!document.hidden) {
    try {
      known = await health();
      alive = true;
    } catch {
      alive = false;
    }
    draw();
  }
  setTimeout(ask, EVERY_MS);
}

function draw() {
  const seen = byId("seen");
  seen.classList.toggle("lost", !alive);
  const moment = known?.at ? known.at.slice(11, 19) : "";
  const text = alive ? `as of ${moment} UTC` : `The server does not answer${moment ? `; these are its numbers of ${moment} UTC` : ""}.`;
  if (seen.textContent !== text) seen.textContent = text;
  document.querySelector("main").classList.toggle("stale", !alive && known !== null);
  if (known === null) {
    if (!alive) drawVerdicts([lost()]);
    return;
  }
  const verdicts = alive ? known.verdicts : [lost(), ...known.verdicts];
  drawVerdicts(verdicts);
  const worst = verdicts[0]?.severity ?? "well";
  document.title = worst === "well" ? "Health · Highwater" : `${worst.toUpperCase()} · Highwater`;
  drawStations(known);
  drawRoom(known);
  drawAside(known);
  drawErrored(known);
}

function lost() {
  return {
    name: "lost", severity: "alarm", section: "", seconds: null, since: null,
    what: "The server does not answer.", advice: "See whether the process runs (systemctl status highwater), and start it.",
  };
}

function drawVerdicts(verdicts) {
  render(byId("verdicts"), verdicts.map(({ severity, what, advice, since, seconds, section }) => h("article", { class: `verdict ${severity}` }, [
    h("span", { class: "word" }, WORDS[severity] ?? severity),
    h("div", {}, [
      h("h2", {}, what),
      advice && h("p", {}, advice),
      (since || severity !== "well") && h("p", { class: "since" }, [
        since ? `Since ${since.slice(0, 10)} ${since.slice(11, 19)} UTC, for ${age(seconds * 1000)}. ` : "",
        section && severity !== "well" && h("a", { href: `manual#${section}` }, "What the manual says"),
      ]),
    ]),
  ])));
}

function drawStations(status) {
  const { rates, log, index, folding } = status;
  const perSecond = (rate) => `${rate.toLocaleString("en", { maximumFractionDigits: 1 })} a second`;
  const waits = log.oldest_waiting_seconds === null ? "Nothing waits" : `The oldest for ${age(log.oldest_waiting_seconds * 1000)}; sealed after ${age(log.seal_age_seconds * 1000)}`;
  const pending = folding.pending_chunks === 0 ? "No chunk waits to be folded" : `${whole(folding.pending_chunks)} chunks wait to be folded`;
  const newest = status.newest_age_seconds === null ? "–" : age(status.newest_age_seconds * 1000);
  const rows = [
    ["Accepted", whole(status.accepted), "Answered with 200: on disk", perSecond(rates.accepted_per_second), "accepted"],
    ["Waiting", whole(status.waiting), waits, "", "waiting"],
    ["Chunked", whole(status.chunked), "In chunks in the store", perSecond(rates.chunked_per_second), "chunked"],
    ["Indexed", whole(status.indexed), `${whole(index.chunks)} chunks, ${size(index.stored_bytes)} stored`, "", "indexed"],
    ["Folded", whole(status.folded), pending, perSecond(rates.folded_per_second), "folded"],
    ["Repeated", whole(status.repeated), "Received again, counted once", "", "repeated"],
    ["Stored only", whole(status.stored_only), "Of types without charts", "", "stored_only"],
    ["Errored", whole(status.errored_pings), "Kept, but could not be read or folded", "", "errored_pings"],
    ["Set aside", whole(status.set_aside), "Chunks and pieces of the log, until repaired", "", "set_aside"],
    ["Newest number", newest, "Age of the newest ping that is counted", "", "newest"],
  ];
  render(document.querySelector("#road .stations"), rows.map(([name, number, meaning, rate, id]) => h("li", {}, [
    h("span", { class: "name" }, name),
    h("span", { class: "number", id: `number-${id}` }, number),
    h("small", {}, meaning),
    rate ? h("small", { class: "rate" }, rate) : h("small", { class: "rate" }, ""),
  ])));
}

function drawRoom(status) {
  const { log, disk, rates } = status;
  const growth = rates.log_bytes_per_second;
  const moves = Math.abs(growth) < 1024 ? "It neither grows nor shrinks." : `It ${growth > 0 ? "grows" : "shrinks"} by ${size(Math.abs(growth))} a second.`;
  const room = log.has_room ? "" : " Pings are refused with 507 until there is room.";
  const meters = [meter("Log", log.bytes, log.budget_bytes, `${moves}${room}`, log.has_room ? 0.9 : 0)];
  if (disk) meters.push(meter("Disk of the data directory", disk.size_bytes - disk.free_bytes, disk.size_bytes, `${size(disk.free_bytes)} free`, 0.9));
  meters.push(meter("Open partitions", log.open_partitions, log.open_partitions_max, "Above that, version and build id are kept under OTHER.", 1, whole));
  render(document.querySelector("#room .meters"), meters);
}

function meter(name, used, max, note, warnAt, write = size) {
  const share = max > 0 ? Math.min(used / max, 1) : 0;
  const tone = warnAt === 0 || share >= 0.98 && warnAt < 1 ? "alarm" : share >= warnAt ? "warning" : "";
  const words = `${write(used)} of ${write(max)}`;
  const percent = `${Math.floor(share * 100)} %`;
  return h("div", { class: `meter ${tone}` }, [
    h("div", { class: "line" }, [h("strong", {}, name), h("span", {}, `${words}, ${percent}`)]),
    h("svg", { role: "meter", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.floor(share * 100), "aria-valuetext": words }, [
      h("rect", { width: `${(share * 100).toFixed(2)}%`, height: "100%" }),
    ]),
    h("small", {}, note),
  ]);
}

function drawAside(status) {
  const objects = status.set_aside_objects;
  byId("aside").hidden = objects.length === 0;
  render(document.querySelector("#aside table"), [
    h("caption", {}, "Objects that are set aside, with the reason"),
    h("thead", {}, h("tr", {}, [h("th", { scope: "col" }, "Reason"), h("th", { scope: "col" }, "Key")])),
    h("tbody", {}, objects.map(({ key, reason }) => h("tr", {}, [h("td", {}, reason), h("td", {}, h("code", {}, breakable(key)))]))),
  ]);
}

function drawErrored(status) {
  const reasons = Object.entries(status.errored_by_reason).sort((a, b) => b[1] - a[1]);
  const samplesOf = (reason) => status.errored_samples.filter((sample) => sample.reason === reason);
  const section = byId("errored");
  section.querySelector(".scroll").hidden = reasons.length === 0;
  render(section.querySelector("table"), [
    h("caption", {}, "Errored pings by reason, with a few of them"),
    h("thead", {}, h("tr", {}, [h("th", { scope: "col" }, "Reason"), h("th", { scope: "col" }, "Pings"), h("th", { scope: "col" }, "Such as")])),
    h("tbody", {}, reasons.map(([reason, pings]) => h("tr", {}, [
      h("th", { scope: "row" }, reason),
      h("td", { class: "number" }, whole(pings)),
      h("td", {}, samplesOf(reason).map(({ record, chunk }) => h("div", {}, [h("code", {}, [record && `record ${record} in `, ...breakable(chunk)])]))),
    ]))),
  ]);
  const note = reasons.length === 0 ? "None." : "They are kept: highwater pings --errors prints them.";
  const line = section.querySelector(".note");
  if (line.textContent !== note) line.textContent = note;
}

// A key may be broken behind each of its parts.
function breakable(key) {
  return key.split(/(?<=\/)/).flatMap((part) => [part, h("wbr")]);
}

document.addEventListener("visibilitychange", draw);
new Partitions(byId("partitions")).start();
ask();
