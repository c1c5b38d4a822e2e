import type { Row } from "../../kernel/index.ts";
import {
  formatShortest,
  type Histogram as NativeHistogram,
  histogramFraction,
  histogramQuantile,
  metricNameLabel,
  parseNumber,
  quoteGo,
} from "../../model/index.ts";
import { forMetric } from "../annotations.ts";
import { Buckets, bucketFraction, bucketQuantile, forceMonotonic } from "../function/buckets.ts";
import { floatPresent, histogramPresent } from "../histogram/column.ts";
import { HistogramRemarks } from "../histogram/remarks.ts";
import type { CallNode, Grid } from "../plan/plan.ts";
import { Grouping } from "../series/grouping.ts";
import { LabelFilter } from "../series/label-filter.ts";
import { PickedSeries, type SeriesList, TupleSeries } from "../series/series-list.ts";
import { Tuple, TupleTable } from "../series/tuple.ts";
import { AskedQuantiles } from "./asked-quantiles.ts";
import { type Evaluation, duplicateSeries } from "./evaluation.ts";
import { storeAt } from "./histogram-rows.ts";
import type { Operator } from "./operator.ts";
import { type RowBlock, copyRow } from "./rows.ts";
import { setLabel } from "./vector-labels.ts";

const bucketLabel = "le";

/** The series of one histogram. */
interface Histogram {
  /** Its buckets by ascending upper bound. */
  readonly series: number[];
  readonly bounds: number[];
  /** Series that are no buckets, and may be native histograms. */
  readonly natives: number[];
}

/** What one call asks of a histogram. */
export interface HistogramQuestion {
  readonly vector: Operator;
  /** histogram_quantile and histogram_quantiles: φ each, one result per φ. histogram_fraction: lower and upper bound. */
  readonly scalars: readonly Operator[];
  readonly kind: "quantile" | "fraction";
  /** The label that names φ where there are several results. */
  readonly resultLabel?: string | undefined;
  readonly grid: Grid;
  /** Of the call, the vector and each scalar in the query, for remarks. */
  readonly position: CallNode["position"];
  readonly vectorPosition: CallNode["position"];
  readonly scalarPositions: readonly CallNode["position"][];
}

/**
 * histogram_quantile, histogram_quantiles and histogram_fraction: of classic histograms, which are series that differ in `le` only, and
 * of native ones. A histogram that is both at a step has no result there.
 */
export class HistogramOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #question: HistogramQuestion;
  readonly #row: Row;
  #series: SeriesList | undefined;
  #histograms: Histogram[] = [];
  #buckets = new Buckets(0);
  #rows: RowBlock | undefined;
  #nativeRows: RowBlock | undefined;
  /** Of several φ, what each asks for. */
  #quantiles: AskedQuantiles | undefined;
  #loaded = -1;

  constructor(evaluation: Evaluation, question: HistogramQuestion) {
    this.steps = question.vector.steps;
    this.#evaluation = evaluation;
    this.#question = question;
    this.#row = evaluation.row(this.steps);
  }

  series(): SeriesList {
    if (this.#series !== undefined) return this.#series;
    const { strings } = this.#evaluation;
    const list = this.#question.vector.series();
    const { groups, table } = new Grouping(list, LabelFilter.except(strings, [bucketLabel]));
    this.#collect(list, groups, table.count);
    let [largest, mostNatives] = [0, 0];
    for (const { series, natives } of this.#histograms) {
      largest = Math.max(largest, series.length);
      mostNatives = Math.max(mostNatives, natives.length);
    }
    this.#buckets = new Buckets(largest);
    this.#rows = this.#evaluation.rows(largest, this.steps);
    this.#nativeRows = this.#evaluation.rows(mostNatives, this.steps);
    if (this.#question.kind === "quantile") this.#checkQuantiles();
    this.#series = this.#evaluation.dropNames(this.#outputSeries(table, list.distinctWithoutName));
    return this.#series;
  }

  row(series: number): Row {
    this.series();
    const histogram = series % this.#histograms.length;
    if (this.#loaded !== histogram) this.#load(histogram);
    const result = Math.floor(series / this.#histograms.length);
    for (let step = 0; step < this.steps; step++) {
      const asking = this.#asking(result, step);
      const value = asking.length === 0 ? undefined : this.#answer(histogram, step, asking);
      if (value !== undefined && this.#quantiles !== undefined && asking.length > 1) throw duplicateSeries();
      storeAt(this.#evaluation, this.#row, step, value);
    }
    return this.#row;
  }

  /** The scalars that ask for a result at a step: φ, or both bounds of a fraction. */
  #asking(result: number, step: number): readonly number[] {
    const { scalars } = this.#question;
    const asking = this.#quantiles?.scalarsOf(result, step).map((place) => scalars[place]!) ?? scalars;
    return asking.map((scalar) => this.#evaluation.f64[scalar.row(0).valuesPtr / 8 + step]!);
  }

  /** Undefined where the histogram has nothing at the step, or is both classic and native. */
  #answer(histogram: number, step: number, [first, second]: readonly number[]): number | undefined {
    this.#gather(this.#histograms[histogram]!.bounds, step);
    const isClassic = this.#buckets.length > 0;
    const native = this.#nativeAt(histogram, step);
    if (native !== undefined && isClassic) {
      this.#remarks(histogram).mixedClassicAndNative();
      return undefined;
    }
    const isQuantile = this.#question.kind === "quantile";
    if (native !== undefined) {
      return isQuantile
        ? this.#nativeQuantile(first!, native, histogram)
        : this.#nativeFraction(first!, second!, native, histogram);
    }
    if (!isClassic) return undefined;
    return isQuantile ? this.#quantile(first!, histogram, step) : this.#fraction(first!, second!);
  }

  #nativeAt(histogram: number, step: number): NativeHistogram | undefined {
    const { u8, histograms } = this.#evaluation;
    const { natives } = this.#histograms[histogram]!;
    for (let i = 0; i < natives.length; i++) {
      const { presentPtr, valuesPtr } = this.#nativeRows!.row(i);
      if (u8[presentPtr + step] === histogramPresent) return histograms.get(valuesPtr / 8 + step);
    }
    return undefined;
  }

  #nativeQuantile(phi: number, native: NativeHistogram, histogram: number): number {
    const { value, remark } = histogramQuantile(phi, native);
    if (remark === "nan") this.#remarks(histogram).nanResult();
    if (remark === "skewed") this.#remarks(histogram).nanSkew();
    return value;
  }

  #nativeFraction(lower: number, upper: number, native: NativeHistogram, histogram: number): number {
    const { value, excludesNaN } = histogramFraction(lower, upper, native);
    if (excludesNaN) this.#remarks(histogram).nanExcluded();
    return value;
  }

  #remarks(histogram: number): HistogramRemarks {
    const name = (): string =>
      this.#metricName(this.#question.vector.series(), this.#histograms[histogram]!.natives[0]!);
    return new HistogramRemarks(this.#evaluation.annotations, this.#question.vectorPosition, name);
  }

  #collect(list: SeriesList, groups: Int32Array, groupCount: number): void {
    const { strings } = this.#evaluation;
    const filter = LabelFilter.only(strings, [bucketLabel]);
    const members: [series: number, bound: number][][] = Array.from({ length: groupCount }, () => []);
    const natives: number[][] = Array.from({ length: groupCount }, () => []);
    const boundOf = new Map<number, number | undefined>();
    const tuple = new Tuple();
    for (let series = 0; series < list.length; series++) {
      const value = list.tuple(series, tuple, filter).numbers[1]!;
      const text = tuple.length === 0 ? "" : strings.text(value);
      const key = tuple.length === 0 ? -1 : value;
      if (!boundOf.has(key)) boundOf.set(key, parseNumber(text));
      const bound = boundOf.get(key);
      if (bound === undefined) {
        natives[groups[series]!]!.push(series);
        this.#remarkBound(list, series, text);
      } else members[groups[series]!]!.push([series, bound]);
    }
    this.#histograms = members.map((buckets, group) => {
      buckets.sort((a, b) => a[1] - b[1]);
      return {
        series: buckets.map(([series]) => series),
        bounds: buckets.map(([, bound]) => bound),
        natives: natives[group]!,
      };
    });
  }

  #remarkBound(list: SeriesList, series: number, text: string): void {
    const { annotations, u8 } = this.#evaluation;
    const { presentPtr } = this.#question.vector.row(series);
    if (!u8.subarray(presentPtr, presentPtr + this.steps).includes(floatPresent)) return;
    const metric = forMetric(this.#metricName(list, series));
    const rule = `bucket label "le" is missing or has a malformed value of ${quoteGo(text)}`;
    annotations.warn(rule + metric, this.#question.vectorPosition);
  }

  /** Only delayed removal still knows the name. */
  #metricName(list: SeriesList, series: number): string {
    return this.#evaluation.delayedNameRemoval ? list.labels(series).get(metricNameLabel) : "";
  }

  #outputSeries(histograms: TupleTable, distinct: boolean): SeriesList {
    const { strings } = this.#evaluation;
    const { resultLabel, scalars } = this.#question;
    if (resultLabel === undefined) return new TupleSeries(strings, histograms, distinct);
    const label = strings.number(resultLabel);
    this.#quantiles = new AskedQuantiles(this.#evaluation, scalars);
    const values = this.#quantiles.texts.map((text) => strings.number(text));
    const table = new TupleTable();
    const tuple = new Tuple();
    // Histograms that differ in this label alone become one series.
    const picks: number[] = [];
    for (const value of values) {
      for (let histogram = 0; histogram < histograms.count; histogram++) {
        tuple.length = 0;
        histograms.append(histogram, tuple);
        setLabel(strings, tuple, label, value);
        picks.push(table.intern(tuple));
      }
    }
    const isDistinct = distinct && table.count === picks.length;
    return new PickedSeries(new TupleSeries(strings, table, isDistinct), picks);
  }

  #load(histogram: number): void {
    this.#loaded = histogram;
    const load = (all: readonly number[], rows: RowBlock): void =>
      all.forEach((series, i) => {
        this.#evaluation.checkRow();
        copyRow(this.#evaluation, this.#question.vector.row(series), rows.row(i), this.steps);
      });
    load(this.#histograms[histogram]!.series, this.#rows!);
    load(this.#histograms[histogram]!.natives, this.#nativeRows!);
  }

  /** Fills the buckets with the counts of one step. */
  #gather(bounds: readonly number[], step: number): void {
    const { f64, u8 } = this.#evaluation;
    const rows = this.#rows!;
    const buckets = this.#buckets;
    buckets.length = 0;
    for (let i = 0; i < bounds.length; i++) {
      const at = i * this.steps + step;
      if (u8[rows.presentPtr + at] === floatPresent) buckets.push(bounds[i]!, f64[rows.valuesPtr / 8 + at]!);
    }
  }

  #quantile(phi: number, histogram: number, step: number): number {
    if (Number.isNaN(phi)) return NaN;
    if (phi < 0) return -Infinity;
    if (phi > 1) return Infinity;
    if (!this.#buckets.hasInfinity) return NaN;
    const decrease = forceMonotonic(this.#buckets);
    if (decrease !== undefined) {
      const list = this.#question.vector.series();
      const metric = forMetric(this.#metricName(list, this.#histograms[histogram]!.series[0]!));
      const { startMs, stepMs } = this.#question.grid;
      const timestampMs = startMs + step * stepMs;
      this.#evaluation.annotations.add({
        level: "info",
        text: monotonicityText + metric,
        position: this.#question.vectorPosition,
        monotonicity: { ...decrease, minTimestampMs: timestampMs, maxTimestampMs: timestampMs, count: 1 },
      });
    }
    return bucketQuantile(phi, this.#buckets);
  }

  #fraction(lower: number, upper: number): number {
    return this.#buckets.hasInfinity ? bucketFraction(lower, upper, this.#buckets) : NaN;
  }

  #checkQuantiles(): void {
    const { f64, annotations } = this.#evaluation;
    this.#question.scalars.forEach((scalar, i) => {
      const start = scalar.row(0).valuesPtr / 8;
      for (const phi of f64.subarray(start, start + this.steps)) {
        if (phi >= 0 && phi <= 1) continue;
        const text = `quantile value should be between 0 and 1, got ${formatShortest(phi)}`;
        annotations.warn(text, this.#question.scalarPositions[i]!, this.#question.position);
      }
    });
  }
}

const monotonicityText =
  "PromQL info: input to histogram_quantile needed to be fixed for monotonicity " +
  "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
