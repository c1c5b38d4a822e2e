import { type Clock, errorMessage, type Logger } from "../../base/index.ts";
import { type ByteBuffer, type Kernel, writeTableBytes } from "../../kernel/index.ts";
import type { Head } from "../head/head.ts";
import type { HeadChunkWriter } from "./writer.ts";

export interface ChunkMapperOptions {
  head: Head;
  clock: Clock;
  logger: Logger;
}

/** Chunks and bytes of one write, a millisecond's work; larger records go alone. */
const chunksPerWrite = 1024;
const bytesPerWrite = 256 * 1024;
const bufferBytesMax = 8 * 1024 * 1024;
/** With so many series waiting, work begins at once; else with the next call of `run`. */
const promptSeries = 512;
const retryMs = 5000;

/**
 * Moves closed chunks from the memory to the files of `chunks_head`, where upstream maps them into memory: a write at a time, between which the event
 * loop turns. What cannot be written stays in memory and is tried again. Main thread only; its owner must `close` it.
 */
export class ChunkMapper {
  chunksMapped = 0;
  writesFailed = 0;
  readonly #options: ChunkMapperOptions;
  readonly #kernel: Kernel;
  #writer: HeadChunkWriter | undefined;
  readonly #buffer: ByteBuffer;
  readonly #table: ByteBuffer;
  #immediate: NodeJS.Immediate | undefined;
  #retryAtMs = -Infinity;
  #isFailing = false;

  constructor(options: ChunkMapperOptions) {
    this.#options = options;
    this.#kernel = options.head.kernel;
    this.#buffer = this.#kernel.createByteBuffer(bufferBytesMax);
    this.#table = this.#kernel.createByteBuffer(writeTableBytes(chunksPerWrite));
  }

  /** From now on chunks are written: what the head calls a series, the WAL does, too. */
  begin(writer: HeadChunkWriter): void {
    this.#writer = writer;
  }

  /** Series that have closed chunks in memory. */
  get seriesWaiting(): number {
    return this.#kernel.headChunks.seriesWaiting;
  }

  /** To be called after commits: makes one write at once, so that what a commit has closed leaves room for what the next one opens. */
  notice(): void {
    if (this.seriesWaiting >= promptSeries && this.#mapSome()) this.run();
  }

  /** Begins to move what waits; to be called now and then. */
  run(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      if (this.#mapSome()) this.run();
    });
  }

  /** Moves all that waits, if the disk takes it. */
  close(): void {
    clearImmediate(this.#immediate);
    while (this.#mapSome()) {}
    this.#buffer.close();
    this.#table.close();
  }

  /** Whether there is more to do at once. */
  #mapSome(): boolean {
    const { clock, head } = this.#options;
    if (this.#writer === undefined || this.seriesWaiting === 0) return false;
    // A record must not name a series that the WAL does not know: its ref could be another's after a restart.
    if (head.unlogged.length > 0 || clock.monotonicMs() < this.#retryAtMs) return false;
    try {
      const chunks = this.#write(this.#writer, 0);
      this.chunksMapped += chunks;
      this.#kernel.arena.reclaim();
      if (this.#isFailing) this.#options.logger.info("head chunks can be written again");
      this.#isFailing = false;
      return chunks > 0;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** One write of records of which the first has `bytesMin`; returns how many, 0 when nothing can go. Throws the disk's error and MemoryFullError. */
  #write(writer: HeadChunkWriter, bytesMin: number): number {
    const kernel = this.#kernel;
    const { file, offset, roomBytes } = writer.place(Math.max(bytesMin, 1));
    const capacity = Math.min(Math.max(bytesPerWrite, bytesMin), roomBytes);
    const buffer = this.#buffer.reserve(Math.max(bytesPerWrite, bytesMin));
    const table = this.#table.reserve(writeTableBytes(chunksPerWrite));
    const place = { file, offset };
    const encoded = kernel.headChunks.encodeClosed(buffer, capacity, table, chunksPerWrite, place);
    const { chunks, bytes, neededBytes, maxTimestampMs } = encoded;
    let isWritten = false;
    try {
      if (chunks > 0) writer.write(kernel.views.u8.subarray(buffer, buffer + bytes), maxTimestampMs);
      isWritten = true;
    } finally {
      kernel.headChunks.finish(table, isWritten);
    }
    // Without a chunk, it was too large for the buffer or the file, or there was no memory for its head.
    return chunks === 0 && neededBytes > capacity ? this.#write(writer, neededBytes) : chunks;
  }

  #failed(error: unknown): void {
    const { clock, logger } = this.#options;
    this.writesFailed++;
    this.#retryAtMs = clock.monotonicMs() + retryMs;
    if (!this.#isFailing)
      logger.warn("head chunks cannot be written and stay in memory", { err: errorMessage(error) });
    this.#isFailing = true;
  }
}
