import { assert, type Disk } from "../../base/index.ts";
import {
  blockChunk,
  type BlockRunCopy,
  blockSeries,
  type ByteBuffer,
  chunkBytesMax,
  type FloatEncoding,
  type Kernel,
  layout,
  type Scratch,
} from "../../kernel/index.ts";
import { type CounterReset, withoutResets } from "../../model/index.ts";
import { noStarts, type StartTimestamps, type StoredHistogram } from "../../storage/index.ts";
import { HistogramChunk } from "../chunk/histogram-chunk.ts";
import { histogramEncoding } from "../chunk/histogram-encoding.ts";
import type { ColumnSlice } from "./columns.ts";
import type { ChunkWindow } from "./chunk-window.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { creationSuffix } from "./directory.ts";
import { FileWriter } from "./file-writer.ts";
import type { IndexSymbols } from "./index-symbols.ts";
import { IndexWriter } from "./index-writer.ts";
import { type BlockCompaction, type BlockMeta, type BlockStats, encodeMeta } from "./meta.ts";
import { encodeTombstones, Tombstones } from "./tombstones.ts";

/** Samples of a chunk that is encoded anew, as upstream's. */
export const samplesPerChunk = 120;
const encodeBytesMax = chunkBytesMax(samplesPerChunk);
/** Bounds the chunks of one series. */
const chunkTableBytesMax = 256 * 1024 * 1024;

export interface BlockTarget {
  readonly kernel: Kernel;
  readonly disk: Disk;
  /** Where the block's directory is created. */
  readonly dataDirectory: string;
  readonly ulid: string;
  /** Default 512 MiB. */
  readonly segmentBytesMax?: number;
  /** Hears of each chunk that is written. */
  readonly onChunk?: (samples: number, dataBytes: number, rangeMs: number) => void;
}

/**
 * Writes a new block, series by series in the order of their labels: first a series' chunks, then `endSeries`. The block appears under its name when
 * `finish` has returned, whole and on the medium; until then it is `<ULID>.tmp-for-creation`. Owned by who made it, who must
 * `finish` or `abandon` it.
 */
export class BlockWriter {
  readonly symbols: IndexSymbols;
  readonly #index: IndexWriter;
  readonly #target: BlockTarget;
  readonly #directory: string;
  readonly #chunks: ChunkWriter;
  readonly #encodePtr: number;
  readonly #startsPtr: number;
  readonly #encodeMemory: Scratch;
  /** The chunks of the series that is being written: `blockChunk`. */
  readonly #pending: ByteBuffer;
  readonly stats: BlockStats = {
    numSamples: 0,
    numFloatSamples: 0,
    numHistogramSamples: 0,
    numSeries: 0,
    numChunks: 0,
    numTombstones: 0,
  };

  /** All labels of the block are among the symbols. Throws the disk's error. */
  constructor(target: BlockTarget, symbols: IndexSymbols) {
    const { kernel, disk, dataDirectory, ulid, segmentBytesMax } = target;
    this.#target = target;
    this.symbols = symbols;
    this.#directory = `${dataDirectory}/${ulid}${creationSuffix}`;
    this.#chunks = new ChunkWriter(kernel, disk, `${this.#directory}/chunks`, segmentBytesMax);
    this.#encodeMemory = kernel.createScratch();
    this.#encodePtr = this.#encodeMemory.allocate(encodeBytesMax);
    this.#startsPtr = this.#encodeMemory.allocate(8 * samplesPerChunk);
    this.#pending = kernel.createByteBuffer(chunkTableBytesMax);
    try {
      disk.remove(this.#directory);
      disk.makeDirectory(`${this.#directory}/chunks`);
      this.#index = new IndexWriter(kernel, disk, `${this.#directory}/index`, symbols);
    } catch (error) {
      this.#close();
      disk.remove(this.#directory);
      throw error;
    }
  }

  /** Takes over the chunk that `window` found last and verified, byte by byte. */
  addChunk(window: ChunkWindow, minTimestampMs: number, maxTimestampMs: number): void {
    const ref = this.#chunks.addFramed(window.framed);
    const kind = window.codec?.kind ?? "float";
    this.#addPending(ref, minTimestampMs, maxTimestampMs, window.sampleCount, window.dataBytes, kind);
  }

  /** Takes over a chunk of floats, `bytes` at `dataPtr` in the shared memory with its count in front, byte by byte. */
  addFloatChunk(
    encoding: FloatEncoding,
    dataPtr: number,
    bytes: number,
    minTimestampMs: number,
    maxTimestampMs: number,
  ): void {
    const { kernel } = this.#target;
    const ref = this.#chunks.addData(encoding, dataPtr, bytes);
    const samples = kernel.chunkSampleCount(dataPtr);
    this.#addPending(ref, minTimestampMs, maxTimestampMs, samples, bytes, "float");
  }

  /** Where `copy` puts the next chunks. Throws the disk's error. */
  makeRoom(copy: BlockRunCopy): void {
    const { ref, bytes } = this.#chunks.room();
    copy.setRoom(ref, bytes);
  }

  /** Adds the series that were copied, whose labels are `labelsOf`, as `endSeries` has them. */
  addCopied(copy: BlockRunCopy, labelsOf: (series: number) => ArrayLike<number>): void {
    const run = copy.run(labelsOf);
    this.#chunks.addFramed(copy.data);
    this.#index.add(run);
    const { u32, f64 } = this.#target.kernel.views;
    const { onChunk } = this.#target;
    const { stats } = this;
    for (let i = 0; i < run.count; i++)
      if (u32[(run.seriesPtr + i * blockSeries.bytes + blockSeries.chunks) >>> 2] !== 0) stats.numSeries++;
    for (let i = 0; i < run.chunks; i++) {
      const chunk = run.chunksPtr + i * blockChunk.bytes;
      const samples = u32[(chunk + blockChunk.samples) >>> 2]!;
      stats.numSamples += samples;
      stats.numFloatSamples += samples;
      if (onChunk === undefined) continue;
      const rangeMs = f64[(chunk + blockChunk.maxTimestampMs) / 8]! - f64[chunk / 8]!;
      onChunk(samples, u32[(chunk + blockChunk.dataBytes) >>> 2]!, rangeMs);
    }
    stats.numChunks += run.chunks;
  }

  /** Whether the series that is being written has chunks. */
  get hasChunks(): boolean {
    return this.#pending.bytes > 0;
  }

  /**
   * Encodes samples, which follow those of the series so far, as chunks of 120: as `encoding` says, by default that of the head's new chunks, and as XOR2 where one of them is
   * known to count since some time.
   */
  addSamples(
    { timestamps, values, count }: ColumnSlice,
    starts: StartTimestamps = noStarts,
    encoding: FloatEncoding = this.#target.kernel.floatEncoding,
  ): void {
    for (let start = 0; start < count; start += samplesPerChunk) {
      const samples = Math.min(samplesPerChunk, count - start);
      const slice = { timestamps: timestamps + 8 * start, values: values + 8 * start, count: samples };
      this.#addFloats(slice, starts, encoding);
    }
  }

  #addFloats(
    { timestamps, values, count }: ColumnSlice,
    starts: StartTimestamps,
    plain: FloatEncoding,
  ): void {
    const { kernel } = this.#target;
    const { f64 } = kernel.views;
    const times = f64.subarray(timestamps / 8, timestamps / 8 + count);
    const isStarted = starts.size > 0 && times.some((timestampMs) => starts.has(timestampMs));
    const encoding = isStarted ? layout.chunkEncodingXor2 : plain;
    const startsPtr = isStarted ? this.#startsPtr : 0;
    if (isStarted) times.forEach((timestampMs, i) => (f64[startsPtr / 8 + i] = starts.get(timestampMs) ?? 0));
    const columns = { tsPtr: timestamps, vsPtr: values, count };
    const bytes = kernel.encodeChunk(encoding, columns, this.#encodePtr, encodeBytesMax, startsPtr);
    assert(bytes > 0, "120 samples fit a chunk");
    this.addFloatChunk(encoding, this.#encodePtr, bytes, times[0]!, times.at(-1)!);
  }

  /** Encodes native histograms, which follow the samples of the series so far, as chunks of at most 120. */
  addHistograms(samples: readonly StoredHistogram[]): void {
    let chunk: HistogramChunk | undefined;
    let first = 0;
    const keepsStarts = samples.some(({ startTimestampMs }) => startTimestampMs !== 0);
    samples.forEach(({ kind, timestampMs, histogram, startTimestampMs }, i) => {
      const encoding = histogramEncoding(kind, keepsStarts);
      const plain = withoutResets(histogram);
      let header: CounterReset = "unknown";
      if (chunk?.encoding === encoding) {
        if (chunk.sampleCount === samplesPerChunk) header = chunk.headerAfter(plain);
        else {
          const outcome = chunk.append(timestampMs, plain, startTimestampMs);
          if (typeof outcome === "string") return;
          header = outcome.nextHeader;
        }
      }
      if (chunk !== undefined) this.#addHistogramChunk(chunk, samples.slice(first, i));
      first = i;
      chunk = new HistogramChunk(encoding, header);
      const outcome = chunk.append(timestampMs, plain, startTimestampMs);
      assert(typeof outcome === "string", "an empty chunk takes any histogram");
    });
    if (chunk !== undefined) this.#addHistogramChunk(chunk, samples.slice(first));
  }

  /**
   * Ends a series whose labels are `labels`: symbols of name, value, name, value …, sorted by name. Without chunks there is no series. Throws
   * `bad_data` when it does not come after the one before.
   */
  endSeries(labels: Uint32Array): void {
    const pending = this.#pending;
    const chunks = pending.bytes / blockChunk.bytes;
    if (chunks === 0) return;
    const { scratch, views } = this.#target.kernel;
    const words = labels.length;
    const mark = scratch.mark();
    try {
      const seriesPtr = scratch.allocate(blockSeries.bytes);
      const wordsPtr = scratch.allocate(4 * words);
      views.u32[(seriesPtr + blockSeries.words) >>> 2] = words;
      views.u32[(seriesPtr + blockSeries.chunks) >>> 2] = chunks;
      views.u32.set(labels, wordsPtr >>> 2);
      this.#index.add({ seriesPtr, count: 1, wordsPtr, words, chunksPtr: pending.ptr, chunks });
    } finally {
      scratch.release(mark);
    }
    this.stats.numSeries++;
    this.stats.numChunks += chunks;
    pending.clear();
  }

  /**
   * Completes the block, or abandons it when it has no series; then there is none. Throws the disk's error, and has abandoned it then too.
   */
  finish(minTime: number, maxTime: number, compaction: BlockCompaction): BlockMeta | undefined {
    const { kernel, disk, dataDirectory, ulid } = this.#target;
    assert(!this.hasChunks, "the last series was ended");
    if (this.stats.numSeries === 0) {
      this.abandon();
      return undefined;
    }
    const meta: BlockMeta = { ulid, minTime, maxTime, stats: this.stats, compaction, version: 1 };
    try {
      this.#chunks.finish();
      this.#index.finish();
      this.#writeFile("tombstones", encodeTombstones(kernel, new Tombstones()));
      this.#writeFile("meta.json", Buffer.from(encodeMeta(meta)));
      disk.syncDirectory(`${this.#directory}/chunks`);
      disk.syncDirectory(this.#directory);
      disk.rename(this.#directory, `${dataDirectory}/${ulid}`);
    } catch (error) {
      this.abandon();
      throw error;
    }
    this.#close();
    disk.syncDirectory(dataDirectory);
    return meta;
  }

  /** Leaves nothing behind. */
  abandon(): void {
    this.#chunks.abandon();
    this.#index.abandon();
    this.#close();
    this.#target.disk.remove(this.#directory);
  }

  #addHistogramChunk(chunk: HistogramChunk, samples: readonly StoredHistogram[]): void {
    const { scratch, views } = this.#target.kernel;
    const data = chunk.bytes();
    const mark = scratch.mark();
    try {
      const ptr = scratch.allocate(data.length);
      views.u8.set(data, ptr);
      const ref = this.#chunks.addData(chunk.encoding, ptr, data.length);
      const { timestampMs } = samples[0]!;
      this.#addPending(
        ref,
        timestampMs,
        samples.at(-1)!.timestampMs,
        samples.length,
        data.length,
        "histogram",
      );
    } finally {
      scratch.release(mark);
    }
  }

  #addPending(
    ref: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    samples: number,
    dataBytes: number,
    kind: "float" | "histogram",
  ): void {
    const { f64 } = this.#target.kernel.views;
    const pending = this.#pending;
    const at = pending.bytes;
    const chunk = pending.reserve(at + blockChunk.bytes) + at;
    pending.setLength(at + blockChunk.bytes);
    f64[(chunk + blockChunk.minTimestampMs) / 8] = minTimestampMs;
    f64[(chunk + blockChunk.maxTimestampMs) / 8] = maxTimestampMs;
    f64[(chunk + blockChunk.ref) / 8] = ref;
    this.stats.numSamples += samples;
    if (kind === "float") this.stats.numFloatSamples += samples;
    else this.stats.numHistogramSamples += samples;
    this.#target.onChunk?.(samples, dataBytes, maxTimestampMs - minTimestampMs);
  }

  #close(): void {
    this.#encodeMemory.reset();
    this.#pending.close();
  }

  #writeFile(name: string, bytes: Uint8Array): void {
    const file = new FileWriter(this.#target.disk, `${this.#directory}/${name}`);
    try {
      file.write(bytes);
      file.finish();
    } catch (error) {
      file.abandon();
      throw error;
    }
  }
}
