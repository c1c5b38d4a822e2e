import { NarthexError, assert } from "../base/index.ts";
import { Arena } from "./arena.ts";
import { ByteBuffer } from "./byte-buffer.ts";
import { Epoch } from "./epoch.ts";
import { ChunkDamagedError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import {
  chunkEncodingXor,
  chunkEncodingXor2,
  control,
  type FloatEncoding,
  pageBytes,
  reader,
  slackBytes,
} from "./layout.ts";
import { IdlePages } from "./idle-pages.ts";
import { Isolation, type PinnedSnapshot } from "./isolation.ts";
import { HeadChunks } from "./head-chunks.ts";
import { histogramRow, type HistogramRows } from "./histogram-rows.ts";
import { LineTable } from "./line-table.ts";
import {
  type BinaryRowsOptions,
  type RowAggregationName,
  type RowOperatorName,
  rowAggregation,
  rowOperator,
} from "./rows.ts";
import { SampleBatch, type SampleColumns } from "./sample-batch.ts";
import { Scratch, scratchHeadIndex } from "./scratch.ts";
import type { SeriesRun } from "./series-run.ts";
import { SeriesTable } from "./series-table.ts";
import { SeriesWriter } from "./series-writer.ts";
import { StoredChunks } from "./stored-chunks.ts";
import { type Views, createViews } from "./views.ts";
import {
  type Columns,
  type Row,
  type Steps,
  type WindowArguments,
  type WindowFunctionName,
  takesNoArguments,
  windowFunction,
} from "./window.ts";
import { type WasmMemory, type WasmModule, webAssembly } from "./web-assembly.ts";

/** What a worker needs to attach; goes through `workerData`. */
export interface KernelHandle {
  readonly memory: WasmMemory;
  readonly module: WasmModule;
  /** 1 … 63, one per running thread; 0 is the main thread. */
  readonly readerSlot: number;
}

export interface MemoryUsage {
  readonly limitBytes: number;
  /** Spans in use (arena, scratch, buffers) and the fixed part. */
  readonly usedBytes: number;
}

/** Each takes a reader slot, of which threads need the rest. */
const pinsMax = 24;

/** The shared memory as one thread sees it: its functions, views, and allocators. */
export class Kernel {
  readonly memory: WasmMemory;
  readonly module: WasmModule;
  readonly readerSlot: number;
  /** The raw functions; prefer the methods, which make pointers unsigned and turn codes into errors. */
  readonly exports: KernelExports;
  readonly views: Views;
  readonly epoch: Epoch;
  /** This thread's common scratch, without a budget. Overlapping queries make their own with `createScratch`. */
  readonly scratch: Scratch;
  /** Main thread only. */
  readonly arena: Arena;
  /** Main thread only. */
  readonly idlePages: IdlePages;
  readonly series: SeriesTable;
  readonly isolation: Isolation;
  #pins = 0;
  readonly headChunks: HeadChunks;
  readonly storedChunks: StoredChunks;

  constructor(handle: KernelHandle) {
    this.memory = handle.memory;
    this.module = handle.module;
    this.readerSlot = handle.readerSlot;
    const instance = new webAssembly.Instance(handle.module, { env: { memory: handle.memory, abort } });
    this.exports = instance.exports as KernelExports;
    this.views = createViews(handle.memory);
    this.epoch = new Epoch(this.exports, handle.readerSlot);
    this.scratch = new Scratch(this.exports, this.views, handle.readerSlot);
    this.arena = new Arena(this.exports, this.views);
    this.idlePages = new IdlePages(this.exports, this.views, handle.readerSlot);
    this.series = new SeriesTable(this.exports, this.views);
    this.isolation = new Isolation(this.exports, this.views);
    this.headChunks = new HeadChunks(this.exports, this.views);
    this.storedChunks = new StoredChunks(this.exports, this.views);
  }

  /** Main thread: what to give a new worker, with a reader slot of its own until `releaseReader`. */
  claimReader(): KernelHandle {
    const { u32 } = this.views;
    for (let readerSlot = 1; readerSlot < reader.slots; readerSlot++) {
      const claimed = (control.readers + readerSlot * reader.bytes + reader.claimed) >>> 2;
      if (u32[claimed] !== 0) continue;
      u32[claimed] = 1;
      return this.handle(readerSlot);
    }
    throw new NarthexError(
      "unavailable",
      `all ${reader.slots - 1} reader slots of the shared memory are taken`,
    );
  }

  /** Main thread: the present state, for all threads; undefined when too many are pinned. */
  pinSnapshot(): PinnedSnapshot | undefined {
    if (this.#pins === pinsMax) return undefined;
    const { readerSlot } = this.claimReader();
    this.#pins++;
    this.exports.epochEnter(readerSlot);
    const release = (): void => {
      this.releaseReader(readerSlot);
      this.#pins--;
    };
    return { snapshot: this.isolation.now(), release };
  }

  /** What to give a worker that shall use reader slot `readerSlot`; `claimReader` picks one that no other thread has. */
  handle(readerSlot: number): KernelHandle {
    return { memory: this.memory, module: this.module, readerSlot };
  }

  /** Scratch of one query, with its budget; the caller must `reset` it. */
  createScratch(budgetBytes?: number): Scratch {
    return new Scratch(this.exports, this.views, this.readerSlot, budgetBytes);
  }

  /** A growing buffer in the shared memory, at most `bytesMax`; the caller must `close` it. */
  createByteBuffer(bytesMax: number): ByteBuffer {
    return new ByteBuffer(this.exports, this.views, this.readerSlot, bytesMax);
  }

  /** The caller must `close` it. */
  createSampleBatch(capacity: number): SampleBatch {
    return SampleBatch.allocate(this.exports, this.views, this.readerSlot, capacity);
  }

  /** The batch of another thread, with so many samples; that thread closes it. */
  sampleBatchAt(columns: SampleColumns, count: number): SampleBatch {
    const batch = new SampleBatch(this.exports, this.views, columns);
    batch.count = count;
    return batch;
  }

  /** One per shared memory; it lasts as long. Main thread only. */
  createSeriesWriter(): SeriesWriter {
    return new SeriesWriter(this.exports, this.views, this.arena);
  }

  /** The caller must `close` it. Main thread only. */
  createLineTable(): LineTable {
    return new LineTable(this.exports, this.views, this.arena);
  }

  /**
   * A span of whole pages for a long-lived array that any thread may allocate; 0 when the memory is full. Freed with `freeSpan` and the
   * same bytes, at once: what readers may see is the arena's business.
   */
  allocateSpan(bytes: number): number {
    return this.exports.allocateSpan(bytes, this.readerSlot) >>> 0;
  }

  freeSpan(ptr: number, bytes: number): void {
    assert(this.exports.freeSpan(ptr, bytes, this.readerSlot) === 1, "span was allocated");
  }

  /** Main thread, after the worker with this slot has ended: ends its stay, frees its scratch, any lock it held, and the slot. */
  releaseReader(readerSlot: number): void {
    const { u32 } = this.views;
    Atomics.compareExchange(u32, control.spanLock >>> 2, readerSlot + 1, 0);
    Atomics.store(u32, (control.readers + readerSlot * reader.bytes + reader.epoch) >>> 2, 0);
    const head = scratchHeadIndex(readerSlot);
    for (let ptr = u32[head]!; ptr !== 0;) {
      const next = u32[ptr >>> 2]!;
      this.exports.freeSpan(ptr, u32[(ptr >>> 2) + 1]!, this.readerSlot);
      ptr = next;
    }
    u32[head] = 0;
    u32[(control.readers + readerSlot * reader.bytes + reader.claimed) >>> 2] = 0;
  }

  usage(): MemoryUsage {
    const { u32 } = this.views;
    return {
      limitBytes: u32[control.pageCount >>> 2]! * pageBytes,
      usedBytes: Atomics.load(u32, control.pagesUsed >>> 2) * pageBytes,
    };
  }

  /** The encoding of chunks of floats that are begun, on any thread; XOR at first. The main thread changes it at any time. */
  get floatEncoding(): FloatEncoding {
    return Atomics.load(this.views.u32, control.floatEncoding >>> 2) as FloatEncoding;
  }

  set floatEncoding(encoding: FloatEncoding) {
    Atomics.store(this.views.u32, control.floatEncoding >>> 2, encoding);
  }

  /**
   * Decodes a chunk of floats in upstream's format: its `dataBytes` at `dataPtr`, the two count bytes included, with readable slack behind (any
   * scratch or arena block has it). `count` samples are expected (from the chunk's own first two bytes: `chunkSampleCount`). `startsOut` is a
   * column for since when each counts, 0 where that is not known; without it they are left out. Returns `count`; throws ChunkDamagedError, or RangeError when `capacity` is too small.
   */
  decodeChunk(
    encoding: FloatEncoding,
    dataPtr: number,
    dataBytes: number,
    count: number,
    tsOut: number,
    vsOut: number,
    capacity: number,
    startsOut = 0,
  ): number {
    const data = [dataPtr, dataBytes, count] as const;
    const decoded = this.exports.decodeFloats(encoding, ...data, tsOut, vsOut, startsOut, capacity);
    if (decoded >= 0) return decoded;
    if (decoded === -3) throw new RangeError(`capacity ${capacity} is below the chunk's ${count} samples`);
    const name = encoding === chunkEncodingXor ? "XOR" : "XOR2";
    throw new ChunkDamagedError(`${name} chunk of ${dataBytes} bytes ends before its ${count} samples do`);
  }

  /**
   * Decodes the samples of a native histogram chunk that begin at `firstBit` of the data (behind the layout), to rows of f64 in scratch memory. The data has readable
   * slack behind it. Without `withBuckets` rows end before them. Throws ChunkDamagedError.
   */
  decodeHistogramRows(
    data: { ptr: number; bytes: number; firstBit: number },
    samples: { isFloat: boolean; count: number; positive: number; negative: number },
    withBuckets = true,
  ): HistogramRows {
    const { isFloat, count, positive, negative } = samples;
    const stride = histogramRow.buckets + (withBuckets ? positive + negative : 0);
    const statePtr = this.scratch.allocate(16 * (histogramRow.buckets + positive + negative));
    const rowsPtr = this.scratch.allocate(8 * count * stride);
    const decoded = this.exports.decodeHistogramRows(
      data.ptr,
      data.bytes,
      data.firstBit,
      Number(isFloat),
      count,
      positive,
      negative,
      Number(withBuckets),
      statePtr,
      rowsPtr,
    );
    if (decoded < 0)
      throw new ChunkDamagedError(
        `histogram chunk of ${data.bytes} bytes ends before its ${count} samples do`,
      );
    return { rowsPtr, stride };
  }

  /** The sample count in a chunk's first two bytes. */
  chunkSampleCount(dataPtr: number): number {
    return (this.views.u8[dataPtr]! << 8) | this.views.u8[dataPtr + 1]!;
  }

  /**
   * Encodes columns as one chunk; returns its bytes, or 0 if `capacity` (wants `chunkBytesMax`) or 65,535 samples are exceeded. With `startsPtr`, a column as `decodeChunk` has it,
   * the encoding must be XOR2.
   */
  encodeChunk(
    encoding: FloatEncoding,
    columns: Columns,
    outPtr: number,
    capacity: number,
    startsPtr = 0,
  ): number {
    assert(startsPtr === 0 || encoding === chunkEncodingXor2, "XOR keeps no start timestamps");
    const { tsPtr, vsPtr, count } = columns;
    return this.exports.encodeFloats(encoding, tsPtr, vsPtr, startsPtr, count, outPtr, capacity);
  }

  /**
   * The samples of a head series in [minTimestampMs, maxTimestampMs], oldest first, optionally without staleness markers. The columns
   * need room for `capacity` samples plus slack; `startsOut`, as `decodeChunk` has it, goes with all samples alone. `files` are those of its chunks that are in files, listed and loaded. Returns the count; **minus the capacity
   * needed** (an upper bound) when there is too little room; `seriesNotLoaded` when a chunk is not among `files`; `seriesFileDamaged` when the record of one is
   * not what it should be, which is marked and left out the next time. Readers call it inside an epoch. Throws ChunkDamagedError.
   */
  decodeSeries(
    ref: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    tsOut: number,
    vsOut: number,
    capacity: number,
    files: FileChunks = noFileChunks,
    startsOut = 0,
  ): number {
    assert(startsOut === 0 || !dropStale, "starts are those of all samples");
    const decoded = this.exports.decodeSeries(
      ref,
      minTimestampMs,
      maxTimestampMs,
      dropStale ? 1 : 0,
      tsOut,
      vsOut,
      startsOut,
      capacity,
      files.ptr,
      files.count,
    );
    if (decoded === damagedSeries) throw new ChunkDamagedError(`head chunk of series ${ref} is damaged`);
    return decoded;
  }

  /**
   * Reads the first `series` of a run, whose refs are in its table, one behind the other, until there is no more room or one has chunks that are not the kernel's to
   * read. `files` as for `decodeSeries`, those of all series in their order. Returns how many series were read; `seriesNotLoaded` when none could be for want of a
   * chunk, `seriesFileDamaged` as `decodeSeries`. Readers call it inside an epoch.
   */
  decodeSeriesRun(
    run: SeriesRun,
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    files: FileChunks,
  ): number {
    return this.exports.decodeSeriesRun(
      run.tablePtr,
      series,
      minTimestampMs,
      maxTimestampMs,
      dropStale ? 1 : 0,
      run.timestamps,
      run.values,
      run.capacity,
      files.ptr,
      files.count,
    );
  }

  /** Takes the staleness markers out of columns of `count` samples. Returns how many are left. */
  dropStaleMarkers(timestamps: number, values: number, count: number): number {
    return this.exports.dropStaleMarkers(timestamps, values, count);
  }

  /** Applies a window function without arguments and scratch to the first `series` of a run; their rows follow one another in `out`. */
  windowRun(
    name: WindowFunctionName,
    run: SeriesRun,
    series: number,
    steps: Steps,
    rangeMs: number,
    out: Row,
  ): void {
    assert(takesNoArguments(name), `${name} takes no arguments`);
    this.#computeRun(windowFunction[name], run, series, steps, rangeMs, out);
  }

  /** `selectInstant` for the first `series` of a run; their rows follow one another in `out`. */
  selectInstantRun(run: SeriesRun, series: number, steps: Steps, lookbackMs: number, out: Row): void {
    this.#computeRun(selectInstantId, run, series, steps, lookbackMs, out);
  }

  #computeRun(
    functionId: number,
    run: SeriesRun,
    series: number,
    steps: Steps,
    rangeMs: number,
    out: Row,
  ): void {
    this.exports.windowRun(
      functionId,
      run.tablePtr,
      series,
      run.timestamps,
      run.values,
      steps.startMs,
      steps.stepMs,
      steps.count,
      rangeMs,
      out.valuesPtr,
      out.presentPtr,
    );
  }

  /** Applies a window function to one series. Some need scratch for a window's values: taken from `scratch` and given back. */
  window(
    name: WindowFunctionName,
    columns: Columns,
    steps: Steps,
    rangeMs: number,
    out: Row,
    more: WindowArguments = {},
    scratch: Scratch = this.scratch,
  ): void {
    const mark = scratch.mark();
    const scratchPtr = needsScratch(name) ? scratch.allocate(columns.count * 16 + slackBytes) : 0;
    this.exports.window(
      windowFunction[name],
      columns.tsPtr,
      columns.vsPtr,
      columns.count,
      steps.startMs,
      steps.stepMs,
      steps.count,
      rangeMs,
      out.valuesPtr,
      out.presentPtr,
      more.argPtr ?? 0,
      more.offsetMs ?? 0,
      scratchPtr,
    );
    if (scratchPtr !== 0) scratch.release(mark);
  }

  /**
   * The newest sample in (t − lookback, t] at each step, absent if it is a staleness marker (columns **with** markers). `sampleTimesPtr`, if not 0, gets the samples'
   * own times as f64 milliseconds. Returns the number of steps present.
   */
  selectInstant(columns: Columns, steps: Steps, lookbackMs: number, out: Row, sampleTimesPtr = 0): number {
    return this.exports.selectInstant(
      columns.tsPtr,
      columns.vsPtr,
      columns.count,
      steps.startMs,
      steps.stepMs,
      steps.count,
      lookbackMs,
      out.valuesPtr,
      out.presentPtr,
      sampleTimesPtr,
    );
  }

  /** Upstream's quantile of `count` values at `valuesPtr`, which are **sorted in place** (NaN first). NaN if there is none. */
  quantile(q: number, valuesPtr: number, count: number): number {
    return this.exports.quantile(q, valuesPtr, count);
  }

  /** Prepares the states of an aggregation's group: `steps` × `aggregateStateBytes` at `statePtr`, 8-byte aligned. */
  aggregateBegin(name: RowAggregationName, statePtr: number, steps: number): void {
    this.exports.aggregateBegin(rowAggregation[name], statePtr, steps);
  }

  /** Feeds one series to a group. */
  aggregateAdd(name: RowAggregationName, statePtr: number, row: Row, steps: number): void {
    this.exports.aggregateAdd(rowAggregation[name], statePtr, row.valuesPtr, row.presentPtr, steps);
  }

  /** Writes a group's result; returns the number of steps present. */
  aggregateFinish(name: RowAggregationName, statePtr: number, out: Row, steps: number): number {
    return this.exports.aggregateFinish(rowAggregation[name], statePtr, out.valuesPtr, out.presentPtr, steps);
  }

  /** `left operator right` step by step; a step is present if both are (and a filtering comparison holds). `out` may be `left` or `right`. Returns the steps present. */
  binaryRows(
    name: RowOperatorName,
    left: Row,
    right: Row,
    out: Row,
    steps: number,
    options: BinaryRowsOptions = {},
  ): number {
    return this.exports.binaryRows(
      rowOperator[name],
      left.valuesPtr,
      left.presentPtr,
      right.valuesPtr,
      right.presentPtr,
      out.valuesPtr,
      out.presentPtr,
      steps,
      options.returnBool === true ? 1 : 0,
      options.keepRight === true ? 1 : 0,
    );
  }

  /**
   * Writes the present values of a row as JSON, `<time><number>"]` with commas between, each number as `formatValue` does. `times`
   * has each step's text (`[1.5,"`, at most 32 bytes) between two of the u32 offsets at `timeOffsetsPtr`. Needs room for 72 bytes per step at `outPtr`.
   * Returns the bytes written, or -1 when a number is too small for the tables (below 1e-290) and nothing must be used of what was written.
   */
  formatRow(row: Row, steps: number, timesPtr: number, timeOffsetsPtr: number, outPtr: number): number {
    const { valuesPtr, presentPtr } = row;
    const written = this.exports.formatRow(valuesPtr, presentPtr, steps, timesPtr, timeOffsetsPtr, outPtr);
    return Math.max(written, -1);
  }

  /** CRC-32C (Castagnoli) of a region, continued from `seed` (the checksum of what came before; 0 at the start). */
  crc32c(ptr: number, bytes: number, seed = 0): number {
    return this.exports.crc32c(ptr, bytes, seed) >>> 0;
  }

  /** A 32-bit hash of a region, for tables in this memory; the same in every thread, not stable across versions. */
  hash32(ptr: number, bytes: number): number {
    return this.exports.hash32(ptr, bytes) >>> 0;
  }

  /** xxHash64, seed 0: what upstream hashes labels with. */
  hash64(ptr: number, bytes: number): bigint {
    return BigInt.asUintN(64, this.exports.hash64(ptr, bytes));
  }
}

/** A table of `fileChunk`s. */
export interface FileChunks {
  readonly ptr: number;
  readonly count: number;
}

/** More than a chunk of so many floats ever takes, and what encoding it needs beside. */
export function chunkBytesMax(count: number): number {
  return 64 + 29 * count;
}

/** Stands for `selectInstant` where a run asks for a window function. */
const selectInstantId = 2 ** 32 - 1;

const noFileChunks: FileChunks = { ptr: 0, count: 0 };
const damagedSeries = -(2 ** 31);
/** Results of `decodeSeries`. */
export const seriesNotLoaded = -2_147_483_647;
export const seriesFileDamaged = -2_147_483_646;

function needsScratch(name: WindowFunctionName): boolean {
  return name === "quantile_over_time" || name === "mad_over_time";
}

/** Called by AssemblyScript's runtime, which the kernel's code never reaches. */
function abort(): never {
  throw new Error("assertion failed in kernel.wasm");
}

/** Where bytes lie that are in the shared memory. */
export function sharedPtr(kernel: Kernel, bytes: Uint8Array): number {
  assert(bytes.buffer === kernel.views.u8.buffer, "the bytes are in the shared memory");
  return bytes.byteOffset;
}
