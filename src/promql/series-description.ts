import { NarthexError } from "../base/index.ts";
import {
  addHistograms,
  type Histogram,
  type Labels,
  type NotedHistogram,
  parseDuration,
  parseHistogram,
  parseNumber,
  quoteGo,
  subtractHistograms,
} from "../model/index.ts";
import { parseSeriesLabels } from "./parser.ts";

/** One place in a described series, a step after the one before. */
export type DescribedValue =
  | { kind: "omitted" }
  | { kind: "float"; value: number }
  | { kind: "stale" }
  | DescribedHistogram;

/** A native histogram; a comparison looks at its hint only when the description names one. */
export interface DescribedHistogram {
  kind: "histogram";
  histogram: Histogram;
  hasHint: boolean;
}

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

  #histograms(base: NotedHistogram): void {
    const sign = this.#accept("+") ? 1 : this.#accept("-") ? -1 : 0;
    const addend = sign === 0 ? undefined : (this.#histogram() ?? this.#fail("expected a histogram"));
    const count = this.#times();
    if (count === undefined && addend) this.#fail('expected "x" and a number of repetitions');
    const { hasHint } = addend ?? base;
    let { histogram } = base;
    this.#repeat((count ?? 0) + 1, (i) => {
      if (i > 0 && addend) {
        const combine = sign > 0 ? addHistograms : subtractHistograms;
        histogram = combine(histogram, addend.histogram).histogram;
      }
      return { kind: "histogram", histogram, hasHint };
    });
  }

  #repeat(count: number, value: (i: number) => DescribedValue): void {
    for (let i = 0; i < count; i++) this.#values.push(value(i));
  }

  #histogram(): NotedHistogram | undefined {
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
