import type { Columns, Row } from "../../kernel/index.ts";
import { histogramPresent } from "../histogram/column.ts";
import { histogramSamples } from "../histogram/samples.ts";
import type { Grid, Plan, RangeSource, SelectNode } from "../plan/plan.ts";
import { type Leaf, type SamplePlace, findSamplePlaces } from "../plan/sample-places.ts";
import type { SeriesList } from "../series/series-list.ts";
import { lookSteps } from "./look-steps.ts";
import type { Operator, RangeReader } from "./operator.ts";
import type { RowMemory } from "./rows.ts";

/** Samples by step of the query. They are whole numbers, and may be more than 32 bits hold. */
export interface SampleCounts {
  /** Samples that were evaluated: one in several windows counts in each. */
  queryable: Float64Array<ArrayBuffer>;
  /** Samples that were read: one in several windows counts at the first. */
  read: Float64Array<ArrayBuffer>;
}

export function emptySampleCounts(steps: number): SampleCounts {
  return { queryable: new Float64Array(steps), read: new Float64Array(steps) };
}

export function addSampleCounts(into: SampleCounts, from: SampleCounts): void {
  from.queryable.forEach((count, step) => (into.queryable[step]! += count));
  from.read.forEach((count, step) => (into.read[step]! += count));
}

/** Counts a query's samples where they leave the storage. Each series of a leaf counts once, however often it is pulled. */
export class SampleCounter {
  readonly #counts: SampleCounts;
  readonly #memory: RowMemory;
  readonly #places: ReadonlyMap<Leaf, SamplePlace[]>;
  readonly #rest: (() => void)[] = [];
  /** Samples that are evaluated at every step. */
  #everywhere = 0;

  constructor(plan: Plan, memory: RowMemory) {
    this.#memory = memory;
    this.#places = findSamplePlaces(plan);
    this.#counts = emptySampleCounts(plan.grid.steps);
  }

  select(node: SelectNode, operator: Operator): Operator {
    const { u8, histograms } = this.#memory;
    const places = this.#places.get(node) ?? [];
    const count = (row: Row): void => {
      for (let step = 0; step < node.grid.steps; step++) {
        const present = u8[row.presentPtr + step]!;
        if (present === 0) continue;
        const isHistogram = present === histogramPresent;
        const samples = isHistogram ? histogramSamples(histograms.get(row.valuesPtr / 8 + step)) : 1;
        this.#add(places, step, samples, samples);
      }
    };
    return this.#once(
      operator,
      (series) => operator.row(series),
      count,
      (row) => ({ row, steps: operator.steps }),
    );
  }

  range(source: RangeSource, grid: Grid, reader: RangeReader): RangeReader {
    const places = this.#places.get(source);
    if (places === undefined) return reader;
    const count = (columns: Columns, series: number): void => {
      const { f64 } = this.#memory;
      const timestamps = f64.subarray(columns.tsPtr / 8, columns.tsPtr / 8 + columns.count);
      this.#countWindows(source, grid, places, timestamps);
      const histograms = reader.histograms(series);
      if (histograms.length === 0) return;
      const times = histograms.map(({ timestampMs }) => timestampMs);
      const sizes = histograms.map(({ histogram }) => histogramSamples(histogram));
      this.#countWindows(source, grid, places, times, sizes);
    };
    return this.#once(
      reader,
      (series) => reader.read(series),
      count,
      (read) => ({
        read,
        histograms: (series: number) => reader.histograms(series),
        starts: (series: number) => reader.starts(series),
      }),
    );
  }

  /**
   * The counts of the finished query. Pulls what nobody pulled: how many samples a query has does not depend on which of them its
   * result needed.
   */
  finish(): SampleCounts {
    for (const pull of this.#rest) pull();
    this.#counts.queryable.forEach((_, step, queryable) => (queryable[step]! += this.#everywhere));
    this.#everywhere = 0;
    return this.#counts;
  }

  #once<T, O extends object>(
    source: { series(): SeriesList },
    pull: (series: number) => T,
    count: (pulled: T, series: number) => void,
    methods: (pull: (series: number) => T) => O,
  ): O & { series(): SeriesList } {
    let isCounted: Uint8Array | undefined;
    const counted = (series: number): T => {
      const pulled = pull(series);
      isCounted ??= new Uint8Array(source.series().length);
      if (isCounted[series] === 0) count(pulled, series);
      isCounted[series] = 1;
      return pulled;
    };
    this.#rest.push(() => {
      const { length } = source.series();
      for (let series = 0; series < length; series++) if (isCounted?.[series] !== 1) counted(series);
    });
    return { series: () => source.series(), ...methods(counted) };
  }

  /** `sizes`: what each sample counts for; 1 when missing. */
  #countWindows(
    source: RangeSource,
    grid: Grid,
    places: readonly SamplePlace[],
    timestamps: ArrayLike<number>,
    sizes?: readonly number[],
  ): void {
    const before = sizes && sizesBefore(sizes);
    const samplesIn = (first: number, end: number): number =>
      before === undefined ? end - first : before[end]! - before[first]!;
    const look = lookSteps(source.from, grid);
    const isSubquery = source.from.kind === "subquery";
    let first = 0;
    let end = 0;
    let seen = 0;
    for (let step = 0; step < look.count; step++) {
      const endMs = look.startMs + step * look.stepMs;
      while (end < timestamps.length && timestamps[end]! <= endMs) end++;
      while (first < end && timestamps[first]! <= endMs - source.rangeMs) first++;
      const fresh = samplesIn(Math.max(first, seen), end);
      seen = end;
      // What a subquery's windows see was read inside of it.
      this.#add(places, step, samplesIn(first, end), isSubquery ? 0 : fresh);
    }
    for (let step = look.count; step < grid.steps; step++) this.#add(places, step, samplesIn(first, end), 0);
  }

  #add(places: readonly SamplePlace[], step: number, queryable: number, read: number): void {
    const counts = this.#counts;
    for (const { evaluated, readAt } of places) {
      if (evaluated === "step") counts.queryable[step]! += queryable;
      else if (evaluated === "end") counts.queryable[counts.queryable.length - 1]! += queryable;
      else if (evaluated === "all") this.#everywhere += queryable;
      const readStep = readAt[step] ?? -1;
      if (readStep >= 0) counts.read[readStep]! += read;
    }
  }
}

function sizesBefore(sizes: readonly number[]): number[] {
  const before = [0];
  sizes.forEach((size, i) => before.push(before[i]! + size));
  return before;
}
