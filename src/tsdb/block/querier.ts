import { assert } from "../../base/index.ts";
import { compareStrings, type Matcher } from "../../model/index.ts";
import type { Querier, SelectHints, SeriesSet } from "../../storage/index.ts";
import { combineHash, describingLabels } from "../head/text-hash.ts";
import type { Block } from "./block.ts";
import { ChunkWindow } from "./chunk-window.ts";
import { BlockDamagedError, type BlockNotices } from "./damage.ts";
import { BlockSelector, labelValue } from "./select.ts";
import { type LabelTest, SeriesEntry } from "./series-entry.ts";
import { BlockSeriesSet } from "./series-set.ts";
import type { SymbolTable } from "./symbol-table.ts";
import { isDeleted } from "./tombstones.ts";

const noRefs = new Uint32Array(0);

/**
 * One block for one query. The block stays open until `close`. What is damaged is left out and noticed: a chunk, a series, or all of the block when it is
 * the symbols or lists of the index.
 */
export class BlockQuerier implements Querier {
  readonly #block: Block;
  readonly #notices: BlockNotices;
  readonly #entry = new SeriesEntry();
  readonly #selector: BlockSelector;
  readonly #window: ChunkWindow;
  #isOpen = true;

  constructor(block: Block, notices: BlockNotices) {
    this.#block = block.retain();
    this.#notices = notices;
    this.#selector = new BlockSelector(block.index, (ref) => this.#readSeries(ref));
    this.#window = new ChunkWindow(block.context.kernel, block.segments);
  }

  /** Always sorted: a block's series are. */
  select(matchers: readonly Matcher[], hints: SelectHints): SeriesSet {
    assert(this.#isOpen, "querier is open");
    const { minTimestampMs, maxTimestampMs } = hints;
    const refs = this.#block.overlaps(minTimestampMs, maxTimestampMs)
      ? this.#guard(noRefs, () => this.#withSamples(this.#selector.select(matchers), hints))
      : noRefs;
    return new BlockSeriesSet(this.#block, this.#window, this.#notices, refs);
  }

  labelNames(matchers: readonly Matcher[], { limit }: SelectHints): string[] {
    const { postingsTable, symbols } = this.#block.index;
    return this.#guard([], () => {
      if (matchers.length === 0) return cut(postingsTable.names().sort(compareStrings), limit);
      const names = new Set<number>();
      this.#forEachMatch(matchers, (entry) => {
        for (let at = 0; at < 2 * entry.labelCount; at += 2) names.add(entry.symbols[at]!);
      });
      return cut(Array.from(names, (symbol) => symbols.text(symbol)).sort(compareStrings), limit);
    });
  }

  labelValues(name: string, matchers: readonly Matcher[], { limit }: SelectHints): string[] {
    const { postingsTable, symbols } = this.#block.index;
    return this.#guard([], () => {
      const values: string[] = [];
      if (matchers.length === 0) {
        postingsTable.forEachValue(name, (entry) => {
          values.push(entry.value());
          return limit === undefined || limit === 0 || values.length < limit;
        });
        return values;
      }
      const found = new Set<number>();
      const symbol = symbols.find(name) ?? -1;
      this.#forEachMatch(matchers, (entry) => found.add(labelValue(entry, symbol)));
      found.delete(-1);
      return cut(Array.from(found, (value) => symbols.text(value)).sort(compareStrings), limit);
    });
  }

  seriesCountMax(matchers: readonly Matcher[]): number {
    return this.#guard(0, () => this.#selector.countMax(matchers));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#window.close();
    this.#block.release();
  }

  #forEachMatch(matchers: readonly Matcher[], visit: (entry: SeriesEntry) => void): void {
    for (const ref of this.#selector.select(matchers)) {
      const entry = this.#readSeries(ref);
      if (entry !== undefined) visit(entry);
    }
  }

  /** The series of the shard that have a chunk in the time range, as many as are asked for. */
  #withSamples(
    refs: Uint32Array,
    { minTimestampMs, maxTimestampMs, limit, shard }: SelectHints,
  ): Uint32Array {
    const { meta, tombstones } = this.#block;
    const { symbols } = this.#block.index;
    const wanted = limit === undefined || limit === 0 ? refs.length : limit;
    const isWhole = minTimestampMs <= meta.minTime && maxTimestampMs >= meta.maxTime - 1;
    if (isWhole && shard === undefined && tombstones.count === 0) return refs.subarray(0, wanted);
    const kept = new Uint32Array(Math.min(refs.length, wanted));
    const inShard = shard && shardTest(symbols, shard);
    let count = 0;
    for (const ref of refs) {
      if (count === kept.length) break;
      // Those of other shards have no chunks then.
      if (this.#readSeries(ref, inShard) === undefined) continue;
      if (this.#hasChunkIn(minTimestampMs, maxTimestampMs)) kept[count++] = ref;
    }
    return kept.subarray(0, count);
  }

  /** Whether the series just read has a chunk in the range that is not deleted. */
  #hasChunkIn(minTimestampMs: number, maxTimestampMs: number): boolean {
    const { ref, chunkCount, minTimesMs, maxTimesMs } = this.#entry;
    const intervals = this.#block.tombstones.of(ref);
    for (let i = this.#entry.firstChunkFrom(minTimestampMs); i < chunkCount; i++) {
      if (minTimesMs[i]! > maxTimestampMs) return false;
      if (intervals === undefined || !isDeleted(intervals, minTimesMs[i]!, maxTimesMs[i]!)) return true;
    }
    return false;
  }

  /** The series, without its chunks when `isWanted` says no, good until the next call; undefined when it is damaged. */
  #readSeries(ref: number, isWanted?: LabelTest): SeriesEntry | undefined {
    return this.#guard(undefined, () => {
      this.#block.index.readSeries(ref, this.#entry, isWanted);
      return this.#entry;
    });
  }

  #guard<T>(otherwise: T, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof BlockDamagedError)) throw error;
      this.#notices.damaged(error);
      return otherwise;
    }
  }
}

/** Whether a series falls into a shard: by the head's rule, the hash of its labels without the describing ones. */
function shardTest(symbols: SymbolTable, { index, count }: { index: number; count: number }): LabelTest {
  const [name, type, unit] = describingLabels.map((label) => symbols.find(label));
  return ({ symbols: pairs, labelCount }) => {
    let hash = 0;
    for (let at = 0; at < 2 * labelCount; at += 2) {
      const label = pairs[at]!;
      if (label !== name && label !== type && label !== unit)
        hash = combineHash(combineHash(hash, symbols.hash(label)), symbols.hash(pairs[at + 1]!));
    }
    return hash % count === index;
  };
}

function cut(texts: string[], limit: number | undefined): string[] {
  return limit !== undefined && limit > 0 && limit < texts.length ? texts.slice(0, limit) : texts;
}
