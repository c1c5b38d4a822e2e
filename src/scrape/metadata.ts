import type { MetricMetadata, MetricType } from "../model/index.ts";

/** Metric families remembered per target; more than any sane target has. */
const familiesMax = 20_000;

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

  /** The type of the family that a series with this name belongs to, if it was declared. */
  typeOf(metric: string): MetricType | undefined {
    return (this.get(metric) ?? this.get(metric.replace(/_(?:bucket|sum|count|gsum|gcount)$/, "")))?.type;
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
