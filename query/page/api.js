// The one door to the server: every call of the HTTP API, and the error it may answer with.
// No state, no drawing.

import { plus } from "./statistics.js";

const DATES_PER_CALL = 120; // keeps an address well below 1,500 characters

// An answer that is no success. `reason` is one word of the API, or "unreachable".
export class ApiError extends Error {
  constructor(code, reason, description) {
    super(description);
    this.code = code;
    this.reason = reason;
    this.description = description;
  }
}

// Whole numbers that a Number cannot hold come as BigInt, where the browser shows how they were written.
function exact(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value, context) => {
    const isRounded = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
    return isRounded && /^-?\d+$/.test(context?.source ?? "") ? BigInt(context.source) : value;
  });
}

async function get(path, params = {}, parse = JSON.parse) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value));
  const address = query.size > 0 ? `${path}?${query}` : path;
  let response;
  try {
    response = await fetch(address, { headers: { Accept: "application/json" } });
  } catch {
    throw new ApiError(0, "unreachable", "The server does not answer. Check that it still runs.");
  }
  if (!response.ok) throw await errorOf(response);
  return { body: parse(await response.text()), headers: response.headers };
}

async function errorOf(response) {
  const body = await response.json().catch(() => ({}));
  const description = body.description ?? `The server answered ${response.status}. Its log says why.`;
  return new ApiError(response.status, body.reason ?? "", description);
}

// Names of the channels that have data by this clock; none yet is an empty list.
export async function channels(clock) {
  try {
    return (await get(`aggregates_by/${clock}/channels/`)).body;
  } catch (error) {
    if (error.code === 404) return [];
    throw error;
  }
}

// [{version, date}] of one channel.
export async function dates(clock, channel) {
  try {
    return (await get(`aggregates_by/${clock}/channels/${encodeURIComponent(channel)}/dates/`)).body;
  } catch (error) {
    if (error.code === 404) return [];
    throw error;
  }
}

// The values each filter can take, and the metrics, of one channel and version.
export async function filters(channel, version) {
  return (await get("filters/", { channel, version })).body;
}

// Histograms of one version: a list of answers, one per piece of a long list of dates, each of which may have
// another layout and says how many samples lie in none of its bins (`leftOut`), and the layouts that the server left out.
export async function aggregates(clock, channel, version, dateList, metric, filter) {
  const pieces = [];
  for (let i = 0; i < dateList.length; i += DATES_PER_CALL) pieces.push(dateList.slice(i, i + DATES_PER_CALL));
  const path = `aggregates_by/${clock}/channels/${encodeURIComponent(channel)}/`;
  const settled = await Promise.allSettled(
    pieces.map((piece) => get(path, { version, dates: piece.join(","), metric, ...filter }, exact)),
  );
  const good = settled.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
  const failed = settled.find(({ status, reason }) => status === "rejected" && reason.code !== 404);
  if (failed) throw failed.reason;
  if (good.length === 0) throw settled[0]?.reason ?? new ApiError(404, "dates_without_data", "No dates to ask for.");
  return {
    answers: good.map(({ body, headers }) => ({ ...body, leftOut: plus(0, BigInt(headers.get("X-Highwater-Samples-Left-Out") ?? 0)) })),
    otherLayouts: otherLayouts(good.map(({ headers }) => headers.get("X-Highwater-Other-Layouts") ?? "")),
  };
}

// The layouts that these headers name, each once.
export function otherLayouts(values) {
  return [...new Set(values.flatMap((value) => value.split(";")).filter(Boolean))].join("; ");
}

export async function status() {
  return (await get("api/v1/status")).body;
}

// Counts, rates, room and verdicts.
export async function health() {
  return (await get("api/v1/health")).body;
}

// Partitions, largest first, from the one at place `from` on.
export async function partitions(by, from) {
  return (await get("api/v1/partitions", { by, from: String(from) })).body;
}

// Daily and monthly users, by day and group.
export async function engagement(params) {
  return (await get("api/v1/engagement", params)).body;
}

export async function products() {
  return (await get("api/v1/products")).body.products;
}

// Where pings come from: counted and only stored ones.
export async function sources() {
  return (await get("api/v1/sources")).body.sources;
}

// {metrics, next}: a page of a source's metrics; with `q`, of those whose names contain it.
export async function metrics(source, q = "") {
  return (await get("api/v1/metrics", { source, q })).body;
}

// {values, left_out}: which values a dimension of a source has.
export async function values(source, dimension, filters = {}) {
  return (await get("api/v1/values", { source, dimension, ...filters })).body;
}

// How a metric of a source is distributed; `params` as the API names them.
export async function rows(params) {
  return (await get("api/v1/aggregates", params)).body;
}
