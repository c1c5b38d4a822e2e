import { type Clock, type Disk, errorMessage, type Logger } from "../../base/index.ts";
import type { Head } from "../head/head.ts";
import { setAside, setAsideDirectory } from "../set-aside.ts";
import { earlierQueriesEnded } from "../shared-blocks.ts";
import { headChunksRemoved } from "./files.ts";
import { headChunksDirectory } from "./format.ts";
import { type LoadedHeadChunks, loadHeadChunks, type LoadOptions } from "./load.ts";
import { ChunkMapper } from "./mapper.ts";
import { HeadChunkWriter, type WrittenFile } from "./writer.ts";

export interface HeadChunksParts {
  readonly head: Head;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The data directory. */
  readonly directory: string;
}

/** The files of a head's chunks, from their loading on. Owns what moves chunks to them; main thread only, and who made it must `close` it. */
export class HeadChunks {
  readonly mapper: ChunkMapper;
  /** Damaged places that were found. */
  corruptions = 0;
  readonly #parts: HeadChunksParts;
  #writer: HeadChunkWriter | undefined;
  #isClosed = false;

  constructor(parts: HeadChunksParts) {
    this.#parts = parts;
    this.mapper = new ChunkMapper(parts);
  }

  /** Bytes of the files that are written or were taken over. */
  get sizeBytes(): number {
    return this.#writer?.sizeBytes ?? 0;
  }

  /** Undefined until chunks are mapped. */
  get writer(): HeadChunkWriter | undefined {
    return this.#writer;
  }

  /** Reads what is there. The caller must close it. Rejects with the disk's error, and with `canceled`. */
  async load(
    options: Pick<LoadOptions, "minValidTimeMs" | "hasSeries" | "isCancelled">,
  ): Promise<LoadedHeadChunks> {
    const { head, disk, logger, directory } = this.#parts;
    const loaded = await loadHeadChunks({
      ...options,
      kernel: head.kernel,
      disk,
      logger,
      directory: headChunksDirectory(directory),
      setAsideDirectory: setAsideDirectory(directory),
    });
    this.corruptions = loaded.corruptions;
    head.coverTimes(Math.max(loaded.attachedMinMs, options.minValidTimeMs), loaded.attachedMaxMs);
    return loaded;
  }

  /** Moves the files out of the way, before chunks are mapped. Throws the disk's error. */
  setAside(): void {
    const { disk, directory } = this.#parts;
    const chunks = headChunksDirectory(directory);
    if (disk.stat(chunks) !== undefined) setAside(disk, chunks, setAsideDirectory(directory));
  }

  /** From now on chunks that are full leave the memory, for files behind those given. */
  beginMapping(files: readonly WrittenFile[]): void {
    if (this.#writer !== undefined) return;
    const { head, disk, logger, directory } = this.#parts;
    this.#writer = new HeadChunkWriter({
      disk,
      logger,
      directory: headChunksDirectory(directory),
      files,
      onRemoved: (first) => headChunksRemoved(head.kernel, first),
    });
    this.mapper.begin(this.#writer);
  }

  /**
   * Removes files whose chunks all end before `minTimeMs`, or came out of order, and are out of the head, as soon as no query can have one of them any more. What cannot be
   * removed stays until the next time.
   */
  async removeBefore(minTimeMs: number): Promise<void> {
    const { head, clock, logger } = this.#parts;
    const writer = this.#writer;
    if (writer === undefined) return;
    try {
      writer.finishFile();
      if (!writer.hasBefore(minTimeMs, head.outOfOrder.firstFile())) return;
      await earlierQueriesEnded(head.kernel, clock);
      if (!this.#isClosed) await writer.removeBefore(minTimeMs, () => head.outOfOrder.firstFile());
    } catch (error) {
      logger.warn("old head chunks cannot be removed", { err: errorMessage(error) });
    }
  }

  /** Moves all chunks that are full to the files, if the disk takes them, and closes those. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.mapper.close();
    await this.#writer?.close();
  }
}
