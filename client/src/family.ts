/** What a scrape sees: families of samples. Metrics produce them, the writers in text.ts and openmetrics.ts print them. */

export type MetricType = "counter" | "gauge" | "histogram" | "summary" | "untyped";

export type LabelPair = readonly [name: string, value: string];

export interface Sample {
  /** The full name as written, suffix included: `x_total`, `x_bucket`, `x_sum`. */
  readonly name: string;
  readonly labels: readonly LabelPair[];
  readonly value: number;
  /** Milliseconds since the epoch; left out for "now", which is almost always right. */
  readonly timestampMs?: number;
}

export interface MetricFamily {
  /** As registered; counters keep their `_total`. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** The base unit the name ends in (`seconds`, `bytes`), or empty. */
  readonly unit: string;
  readonly samples: readonly Sample[];
}
