import type { MetricMetadata, MetricType } from "../model/index.ts";

/** Metric families remembered per target; more than any sane target has. */
const familiesMax = 20_000;

/** What the names of series may have behind their family's. */
const suffixes: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  counter: ["_total"],
  histogram: ["_bucket", "_sum", "_count"],
  gaugehistogram: ["_bucket", "_gsum", "_gcount"],
  summary: ["_sum", "_count"],
  info: ["_info"],
};
const suffixPattern = /_(?:total|bucket|sum|count|gsum|gcount|info)$/;

/** What a target says about its metrics, by family name. */
export class MetadataStore {
  readonly #families = new Map<string, MetricMetadata>();
  /** Characters held, for the metric that shows the size. */
  bytes = 0;

  get count(): number {
    return this.#families.size;
  }

  /** Whether a further family would go beyond the limit: time to forget and learn anew. */
  get isFull(): boolean {
    return this.#families.size >= familiesMax;
  }

  set(family: string, part: Partial<MetricMetadata>): void {
    const known = this.#families.get(family);
    if (known) this.bytes -= sizeOf(family, known);
    const metadata = { type: "unknown", help: "", unit: "", ...known, ...part } satisfies MetricMetadata;
    this.#families.set(family, metadata);
    this.bytes += sizeOf(family, metadata);
  }

  get(family: string): MetricMetadata | undefined {
    return this.#families.get(family);
  }

  /** What is known of the family that a series with this name belongs to. */
  familyOf(metric: string): MetricMetadata | undefined {
    const own = this.get(metric);
    if (own) return own;
    const suffix = suffixPattern.exec(metric)?.[0];
    if (suffix === undefined) return undefined;
    const family = this.get(metric.slice(0, -suffix.length));
    return family && suffixes[family.type]?.includes(suffix) ? family : undefined;
  }

  clear(): void {
    this.#families.clear();
    this.bytes = 0;
  }

  [Symbol.iterator](): IterableIterator<[family: string, metadata: MetricMetadata]> {
    return this.#families.entries();
  }
}

function sizeOf(family: string, { type, help, unit }: MetricMetadata): number {
  return family.length + type.length + help.length + unit.length;
}
