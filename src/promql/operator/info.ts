import { NarthexError } from "../../base/index.ts";
import type { Row } from "../../kernel/index.ts";
import { Labels, LabelsBuilder, Matcher, metricNameLabel } from "../../model/index.ts";
import type { SeriesSet } from "../../storage/index.ts";
import type { SampleValue } from "../histogram/samples.ts";
import type { CallNode } from "../plan/plan.ts";
import { selectorRange } from "../plan/selector.ts";
import { type SeriesList, TupleSeries } from "../series/series-list.ts";
import { Tuple, TupleTable } from "../series/tuple.ts";
import { duplicateSeries, type Evaluation } from "./evaluation.ts";
import { storeAt, valueAt } from "./histogram-rows.ts";
import { materialize } from "./materialize.ts";
import { GatheringOperator } from "./gathering.ts";
import type { Operator } from "./operator.ts";
import { SelectOperator } from "./select.ts";

const identifyingLabels = ["instance", "job"];

/** One info series with the times of its samples at each step. */
interface InfoSeries {
  readonly labels: Labels;
  readonly name: string;
  readonly timesPtr: number;
  readonly presentPtr: number;
}

/**
 * `info(v, {…})`: adds to each series the data labels of the info metrics that have its `instance` and `job`. Which info series
 * counts may change from step to step, so series are put together per step.
 */
export class InfoOperator extends GatheringOperator {
  readonly #node: CallNode;
  readonly #child: Operator;

  constructor(evaluation: Evaluation, node: CallNode, child: Operator) {
    super(evaluation, node.grid.steps);
    this.#node = node;
    this.#child = child;
  }

  protected override gather(): SeriesList {
    const list = this.#child.series();
    const base = Array.from({ length: list.length }, (_, series) => list.labels(series));
    const nameMatchers = infoNameMatchers(this.#node.matchers);
    const dataMatchers = (this.#node.matchers ?? []).filter(({ name }) => name !== metricNameLabel);
    const isInfo = base.map((labels) =>
      nameMatchers.every((each) => each.matches(labels.get(metricNameLabel))),
    );
    const infos = this.#selectInfos(
      base.filter((_, series) => !isInfo[series]),
      [...nameMatchers, ...dataMatchers],
    );
    const rows = materialize(this.evaluation, this.#child);
    const output = new Output(this.evaluation, this.rows, () => this.addRow());
    const { u8 } = this.evaluation;
    for (let step = 0; step < this.steps; step++) {
      this.evaluation.check();
      const newest = newestInfos(this.evaluation, infos, step);
      for (let series = 0; series < base.length; series++) {
        const row = rows.row(series);
        if (u8[row.presentPtr + step] === 0) continue;
        const labels = isInfo[series] ? base[series]! : enrich(base[series]!, newest, dataMatchers);
        if (labels !== undefined)
          output.store(labels, step, valueAt(this.evaluation, row, step), list.dropsName(series));
      }
    }
    return output.series();
  }

  /** The info series that can match any of the base series. */
  #selectInfos(base: readonly Labels[], matchers: readonly Matcher[]): InfoSeries[] {
    const idMatchers = identifyingLabels.flatMap((name) => {
      const values = [...new Set(base.map((labels) => labels.get(name)).filter((value) => value !== ""))];
      return values.length === 0 ? [] : [new Matcher("=~", name, values.map(quoteMeta).join("|"))];
    });
    if (idMatchers.length === 0) return [];
    const times = this.#node.infoSelector!;
    const all = [...idMatchers, ...matchers];
    const { lookbackDeltaMs } = this.evaluation;
    const selector = selectorRange(all, times, this.#node.grid, lookbackDeltaMs, times.position);
    const node = { ...this.#node, kind: "select", selector, yields: "timestamps" } as const;
    const operator = new SelectOperator(this.evaluation, node);
    operator.series();
    const set: SeriesSet = this.evaluation.select(selector);
    const block = materialize(this.evaluation, operator);
    return Array.from({ length: set.length }, (_, series) => {
      const labels = set.labels(series);
      const { minTimestampMs, maxTimestampMs } = selector;
      if ((set.readHistograms?.(series, minTimestampMs, maxTimestampMs, true) ?? []).length > 0) {
        const text = `this should be an info metric, with float samples: ${labels.toString()}`;
        throw new NarthexError("execution", text);
      }
      const { valuesPtr, presentPtr } = block.row(series);
      return { labels, name: labels.get(metricNameLabel), timesPtr: valuesPtr, presentPtr };
    });
  }
}

/** Rows by label set, made as label sets turn up. */
class Output {
  readonly #evaluation: Evaluation;
  readonly #rows: readonly Row[];
  readonly #addRow: () => Row;
  readonly #table = new TupleTable();
  readonly #tuple = new Tuple();
  readonly #dropped: number[] = [];

  /** `addRow` puts a row behind the others. */
  constructor(evaluation: Evaluation, rows: readonly Row[], addRow: () => Row) {
    this.#evaluation = evaluation;
    this.#rows = rows;
    this.#addRow = addRow;
  }

  store(labels: Labels, step: number, value: SampleValue, dropsName: boolean): void {
    const { strings, u8 } = this.#evaluation;
    this.#tuple.length = 0;
    for (const [name, text] of labels) this.#tuple.push(strings.number(name), strings.number(text));
    const series = this.#table.intern(this.#tuple);
    if (series === this.#rows.length) {
      this.#addRow();
      this.#dropped.push(Number(dropsName));
    }
    const row = this.#rows[series]!;
    if (u8[row.presentPtr + step] !== 0) throw duplicateSeries();
    storeAt(this.#evaluation, row, step, value);
  }

  series(): SeriesList {
    return new TupleSeries(this.#evaluation.strings, this.#table, false, Uint8Array.from(this.#dropped));
  }
}

/** Which metrics are info metrics: `target_info` unless the selector says otherwise. */
function infoNameMatchers(matchers: readonly Matcher[] | undefined): Matcher[] {
  const named = (matchers ?? []).filter(({ name }) => name === metricNameLabel);
  if (named.some(({ type }) => type === "=" || type === "=~")) return named;
  if (named.length > 0) return [new Matcher("=~", metricNameLabel, ".+_info"), ...named];
  return [new Matcher("=", metricNameLabel, "target_info")];
}

/** The newest info series of each metric and target at a step. */
function newestInfos(
  evaluation: Evaluation,
  infos: readonly InfoSeries[],
  step: number,
): Map<string, InfoSeries[]> {
  const { f64, u8 } = evaluation;
  const newest = new Map<string, InfoSeries>();
  const timeMs = (info: InfoSeries): number => Math.round(f64[info.timesPtr / 8 + step]! * 1000);
  for (const info of infos) {
    if (u8[info.presentPtr + step] === 0) continue;
    const key = `${info.name}\xff${targetOf(info.labels)}`;
    const known = newest.get(key);
    if (known !== undefined && timeMs(known) === timeMs(info)) {
      const [a, b] = [known, info].map((each) => `${each.labels.toString()} @ ${timeMs(each)}`);
      throw new NarthexError("execution", `found duplicate series for info metric: existing ${a}, new ${b}`);
    }
    if (known === undefined || timeMs(known) < timeMs(info)) newest.set(key, info);
  }
  const byTarget = new Map<string, InfoSeries[]>();
  for (const info of newest.values()) {
    const target = targetOf(info.labels);
    byTarget.set(target, [...(byTarget.get(target) ?? []), info]);
  }
  return byTarget;
}

function targetOf(labels: Labels): string {
  return labels.only(...identifyingLabels).key();
}

/** A series with the data labels of its infos; undefined when it needed one and has none. */
function enrich(
  base: Labels,
  infos: ReadonlyMap<string, InfoSeries[]>,
  dataMatchers: readonly Matcher[],
): Labels | undefined {
  const wanted = new Set(dataMatchers.map(({ name }) => name));
  const added = new Map<string, string>();
  const found = infos.get(targetOf(base)) ?? [];
  for (const { labels } of found) {
    for (const [name, value] of labels) {
      if (name === metricNameLabel || (wanted.size > 0 && !wanted.has(name))) continue;
      const known = added.get(name);
      if (known !== undefined && known !== value)
        throw new NarthexError("execution", `conflicting label: ${name}`);
      if (!base.has(name)) added.set(name, value);
    }
  }
  if (found.length === 0 && !dataMatchers.every((matcher) => matcher.matchesEmpty())) return undefined;
  const builder = new LabelsBuilder(base);
  for (const [name, value] of added) builder.set(name, value);
  return builder.labels();
}

function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}
