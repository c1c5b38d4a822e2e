import { NarthexError } from "../../base/index.ts";
import { type Labels, parseDuration, parseNumber, quoteGo } from "../../model/index.ts";
import { parseSeriesLabels } from "../parser.ts";

/** One place in a described series, a step after the one before. */
export type DescribedValue =
  | { kind: "omitted" }
  | { kind: "float"; value: number }
  | { kind: "stale" }
  | DescribedHistogram;

/** `base + times * addend`: the sum is left to whoever knows histograms. */
export interface DescribedHistogram {
  kind: "histogram";
  base: HistogramDescription;
  addend?: HistogramDescription;
  /** Negative when the addend is subtracted. */
  times: number;
}

/** What stands between `{{` and `}}`. */
export interface HistogramDescription {
  schema: number;
  sum: number;
  count: number;
  zeroCount: number;
  zeroThreshold: number;
  customValues: number[];
  positive: BucketDescription;
  negative: BucketDescription;
  /** Undefined when not written: then a comparison does not look at it. */
  counterResetHint?: CounterResetHint;
}

export interface BucketDescription {
  /** Index of the first bucket. */
  offset: number;
  counts: number[];
}

const counterResetHints = ["unknown", "reset", "not_reset", "gauge"] as const;
export type CounterResetHint = (typeof counterResetHints)[number];

export interface SeriesDescription {
  labels: Labels;
  values: DescribedValue[];
}

/** A repetition beyond this is refused, so that a typo does not fill the memory. */
const repetitionMax = 10_000_000;

/**
 * Reads upstream's notation for test series: labels, then values such as `1 2+3x4 _x5 stale {{schema:1 count:3}}x2`. `axn`
 * stands for n + 1 values, `_xn` for n gaps. Throws `bad_data`.
 */
export function parseSeriesDescription(text: string): SeriesDescription {
  const { labels, end } = parseSeriesLabels(text);
  return { labels, values: new ValueReader(text, end).read() };
}

const space = /\s+/y;
const number = /[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|nan)(?![a-wyz_0-9.])/iy;
const times = /x([0-9]+)/y;
const histogram = /\{\{([^{}]*)\}\}/y;

class ValueReader {
  readonly #text: string;
  #at: number;
  readonly #values: DescribedValue[] = [];

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  read(): DescribedValue[] {
    while (this.#at < this.#text.length) {
      if (!this.#match(space)) this.#fail("expected a space");
      if (this.#at < this.#text.length) this.#item();
    }
    return this.#values;
  }

  #item(): void {
    if (this.#accept("_")) return this.#repeat(this.#times() ?? 1, () => ({ kind: "omitted" }));
    if (this.#accept("stale")) return void this.#values.push({ kind: "stale" });
    const base = this.#histogram();
    if (base) return this.#histograms(base);
    const value = this.#number() ?? this.#fail('expected a number, "_", "stale" or a histogram');
    const step = this.#number() ?? 0;
    const count = this.#times();
    if (count === undefined && step !== 0) this.#fail('expected "x" and a number of repetitions');
    let next = value;
    this.#repeat((count ?? 0) + 1, () => {
      const current = next;
      next += step;
      return { kind: "float", value: current };
    });
  }

  #histograms(base: HistogramDescription): void {
    const sign = this.#accept("+") ? 1 : this.#accept("-") ? -1 : 0;
    const addend = sign === 0 ? undefined : (this.#histogram() ?? this.#fail("expected a histogram"));
    const count = this.#times();
    if (count === undefined && addend) this.#fail('expected "x" and a number of repetitions');
    this.#repeat((count ?? 0) + 1, (i) => ({
      kind: "histogram",
      base,
      ...(addend && { addend }),
      times: i * sign,
    }));
  }

  #repeat(count: number, value: (i: number) => DescribedValue): void {
    for (let i = 0; i < count; i++) this.#values.push(value(i));
  }

  #histogram(): HistogramDescription | undefined {
    const body = this.#match(histogram)?.[1];
    if (body === undefined) return undefined;
    try {
      return parseHistogram(body);
    } catch (error) {
      if (error instanceof NarthexError) this.#fail(error.message);
      throw error;
    }
  }

  #number(): number | undefined {
    const text = this.#match(number)?.[0];
    return text === undefined ? undefined : parseSigned(text);
  }

  #times(): number | undefined {
    const text = this.#match(times)?.[1];
    if (text === undefined) return undefined;
    const count = Number(text);
    return count <= repetitionMax ? count : this.#fail(`at most ${repetitionMax} repetitions are allowed`);
  }

  #accept(literal: string): boolean {
    if (!this.#text.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match ?? undefined;
  }

  #fail(reason: string): never {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    throw new NarthexError(
      "bad_data",
      `series values: ${reason} at ${quoteGo(rest)} (column ${this.#at + 1})`,
    );
  }
}

/** Go's reading of a number with a sign; `parseNumber` takes no sign before NaN. */
function parseSigned(text: string): number {
  const unsigned = /^[+-]/.test(text) ? text.slice(1) : text;
  const value = parseNumber(unsigned);
  if (value === undefined) throw new NarthexError("bad_data", `not a number: ${quoteGo(text)}`);
  return text.startsWith("-") ? -value : value;
}

function parseHistogram(body: string): HistogramDescription {
  const description: HistogramDescription = {
    schema: 0,
    sum: 0,
    count: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    customValues: [],
    positive: { offset: 0, counts: [] },
    negative: { offset: 0, counts: [] },
  };
  const seen = new Set<string>();
  for (const [, key, value] of splitFields(body)) {
    if (seen.has(key!)) throw new NarthexError("bad_data", `duplicate key ${quoteGo(key!)} in histogram`);
    seen.add(key!);
    setField(description, key!, value!);
  }
  return description;
}

const field = /\s*([a-z_]+):(\[[^\]]*\]|[^\s[\]]+)/gy;

function splitFields(body: string): RegExpExecArray[] {
  const fields: RegExpExecArray[] = [];
  let at = 0;
  for (const match of body.matchAll(field)) {
    fields.push(match);
    at = match.index + match[0].length;
  }
  const rest = body.slice(at).trim();
  if (rest !== "") throw new NarthexError("bad_data", `histogram: expected key:value, got ${quoteGo(rest)}`);
  return fields;
}

function setField(description: HistogramDescription, key: string, text: string): void {
  switch (key) {
    case "schema":
      description.schema = parseSigned(text);
      return;
    case "sum":
    case "count":
      description[key] = parseSigned(text);
      return;
    case "z_bucket":
      description.zeroCount = parseSigned(text);
      return;
    case "z_bucket_w":
      description.zeroThreshold = parseSigned(text);
      return;
    case "offset":
      description.positive.offset = parseSigned(text);
      return;
    case "n_offset":
      description.negative.offset = parseSigned(text);
      return;
    case "buckets":
      description.positive.counts = parseList(text);
      return;
    case "n_buckets":
      description.negative.counts = parseList(text);
      return;
    case "custom_values":
      description.customValues = parseList(text);
      return;
    case "counter_reset_hint": {
      const hint = counterResetHints.find((known) => known === text);
      if (!hint) throw new NarthexError("bad_data", `unknown counter_reset_hint ${quoteGo(text)}`);
      description.counterResetHint = hint;
      return;
    }
    default:
      throw new NarthexError("bad_data", `bad histogram descriptor found: ${quoteGo(key)}`);
  }
}

function parseList(text: string): number[] {
  if (!text.startsWith("["))
    throw new NarthexError("bad_data", `expected a list in brackets, got ${quoteGo(text)}`);
  const parts = text.slice(1, -1).trim();
  return parts === "" ? [] : parts.split(/\s+/).map(parseSigned);
}

/**
 * Reads a line `metric{labels}@st <offsets>`: where the series' samples start to count, as offsets from each sample's time in
 * milliseconds; undefined where none is known. Undefined for other lines.
 */
export function parseStartTimestamps(
  text: string,
): { labels: Labels; offsetsMs: (number | undefined)[] } | undefined {
  const match = /^(\S*)@st(?:\s+(.*))?$/.exec(text);
  if (!match) return undefined;
  const { labels } = parseSeriesLabels(match[1]!);
  const offsetsMs = (match[2] ?? "").split(/\s+/).filter(Boolean).flatMap(expandOffset);
  return { labels, offsetsMs };
}

const offsetItem = /^(?:_|([+-]?[0-9]+[a-wyz]*)(?:([+-])([0-9]+[a-wyz]*))?)(?:x([0-9]+))?$/;

function expandOffset(item: string): (number | undefined)[] {
  const match = offsetItem.exec(item);
  if (!match) throw new NarthexError("bad_data", `invalid start timestamp ${quoteGo(item)}`);
  const [, base, sign, step, count] = match;
  if (base === undefined) return Array.from({ length: Number(count ?? 1) }, () => undefined);
  const baseMs = base.startsWith("-") ? -parseDuration(base.slice(1)) : parseDuration(base.replace("+", ""));
  const stepMs = step === undefined ? 0 : parseDuration(step) * (sign === "-" ? -1 : 1);
  return Array.from({ length: Number(count ?? 0) + 1 }, (_, i) => baseMs + i * stepMs);
}
