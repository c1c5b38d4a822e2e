import type { Context, Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import { metricNameLabel, quoteGo } from "../../model/index.ts";
import { fuzzyAlgorithms, type SearchHit, type SearchOptions } from "../../promql/index.ts";
import type { WebParts } from "../parts.ts";
import { readParams, timeParam } from "./params.ts";

export type SearchRoutesOptions = Pick<WebParts, "queries" | "scrape" | "search" | "nowMs">;

const rangeMsDefault = 3_600_000;
const countDefault = 100;
const termsMax = 32;

/** `search/*` (`--enable-feature=search-api`): names and values that fit what somebody types, as lines of JSON. */
export function addSearchRoutes(api: Hono, options: SearchRoutesOptions): void {
  const route = (endpoint: string, find: (call: SearchCall) => Promise<unknown[]>): void => {
    api.on(["GET", "POST"], `/search/${endpoint}`, async (c) => {
      if (!options.search.isEnabled) throw new NarthexError("unavailable", "search API disabled");
      const call = readCall(c, await readParams(c), endpoint, options);
      return lines(await find(call), call);
    });
  };
  route("metric_names", (call) => findMetricNames(call, options));
  route("label_names", async (call) =>
    (await found(call, undefined, options)).map(([name, score]) => ({ name, ...withScore(call, score) })),
  );
  route("label_values", async (call) => {
    const label = call.params.get("label") ?? "";
    if (label === "") throw new NarthexError("bad_data", `missing required parameter "label"`);
    const hits = await found(call, label, options);
    return hits.map(([value, score]) => ({ value, ...withScore(call, score) }));
  });
}

interface SearchCall {
  readonly params: URLSearchParams;
  readonly range: { selectors: string[]; startMs: number; endMs: number };
  readonly options: SearchOptions;
  readonly includeScore: boolean;
  /** Results in the answer, and in one of its lines. */
  readonly limit: number;
  readonly batchSize: number;
  readonly signal: () => AbortSignal;
}

/** One more than asked for, which tells whether there is more. */
function found(
  { range, options, signal }: SearchCall,
  name: string | undefined,
  { queries }: SearchRoutesOptions,
): Promise<SearchHit[]> {
  return queries.search(name, range, options, signal);
}

async function findMetricNames(call: SearchCall, options: SearchRoutesOptions): Promise<unknown[]> {
  const includeMetadata = boolParam(call.params, "include_metadata", false);
  const hits = await found(call, metricNameLabel, options);
  const known = includeMetadata ? options.scrape.metadataOf(hits.map(([name]) => name)) : undefined;
  return hits.map(([name, score]) => {
    const described = Object.entries(known?.get(name) ?? {}).filter(([, text]) => text !== "");
    return { name, ...withScore(call, score), ...Object.fromEntries(described) };
  });
}

function withScore({ includeScore }: SearchCall, score: number): { score?: number } {
  return includeScore ? { score } : {};
}

/** Batches of results, and a last line that says whether there is more. */
function lines(results: readonly unknown[], { limit, batchSize }: SearchCall): Response {
  const shown = results.slice(0, limit);
  const batches: unknown[] = [];
  for (let at = 0; at === 0 || at < shown.length; at += batchSize)
    batches.push({ results: shown.slice(at, at + batchSize) });
  const all = [...batches, { status: "success", has_more: results.length > shown.length }];
  const body = all.map((line) => `${JSON.stringify(line)}\n`).join("");
  return new Response(body, { headers: { "content-type": "application/x-ndjson; charset=utf-8" } });
}

function readCall(
  c: Context,
  params: URLSearchParams,
  endpoint: string,
  { search, nowMs }: SearchRoutesOptions,
): SearchCall {
  const now = nowMs();
  const startMs = timeParam(params, "start", now - rangeMsDefault);
  const endMs = timeParam(params, "end", now);
  if (endMs < startMs) fail("end timestamp must not be before start timestamp");
  const terms = params.getAll("search[]");
  if (terms.length > termsMax) fail(`too many search[] terms: got ${terms.length}, maximum is ${termsMax}`);
  const matching = {
    threshold: thresholdParam(params),
    algorithm: algorithmParam(params),
    isCaseSensitive: boolParam(params, "case_sensitive", true),
  };
  const includeScore = boolParam(params, "include_score", false);
  const order = orderParam(params, terms, endpoint);
  const limit = limitParam(params, search.limitMax);
  return {
    params,
    range: { selectors: params.getAll("match[]"), startMs, endMs },
    options: { terms, ...matching, order, limit: limit + 1 },
    includeScore,
    limit,
    batchSize: countParam(params, "batch_size"),
    signal: () => c.req.raw.signal,
  };
}

function thresholdParam(params: URLSearchParams): number {
  const text = params.get("fuzz_threshold") || "0";
  const isValid = /^[+-]?\d+$/.test(text) && Number(text) >= 0 && Number(text) <= 100;
  return isValid ? Number(text) / 100 : fail(`invalid fuzz_threshold ${quoteGo(text)}: must be 0-100`);
}

function algorithmParam(params: URLSearchParams): SearchOptions["algorithm"] {
  const text = params.get("fuzz_alg") || fuzzyAlgorithms[0];
  const known = fuzzyAlgorithms.find((name) => name === text);
  const names = `[${fuzzyAlgorithms.join(" ")}]`;
  return known ?? fail(`unsupported fuzz_alg ${quoteGo(text)}: must be one of ${names}`);
}

function orderParam(
  params: URLSearchParams,
  terms: readonly string[],
  endpoint: string,
): SearchOptions["order"] {
  const by = params.get("sort_by") ?? "";
  const direction = params.get("sort_dir") ?? "";
  if (direction !== "" && by === "") fail("sort_dir is only valid when sort_by is set");
  if (direction !== "" && by === "score") fail("sort_dir is not supported for sort_by=score");
  if (!["", "asc", "dsc"].includes(direction))
    fail(`invalid sort_dir ${quoteGo(direction)}: must be "asc" or "dsc"`);
  if (by === "score" && terms.length === 0) fail("sort_by=score requires search[] to be set");
  if (!["", "alpha", "score"].includes(by))
    fail(`invalid sort_by ${quoteGo(by)} for ${endpoint}: must be "alpha" or "score"`);
  if (by === "score") return "score";
  return direction === "dsc" ? "descending" : "ascending";
}

/** `limitMax` 0 sets no bound. */
function limitParam(params: URLSearchParams, limitMax: number): number {
  const boundMax = limitMax > 0 ? limitMax : Infinity;
  if (!params.get("limit")) return Math.min(countDefault, boundMax);
  const limit = countParam(params, "limit");
  if (limit > boundMax)
    fail(`limit ${limit} exceeds the configured maximum (${limitMax}, see --web.search.max-limit)`);
  return limit;
}

function countParam(params: URLSearchParams, name: string): number {
  const text = params.get(name) || String(countDefault);
  const isValid = /^[+]?\d+$/.test(text) && Number(text) > 0 && Number.isSafeInteger(Number(text));
  return isValid ? Number(text) : fail(`invalid ${name} ${quoteGo(text)}: must be a positive integer`);
}

function boolParam(params: URLSearchParams, name: string, fallback: boolean): boolean {
  const text = params.get(name) || String(fallback);
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  return fail(`invalid ${name} ${quoteGo(text)}: must be boolean`);
}

function fail(message: string): never {
  throw new NarthexError("bad_data", message);
}
