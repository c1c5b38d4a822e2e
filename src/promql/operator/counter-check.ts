import type { Row } from "../../kernel/index.ts";
import { metricNameLabel, quoteGo } from "../../model/index.ts";
import { floatPresent } from "../histogram/column.ts";
import type { WindowNode } from "../plan/plan.ts";
import { LabelFilter } from "../series/label-filter.ts";
import { Tuple } from "../series/tuple.ts";
import type { Evaluation } from "./evaluation.ts";
import type { RangeReader } from "./operator.ts";

/** Remarks on `rate` and `increase` of what does not look like a counter. */
export class CounterCheck {
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
    if (!evaluation.u8.subarray(row.presentPtr, row.presentPtr + steps).includes(floatPresent)) return;
    this.#judged.add(name);
    const { from } = this.#node.source;
    this.#done = !evaluation.typeAndUnitLabels && from.kind === "selector" && from.namePinned;
    const type = labels.get(this.#type);
    this.#judge(evaluation.strings.text(name), type < 0 ? "" : evaluation.strings.text(type));
  }

  #judge(name: string, type: string): void {
    const { annotations, typeAndUnitLabels } = this.#evaluation;
    const { position } = this.#node.source;
    const noticedAt = this.#node.position;
    if (!typeAndUnitLabels) {
      if (/_(?:total|sum|count|bucket)$/.test(name)) return;
      const rule = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket";
      return annotations.inform(`${rule}: ${quoteGo(name)}`, position, noticedAt);
    }
    if (type === "counter" || type === "histogram") return;
    const rule = 'metric might not be a counter, __type__ label is not set to "counter" or "histogram"';
    annotations.inform(`${rule}, got ${quoteGo(type)}: ${quoteGo(name)}`, position, noticedAt);
  }
}
