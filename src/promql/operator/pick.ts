import { NarthexError } from "../../base/index.ts";
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
import { GatheringOperator } from "./gathering.ts";
import type { Operator } from "./operator.ts";
import { type Parameter, readParameter } from "./param.ts";
import { seriesFraction } from "./series-hash.ts";
import { argumentPosition } from "../plan/plan.ts";

/** Go's int64, which upstream turns the parameter into. */
const int64Limit = 2 ** 63;

/** What was picked: per step and group the series with their values, best first. */
type Pick = (step: number, series: number, value: SampleValue) => void;

type Picked = Parameters<Pick>;

/** Picks from the series of one group; returns the first that has a value. */
type PickFrom = (members: readonly number[], pick: Pick) => number;

/** topk, bottomk, limitk, limit_ratio: some of the series, with the labels and values they have. */
export class PickOperator extends GatheringOperator {
  readonly #node: AggregateNode;
  readonly #child: Operator;
  readonly #param: Operator;
  readonly #remarks: HistogramRemarks;

  constructor(evaluation: Evaluation, node: AggregateNode, child: Operator, param: Operator) {
    super(evaluation, node.grid.steps);
    this.#node = node;
    this.#child = child;
    this.#param = param;
    this.#remarks = new HistogramRemarks(evaluation.annotations, node.position);
  }

  protected override gather(): SeriesList {
    const list = this.#child.series();
    const picked: number[] = [];
    const places = new Map<number, number>();
    this.#pickAll(list, (step, series, value) => {
      let place = places.get(series);
      if (place === undefined) {
        place = picked.length;
        places.set(series, place);
        picked.push(series);
        this.addRow();
      }
      storeAt(this.evaluation, this.rows[place]!, step, value);
    });
    return new PickedSeries(list, picked);
  }

  #pickAll(list: SeriesList, pick: Pick): void {
    const parameter = readParameter(this.evaluation, this.#param);
    const { op } = this.#node;
    const isRatio = op === "limit_ratio";
    if (!(isRatio ? this.#checkRatio(parameter) : this.#checkCount(parameter))) return;
    const { values } = parameter;
    const grouping = new Grouping(list, groupingFilter(this.evaluation.strings, this.#node));
    const pickFrom: PickFrom = isRatio
      ? (members, take) => this.#hashed(list, members, values, take)
      : op === "limitk"
        ? (members, take) => this.#first(members, values, take)
        : this.#bestOf(values, list.length);
    if (this.steps > 1) for (const members of grouping.members()) pickFrom(members, pick);
    else for (const each of this.#inOrder(grouping, pickFrom)) pick(...each);
  }

  /**
   * What an instant query picks, group after group in the order of their first values. Within a group limitk and limit_ratio have the order
   * of the heap that upstream collects in, in which histograms count as 0.
   */
  #inOrder(grouping: Grouping, pickFrom: PickFrom): Picked[] {
    const { op } = this.#node;
    const groups = grouping.members().map((members) => {
      const picks: Picked[] = [];
      const first = pickFrom(members, (...each) => void picks.push(each));
      if (op === "topk" || op === "bottomk") return { first, picks };
      const heap = new BestHeap(true);
      picks.forEach(([, , value], i) => heap.offer(Infinity, i, typeof value === "number" ? value : 0));
      return { first, picks: heap.series.map((i) => picks[i]!) };
    });
    return groups.sort((one, other) => one.first - other.first).flatMap(({ picks }) => picks);
  }

  /** Calls `take` for every value of some series, series by series. Returns the first series that has one. */
  #forEach(members: readonly number[], take: Pick): number {
    const { u8 } = this.evaluation;
    let first = Infinity;
    for (const series of members) {
      this.evaluation.checkRow();
      const row = this.#child.row(series);
      for (let step = 0; step < this.steps; step++) {
        if (u8[row.presentPtr + step] === 0) continue;
        first = Math.min(first, series);
        take(step, series, valueAt(this.evaluation, row, step));
      }
    }
    return first;
  }

  /** Group by group, so that there is one heap per step and not one per step and group. */
  #bestOf(ks: Float64Array, seriesCount: number): PickFrom {
    const largest = this.#node.op === "topk";
    const heaps = Array.from({ length: this.steps }, () => new BestHeap(largest));
    const counts = ks.map((k) => Math.min(Math.trunc(k), seriesCount));
    return (members, pick) => {
      heaps.forEach((heap) => heap.clear());
      const first = this.#forEach(members, (step, series, value) => {
        const k = counts[step]!;
        if (k < 1) return;
        if (typeof value === "number") heaps[step]!.offer(k, series, value);
        else this.#remarks.ignoredInAggregation(this.#node.op);
      });
      heaps.forEach((heap, step) => {
        for (const place of heap.order()) pick(step, heap.series[place]!, heap.values[place]!);
      });
      return first;
    };
  }

  #first(members: readonly number[], ks: Float64Array, pick: Pick): number {
    const taken = new Uint32Array(this.steps);
    return this.#forEach(members, (step, series, value) => {
      if (taken[step]! >= Math.trunc(ks[step]!)) return;
      taken[step]! += 1;
      pick(step, series, value);
    });
  }

  #hashed(list: SeriesList, members: readonly number[], ratios: Float64Array, pick: Pick): number {
    let last = -1;
    let fraction = 0;
    return this.#forEach(members, (step, series, value) => {
      if (series !== last) {
        last = series;
        fraction = seriesFraction(this.evaluation, list, series);
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
      this.evaluation.annotations.warn(text, argumentPosition(this.#node.param!), this.#node.position);
    };
    if (max > 1) warn(max, 1);
    if (min < -1) warn(min, -1);
    return true;
  }
}
