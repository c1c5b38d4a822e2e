import { type Clock, errorMessage, type Logger } from "../../base/index.ts";
import {
  headChunkPlaceOf,
  headChunkRecordBytesMax,
  type Kernel,
  MemoryFullError,
} from "../../kernel/index.ts";
import { encodeHeadChunkRecord, type HeadChunks, outOfOrderMask } from "../head-chunks/index.ts";
import type { ChunkMarker } from "../wal/marker-record.ts";
import { chunkData, chunkRun, setMarked } from "./chunks.ts";
import type { OutOfOrderHead } from "./head.ts";

export interface OutOfOrderMapperOptions {
  kernel: Kernel;
  clock: Clock;
  logger: Logger;
  head: OutOfOrderHead;
  files: Pick<HeadChunks, "writer">;
}

/** A chunk on its way to a file. */
interface Outgoing {
  readonly ref: number;
  readonly ptr: number;
  readonly record: Uint8Array;
}

/** A marker that the log does not have yet. */
export interface PendingMarker extends ChunkMarker {
  /** The chunk. */
  readonly ptr: number;
}

/** Bytes of one write, unless a record alone is longer. */
const bytesPerWrite = 256 * 1024;
const retryMs = 5000;

/** Closes lists of samples that came out of order, and moves their chunks to the files of `chunks_head`. Main thread only. */
export class OutOfOrderMapper {
  chunksMapped = 0;
  writesFailed = 0;
  readonly #options: OutOfOrderMapperOptions;
  #retryAtMs = -Infinity;
  #isFailing = false;

  constructor(options: OutOfOrderMapperOptions) {
    this.#options = options;
  }

  /** Closes the lists of the series, and moves all chunks they have to files, as far as memory and disk allow. */
  move(refs: readonly number[]): void {
    for (const batch of batches(refs.flatMap((ref) => this.#close(ref)))) this.#write(batch);
  }

  /**
   * As `move`. Returns what the log is to say before it has another sample of these series: of those of which all is in files now. `noteLogged` must follow in the same
   * turn, once it says so.
   */
  cut(refs: readonly number[]): PendingMarker[] {
    const { kernel, head } = this.#options;
    this.move(refs);
    return refs.flatMap((ref) =>
      (head.unmarked(ref) ?? []).map((ptr) => ({ ref, ptr, ...headChunkPlaceOf(kernel.views, ptr) })),
    );
  }

  noteLogged(markers: readonly PendingMarker[]): void {
    for (const { ptr } of markers) setMarked(this.#options.kernel.views, ptr);
  }

  /** The chunks that the series has in memory, its list among them, and that a file can take. */
  #close(ref: number): Outgoing[] {
    const { kernel, head } = this.#options;
    try {
      head.close(ref);
    } catch (error) {
      if (!(error instanceof MemoryFullError)) throw error;
      return [];
    }
    const outgoing = head.inMemory(ref).map((ptr) => {
      const run = chunkRun(kernel.views, ptr);
      const header = { ...run, ref, encoding: run.encoding | outOfOrderMask };
      return { ref, ptr, record: encodeHeadChunkRecord(kernel, header, chunkData(kernel.views, ptr)) };
    });
    return outgoing.filter(({ record }) => record.length <= headChunkRecordBytesMax);
  }

  /** One write, of which all is in the file or nothing. */
  #write(batch: readonly Outgoing[]): void {
    const { clock, logger, head, files } = this.#options;
    const { writer } = files;
    if (writer === undefined || clock.monotonicMs() < this.#retryAtMs) return;
    const records = Buffer.concat(batch.map(({ record }) => record));
    try {
      const { file, offset: start } = writer.place(records.length);
      writer.write(records, -Infinity);
      let offset = start;
      for (const { ref, ptr, record } of batch) {
        head.moveToFile(ref, ptr, { file, offset }, record.length);
        this.chunksMapped++;
        offset += record.length;
      }
      if (this.#isFailing) logger.info("chunks of samples out of order can be written again");
      this.#isFailing = false;
    } catch (error) {
      this.writesFailed++;
      this.#retryAtMs = clock.monotonicMs() + retryMs;
      if (!this.#isFailing)
        logger.warn("chunks of samples out of order cannot be written and stay in memory", {
          err: errorMessage(error),
        });
      this.#isFailing = true;
    }
  }
}

function* batches(outgoing: readonly Outgoing[]): Generator<Outgoing[]> {
  let batch: Outgoing[] = [];
  let bytes = 0;
  for (const each of outgoing) {
    if (batch.length > 0 && bytes + each.record.length > bytesPerWrite) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(each);
    bytes += each.record.length;
  }
  if (batch.length > 0) yield batch;
}
