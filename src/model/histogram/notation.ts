import { NarthexError } from "../../base/index.ts";
import { parseNumber } from "../number.ts";
import { quoteGo } from "../quote.ts";
import { type Buckets, type CounterReset, createHistogram, type Histogram } from "./histogram.ts";

/** A histogram as it was written; `hasHint` says whether it named a `counter_reset_hint`. */
export interface NotedHistogram {
  readonly histogram: Histogram;
  readonly hasHint: boolean;
}

/**
 * Reads what stands between `{{` and `}}` in test series: `schema:1 count:3 sum:7.5 offset:1 buckets:[2 1]`. Nothing is checked
 * but the form. Throws `bad_data`.
 */
export function parseHistogram(body: string): NotedHistogram {
  const fields = new Map<string, string>();
  let at = 0;
  for (const match of body.matchAll(field)) {
    const [all, key, value] = match as unknown as [string, string, string];
    if (fields.has(key)) fail(`duplicate key ${quoteGo(key)} in histogram`);
    if (!keys.has(key)) fail(`bad histogram descriptor found: ${quoteGo(key)}`);
    fields.set(key, value);
    at = match.index + all.length;
  }
  const rest = body.slice(at).trim();
  if (rest !== "") fail(`histogram: expected key:value, got ${quoteGo(rest)}`);
  return read(fields);
}

const field = /\s*([a-z_]+):(\[[^\]]*\]|[^\s[\]]+)/gy;
const keys = new Set(
  "schema sum count z_bucket z_bucket_w custom_values counter_reset_hint buckets offset n_buckets n_offset".split(
    " ",
  ),
);

function read(fields: ReadonlyMap<string, string>): NotedHistogram {
  const number = (key: string): number => parseSigned(fields.get(key) ?? "0");
  const integer = (key: string): number => {
    const value = number(key);
    return Number.isInteger(value) ? value : fail(`${key} must be a whole number, got ${fields.get(key)}`);
  };
  const list = (key: string): number[] => parseList(fields.get(key) ?? "[]");
  const side = (prefix: string): Buckets => {
    const counts = list(`${prefix}buckets`);
    const offset = integer(`${prefix}offset`);
    return { indices: counts.map((_, i) => offset + i), counts };
  };
  const histogram = createHistogram({
    schema: integer("schema"),
    sum: number("sum"),
    count: number("count"),
    zeroCount: number("z_bucket"),
    zeroThreshold: number("z_bucket_w"),
    customBounds: list("custom_values"),
    positive: side(""),
    negative: side("n_"),
    counterReset: parseHint(fields.get("counter_reset_hint") ?? "unknown"),
  });
  return { histogram, hasHint: fields.has("counter_reset_hint") };
}

const hints: readonly CounterReset[] = ["unknown", "reset", "not_reset", "gauge"];

function parseHint(text: string): CounterReset {
  return hints.find((hint) => hint === text) ?? fail(`unknown counter_reset_hint ${quoteGo(text)}`);
}

function parseList(text: string): number[] {
  if (!text.startsWith("[")) fail(`expected a list in brackets, got ${quoteGo(text)}`);
  const parts = text.slice(1, -1).trim();
  return parts === "" ? [] : parts.split(/\s+/).map(parseSigned);
}

/** Go's reading of a number with a sign; `parseNumber` takes no sign before NaN. */
function parseSigned(text: string): number {
  const value = parseNumber(/^[+-]/.test(text) ? text.slice(1) : text);
  if (value === undefined) fail(`not a number: ${quoteGo(text)}`);
  return text.startsWith("-") ? -value : value;
}

function fail(message: string): never {
  throw new NarthexError("bad_data", message);
}
