// The view of Firefox's main pings: by channel and version, as Mozilla's own routes answer, with versions beside each other and
// active users.

import { absenceOf } from "./absence.js";
import { addDays, byDate, elsewhere, formatDate, joinAnswers, keysOf, mergePoints, plausible, sumLeftOut, total, withoutSparse } from "./answer.js";
import * as api from "./api.js";
import { chooseFilters, chooseMetric, choosePlace, compareVersions, latestSaneDate, versionsOf } from "./choice.js";
import { drawnRange, hasRows } from "./distribution.js";
import { usesLog } from "./evolution.js";
import { byId, page } from "./page.js";
import { isCategories } from "./statistics.js";
import { Users } from "./users.js";
import { unitOf, whole } from "./words.js";

const LISTS_MS = 10_000;
const MOST_VERSIONS = 8;
const USER_DAYS = 30;

const users = new Users(byId("users-section"));
let lists = { clock: "", dates: {}, options: {}, place: "", at: 0 };

// Draws what the state says; `current()` is false when a newer load has overtaken this one.
export async function showFirefox({ fresh, quiet, notices, current }) {
  if (await settle(fresh, quiet, notices, current)) await Promise.all([loadMetric(current), loadUsers(current)]);
}

// Asks what there is, makes the state one that exists, and shows the controls. False when it was overtaken.
async function settle(fresh, quiet, notices, current) {
  const dates = await readDates(page.state.clock);
  if (!current()) return false;
  const place = choosePlace(page.state, dates, latestSaneDate(Date.now()), notices);
  if (place === null) {
    page.controls.show(page.state, {}, {});
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
  const metric = chooseMetric(page.state.metric, options.metric ?? [], fresh, notices);
  page.settle({ ...place, metric, ...chooseFilters(page.state, options, notices) }, quiet);
  page.controls.show(page.state, dates, options);
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
  return lists.dates[page.state.channel].filter((entry) => entry.version === version).map(({ date }) => date).sort();
}

function filterParameters() {
  const { application, architecture, os, osVersion, e10s, process } = page.state;
  return { application, architecture, os, osVersion, e10sEnabled: e10s, child: process };
}

async function readMetric(version) {
  const { answers, otherLayouts } = await api.aggregates(
    page.state.clock, page.state.channel, version, datesOf(version), page.state.metric, filterParameters());
  return { answer: joinAnswers(answers), otherLayouts };
}

async function loadMetric(current) {
  try {
    const wanted = page.state;
    const main = await readMetric(page.state.version);
    const others = page.state.allVersions ? await readOthers() : [];
    if (current() && wanted.metric === page.state.metric) showMetric(main, others);
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (current()) page.absent(error);
  }
}

// The other versions of the channel, newest first; those without this metric are left out.
async function readOthers() {
  const versions = versionsOf(lists.dates[page.state.channel]).filter((version) => version !== page.state.version);
  const settled = await Promise.allSettled(versions.slice(0, MOST_VERSIONS - 1)
    .map(async (version) => ({ version, answer: (await readMetric(version)).answer })));
  return settled.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
}

function showMetric({ answer, otherLayouts }, others) {
  page.present();
  byId("distribution").hidden = byId("evolution").hidden = false;
  byId("labels").hidden = byId("groups").hidden = true;
  page.names = null;
  byId("source-about").textContent = "";
  const keys = keysOf(answer);
  const key = chooseKey(keys);
  const unit = isCategories(answer.kind) ? "" : unitOf(page.state.metric, answer.description);
  const sum = total(answer, key);
  byId("metric-name").textContent = page.state.metric;
  document.title = `${page.state.metric} · Highwater`;
  byId("metric-description").textContent = answer.description;
  page.controls.showKeys(keys, key ?? "*");
  const range = drawnRange(answer, sum, page.state.allBins === "1");
  const rows = hasRows(answer.kind);
  page.distribution.show({
    metric: page.state.metric, answer, total: sum, unit, elsewhere: elsewhere(answer, key), otherLayouts, range, hidden: rows ? 0 : range.hidden,
    cumulative: page.state.cumulative === "1" && !rows, allBins: page.state.allBins === "1",
  });
  showEvolution({ answer, key, unit, sum }, others);
}

// null is all keys together; "" in the address the key with most pings.
function chooseKey(keys) {
  if (keys.length === 0 || page.state.key === "*") return null;
  if (keys.some(({ key }) => key === page.state.key)) return page.state.key;
  if (page.state.key) page.tell([`No ping of this choice has the key “${page.state.key}”; the most frequent one is shown.`]);
  return keys[0].key;
}

function showEvolution({ answer, key, unit, sum }, others) {
  const versions = [{ version: page.state.version, answer }, ...others].sort((a, b) => -compareVersions(a.version, b.version));
  const lines = versions.map(({ version, answer: ofVersion }) => ({ version, ...byDate(ofVersion, key) }));
  const all = mergePoints(lines.map(({ points }) => points));
  const meant = plausible(all, latestSaneDate(Date.now()));
  const dense = withoutSparse(meant);
  const points = page.state.allDates ? all : dense;
  const starts = others.length > 0 ? lines.filter((one) => one.points.length > 0).map((one) => ({ version: one.version, time: firstShown(one.points, points) })) : [];
  const log = usesLog(answer, page.state.scale);
  page.controls.showSwitches({ log, offered: {
    logScale: !isCategories(answer.kind),
    cumulative: !hasRows(answer.kind),
    allBins: answer.kind !== "boolean" && answer.kind !== "flag",
    allVersions: versionsOf(lists.dates[page.state.channel]).length > 1,
    allDates: dense.length < all.length,
  } });
  const clock = page.state.clock === "build_id" ? "build date" : "submission date";
  byId("evolution-title").textContent = `Evolution by ${clock}`;
  page.evolution.show({
    metric: page.state.metric, answer, total: sum, points, unit, clock, log, starts: starts.filter(({ time }) => time !== null),
    bins: page.state.bins.split(",").filter(Boolean).map(Number), note: evolutionNote({ odd: all.length - meant.length, sparse: meant.length - dense.length, unseen: sumLeftOut(versions.map((one) => one.answer)) }, lines, unit, log),
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
  if (odd > 0 && !page.state.allDates) parts.push(`${count(odd, "date that lies in the future or far from all others was", "dates that lie in the future or far from all others were")} left out.`);
  if (sparse > 0 && !page.state.allDates) parts.push(`${count(sparse, "date", "dates")} with less than a hundredth of the fullest date’s pings left out.`);
  if (strange > 0) parts.push(`${count(strange, "build id is", "build ids are")} no calendar date and left out.`);
  if (unseen) parts.push(`Samples that lie in none of the bins are not shown: ${whole(unseen)} of all dates${page.state.allVersions ? " and versions" : ""}, of whatever key.`);
  if (page.state.allVersions) parts.push(`Versions ${lines.map(({ version }) => version).join(", ")}.`);
  return parts.join(" ");
}

async function loadUsers(current) {
  const everyone = page.state.users === "everyone";
  const filter = { group_by: page.state.group, application: page.state.application, os: page.state.os };
  if (!everyone) filter.channel = page.state.channel;
  if (page.state.users === "version") filter.version = page.state.version;
  delete filter[page.state.group];
  let answer = null;
  let reason = "";
  try {
    const to = await newestSubmission(everyone ? null : page.state.channel);
    if (to) answer = await api.engagement({ from: addDays(to, 1 - USER_DAYS), to, ...filter });
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    reason = error.description;
  }
  if (!current()) return;
  byId("users-section").hidden = false;
  users.show({ answer, reason, group: page.state.group, measure: page.state.measure, who: whoOf(filter), today: formatDate(new Date()) });
}

async function newestSubmission(channel) {
  const dates = page.state.clock === "submission_date" ? lists.dates : await readDates("submission_date");
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
