import { assert } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { type Histogram, Labels, parseNumber } from "../model/index.ts";
import type { HistogramSample } from "../storage/index.ts";
import { floatPresent, type HistogramColumn, histogramPresent } from "./histogram/column.ts";
import type { SampleValue } from "./histogram/samples.ts";
import type { Row } from "./operator/operator.ts";
import type { Grid } from "./plan/plan.ts";
import type { SeriesList } from "./series/series-list.ts";

/** Memory that rows and columns point into, by element, and what works on it. */
export interface ColumnViews {
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly kernel: Kernel;
  readonly histograms: HistogramColumn;
  /** Scratch memory that lives as long as the evaluation. */
  allocate(bytes: number): number;
}

export type ResultType = "scalar" | "string" | "vector" | "matrix";

/** Takes a query's result while it is computed. After `begin` come only calls that fit the type, then `end`. */
export interface ResultSink {
  /** `bytesExpected`: how long the result will be as JSON, where that is known. */
  begin(type: ResultType, bytesExpected?: number): void;
  scalar(timestampMs: number, value: number): void;
  string(timestampMs: number, text: string): void;
  /** One element of a vector. */
  sample(list: SeriesList, series: number, timestampMs: number, value: SampleValue): void;
  /** One series of a range query; at least one step is present. */
  row(list: SeriesList, series: number, grid: Grid, row: Row, views: ColumnViews): void;
  /** One series of a range query as JSON, `{"metric":…,"values":…}`, which another reader wrote. */
  encodedSeries(json: Uint8Array): void;
  /** One series of a range as an instant query's result: `count` floats from these places on, and histograms; at least one sample. */
  samples(
    list: SeriesList,
    series: number,
    timestamps: number,
    values: number,
    count: number,
    histograms: readonly HistogramSample[],
    views: ColumnViews,
  ): void;
  end(): void;
}

export interface VectorSample {
  readonly labels: Labels;
  readonly timestampMs: number;
  /** NaN where the sample is a native histogram. */
  readonly value: number;
  readonly histogram?: Histogram;
}

/** Floats and native histograms apart, each in the order of their times. */
export interface MatrixSeries {
  readonly labels: Labels;
  readonly timestampsMs: readonly number[];
  readonly values: readonly number[];
  /** Absent when there are none. */
  readonly histograms?: readonly HistogramSample[];
}

/** A result as objects, for those who work with it: rules, templates, tests. */
export type QueryValue =
  | { readonly type: "scalar"; readonly timestampMs: number; readonly value: number }
  | { readonly type: "string"; readonly timestampMs: number; readonly value: string }
  | { readonly type: "vector"; readonly samples: readonly VectorSample[] }
  | { readonly type: "matrix"; readonly series: readonly MatrixSeries[] };

const decoder = new TextDecoder();

/** Collects a result as objects. */
export class ValueSink implements ResultSink {
  #value: QueryValue | undefined;
  readonly #samples: VectorSample[] = [];
  readonly #series: MatrixSeries[] = [];

  get value(): QueryValue {
    return this.#value!;
  }

  begin(type: ResultType): void {
    if (type === "vector") this.#value = { type, samples: this.#samples };
    if (type === "matrix") this.#value = { type, series: this.#series };
  }

  scalar(timestampMs: number, value: number): void {
    this.#value = { type: "scalar", timestampMs, value };
  }

  string(timestampMs: number, text: string): void {
    this.#value = { type: "string", timestampMs, value: text };
  }

  sample(list: SeriesList, series: number, timestampMs: number, value: SampleValue): void {
    const labels = list.labels(series);
    if (typeof value === "number") this.#samples.push({ labels, timestampMs, value });
    else this.#samples.push({ labels, timestampMs, value: NaN, histogram: value });
  }

  row(list: SeriesList, series: number, grid: Grid, row: Row, views: ColumnViews): void {
    const { f64, u8 } = views;
    const timestampsMs: number[] = [];
    const values: number[] = [];
    for (let step = 0; step < grid.steps; step++) {
      if (u8[row.presentPtr + step] !== floatPresent) continue;
      timestampsMs.push(grid.startMs + step * grid.stepMs);
      values.push(f64[row.valuesPtr / 8 + step]!);
    }
    this.#push({ labels: list.labels(series), timestampsMs, values }, histogramsOfRow(grid, row, views));
  }

  /** Of floats only: a histogram's JSON does not tell its layout. */
  encodedSeries(json: Uint8Array): void {
    type Encoded = { metric: Record<string, string>; values?: [seconds: number, value: string][] };
    const { metric, values } = JSON.parse(decoder.decode(json)) as Encoded;
    assert(values !== undefined, "native histograms come as rows");
    this.#series.push({
      labels: Labels.from(metric),
      timestampsMs: values.map(([seconds]) => Math.round(seconds * 1000)),
      values: values.map(([, value]) => parseNumber(value)!),
    });
  }

  samples(
    list: SeriesList,
    series: number,
    timestamps: number,
    values: number,
    count: number,
    histograms: readonly HistogramSample[],
    { f64 }: ColumnViews,
  ): void {
    const floats = {
      labels: list.labels(series),
      timestampsMs: [...f64.subarray(timestamps, timestamps + count)],
      values: [...f64.subarray(values, values + count)],
    };
    this.#push(floats, histograms);
  }

  #push(floats: MatrixSeries, histograms: readonly HistogramSample[]): void {
    this.#series.push(histograms.length === 0 ? floats : { ...floats, histograms });
  }

  end(): void {}
}

/** The native histograms of a row, with their times. */
export function histogramsOfRow(
  { startMs, stepMs, steps }: Grid,
  row: Row,
  { u8, histograms }: ColumnViews,
): HistogramSample[] {
  if (!histograms.areIn(u8, row, steps)) return [];
  const samples: HistogramSample[] = [];
  for (let step = 0; step < steps; step++) {
    if (u8[row.presentPtr + step] !== histogramPresent) continue;
    const histogram = histograms.get(row.valuesPtr / 8 + step);
    samples.push({ timestampMs: startMs + step * stepMs, histogram });
  }
  return samples;
}
