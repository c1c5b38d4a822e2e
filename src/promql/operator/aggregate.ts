import { type Row, type RowAggregationName, aggregateStateBytes } from "../../kernel/index.ts";
import { metricNameLabel } from "../../model/index.ts";
import { HistogramRemarks } from "../histogram/remarks.ts";
import type { AggregateNode } from "../plan/plan.ts";
import { Grouping } from "../series/grouping.ts";
import { LabelFilter } from "../series/label-filter.ts";
import { type SeriesList, TupleSeries } from "../series/series-list.ts";
import type { Strings } from "../series/strings.ts";
import { TupleTable } from "../series/tuple.ts";
import type { Evaluation } from "./evaluation.ts";
import { FloatsOnly } from "./floats-only.ts";
import { HistogramGroups } from "./histogram-groups.ts";
import { mergeStates, stateLength } from "./merge-states.ts";
import type { Operator } from "./operator.ts";
import { type PartialResult, decodeSeries, encodeSeries } from "./partial.ts";
import { argumentPosition } from "../plan/plan.ts";

/** The labels a group has in common: those of `by`, or all but those of `without` and the name. */
export function groupingFilter(
  strings: Strings,
  node: Pick<AggregateNode, "grouping" | "without">,
): LabelFilter {
  if (!node.without) return LabelFilter.only(strings, node.grouping);
  return LabelFilter.except(strings, [metricNameLabel, ...node.grouping]);
}

/** The states of groups at each step, fed with one row after the other. */
class GroupStates {
  readonly table: TupleTable;
  /** Groups in which a member's name was to be dropped. */
  readonly dropped: number[] = [];
  /** Of sums and means; other aggregations get no histograms. */
  readonly histograms: HistogramGroups;
  readonly #evaluation: Evaluation;
  readonly #name: RowAggregationName;
  readonly #steps: number;
  #ptr = 0;
  #capacity = 0;
  #ready = 0;

  constructor(evaluation: Evaluation, name: RowAggregationName, steps: number, table = new TupleTable()) {
    this.#evaluation = evaluation;
    this.#name = name;
    this.#steps = steps;
    this.table = table;
    this.histograms = new HistogramGroups(evaluation, name === "avg" ? "avg" : "sum", steps);
  }

  /** Pointer to the states of a group, made ready when it is new. */
  states(group: number): number {
    if (group >= this.#capacity) this.#grow(group + 1);
    const groupBytes = this.#groupBytes;
    for (; this.#ready <= group; this.#ready++) {
      const ptr = this.#ptr + this.#ready * groupBytes;
      this.#evaluation.kernel.aggregateBegin(this.#name, ptr, this.#steps);
    }
    return this.#ptr + group * groupBytes;
  }

  view(group: number): Float64Array {
    const start = this.states(group) / 8;
    return this.#evaluation.f64.subarray(start, start + this.#steps * stateLength);
  }

  /** Makes room for this many groups at once. */
  reserve(groups: number): void {
    if (groups > this.#capacity) this.#grow(groups);
  }

  get #groupBytes(): number {
    return this.#steps * aggregateStateBytes;
  }

  #grow(groups: number): void {
    const capacity = Math.max(groups, this.#capacity * 2, 1);
    this.#evaluation.keepSamples((capacity - this.#capacity) * this.#steps);
    const ptr = this.#evaluation.allocate(capacity * this.#groupBytes);
    this.#evaluation.u8.copyWithin(ptr, this.#ptr, this.#ptr + this.#ready * this.#groupBytes);
    this.#ptr = ptr;
    this.#capacity = capacity;
  }
}

/** Fills the states of a node's groups from the rows of its child. */
function aggregateRows(evaluation: Evaluation, node: AggregateNode, child: Operator): GroupStates {
  const name = node.op as RowAggregationName;
  const list = child.series();
  const { groups, table } = new Grouping(list, groupingFilter(evaluation.strings, node));
  const { steps } = child;
  const states = new GroupStates(evaluation, name, steps, table);
  states.reserve(table.count);
  const dropped = new Set<number>();
  const floats = new FloatsOnly(evaluation, child, "absent");
  for (let series = 0; series < groups.length; series++) {
    const group = groups[series]!;
    evaluation.checkRow();
    const row = child.row(series);
    if (evaluation.histograms.areIn(evaluation.u8, row, steps)) {
      const metricName = (): string => list.labels(series).get(metricNameLabel);
      states.histograms.add(
        group,
        row,
        new HistogramRemarks(evaluation.annotations, argumentPosition(node.child), metricName),
      );
    }
    evaluation.kernel.aggregateAdd(name, states.states(group), floats.mask(row), steps);
    if (evaluation.delayedNameRemoval && list.dropsName(series)) dropped.add(group);
  }
  for (const group of dropped) states.dropped.push(group);
  return states;
}

/** Merges what readers found, shard by shard. */
function mergeParts(
  evaluation: Evaluation,
  node: AggregateNode,
  parts: readonly PartialResult[],
): GroupStates {
  const name = node.op as RowAggregationName;
  const { steps } = node.grid;
  const states = new GroupStates(evaluation, name, steps);
  const dropped = new Set<number>();
  for (const part of parts) {
    const groups: number[] = [];
    decodeSeries(evaluation.strings, part.series, (series, labels) => {
      const group = states.table.intern(labels);
      groups[series] = group;
      const start = series * steps * stateLength;
      mergeStates(name, states.view(group), part.values.subarray(start, start + steps * stateLength), steps);
      if (part.series.dropped[series] === 1) dropped.add(group);
    });
    const remarks = new HistogramRemarks(evaluation.annotations, argumentPosition(node.child));
    states.histograms.merge(part.histogramStates ?? [], (theirs) => groups[theirs]!, remarks);
    part.annotations.forEach((annotation) => evaluation.annotations.add(annotation));
  }
  for (const group of dropped) states.dropped.push(group);
  return states;
}

/** sum, avg, count, min, max, group, stddev, stdvar: rows go into the states of their group as they come. */
export class AggregateOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: AggregateNode;
  readonly #input: Operator | readonly PartialResult[];
  readonly #row: Row;
  #states: GroupStates | undefined;
  #series: SeriesList | undefined;

  /** `input`: the rows to aggregate, or the parts of several readers. */
  constructor(evaluation: Evaluation, node: AggregateNode, input: Operator | readonly PartialResult[]) {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#input = input;
    this.#row = evaluation.row(this.steps);
  }

  series(): SeriesList {
    if (this.#series === undefined) {
      const { table, dropped } = this.#aggregated();
      const { without, grouping } = this.#node;
      const marks = dropped.length === 0 ? undefined : new Uint8Array(table.count);
      dropped.forEach((group) => (marks![group] = 1));
      const distinct = without || !grouping.includes(metricNameLabel);
      this.#series = new TupleSeries(this.#evaluation.strings, table, distinct, marks);
    }
    return this.#series;
  }

  row(series: number): Row {
    this.#evaluation.checkRow();
    const name = this.#node.op as RowAggregationName;
    const aggregated = this.#aggregated();
    const states = aggregated.states(series);
    this.#evaluation.kernel.aggregateFinish(name, states, this.#row, this.steps);
    const remarks = new HistogramRemarks(this.#evaluation.annotations, argumentPosition(this.#node.child));
    aggregated.histograms.finish(series, this.#row, remarks);
    return this.#row;
  }

  /** The states as they stand, for a reader that hands them over. */
  encode(): PartialResult {
    const states = this.#aggregated();
    const groups = Array.from({ length: states.table.count }, (_, group) => group);
    const length = this.steps * stateLength;
    const values = new Float64Array(groups.length * length);
    for (const group of groups) values.set(states.view(group), group * length);
    const { annotations, samplesPeak } = this.#evaluation;
    return {
      series: encodeSeries(this.series(), groups),
      values,
      present: new Uint8Array(0),
      ...(!states.histograms.isEmpty && { histogramStates: states.histograms.encode() }),
      annotations: [...annotations.list],
      samplesPeak,
    };
  }

  #aggregated(): GroupStates {
    this.#states ??=
      "row" in this.#input
        ? aggregateRows(this.#evaluation, this.#node, this.#input)
        : mergeParts(this.#evaluation, this.#node, this.#input);
    return this.#states;
  }
}
