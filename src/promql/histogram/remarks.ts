import { quoteGo } from "../../model/index.ts";
import type { AnnotationCollector } from "../annotations.ts";
import type { PositionRange } from "../ast.ts";

/** What was done to two histograms when something remarkable was noticed. */
export type HistogramOperation = "addition" | "subtraction" | "aggregation";

/** The remarks that native histograms give rise to, bound to the place in the query that they are about. */
export class HistogramRemarks {
  readonly #annotations: AnnotationCollector;
  readonly #position: PositionRange;
  readonly #metricName: () => string;
  readonly #noticedAt: PositionRange;

  /**
   * `metricName` is asked for only when there is something to remark on. `noticedAt`: what was evaluated then, where that is not at
   * `position`.
   */
  constructor(
    annotations: AnnotationCollector,
    position: PositionRange,
    metricName: () => string = () => "",
    noticedAt = position,
  ) {
    this.#annotations = annotations;
    this.#position = position;
    this.#metricName = metricName;
    this.#noticedAt = noticedAt;
  }

  mixedRange(): void {
    this.#warn(`encountered a mix of histograms and floats for metric name ${this.#quotedName()}`);
  }

  mixedAggregation(): void {
    this.#warn("encountered a mix of histograms and floats for aggregation");
  }

  mixedSchemas(): void {
    const what = "vector contains a mix of histograms with exponential and custom buckets schemas";
    this.#warn(`${what} for metric name ${this.#quotedName()}`);
  }

  mixedClassicAndNative(): void {
    this.#warn(`vector contains a mix of classic and native histograms${this.#forName()}`);
  }

  notACounter(): void {
    this.#warn(`this native histogram metric is not a counter: ${this.#quotedName()}`);
  }

  notAGauge(): void {
    this.#warn(`this native histogram metric is not a gauge: ${this.#quotedName()}`);
  }

  /** Once for each window. */
  startOverlap(): void {
    const what = "sample has start time that overlaps with previous sample timestamp";
    this.#annotations.warn(`${what} for metric ${this.#quotedName()}`, this.#position, this.#noticedAt, 1);
  }

  incompatibleLayout(operator: string): void {
    this.#warn(`incompatible bucket layout encountered for binary operator ${operator}`);
  }

  counterResetCollision(operation: HistogramOperation): void {
    this.#warn(`conflicting counter resets during histogram ${operation}`);
  }

  boundsReconciled(operation: HistogramOperation): void {
    this.#inform(`mismatched custom buckets were reconciled during ${operation}`);
  }

  incompatibleTypes(left: string, operator: string, right: string): void {
    const what = "incompatible sample types encountered for binary operator";
    this.#inform(`${what} ${quoteGo(operator)}: ${left} ${operator} ${right}`);
  }

  ignoredInAggregation(aggregation: string): void {
    this.#inform(`ignored histogram in ${aggregation} aggregation`);
  }

  ignoredInRange(): void {
    const what = "ignored histograms in a range containing both floats and histograms";
    this.#inform(`${what} for metric name ${this.#quotedName()}`);
  }

  nanResult(): void {
    this.#inform(`input to histogram_quantile has NaN observations, result is NaN${this.#forName()}`);
  }

  nanSkew(): void {
    this.#inform(
      `input to histogram_quantile has NaN observations, result is skewed higher${this.#forName()}`,
    );
  }

  nanExcluded(): void {
    const what = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
    this.#inform(what + this.#forName());
  }

  #quotedName(): string {
    return quoteGo(this.#metricName());
  }

  #forName(): string {
    const name = this.#metricName();
    return name === "" ? "" : ` for metric name ${quoteGo(name)}`;
  }

  #warn(text: string): void {
    this.#annotations.warn(text, this.#position, this.#noticedAt);
  }

  #inform(text: string): void {
    this.#annotations.inform(text, this.#position, this.#noticedAt);
  }
}
