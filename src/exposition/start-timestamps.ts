import { type Labels, LabelsBuilder, metricNameLabel, type MetricType } from "../model/index.ts";
import { OpenMetricsParser } from "./openmetrics.ts";
import type { EntryKind, ExpositionParser } from "./parser.ts";

/** What the series of a family that counts since some time are called, behind the family's name. */
const suffixes: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  counter: ["_total"],
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};
const createdSuffix = "_created";

/**
 * Since when the series of an OpenMetrics text count: what its `_created` series say, which stand behind those that they are about. Follows
 * the text a second time, family by family.
 */
export class StartTimestamps {
  /** Milliseconds, by the family's name and the labels without bounds. */
  readonly #startsMs = new Map<string, number>();
  #family = "";
  #suffixes: readonly string[] = [];

  /** A family begins with its first line of metadata. */
  enter(kind: EntryKind, parser: ExpositionParser): void {
    if (kind !== "type" && kind !== "help" && kind !== "unit") return;
    const name = parser.metricName();
    if (name !== this.#family) this.#suffixes = [];
    this.#family = name;
    if (kind === "type") this.#suffixes = suffixes[parser.type] ?? [];
  }

  /** The text is followed from its beginning again. */
  rewind(): void {
    this.#family = "";
    this.#suffixes = [];
  }

  /** Whether the series only says since when others count. */
  isStart(labels: Labels): boolean {
    return this.#suffixes.length > 0 && labels.get(metricNameLabel) === this.#family + createdSuffix;
  }

  add(labels: Labels, seconds: number): void {
    const startMs = Math.trunc(seconds * 1000);
    if (Number.isSafeInteger(startMs)) this.#startsMs.set(this.#key(labels), startMs);
  }

  of(labels: Labels): number | undefined {
    if (this.#startsMs.size === 0) return undefined;
    const name = labels.get(metricNameLabel);
    const isOwn = this.#suffixes.some((suffix) => name === this.#family + suffix);
    return isOwn ? this.#startsMs.get(this.#key(labels)) : undefined;
  }

  #key(labels: Labels): string {
    const builder = new LabelsBuilder(labels).set(metricNameLabel, this.#family);
    return builder.delete("le").delete("quantile").labels().key();
  }
}

/** Reads the `_created` series of an OpenMetrics text. Throws ExpositionError. */
export function readStartTimestamps(bytes: Uint8Array): StartTimestamps {
  const starts = new StartTimestamps();
  const parser = new OpenMetricsParser(bytes);
  for (let kind = parser.next(); kind !== "end"; kind = parser.next()) {
    starts.enter(kind, parser);
    if (kind !== "series") continue;
    const labels = parser.labels();
    if (starts.isStart(labels)) starts.add(labels, parser.value);
  }
  starts.rewind();
  return starts;
}
