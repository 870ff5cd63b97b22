// The view of any source but Firefox's main pings: its own metrics by its own dimensions, as /api/v1 tells them.

import { filtersOf, readBins } from "./address.js";
import { byDay, parseDate, plausible, withoutSparse } from "./answer.js";
import * as api from "./api.js";
import { latestSaneDate } from "./choice.js";
import { MOST_ROWS, drawnRange, hasRows } from "./distribution.js";
import { usesLog } from "./evolution.js";
import { Groups } from "./groups.js";
import { byId, page } from "./page.js";
import { PERCENTILES, drawn, encodeValue, leading, scaleOf } from "./rows.js";
import { aboutSource, isCounted, whyStored } from "./sources.js";
import { isCategories } from "./statistics.js";
import { day, dimensionName, valueName, visible, whole } from "./words.js";

const LISTS_MS = 10_000;
const DAY = "submission_date";
const MOST_GROUPS = "200"; // rows by label or dimension
const MOST_DATES = "2000";

const byLabel = new Groups(byId("labels"), (show) => page.change({ show }));
const byDimension = new Groups(byId("groups"), (show) => page.change({ show }));
let lists = { source: "", metrics: [], values: {}, at: 0 };

// Draws what the state says; `current()` is false when a newer load has overtaken this one.
export async function showProduct(how, source, sources) {
  const { quiet, current } = how;
  byId("users-section").hidden = true;
  const about = sources.find((one) => one.source === source);
  if (!about) throw absent("no_such_source", `Nothing was received of a source “${source}”. Choose another one above.`);
  if (!isCounted(about)) {
    const { reason, description } = whyStored(about);
    throw absent(reason, description);
  }
  const metric = await settle(how, about);
  if (!current()) return;
  const answers = await ask(about, metric);
  if (!current()) return;
  if (answers.all.data.length === 0) throw absent(answers.all.explain?.reason ?? "no_such_metric", answers.all.explain?.detail ?? "");
  show(about, metric, answers, quiet);
}

function absent(reason, description) {
  return new api.ApiError(404, reason, description);
}

// Asks what there is, makes the state one that exists, and shows the controls; answers the metric as it is listed.
async function settle({ fresh, quiet, notices, current }, about) {
  const { source } = about;
  if (!quiet && (lists.source !== source || Date.now() - lists.at > LISTS_MS)) {
    const [page1, values] = await Promise.all([api.metrics(source), valuesOf(about)]);
    lists = { source, metrics: page1.metrics, values, at: Date.now(), more: Boolean(page1.next) };
  }
  let metric = await find(source, page.state.metric);
  if (!metric && (fresh || !page.state.metric)) {
    if (page.state.metric) notices.push(`There is no metric “${page.state.metric}” in ${source}; another one is shown.`);
    metric = lists.metrics.find(({ kind }) => kind && kind !== "stored") ?? lists.metrics[0];
  }
  if (!current()) return metric;
  page.settle({ source, metric: metric?.metric ?? page.state.metric }, quiet);
  if (!quiet) page.controls.showProduct(page.state, about, lists, (q) => more(source, q));
  if (!metric) throw absent("no_such_metric", `No ping of ${source} with this metric was counted. Choose another one above.`);
  return metric;
}

async function valuesOf({ source, dimensions }) {
  const names = dimensions.filter((name) => name !== DAY);
  const all = await Promise.all(names.map((name) => api.values(source, name).catch(() => ({ values: [], left_out: 0 }))));
  return Object.fromEntries(names.map((name, i) => [name, all[i]]));
}

// A metric by its name, among those that are known here, or asked for.
async function find(source, name) {
  const isIt = ({ metric }) => metric === name;
  const known = lists.metrics.find(isIt);
  if (known || !lists.more || !name) return known;
  return (await api.metrics(source, name)).metrics.find(isIt);
}

// More metrics for the chooser, where a source has more than one page of them.
async function more(source, q) {
  if (!lists.more) return [];
  const { metrics } = await api.metrics(source, q);
  const known = new Set(lists.metrics.map(({ metric }) => metric));
  lists.metrics = [...lists.metrics, ...metrics.filter(({ metric }) => !known.has(metric))];
  return metrics;
}

function dateOf({ dimensions }) {
  const { dates } = page.state;
  if (dates && dimensions.includes(dates)) return dates;
  return dimensions.includes("build_date") ? "build_date" : DAY;
}

// {all, dates, labels, groups}: answers; the last two only where they are wanted.
async function ask(about, { metric, labelled }) {
  const { from, to, key, by } = page.state;
  const filters = Object.fromEntries(filtersOf(page.state).map(([name, value]) => [name, encodeValue(value)]));
  if (from || to) filters[DAY] = `${from}..${to}`;
  const everywhere = { source: about.source, metric, percentiles: PERCENTILES, edges: "true", ...filters };
  const base = key && key !== "*" ? { ...everywhere, label: encodeValue(key) } : everywhere;
  const groups = { order: "pings", limit: MOST_GROUPS };
  const [all, dates, labels, groupsOf] = await Promise.all([
    api.rows({ ...base, explain: "true" }),
    api.rows({ ...base, group_by: dateOf(about), limit: MOST_DATES, order: "pings" }),
    labelled ? api.rows({ ...everywhere, ...groups, group_by: "label" }) : null,
    by && about.dimensions.includes(by) ? api.rows({ ...base, ...groups, group_by: by }) : null,
  ]);
  return { all, dates, labels, groups: groupsOf };
}

function show(about, metric, { all, dates, labels, groups }) {
  page.present();
  for (const id of ["distribution", "evolution"]) byId(id).hidden = false;
  const { kind } = all;
  const lead = leading(all.data);
  const scale = scaleOf(all.unit, lead.rows);
  const names = kind === "category" ? lead.rows[0].bins.map(([name]) => name) : null;
  page.names = names;
  const total = drawn(lead.rows[0], kind, scale, names);
  const answer = { kind: total.kind, buckets: names ? names.map(valueName) : total.buckets, description: all.description };
  byId("metric-name").textContent = visible(metric.metric);
  document.title = `${metric.metric} · ${about.source} · Highwater`;
  byId("metric-description").textContent = metric.description ?? all.description ?? "";
  byId("source-about").textContent = visible(aboutSource(about, (text) => day(parseDate(text))));
  page.controls.showKeys(keysOf(labels), page.state.key || "*");
  showWhole({ metric, answer, total, scale, kind, others: lead.others });
  showEvolution({ about, metric, answer, total, scale, kind, names }, dates);
  showGroups(byLabel, labels, { by: "label", title: "By label", head: "Label", scale, kind });
  const by = dimensionName(page.state.by);
  showGroups(byDimension, groups, { by: page.state.by, title: `By ${by}`, head: by, scale, kind });
}

function keysOf(labels) {
  return (labels?.data ?? []).filter(({ rest }) => !rest).map((row) => ({ key: row.label, count: row.pings }));
}

function showWhole({ metric, answer, total, scale, kind, others }) {
  const { cumulative, allBins } = page.state;
  const range = drawnRange(answer, total, allBins === "1");
  const isRows = hasRows(answer.kind);
  const elsewhere = others.reduce((sum, row) => sum + row.pings, 0);
  const more = [];
  if (elsewhere > 0) more.push(`${whole(elsewhere)} pings have bins of another layout and are not in this histogram.`);
  if (isRows && answer.buckets.length > MOST_ROWS) more.push(`The ${MOST_ROWS} most frequent of ${whole(answer.buckets.length)} values are drawn; the table has all.`);
  page.distribution.show({
    metric: metric.metric, answer, total, unit: scale.unit, elsewhere: { dates: 0 }, range, hidden: isRows ? 0 : range.hidden, kindName: kind, more: more.join(" "),
    cumulative: cumulative === "1" && !isRows, allBins: allBins === "1",
  });
}

function showEvolution({ about, metric, answer, total, scale, kind, names }, dates) {
  const date = dateOf(about);
  const rows = dates.data.filter(({ rest }) => !rest).map((row) => ({ date: row[date], ...drawn(row, row.kind ?? kind, scale, names) }));
  const points = rows.map((point) => (names ? { ...point, buckets: answer.buckets } : point));
  const { points: all, strange } = byDay(points);
  const meant = plausible(all, latestSaneDate(Date.now()));
  const dense = withoutSparse(meant);
  const log = usesLog(answer, page.state.scale);
  page.controls.showSwitches({ log, offered: {
    logScale: !isCategories(answer.kind), cumulative: !hasRows(answer.kind), allBins: true, allVersions: false, allDates: dense.length < all.length,
  } });
  page.controls.showDates(about.dimensions, date);
  byId("evolution-title").textContent = `Evolution by ${dimensionName(date)}`;
  byId("evolution").hidden = all.length === 0;
  page.evolution.show({
    metric: metric.metric, answer, total, points: page.state.allDates ? all : dense, unit: scale.unit, clock: dimensionName(date), log, starts: [],
    bins: readBins(page.state.bins, names),
    note: evolutionNote({ unit: scale.unit, log, left: page.state.allDates ? 0 : all.length - dense.length, strange, rest: dates.data.find(({ rest }) => rest) }),
  });
}

function evolutionNote({ unit, log, left, strange, rest }) {
  const count = (n, one, many) => `${whole(n)} ${n === 1 ? one : many}`;
  const parts = [];
  if (unit) parts.push(`Values in ${unit}${log ? ", logarithmic scale" : ""}.`);
  else if (log) parts.push("Logarithmic scale.");
  if (left > 0) parts.push(`${count(left, "date", "dates")} with few pings, in the future or far from all others left out.`);
  if (strange > 0) parts.push(`${count(strange, "value is", "values are")} no calendar date and left out, such as of pings that state none.`);
  if (rest) parts.push(`${count(rest.groups, "further date", "further dates")} with fewer pings left out.`);
  return parts.join(" ");
}

function showGroups(section, answer, view) {
  const { rows, others } = leading(answer?.data ?? []);
  if (rows.length === 0) return section.hide();
  const rest = answer.data.filter((row) => row.rest);
  const names = view.kind === "category" ? namesOf(rows) : null;
  const measure = page.state.show || (view.by === "label" ? "sum" : "mean");
  return section.show({ ...view, rows: [...rows, ...rest], names, measure, groups: answer.groups, elsewhere: others.length });
}

// The names of a category over all groups, the most frequent first.
function namesOf(rows) {
  const times = new Map();
  for (const [name, count] of rows.flatMap(({ bins }) => bins)) times.set(name, (times.get(name) ?? 0) + Number(count));
  return [...times].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}
