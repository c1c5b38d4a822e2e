import { formatShortest, quoteGo } from "../model/index.ts";
import type { PositionRange } from "./ast.ts";

/** Upstream's limit for what one answer carries. */
export const annotationsMax = 10;

/** What is worth telling about a result: warnings doubt it, infos explain it. */
export interface Annotation {
  readonly level: "warning" | "info";
  readonly text: string;
  readonly position: PositionRange;
  /** What was evaluated when it was noticed, where that is not at `position`. */
  readonly noticedAt?: PositionRange;
  /** How often it was noticed, where that is told. */
  readonly occurrences?: number;
  /** Numbers that grow when the same annotation comes again. */
  readonly monotonicity?: MonotonicityFix;
}

/** What was done to the buckets that `histogram_quantile` was given. Times in milliseconds. */
export interface MonotonicityFix {
  minTimestampMs: number;
  maxTimestampMs: number;
  minBucket: number;
  maxBucket: number;
  maxDiff: number;
  count: number;
}

/** Where remarks are left. */
export interface AnnotationCollector {
  warn(text: string, position: PositionRange, noticedAt?: PositionRange, occurrences?: number): void;
  inform(text: string, position: PositionRange, noticedAt?: PositionRange): void;
}

/** Parts of a query that were evaluated once for several places: where they were first, and the place that counts. */
export type MovedParts = ReadonlyMap<{ readonly position: PositionRange }, PositionRange>;

/**
 * The annotations of one query, each text once, at the last place in the order of evaluation where there was reason for it; those that
 * count, at the first.
 */
export class Annotations implements AnnotationCollector {
  /** Most queries leave none. */
  #byText: Map<string, Annotation> | undefined;

  get list(): readonly Annotation[] {
    return this.#byText === undefined ? [] : [...this.#byText.values()];
  }

  add(annotation: Annotation): void {
    const byText = (this.#byText ??= new Map());
    const known = byText.get(annotation.text);
    byText.set(annotation.text, known === undefined ? annotation : merge(known, annotation));
  }

  warn(text: string, position: PositionRange, noticedAt = position, occurrences?: number): void {
    const counted = occurrences === undefined ? {} : { occurrences };
    this.add({ level: "warning", text: `PromQL warning: ${text}`, position, noticedAt, ...counted });
  }

  inform(text: string, position: PositionRange, noticedAt = position): void {
    this.add({ level: "info", text: `PromQL info: ${text}`, position, noticedAt });
  }

  /** The texts with line and column, at most `max` of each level and a line that counts the rest; 0 = all. */
  render(
    query: string,
    moved: MovedParts = new Map(),
    max = annotationsMax,
  ): { warnings: string[]; infos: string[] } {
    if (this.#byText === undefined) return { warnings: [], infos: [] };
    const render = (level: Annotation["level"]): string[] => {
      const all = this.list.filter((annotation) => annotation.level === level);
      const shown = max === 0 ? all : all.slice(0, max);
      const texts = shown.map((annotation) => {
        const isCounted = annotation.occurrences !== undefined || annotation.monotonicity !== undefined;
        const place = isCounted ? annotation.position : finalPlace(annotation.position, moved);
        return describe({ ...annotation, position: place }, query);
      });
      const omitted = all.length - shown.length;
      if (omitted > 0) texts.push(`${omitted} more ${level} annotations omitted`);
      return texts;
    };
    return { warnings: render("warning"), infos: render("info") };
  }
}

function merge(a: Annotation, b: Annotation): Annotation {
  const isLater = isBefore(b.noticedAt ?? b.position, a.noticedAt ?? a.position);
  const [first, last] = isLater ? [b, a] : [a, b];
  if (first.occurrences !== undefined && last.occurrences !== undefined)
    return { ...first, occurrences: first.occurrences + last.occurrences };
  if (first.monotonicity === undefined || last.monotonicity === undefined) return last;
  return { ...first, monotonicity: wider(first.monotonicity, last.monotonicity) };
}

/** Whether `a` is evaluated before `b`: operands before what is made of them, the left one first. */
function isBefore(a: PositionRange, b: PositionRange): boolean {
  return a.end === b.end ? a.start > b.start : a.end < b.end;
}

function finalPlace(position: PositionRange, moved: MovedParts): PositionRange {
  let place = position;
  // Nothing at the beginning of the query stands for no place at all.
  const isInside = (part: PositionRange): boolean =>
    place.start < place.end && part.start <= place.start && place.end <= part.end;
  for (let isMoved = true; isMoved;) {
    isMoved = false;
    for (const [{ position: from }, to] of moved) {
      if (!isInside(from)) continue;
      const by = to.start - from.start;
      place = { start: place.start + by, end: place.end + by };
      isMoved = true;
    }
  }
  return place;
}

function wider(a: MonotonicityFix, b: MonotonicityFix): MonotonicityFix {
  return {
    minTimestampMs: Math.min(a.minTimestampMs, b.minTimestampMs),
    maxTimestampMs: Math.max(a.maxTimestampMs, b.maxTimestampMs),
    minBucket: Math.min(a.minBucket, b.minBucket),
    maxBucket: Math.max(a.maxBucket, b.maxBucket),
    maxDiff: Math.max(a.maxDiff, b.maxDiff),
    count: a.count + b.count,
  };
}

function describe(annotation: Annotation, query: string): string {
  const { text, position, occurrences = 1, monotonicity: fix } = annotation;
  const place = lineAndColumn(query, position.start);
  if (occurrences > 1) return `${text} (${occurrences} occurrences) (${place})`;
  if (fix === undefined) return `${text} (${place})`;
  const buckets = `from buckets ${formatShortest(fix.minBucket)} to ${formatShortest(fix.maxBucket)}`;
  const diff = `with a max diff of ${formatTwoDigits(fix.maxDiff)}`;
  const times = `over ${fix.count} samples from ${rfc3339(fix.minTimestampMs)} to ${rfc3339(fix.maxTimestampMs)}`;
  return `${text}, ${buckets}, ${diff}, ${times} (${place})`;
}

const encoder = new TextEncoder();

/** `line:column`, both from 1, the column in bytes as upstream counts. */
function lineAndColumn(query: string, offset: number): string {
  const before = query.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  return `${line}:${encoder.encode(before.slice(lineStart)).length + 1}`;
}

function rfc3339(timestampMs: number): string {
  return new Date(Math.trunc(timestampMs / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** Go's `%.2g`. */
function formatTwoDigits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return formatShortest(value);
  const rounded = roundToTwoDigits(value);
  const [mantissa, exponent] = rounded.split("e") as [string, string];
  const power = Number(exponent);
  if (power >= -4 && power < 2) return String(Number(rounded));
  const sign = power < 0 ? "-" : "+";
  return `${mantissa.replace(/\.0$/, "")}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** Like `toExponential(1)`, which takes the larger of two that are equally near; Go takes the even one. */
function roundToTwoDigits(value: number): string {
  const exact = value.toExponential(20);
  const [, cut, last, exponent] = /^(\d\.(\d))50*(e.*)$/.exec(exact) ?? [];
  return cut !== undefined && Number(last) % 2 === 0 ? `${cut}${exponent}` : value.toExponential(1);
}

/** ` for metric name "…"`, or nothing when there is no name to tell. */
export function forMetric(name: string): string {
  return name === "" ? "" : ` for metric name ${quoteGo(name)}`;
}
