import type { Columns, Row, Steps, WindowFunctionName } from "../../kernel/index.ts";
import { metricNameLabel, quoteGo } from "../../model/index.ts";
import { smoothDoubleExponential } from "../function/smoothing.ts";
import { formatG } from "../annotations.ts";
import type { WindowNode } from "../plan/plan.ts";
import { LabelFilter } from "../series/label-filter.ts";
import type { SeriesList } from "../series/series-list.ts";
import { Tuple } from "../series/tuple.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import type { RangeReader } from "./range.ts";
import { isEmpty, repeatFirst } from "./rows.ts";
import { lookSteps } from "./select.ts";

/** Functions that pick one of the samples, whose name they keep. */
const namePreserving = new Set(["last_over_time", "first_over_time"]);

/** A function over the window (t − range, t] of each series at each step. */
export class WindowOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: WindowNode;
  readonly #reader: RangeReader;
  readonly #args: readonly Operator[];
  readonly #look: Steps;
  readonly #row: Row;
  readonly #counters: CounterCheck | undefined;
  #series: SeriesList | undefined;

  constructor(evaluation: Evaluation, node: WindowNode, reader: RangeReader, args: readonly Operator[]) {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#reader = reader;
    this.#args = args;
    this.#look = lookSteps(node.source.from, node.grid);
    this.#row = evaluation.row(this.steps);
    if (node.func === "rate" || node.func === "increase")
      this.#counters = new CounterCheck(evaluation, node, reader);
  }

  series(): SeriesList {
    if (this.#series === undefined) {
      const read = this.#reader.series();
      this.#series = namePreserving.has(this.#node.func) ? read : this.#evaluation.dropNames(read);
    }
    return this.#series;
  }

  row(series: number): Row {
    this.#evaluation.checkRow();
    const columns = this.#reader.read(series);
    this.#apply(columns);
    this.#counters?.look(series, this.#row, this.steps);
    return this.#row;
  }

  #apply(columns: Columns): void {
    const { func } = this.#node;
    if (func === "double_exponential_smoothing") return this.#smooth(columns);
    const isPinned = this.#node.source.from.atMs !== undefined;
    if (isPinned && this.#args.length > 0) return this.#applyPinned(columns);
    const { kernel, scratch } = this.#evaluation;
    const argPtr = this.#args[0]?.row(0).valuesPtr ?? 0;
    const more = { argPtr, offsetMs: this.#node.source.from.offsetMs };
    const { rangeMs } = this.#node.source;
    kernel.window(func as WindowFunctionName, columns, this.#look, rangeMs, this.#row, more, scratch);
    if (this.#look.count === this.steps && func === "quantile_over_time") this.#checkQuantile(argPtr);
    if (this.#look.count < this.steps) repeatFirst(this.#evaluation, this.#row, this.steps);
  }

  /** The window stays where `@` put it while arguments, and the time to predict from, go on from step to step. */
  #applyPinned(columns: Columns): void {
    const { kernel, scratch } = this.#evaluation;
    const { func, grid, source } = this.#node;
    const argPtr = this.#args[0]!.row(0).valuesPtr;
    for (let step = 0; step < this.steps; step++) {
      const out = { valuesPtr: this.#row.valuesPtr + step * 8, presentPtr: this.#row.presentPtr + step };
      const offsetMs = grid.startMs + step * grid.stepMs - this.#look.startMs;
      const more = { argPtr: argPtr + step * 8, offsetMs };
      kernel.window(func as WindowFunctionName, columns, this.#look, source.rangeMs, out, more, scratch);
    }
    if (func === "quantile_over_time") this.#checkQuantile(argPtr);
  }

  #smooth(columns: Columns): void {
    const [factors, trends] = this.#args.map((arg) => arg.row(0).valuesPtr / 8);
    const { f64, u8 } = this.#evaluation;
    const { startMs, stepMs, count } = this.#look;
    const timestamps = f64.subarray(columns.tsPtr / 8, columns.tsPtr / 8 + columns.count);
    const values = f64.subarray(columns.vsPtr / 8, columns.vsPtr / 8 + columns.count);
    for (let step = 0; step < count; step++) {
      const endMs = startMs + step * stepMs;
      const startsMs = endMs - this.#node.source.rangeMs;
      const first = timestamps.findIndex((timestampMs) => timestampMs > startsMs);
      const end = timestamps.findLastIndex((timestampMs) => timestampMs <= endMs) + 1;
      const window = first < 0 ? values.subarray(0, 0) : values.subarray(first, Math.max(first, end));
      const smoothed = smoothDoubleExponential(window, f64[factors! + step]!, f64[trends! + step]!);
      u8[this.#row.presentPtr + step] = smoothed === undefined ? 0 : 1;
      f64[this.#row.valuesPtr / 8 + step] = smoothed ?? 0;
    }
    if (count < this.steps) repeatFirst(this.#evaluation, this.#row, this.steps);
  }

  #checkQuantile(argPtr: number): void {
    const { f64, u8, annotations } = this.#evaluation;
    for (let step = 0; step < this.steps; step++) {
      const phi = f64[argPtr / 8 + step]!;
      if (u8[this.#row.presentPtr + step] === 0 || (phi >= 0 && phi <= 1)) continue;
      const text = `quantile value should be between 0 and 1, got ${formatG(phi)}`;
      annotations.warn(text, this.#node.args[0]!.position);
    }
  }
}

/** Remarks on `rate` and `increase` of what does not look like a counter. */
class CounterCheck {
  readonly #evaluation: Evaluation;
  readonly #node: WindowNode;
  readonly #reader: RangeReader;
  readonly #filter: LabelFilter;
  readonly #name: number;
  readonly #type: number;
  readonly #tuple = new Tuple();
  /** Names that were judged already. */
  readonly #judged = new Set<number>();
  /** The selector allows one name and it is fine, or was reported. */
  #done = false;

  constructor(evaluation: Evaluation, node: WindowNode, reader: RangeReader) {
    this.#evaluation = evaluation;
    this.#node = node;
    this.#reader = reader;
    this.#filter = LabelFilter.only(evaluation.strings, [metricNameLabel, "__type__"]);
    this.#name = evaluation.strings.number(metricNameLabel);
    this.#type = evaluation.strings.number("__type__");
  }

  look(series: number, row: Row, steps: number): void {
    if (this.#done) return;
    const evaluation = this.#evaluation;
    const labels = this.#reader.series().tuple(series, this.#tuple, this.#filter);
    const name = labels.get(this.#name);
    if (name < 0 || (this.#judged.has(name) && !evaluation.typeAndUnitLabels)) return;
    if (isEmpty(evaluation, row, steps)) return;
    this.#judged.add(name);
    const { from } = this.#node.source;
    this.#done = !evaluation.typeAndUnitLabels && from.kind === "selector" && from.namePinned;
    const type = labels.get(this.#type);
    this.#judge(evaluation.strings.text(name), type < 0 ? "" : evaluation.strings.text(type));
  }

  #judge(name: string, type: string): void {
    const { annotations, typeAndUnitLabels } = this.#evaluation;
    const { position } = this.#node.source;
    if (!typeAndUnitLabels) {
      if (/_(?:total|sum|count|bucket)$/.test(name)) return;
      const rule = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket";
      return annotations.inform(`${rule}: ${quoteGo(name)}`, position);
    }
    if (type === "counter" || type === "histogram") return;
    const rule = 'metric might not be a counter, __type__ label is not set to "counter" or "histogram"';
    annotations.inform(`${rule}, got ${quoteGo(type)}: ${quoteGo(name)}`, position);
  }
}
