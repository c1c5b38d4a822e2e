import type { Kernel } from "../kernel/index.ts";
import { compareStrings, type Matcher } from "../model/index.ts";
import { mergeSeries } from "./merge-series.ts";
import type { Querier, SelectHints, SeriesSet } from "./storage.ts";

/**
 * Several queriers as one: a series is one however many have a part of it, and its samples come in the order of their times. Of samples
 * at the same time the one of the querier listed first stays. Owns the queriers: `close` closes them.
 */
export class MergeQuerier implements Querier {
  readonly #kernel: Kernel;
  readonly #queriers: readonly Querier[];

  /** The order of `queriers` should be that of their samples' times; merging costs less then. */
  constructor(kernel: Kernel, queriers: readonly Querier[]) {
    this.#kernel = kernel;
    this.#queriers = queriers;
  }

  select(matchers: readonly Matcher[], hints: SelectHints, sorted: boolean): SeriesSet {
    const found = this.#queriers.map((querier) => querier.select(matchers, hints, sorted));
    const filled = found.filter((set) => set.length > 0);
    // What one child knows alone needs no merging, and none needs no set of its own.
    if (filled.length <= 1) return filled[0] ?? found[0] ?? mergeSeries(this.#kernel, [], hints, sorted);
    return mergeSeries(this.#kernel, filled, hints, sorted);
  }

  labelNames(matchers: readonly Matcher[], hints: SelectHints): string[] {
    return unite(
      this.#queriers.map((querier) => querier.labelNames(matchers, hints)),
      hints,
    );
  }

  labelValues(name: string, matchers: readonly Matcher[], hints: SelectHints): string[] {
    return unite(
      this.#queriers.map((querier) => querier.labelValues(name, matchers, hints)),
      hints,
    );
  }

  seriesCountMax(matchers: readonly Matcher[]): number {
    return this.#queriers.reduce((sum, querier) => sum + querier.seriesCountMax(matchers), 0);
  }

  close(): void {
    for (const querier of this.#queriers) querier.close();
  }
}

/** Sorted texts of several sorted lists, each once. */
function unite(lists: readonly string[][], { limit }: SelectHints): string[] {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length === 0) return [];
  const texts = filled.length === 1 ? filled[0]! : [...new Set(filled.flat())].sort(compareStrings);
  return limit !== undefined && limit > 0 && limit < texts.length ? texts.slice(0, limit) : texts;
}
