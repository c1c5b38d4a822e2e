import { blockChunk, type BlockRun, blockSeries } from "./block-entries.ts";
import type { ByteBuffer } from "./byte-buffer.ts";
import type { FileChunks, Kernel } from "./kernel.ts";
import type { Scratch } from "./scratch.ts";

/** State of `copyBlockRun`: offsets in bytes. Times are f64 milliseconds, the rest u32. */
export const blockRunState = {
  /** Columns by series: refs, and from when on what is there is too new (0: nowhere). */
  refs: 0,
  untils: 4,
  count: 8,
  /** What is loaded of the series' chunks in files. */
  files: 12,
  filesCount: 16,
  /** The place behind the last note that `untils` knows of. */
  notes: 20,
  minMs: 24,
  maxMs: 32,
  /** f64: of the next chunk. */
  chunkRef: 40,
  /** Where the next chunk goes, its entry of `blockChunk`, and where the room for them ends. */
  out: 48,
  outEnd: 52,
  chunks: 56,
  chunksEnd: 60,
  /** Entries of `blockSeries`. */
  series: 64,
  /** Columns for `samplesMax` samples of one chunk, and behind them room for one of 120 that is encoded. */
  columns: 68,
  samplesMax: 72,
  /** How many series were copied. */
  done: 76,
  bytes: 80,
} as const;

/** Why copying ended: all were copied; no room for the next; a chunk of the next is to be loaded, or damaged; it must be read by itself; a commit began. */
export type BlockRunEnd = "done" | "full" | "notLoaded" | "damagedFile" | "alone" | "noted";
const ends: readonly BlockRunEnd[] = ["done", "full", "notLoaded", "damagedFile", "alone", "noted"];

const seriesMax = 1024;
const outBytes = 1024 * 1024;
const chunksMax = 8 * seriesMax;
const samplesMax = 1024;
const encodedBytes = 4096;
const wordsBytesMax = 16 * 1024 * 1024;

/**
 * Series of the head on their way into a block, some at a time: chunks as they are in the block's files, in order, and tables of what they are. Owned by who made it, who must
 * `close` it.
 */
export class BlockRunCopy {
  readonly seriesMax = seriesMax;
  readonly #kernel: Kernel;
  readonly #memory: Scratch;
  readonly #words: ByteBuffer;
  readonly #state: number;
  readonly #refs: number;
  readonly #untils: number;
  readonly #series: number;
  readonly #chunks: number;
  readonly #out: number;
  #room = 0;
  #chunkRef = 0;

  /** Throws MemoryFullError. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const memory = (this.#memory = kernel.createScratch());
    this.#words = kernel.createByteBuffer(wordsBytesMax);
    this.#state = memory.allocateZeroed(blockRunState.bytes);
    this.#refs = memory.allocate(4 * seriesMax);
    this.#untils = memory.allocate(8 * seriesMax);
    this.#series = memory.allocate(blockSeries.bytes * seriesMax);
    this.#chunks = memory.allocate(blockChunk.bytes * chunksMax);
    this.#out = memory.allocate(outBytes);
    this.#set("columns", memory.allocate(3 * 8 * samplesMax + encodedBytes));
    this.#set("samplesMax", samplesMax);
    this.#set("refs", this.#refs);
    this.#set("series", this.#series);
    this.#set("chunksEnd", this.#chunks + blockChunk.bytes * chunksMax);
  }

  /** The series to be copied, of which there are at most `seriesMax`; `isAlone` says which of them must be read by themselves. */
  setSeries(refs: Uint32Array, isAlone: (ref: number) => boolean): void {
    const { u32 } = this.#kernel.views;
    u32.set(refs, this.#refs >>> 2);
    refs.forEach((ref, i) => {
      u32[(this.#series + i * blockSeries.bytes + blockSeries.alone) >>> 2] = isAlone(ref) ? 1 : 0;
    });
    this.#set("count", refs.length);
  }

  /** Where the first chunk goes in the block, and how many bytes have room there. */
  setRoom(chunkRef: number, bytes: number): void {
    this.#chunkRef = chunkRef;
    this.#room = Math.min(bytes, outBytes);
  }

  /**
   * Copies series as they were when the notes up to `notes` came; `untilMs` says from when on what there is of a series came later, if of any something did. `files` as for
   * `decodeSeriesRun`. `done` is how many were copied.
   */
  copy(
    minTimestampMs: number,
    maxTimestampMs: number,
    files: FileChunks,
    notes: number,
    untilMs: ((series: number) => number) | undefined,
  ): BlockRunEnd {
    const { exports, views } = this.#kernel;
    const count = this.#get("count");
    if (untilMs !== undefined) for (let i = 0; i < count; i++) views.f64[this.#untils / 8 + i] = untilMs(i);
    this.#set("untils", untilMs === undefined ? 0 : this.#untils);
    this.#set("files", files.ptr);
    this.#set("filesCount", files.count);
    this.#set("notes", notes);
    this.#set("out", this.#out);
    this.#set("outEnd", this.#out + this.#room);
    this.#set("chunks", this.#chunks);
    views.f64[(this.#state + blockRunState.minMs) / 8] = minTimestampMs;
    views.f64[(this.#state + blockRunState.maxMs) / 8] = maxTimestampMs;
    views.f64[(this.#state + blockRunState.chunkRef) / 8] = this.#chunkRef;
    return ends[exports.copyBlockRun(this.#state)]!;
  }

  /** How many series were copied. */
  get done(): number {
    return this.#get("done");
  }

  /** Their chunks, as they go to the block's files; good until the next are copied. */
  get data(): Uint8Array {
    return this.#kernel.views.u8.subarray(this.#out, this.#get("out"));
  }

  /** What was copied, where the labels of each series are what `labelsOf` gives. Good until the next are copied. */
  run(labelsOf: (series: number) => ArrayLike<number>): BlockRun {
    const { u32 } = this.#kernel.views;
    const { done } = this;
    const words = this.#words;
    words.clear();
    for (let i = 0; i < done; i++) {
      const labels = labelsOf(i);
      const at = words.bytes;
      u32.set(labels, (words.reserve(at + 4 * labels.length) + at) >>> 2);
      words.setLength(at + 4 * labels.length);
      u32[(this.#series + i * blockSeries.bytes + blockSeries.words) >>> 2] = labels.length;
    }
    return {
      seriesPtr: this.#series,
      count: done,
      wordsPtr: words.ptr,
      words: words.bytes / 4,
      chunksPtr: this.#chunks,
      chunks: (this.#get("chunks") - this.#chunks) / blockChunk.bytes,
    };
  }

  close(): void {
    this.#memory.reset();
    this.#words.close();
  }

  #set(field: Exclude<keyof typeof blockRunState, "bytes">, value: number): void {
    this.#kernel.views.u32[(this.#state + blockRunState[field]) >>> 2] = value;
  }

  #get(field: "count" | "out" | "chunks" | "done"): number {
    return this.#kernel.views.u32[(this.#state + blockRunState[field]) >>> 2]!;
  }
}
