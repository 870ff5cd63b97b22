// The wiring: address -> state -> calls -> views, and again whenever a reader or the numbers change something.

import { readAddress, writeAddress } from "./address.js";
import { absenceOf, hideAbsence, showAbsence } from "./absence.js";
import { addDays, byDate, elsewhere, formatDate, joinAnswers, keysOf, mergePoints, plausible, sumLeftOut, total, withoutSparse } from "./answer.js";
import * as api from "./api.js";
import { chooseFilters, chooseMetric, choosePlace, compareVersions, latestSaneDate, versionsOf } from "./choice.js";
import { Controls } from "./controls.js";
import { Distribution, drawnRange, hasRows } from "./distribution.js";
import { Evolution, usesLog } from "./evolution.js";
import { watchHealth } from "./health.js";
import { showProducts } from "./products.js";
import { isCategories } from "./statistics.js";
import { h, render } from "./tree.js";
import { Users } from "./users.js";
import { unitOf, whole } from "./words.js";

const REFRESH_MS = 2500;
const LISTS_MS = 10_000;
const MOST_VERSIONS = 8;
const USER_DAYS = 30;

const byId = (id) => document.getElementById(id);
const controls = new Controls(change);
const distribution = new Distribution(byId("distribution"));
const evolution = new Evolution(byId("evolution"), (bins) => change({ bins: bins.join(",") }));
const users = new Users(byId("users-section"));

let state;
let generation = 0; // a newer load makes an older one's answers void
let lists = { clock: "", dates: {}, options: {}, place: "", at: 0 };
let shownFolded = null;
let shownAt = 0;
let busy = false;
let failed = false; // the last load met an error: the next status asks again

// A reader changed something: the address says it, the views follow.
function change(part) {
  state = { ...state, ...part };
  history.pushState(null, "", writeAddress(state));
  tell([]);
  load({ fresh: false });
}

function fromAddress() {
  const read = readAddress(location.hash);
  state = read.state;
  load({ fresh: true, notices: read.notices });
}

async function load({ fresh, notices = [], quiet = false }) {
  const mine = ++generation;
  const current = () => mine === generation;
  busy = true;
  if (!quiet) document.body.setAttribute("aria-busy", "true");
  try {
    await Promise.all([loadProducts(current), loadCharts(fresh, quiet, notices, current)]);
    failed = false;
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    failed = true;
    if (current() && !(quiet && error.reason === "unreachable")) absent(error);
  } finally {
    if (current()) {
      busy = false;
      shownAt = Date.now();
      document.body.removeAttribute("aria-busy");
    }
  }
  if (current() && notices.length > 0) tell(notices);
}

async function loadCharts(fresh, quiet, notices, current) {
  if (await settle(fresh, quiet, notices, current)) await Promise.all([loadMetric(current), loadUsers(current)]);
}

// Asks what there is, makes the state one that exists, and shows the controls. False when it was overtaken.
async function settle(fresh, quiet, notices, current) {
  const dates = await readDates(state.clock);
  if (!current()) return false;
  const place = choosePlace(state, dates, latestSaneDate(Date.now()), notices);
  if (place === null) {
    controls.show(state, {}, {});
    throw await nothingCounted();
  }
  const key = `${place.channel} ${place.version}`;
  let { options } = lists;
  if (!quiet || lists.place !== key || Date.now() - lists.at > LISTS_MS) {
    options = await api.filters(place.channel, place.version);
    if (!current()) return false;
    lists.at = Date.now();
  }
  lists = { ...lists, dates, options, place: key };
  const metric = chooseMetric(state.metric, options.metric ?? [], fresh, notices);
  state = { ...state, ...place, metric, ...chooseFilters(state, options, notices) };
  if (!quiet) history.replaceState(null, "", writeAddress(state));
  controls.show(state, dates, options);
  return true;
}

// Why there is no number at all: nothing was received, or nothing that is counted.
async function nothingCounted() {
  const products = await api.products().catch(() => []);
  const { reason, description } = absenceOf(products);
  return new api.ApiError(404, reason, description);
}

async function readDates(clock) {
  const names = await api.channels(clock);
  const all = await Promise.all(names.map((channel) => api.dates(clock, channel)));
  return Object.fromEntries(names.map((channel, i) => [channel, all[i]]).filter(([, entries]) => entries.length > 0));
}

function datesOf(version) {
  return lists.dates[state.channel].filter((entry) => entry.version === version).map(({ date }) => date).sort();
}

function filterParameters() {
  const { application, architecture, os, osVersion, e10s, process } = state;
  return { application, architecture, os, osVersion, e10sEnabled: e10s, child: process };
}

async function readMetric(version) {
  const { answers, otherLayouts } = await api.aggregates(
    state.clock, state.channel, version, datesOf(version), state.metric, filterParameters());
  return { answer: joinAnswers(answers), otherLayouts };
}

async function loadMetric(current) {
  try {
    const wanted = state;
    const main = await readMetric(state.version);
    const others = state.allVersions ? await readOthers() : [];
    if (current() && wanted.metric === state.metric) showMetric(main, others);
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (current()) absent(error);
  }
}

// The other versions of the channel, newest first; those without this metric are left out.
async function readOthers() {
  const versions = versionsOf(lists.dates[state.channel]).filter((version) => version !== state.version);
  const settled = await Promise.allSettled(versions.slice(0, MOST_VERSIONS - 1)
    .map(async (version) => ({ version, answer: (await readMetric(version)).answer })));
  return settled.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
}

function showMetric({ answer, otherLayouts }, others) {
  hideAbsence(byId("absence"));
  byId("distribution").hidden = byId("evolution").hidden = false;
  const keys = keysOf(answer);
  const key = chooseKey(keys);
  const unit = isCategories(answer.kind) ? "" : unitOf(state.metric, answer.description);
  const sum = total(answer, key);
  byId("metric-name").textContent = state.metric;
  document.title = `${state.metric} · Highwater`;
  byId("metric-description").textContent = answer.description;
  controls.showKeys(keys, key ?? "*");
  const range = drawnRange(answer, sum, state.allBins === "1");
  const rows = hasRows(answer.kind);
  distribution.show({
    metric: state.metric, answer, total: sum, unit, elsewhere: elsewhere(answer, key), otherLayouts, range, hidden: rows ? 0 : range.hidden,
    cumulative: state.cumulative === "1" && !rows, allBins: state.allBins === "1",
  });
  showEvolution({ answer, key, unit, sum }, others);
}

// null is all keys together; "" in the address the key with most pings.
function chooseKey(keys) {
  if (keys.length === 0 || state.key === "*") return null;
  if (keys.some(({ key }) => key === state.key)) return state.key;
  if (state.key) tell([`No ping of this choice has the key “${state.key}”; the most frequent one is shown.`]);
  return keys[0].key;
}

function showEvolution({ answer, key, unit, sum }, others) {
  const versions = [{ version: state.version, answer }, ...others].sort((a, b) => -compareVersions(a.version, b.version));
  const lines = versions.map(({ version, answer: ofVersion }) => ({ version, ...byDate(ofVersion, key) }));
  const all = mergePoints(lines.map(({ points }) => points));
  const meant = plausible(all, latestSaneDate(Date.now()));
  const dense = withoutSparse(meant);
  const points = state.allDates ? all : dense;
  const starts = others.length > 0 ? lines.filter((one) => one.points.length > 0).map((one) => ({ version: one.version, time: firstShown(one.points, points) })) : [];
  const log = usesLog(answer, state.scale);
  controls.showSwitches({ log, offered: {
    logScale: !isCategories(answer.kind),
    cumulative: !hasRows(answer.kind),
    allBins: answer.kind !== "boolean" && answer.kind !== "flag",
    allVersions: versionsOf(lists.dates[state.channel]).length > 1,
    allDates: dense.length < all.length,
  } });
  const clock = state.clock === "build_id" ? "build date" : "submission date";
  byId("evolution-title").textContent = `Evolution by ${clock}`;
  evolution.show({
    metric: state.metric, answer, total: sum, points, unit, clock, log, starts: starts.filter(({ time }) => time !== null),
    bins: state.bins.split(",").filter(Boolean).map(Number), note: evolutionNote({ odd: all.length - meant.length, sparse: meant.length - dense.length, unseen: sumLeftOut(versions.map((one) => one.answer)) }, lines, unit, log),
  });
}

function firstShown(ofVersion, shown) {
  const dates = new Set(shown.map(({ date }) => date));
  return ofVersion.find(({ date }) => dates.has(date))?.time.getTime() ?? null;
}

function evolutionNote({ odd, sparse, unseen }, lines, unit, log) {
  const strange = lines.reduce((sum, one) => sum + one.strange, 0);
  const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  const parts = [];
  if (unit) parts.push(`Values in ${unit}${log ? ", logarithmic scale" : ""}.`);
  else if (log) parts.push("Logarithmic scale.");
  if (odd > 0 && !state.allDates) parts.push(`${count(odd, "date that lies in the future or far from all others was", "dates that lie in the future or far from all others were")} left out.`);
  if (sparse > 0 && !state.allDates) parts.push(`${count(sparse, "date", "dates")} with less than a hundredth of the fullest date’s pings left out.`);
  if (strange > 0) parts.push(`${count(strange, "build id is", "build ids are")} no calendar date and left out.`);
  if (unseen) parts.push(`Samples that lie in none of the bins are not shown: ${whole(unseen)} of all dates${state.allVersions ? " and versions" : ""}, of whatever key.`);
  if (state.allVersions) parts.push(`Versions ${lines.map(({ version }) => version).join(", ")}.`);
  return parts.join(" ");
}

async function loadUsers(current) {
  const everyone = state.users === "everyone";
  const filter = { group_by: state.group, application: state.application, os: state.os };
  if (!everyone) filter.channel = state.channel;
  if (state.users === "version") filter.version = state.version;
  delete filter[state.group];
  let answer = null;
  let reason = "";
  try {
    const to = await newestSubmission(everyone ? null : state.channel);
    if (to) answer = await api.engagement({ from: addDays(to, 1 - USER_DAYS), to, ...filter });
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    reason = error.description;
  }
  if (!current()) return;
  byId("users-section").hidden = false;
  users.show({ answer, reason, group: state.group, measure: state.measure, who: whoOf(filter), today: formatDate(new Date()) });
}

async function newestSubmission(channel) {
  const dates = state.clock === "submission_date" ? lists.dates : await readDates("submission_date");
  const limit = latestSaneDate(Date.now());
  const entries = channel ? dates[channel] ?? [] : Object.values(dates).flat();
  return entries.map(({ date }) => date).filter((date) => date <= limit).sort().at(-1);
}

function whoOf({ application, channel, version, os, group_by: group }) {
  const parts = [application || "All applications", channel || "all channels"];
  if (version) parts.push(`version ${version}`);
  if (os) parts.push(os);
  return `${parts.join(", ")}${group ? `, by ${group === "os" ? "operating system" : group}` : ""}`;
}

async function loadProducts(current) {
  const products = await api.products().catch((error) => {
    if (error instanceof api.ApiError) return []; // the charts do not wait for this list
    throw error;
  });
  if (current()) showProducts(byId("products"), products);
}

function absent(error) {
  byId("distribution").hidden = byId("evolution").hidden = true;
  byId("users-section").hidden = ["nothing_received", "stored_not_counted", "not_folded_yet", "unreachable"].includes(error.reason);
  byId("metric-name").textContent = state.metric || "Highwater";
  byId("metric-description").textContent = "";
  controls.showKeys([], "");
  showAbsence(byId("absence"), error, () => controls.clearFilters());
}

// Sentences for the reader above the charts; none hides the line.
function tell(notices) {
  const notice = byId("notice");
  notice.hidden = notices.length === 0;
  render(notice, notices.length === 0 ? [] : [
    h("p", {}, notices.join(" ")),
    h("button", { type: "button", onclick: () => tell([]) }, "Dismiss"),
  ]);
}

// The charts follow the numbers: when pings were folded since the last drawing, at most every few seconds.
function follow({ folded, stored_only: stored, repeated }) {
  const sign = `${folded} ${stored} ${repeated}`;
  if ((sign === shownFolded && !failed) || busy || Date.now() - shownAt < REFRESH_MS) return;
  shownFolded = sign;
  load({ fresh: false, quiet: true });
}

window.addEventListener("popstate", fromAddress);
fromAddress();
watchHealth(byId("health"), follow);
