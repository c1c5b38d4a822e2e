/** What a scrape sees: families of samples. Metrics produce them, the writers in text.ts and openmetrics.ts print them. */

/** Metrics of this library are of the first four types or `unknown`; the others come from elsewhere and are printed only. */
export type MetricType =
  | "counter"
  | "gauge"
  | "histogram"
  | "summary"
  | "unknown"
  | "gaugehistogram"
  | "info"
  | "stateset";

export type LabelPair = readonly [name: string, value: string];

/** An example of what was counted, such as the trace that one of the requests left. OpenMetrics alone can print it. */
export interface Exemplar {
  readonly labels: readonly LabelPair[];
  readonly value: number;
  readonly timestampMs?: number | undefined;
}

export interface Sample {
  /** The full name as written, suffix included: `x_total`, `x_bucket`, `x_sum`. */
  readonly name: string;
  readonly labels: readonly LabelPair[];
  readonly value: number;
  /** Milliseconds since the epoch; left out for "now", which is almost always right. */
  readonly timestampMs?: number | undefined;
  readonly exemplar?: Exemplar | undefined;
}

export interface MetricFamily {
  /** A counter's name keeps its `_total`, in every format. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** The base unit the name ends in (`seconds`, `bytes`), or empty. */
  readonly unit: string;
  readonly samples: readonly Sample[];
}
