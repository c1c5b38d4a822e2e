import { type Kernel, type LabelShare, layout, type Views } from "../../kernel/index.ts";
import type { SelectHints } from "../../storage/index.ts";
import { type Interval, isDeleted } from "../block/tombstones.ts";
import { outOfOrderRuns } from "../out-of-order/chunks.ts";
import { chunkTimeMs } from "./chunk-time.ts";
import { selectionSeriesMax } from "./selection-cache.ts";
import type { HeadPart } from "./series-set.ts";
import type { SymbolReader } from "./symbols.ts";
import { describingLabels } from "./text-hash.ts";
import { deletedIntervals } from "./tombstones.ts";

/** Series by ref and where their labels are. Nobody may change either: the refs may be those of a selection that is remembered. */
export interface PresentSeries {
  refs: Uint32Array;
  labelsPtrs: Uint32Array;
}

/** Finds out which series a query has to do with: those of its shard that exist and have samples in its time range. For one thread, within an epoch. */
export class PresenceFilter {
  readonly #kernel: Kernel;
  readonly #symbols: SymbolReader;
  readonly #part: HeadPart;
  readonly #only: ReadonlySet<number> | undefined;

  constructor(kernel: Kernel, symbols: SymbolReader, part: HeadPart, only: ReadonlySet<number> | undefined) {
    this.#kernel = kernel;
    this.#symbols = symbols;
    this.#part = part;
    this.#only = only;
  }

  among(refs: Uint32Array, hints: SelectHints): PresentSeries {
    const { scratch, series, views } = this.#kernel;
    const { length } = refs;
    const mark = scratch.mark();
    try {
      const ptr = scratch.allocate(12 * length);
      const [refsOut, labelsOut] = [ptr + 4 * length, ptr + 8 * length];
      views.u32.set(refs, ptr >>> 2);
      const isPlain = this.#isPlain();
      const range = isPlain ? hints : undefined;
      const count = series.filter(ptr, length, this.#share(hints), range, refsOut, labelsOut);
      const present = {
        refs: isOwn(refs, count) ? refs : views.u32.slice(refsOut >>> 2, (refsOut >>> 2) + count),
        labelsPtrs: views.u32.slice(labelsOut >>> 2, (labelsOut >>> 2) + count),
      };
      return isPlain ? present : this.#withSamples(present, hints);
    } finally {
      scratch.release(mark);
    }
  }

  /** Whether chunks that came in order are all that there is to look at. */
  #isPlain(): boolean {
    const { outOfOrder, tombstones } = layout.headWord;
    const { u32 } = this.#kernel.views;
    const hasNone = (root: number): boolean => Atomics.load(u32, root >>> 2) === 0;
    if (this.#only !== undefined || !hasNone(tombstones)) return false;
    return this.#part === "inOrder" || (this.#part === "all" && hasNone(outOfOrder));
  }

  #share({ shard }: SelectHints): LabelShare | undefined {
    if (shard === undefined) return undefined;
    const [name, type, unit] = describingLabels.map((label) => this.#symbols.find(label));
    return { ...shard, describing: [name!, type!, unit!] };
  }

  #withSamples({ refs, labelsPtrs }: PresentSeries, hints: SelectHints): PresentSeries {
    const picks = Array.from(refs.keys()).filter((i) => this.#hasSamples(refs[i]!, hints));
    return {
      refs: Uint32Array.from(picks, (i) => refs[i]!),
      labelsPtrs: Uint32Array.from(picks, (i) => labelsPtrs[i]!),
    };
  }

  /** Whether a chunk reaches into the time range that is not deleted altogether. */
  #hasSamples(ref: number, { minTimestampMs, maxTimestampMs }: SelectHints): boolean {
    if (this.#only?.has(ref) === false) return false;
    const { series, views } = this.#kernel;
    const range = [minTimestampMs, maxTimestampMs, deletedIntervals(views, ref)] as const;
    if (this.#part !== "outOfOrder" && hasChunkIn(views.u32, series.slot(ref), ...range)) return true;
    return this.#part !== "inOrder" && hasOutOfOrder(views, ref, ...range);
  }
}

/** Whether all series of a selection are present, and it is no view of the index, which is good in the epoch only. */
function isOwn({ length }: Uint32Array, count: number): boolean {
  return count === length && length <= selectionSeriesMax;
}

function hasOutOfOrder(
  views: Views,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  deleted: readonly Interval[] | undefined,
): boolean {
  return outOfOrderRuns(views, ref, minTimestampMs, maxTimestampMs).some(
    (run) => !(deleted && isDeleted(deleted, run.minTimestampMs, run.maxTimestampMs)),
  );
}

function hasChunkIn(
  u32: Uint32Array,
  slot: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  deleted: readonly Interval[] | undefined,
): boolean {
  let chunk = Atomics.load(u32, (slot + layout.slot.chunkPtr) >>> 2);
  while (chunk !== 0) {
    // Chunks go back in time, so the first one that ends before the range ends the search.
    const endMs = chunkTimeMs(u32, chunk, "maxTimestampMs");
    if (endMs < minTimestampMs) return false;
    const startMs = chunkTimeMs(u32, chunk, "minTimestampMs");
    if (startMs <= maxTimestampMs && !(deleted && isDeleted(deleted, startMs, endMs))) return true;
    chunk = Atomics.load(u32, (chunk + layout.chunk.older) >>> 2);
  }
  return false;
}
