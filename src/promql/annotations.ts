import { formatShortest, quoteGo } from "../model/index.ts";
import type { PositionRange } from "./ast.ts";

/** Upstream's limit for what one answer carries. */
export const annotationsMax = 10;

/** What is worth telling about a result: warnings doubt it, infos explain it. */
export interface Annotation {
  readonly level: "warning" | "info";
  readonly text: string;
  readonly position: PositionRange;
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

/** The annotations of one query, each text once. */
export class Annotations {
  readonly #byText = new Map<string, Annotation>();

  get list(): readonly Annotation[] {
    return [...this.#byText.values()];
  }

  add(annotation: Annotation): void {
    const known = this.#byText.get(annotation.text);
    if (known === undefined) this.#byText.set(annotation.text, annotation);
    else if (known.monotonicity && annotation.monotonicity)
      widen(known.monotonicity, annotation.monotonicity);
  }

  warn(text: string, position: PositionRange): void {
    this.add({ level: "warning", text: `PromQL warning: ${text}`, position });
  }

  inform(text: string, position: PositionRange): void {
    this.add({ level: "info", text: `PromQL info: ${text}`, position });
  }

  /** The texts with line and column, at most `max` of each level and a line that counts the rest; 0 = all. */
  render(query: string, max = annotationsMax): { warnings: string[]; infos: string[] } {
    if (this.#byText.size === 0) return { warnings: [], infos: [] };
    const render = (level: Annotation["level"]): string[] => {
      const all = this.list.filter((annotation) => annotation.level === level);
      const shown = max === 0 ? all : all.slice(0, max);
      const texts = shown.map((annotation) => describe(annotation, query));
      const omitted = all.length - shown.length;
      if (omitted > 0) texts.push(`${omitted} more ${level} annotations omitted`);
      return texts;
    };
    return { warnings: render("warning"), infos: render("info") };
  }
}

function widen(into: MonotonicityFix, from: MonotonicityFix): void {
  into.minTimestampMs = Math.min(into.minTimestampMs, from.minTimestampMs);
  into.maxTimestampMs = Math.max(into.maxTimestampMs, from.maxTimestampMs);
  into.minBucket = Math.min(into.minBucket, from.minBucket);
  into.maxBucket = Math.max(into.maxBucket, from.maxBucket);
  into.maxDiff = Math.max(into.maxDiff, from.maxDiff);
  into.count += from.count;
}

function describe({ text, position, monotonicity: fix }: Annotation, query: string): string {
  const place = lineAndColumn(query, position.start);
  if (fix === undefined) return `${text} (${place})`;
  const buckets = `from buckets ${formatShortest(fix.minBucket)} to ${formatShortest(fix.maxBucket)}`;
  const diff = `with a max diff of ${formatTwoDigits(fix.maxDiff)}`;
  const times = `over ${fix.count} samples from ${rfc3339(fix.minTimestampMs)} to ${rfc3339(fix.maxTimestampMs)}`;
  return `${text}, ${buckets}, ${diff}, ${times} (${place})`;
}

/** `line:column`, both from 1, the column in bytes as upstream counts. */
function lineAndColumn(query: string, offset: number): string {
  const before = query.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  return `${line}:${Buffer.byteLength(before.slice(lineStart)) + 1}`;
}

function rfc3339(timestampMs: number): string {
  return new Date(Math.trunc(timestampMs / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** Go's `%.2g`. */
function formatTwoDigits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return formatShortest(value);
  const [mantissa, exponent] = value.toExponential(1).split("e") as [string, string];
  const power = Number(exponent);
  if (power >= -4 && power < 2) return String(Number(value.toPrecision(2)));
  const sign = power < 0 ? "-" : "+";
  return `${mantissa.replace(/\.0$/, "")}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** ` for metric name "…"`, or nothing when there is no name to tell. */
export function forMetric(name: string): string {
  return name === "" ? "" : ` for metric name ${quoteGo(name)}`;
}
