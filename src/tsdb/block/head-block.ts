import type { Kernel, Scratch, SeriesPiece } from "../../kernel/index.ts";
import { noStarts, type Queryable, type SeriesSet } from "../../storage/index.ts";
import { type BlockTarget, BlockWriter } from "./block-writer.ts";
import { addInterleaved } from "./interleave.ts";
import type { BlockCompaction, BlockMeta } from "./meta.ts";

/** Series of the head, whose closed chunks can be had as they are. */
export interface PieceSource {
  /**
   * All samples of a series in a time range, in the order of time; undefined when it must be read as a whole. Chunks are good until the next series is asked for. What is damaged is
   * noticed and left out. Throws BlockUnreadableError.
   */
  pieces(series: number, minTimestampMs: number, maxTimestampMs: number): readonly SeriesPiece[] | undefined;
}

/**
 * Writes a block of level 1 from what `queryable` (the head) has from `minTime` until before `maxTime`. Works on any thread; the head goes on meanwhile.
 * Undefined when there is nothing: then there is no block. Throws the disk's error; then nothing is left behind.
 */
export function writeHeadBlock(
  queryable: Queryable,
  target: BlockTarget,
  minTime: number,
  maxTime: number,
  hints: readonly string[] = [],
): BlockMeta | undefined {
  const writer = new BlockWriter(target);
  try {
    copySeries(queryable, target, writer, minTime, maxTime - 1);
  } catch (error) {
    writer.abandon();
    throw error;
  }
  const compaction: BlockCompaction = { level: 1, sources: [target.ulid], hints: [...hints] };
  return writer.finish(minTime, maxTime, compaction);
}

function copySeries(
  queryable: Queryable,
  target: BlockTarget,
  writer: BlockWriter,
  minTimestampMs: number,
  maxTimestampMs: number,
): void {
  const symbols = new Map<number, number>();
  const querier = queryable.querier(minTimestampMs, maxTimestampMs);
  const scratch = target.kernel.createScratch();
  try {
    const set = querier.select([], { minTimestampMs, maxTimestampMs }, true);
    const translate = (symbol: number): number => {
      let translated = symbols.get(symbol);
      if (translated === undefined) {
        translated = writer.index.intern(set.symbols.text(symbol));
        symbols.set(symbol, translated);
      }
      return translated;
    };
    const copier = new SeriesCopier(target.kernel, scratch, writer, set, minTimestampMs, maxTimestampMs);
    for (let series = 0; series < set.length; series++) {
      copier.copy(series);
      if (writer.hasChunks) writer.endSeries(set.labelSymbols(series).map(translate));
    }
  } finally {
    querier.close();
    scratch.reset();
  }
}

/** Gives the samples of series in a time range to the writer: closed chunks as they are, the others decoded and encoded anew. */
class SeriesCopier {
  readonly #kernel: Kernel;
  readonly #scratch: Scratch;
  readonly #writer: BlockWriter;
  readonly #set: SeriesSet & Partial<PieceSource>;
  readonly #minMs: number;
  readonly #maxMs: number;

  constructor(
    kernel: Kernel,
    scratch: Scratch,
    writer: BlockWriter,
    set: SeriesSet & Partial<PieceSource>,
    minTimestampMs: number,
    maxTimestampMs: number,
  ) {
    this.#kernel = kernel;
    this.#scratch = scratch;
    this.#writer = writer;
    this.#set = set;
    this.#minMs = minTimestampMs;
    this.#maxMs = maxTimestampMs;
  }

  copy(series: number): void {
    for (let fromMs = this.#minMs; fromMs <= this.#maxMs;) {
      const pieces = this.#set.pieces?.(series, fromMs, this.#maxMs);
      if (pieces === undefined) return this.#encode(series, fromMs, this.#maxMs);
      fromMs = this.#copyPieces(series, pieces);
    }
  }

  /** Up to the first that must be read, after which the others may no longer be where they were. Returns where to go on. */
  #copyPieces(series: number, pieces: readonly SeriesPiece[]): number {
    for (const { minTimestampMs, maxTimestampMs, dataPtr, dataBytes, encoding } of pieces) {
      if (dataPtr === 0) {
        this.#encode(series, minTimestampMs, maxTimestampMs);
        return maxTimestampMs + 1;
      }
      this.#writer.addFloatChunk(encoding, dataPtr, dataBytes, minTimestampMs, maxTimestampMs);
    }
    return Infinity;
  }

  #encode(series: number, minTimestampMs: number, maxTimestampMs: number): void {
    const set = this.#set;
    const mark = this.#scratch.mark();
    const capacity = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
    const timestamps = this.#scratch.allocate(8 * capacity);
    const values = this.#scratch.allocate(8 * capacity);
    const count = set.read(series, minTimestampMs, maxTimestampMs, false, { timestamps, values, capacity });
    const histograms = set.readHistograms?.(series, minTimestampMs, maxTimestampMs, false) ?? [];
    if (count + histograms.length > 0) {
      const starts = set.readStarts?.(series, minTimestampMs, maxTimestampMs) ?? noStarts;
      addInterleaved(this.#writer, this.#kernel.views, { timestamps, values, count }, histograms, starts);
    }
    this.#scratch.release(mark);
  }
}
