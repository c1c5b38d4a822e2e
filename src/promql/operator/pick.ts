import { NarthexError } from "../../base/index.ts";
import type { Row } from "../../kernel/index.ts";
import { formatShortest } from "../../model/index.ts";
import { HistogramRemarks } from "../histogram/remarks.ts";
import type { SampleValue } from "../histogram/samples.ts";
import type { AggregateNode } from "../plan/plan.ts";
import { Grouping } from "../series/grouping.ts";
import { PickedSeries, type SeriesList } from "../series/series-list.ts";
import { groupingFilter } from "./aggregate.ts";
import type { Evaluation } from "./evaluation.ts";
import { storeAt, valueAt } from "./histogram-rows.ts";
import { BestHeap } from "./heap.ts";
import type { Operator } from "./operator.ts";
import { type Parameter, readParameter } from "./param.ts";
import { seriesFraction } from "./series-hash.ts";
import { argumentPosition } from "../plan/plan.ts";

/** Go's int64, which upstream turns the parameter into. */
const int64Limit = 2 ** 63;

/** What was picked: per step and group the series with their values, best first. */
type Pick = (step: number, series: number, value: SampleValue) => void;

/** topk, bottomk, limitk, limit_ratio: some of the series, with the labels and values they have. */
export class PickOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: AggregateNode;
  readonly #child: Operator;
  readonly #param: Operator;
  readonly #remarks: HistogramRemarks;
  #series: SeriesList | undefined;
  readonly #rows: Row[] = [];

  constructor(evaluation: Evaluation, node: AggregateNode, child: Operator, param: Operator) {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#child = child;
    this.#param = param;
    this.#remarks = new HistogramRemarks(evaluation.annotations, node.position);
  }

  series(): SeriesList {
    this.#series ??= this.#evaluate();
    return this.#series;
  }

  row(series: number): Row {
    this.series();
    return this.#rows[series]!;
  }

  #evaluate(): SeriesList {
    const list = this.#child.series();
    const picked: number[] = [];
    const places = new Map<number, number>();
    this.#pickAll(list, (step, series, value) => {
      let place = places.get(series);
      if (place === undefined) {
        place = picked.length;
        places.set(series, place);
        picked.push(series);
        this.#rows.push(this.#evaluation.rows(1, this.steps).row(0));
        this.#evaluation.keepSamples(this.steps);
      }
      storeAt(this.#evaluation, this.#rows[place]!, step, value);
    });
    return new PickedSeries(list, picked);
  }

  #pickAll(list: SeriesList, pick: Pick): void {
    const parameter = readParameter(this.#evaluation, this.#param);
    const { op } = this.#node;
    if (op === "limit_ratio") {
      if (this.#checkRatio(parameter)) this.#pickByHash(list, parameter, pick);
      return;
    }
    if (!this.#checkCount(parameter)) return;
    const grouping = new Grouping(list, groupingFilter(this.#evaluation.strings, this.#node));
    if (op === "limitk") this.#pickFirst(grouping, parameter, pick);
    else this.#pickBest(grouping, parameter, pick);
  }

  /** Calls `take` for every value of some series, series by series. */
  #forEach(picked: Iterable<number>, take: Pick): void {
    const { u8 } = this.#evaluation;
    for (const series of picked) {
      this.#evaluation.checkRow();
      const row = this.#child.row(series);
      for (let step = 0; step < this.steps; step++)
        if (u8[row.presentPtr + step] !== 0) take(step, series, valueAt(this.#evaluation, row, step));
    }
  }

  /** Group by group, so that there is one heap per step and not one per step and group. Groups come in the order of their first values. */
  #pickBest(grouping: Grouping, { values: ks }: Parameter, pick: Pick): void {
    const groups: { first: number; picks: Parameters<Pick>[] }[] = [];
    const largest = this.#node.op === "topk";
    const heaps = Array.from({ length: this.steps }, () => new BestHeap(largest));
    const counts = ks.map((k) => Math.min(Math.trunc(k), grouping.groups.length));
    for (const members of grouping.members()) {
      heaps.forEach((heap) => heap.clear());
      let first = Infinity;
      this.#forEach(members, (step, series, value) => {
        first = Math.min(first, series);
        const k = counts[step]!;
        if (k < 1) return;
        if (typeof value === "number") heaps[step]!.offer(k, series, value);
        else this.#remarks.ignoredInAggregation(this.#node.op);
      });
      const picks = heaps.flatMap((heap, step) =>
        heap.order().map((place): Parameters<Pick> => [step, heap.series[place]!, heap.values[place]!]),
      );
      groups.push({ first, picks });
    }
    groups.sort((a, b) => a.first - b.first);
    for (const { picks } of groups) picks.forEach((each) => pick(...each));
  }

  #pickFirst(grouping: Grouping, { values: ks }: Parameter, pick: Pick): void {
    const taken = new Uint32Array(this.steps);
    for (const members of grouping.members()) {
      taken.fill(0);
      this.#forEach(members, (step, series, value) => {
        if (taken[step]! >= Math.trunc(ks[step]!)) return;
        taken[step]! += 1;
        pick(step, series, value);
      });
    }
  }

  #pickByHash(list: SeriesList, { values: ratios }: Parameter, pick: Pick): void {
    let last = -1;
    let fraction = 0;
    this.#forEach(Array(list.length).keys(), (step, series, value) => {
      if (series !== last) {
        last = series;
        fraction = seriesFraction(this.#evaluation, list, series);
      }
      const ratio = Math.max(-1, Math.min(1, ratios[step]!));
      const chosen = ratio >= 0 ? fraction < ratio : fraction >= 1 + ratio;
      if (chosen) pick(step, series, value);
    });
  }

  /** False when no step picks anything. */
  #checkCount({ min, max, hasNaN }: Parameter): boolean {
    if (!hasNaN && max < 1) return false;
    if (hasNaN) throw new NarthexError("execution", "Parameter value is NaN");
    if (min <= -int64Limit)
      throw new NarthexError("execution", `Scalar value ${formatShortest(min)} underflows int64`);
    if (max >= int64Limit)
      throw new NarthexError("execution", `Scalar value ${formatShortest(max)} overflows int64`);
    return true;
  }

  /** False when no step picks anything. */
  #checkRatio({ min, max, hasNaN }: Parameter): boolean {
    if (!hasNaN && min === 0 && max === 0) return false;
    if (hasNaN) throw new NarthexError("execution", "Ratio value is NaN");
    const warn = (ratio: number, cap: number): void => {
      const text = `ratio value should be between -1 and 1, got ${formatShortest(ratio)}, capping to ${cap}`;
      this.#evaluation.annotations.warn(text, argumentPosition(this.#node.param!), this.#node.position);
    };
    if (max > 1) warn(max, 1);
    if (min < -1) warn(min, -1);
    return true;
  }
}
