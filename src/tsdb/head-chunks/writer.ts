import { type Disk, errorMessage, type Logger } from "../../base/index.ts";
import type { HeadChunkPlace } from "../../kernel/index.ts";
import {
  headChunksFileBytesMax,
  headChunksFileName,
  headChunksHeaderBytes,
  headChunksMagic,
  headChunksVersion,
} from "./format.ts";

/** What is known of a file of head chunks. */
export interface WrittenFile {
  readonly number: number;
  readonly path: string;
  sizeBytes: number;
  /** Time of the newest sample that came in order, -Infinity when it has none. */
  maxTimestampMs: number;
}

export interface HeadChunkWriterOptions {
  disk: Disk;
  logger: Logger;
  directory: string;
  /** The files that are there, by number. */
  files: readonly WrittenFile[];
  /** Hears of the lowest number that there is after files were removed. */
  onRemoved?: (first: number) => void;
}

/**
 * Appends records of any encoding to the newest file of `chunks_head`: they are in the file when `write` returns, and on the medium when the file was
 * finished. A new process begins a new file. A failed write leaves no trace: the file is cut back to its last good byte before anything else is written.
 * Main thread only; owned by who made it, who must `close` it.
 */
export class HeadChunkWriter {
  readonly #options: HeadChunkWriterOptions;
  readonly #files: WrittenFile[];
  /** The file that is written to, the last of `#files`; -1 while there is none. */
  #fd = -1;
  #isTorn = false;
  /** The last file that was removed: numbers are not used twice. */
  #lastRemoved = 0;
  /** Files on their way to the medium, and from it. */
  readonly #pending = new Set<Promise<void>>();

  constructor(options: HeadChunkWriterOptions) {
    this.#options = options;
    this.#files = [...options.files];
  }

  /** Bytes of all files. */
  get sizeBytes(): number {
    return this.#files.reduce((sum, file) => sum + file.sizeBytes, 0);
  }

  /** Where the next record goes if it has `bytes`, with the room that is left there; a new file is begun when they do not fit. Throws the disk's error. */
  place(bytes: number): HeadChunkPlace & { roomBytes: number } {
    if (this.#fd === -1 || this.#current.sizeBytes + bytes > headChunksFileBytesMax) this.#next();
    const { number, sizeBytes } = this.#current;
    return { file: number, offset: sizeBytes, roomBytes: headChunksFileBytesMax - sizeBytes };
  }

  /** Appends records at the place that was told; `maxTimestampMs` is the time of the newest sample that came in order. Throws the disk's error; then nothing was written. */
  write(records: Uint8Array, maxTimestampMs: number): void {
    const { disk } = this.#options;
    const current = this.#current;
    if (this.#isTorn) disk.truncate(this.#fd, current.sizeBytes);
    this.#isTorn = true;
    disk.write(this.#fd, records, current.sizeBytes);
    this.#isTorn = false;
    current.sizeBytes += records.length;
    current.maxTimestampMs = Math.max(current.maxTimestampMs, maxTimestampMs);
  }

  /** Whether `removeBefore` would end or remove a file. */
  hasBefore(minTimestampMs: number, firstFile: number): boolean {
    return this.#isBefore(this.#files[0], minTimestampMs, firstFile);
  }

  /**
   * Removes the files before the first that has a sample of `minTimestampMs` or later in order, or the number that `firstFile` tells, which is asked before each: chunks are
   * written meanwhile. No reader may have one of their chunks any more. Rejects with the disk's error; then fewer were removed.
   */
  removeBefore(minTimestampMs: number, firstFile: () => number): Promise<void> {
    const removing = this.#removeBefore(minTimestampMs, firstFile);
    const pending = removing.catch(() => {}).finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
    return removing;
  }

  async #removeBefore(minTimestampMs: number, firstFile: () => number): Promise<void> {
    const { disk, directory, onRemoved } = this.#options;
    // A file between others must not go: upstream takes a gap for damage.
    for (
      let file = this.#files[0];
      this.#isBefore(file, minTimestampMs, firstFile());
      file = this.#files[0]
    ) {
      if (this.#files.length === 1 && this.#fd !== -1) this.#finish();
      await disk.removeLater(file.path);
      // Another call may have come first.
      if (file !== this.#files[0]) continue;
      this.#files.shift();
      this.#lastRemoved = file.number;
    }
    onRemoved?.(this.#lastRemoved + 1);
    await disk.syncDirectoryLater(directory);
  }

  /** Ends the present file, so that it can go when what it has so far is old. */
  finishFile(): void {
    if (this.#fd !== -1 && this.#current.sizeBytes > headChunksHeaderBytes) this.#finish();
  }

  /** Resolves when all that was written is on the medium, and what was being removed is gone. */
  async close(): Promise<void> {
    if (this.#fd !== -1) this.#finish();
    await Promise.all(this.#pending);
  }

  #isBefore(file: WrittenFile | undefined, minTimestampMs: number, firstFile: number): file is WrittenFile {
    return file !== undefined && file.maxTimestampMs < minTimestampMs && file.number < firstFile;
  }

  get #current(): WrittenFile {
    return this.#files.at(-1)!;
  }

  #next(): void {
    const { disk, directory } = this.#options;
    const number = (this.#files.at(-1)?.number ?? this.#lastRemoved) + 1;
    const path = `${directory}/${headChunksFileName(number)}`;
    const header = Buffer.alloc(headChunksHeaderBytes);
    header.writeUInt32BE(headChunksMagic);
    header[4] = headChunksVersion;
    disk.makeDirectory(directory);
    // "w": a file of that number can only be what an earlier attempt left when it failed.
    const fd = disk.open(path, "w");
    try {
      disk.write(fd, header, 0);
    } catch (error) {
      disk.close(fd);
      throw error;
    }
    if (this.#fd !== -1) this.#finish();
    this.#fd = fd;
    this.#isTorn = false;
    this.#files.push({ number, path, sizeBytes: headChunksHeaderBytes, maxTimestampMs: -Infinity });
  }

  /** Syncs and closes the present file while others go on; what it holds is in the WAL, too, so a failure costs nothing yet. */
  #finish(): void {
    const { disk, directory, logger } = this.#options;
    const fd = this.#fd;
    const { path } = this.#current;
    if (this.#isTorn) this.#cutBack(fd);
    this.#fd = -1;
    const finishing = disk
      .sync(fd)
      .finally(() => disk.close(fd))
      .then(() => disk.syncDirectoryLater(directory))
      .catch((error: unknown) =>
        logger.warn("file of head chunks cannot be synced", { path, err: errorMessage(error) }),
      )
      .finally(() => this.#pending.delete(finishing));
    this.#pending.add(finishing);
  }

  #cutBack(fd: number): void {
    const { disk, logger } = this.#options;
    try {
      disk.truncate(fd, this.#current.sizeBytes);
    } catch (error) {
      // The next start cuts it, and takes what comes after from the WAL.
      logger.warn("torn file of head chunks cannot be cut", {
        path: this.#current.path,
        err: errorMessage(error),
      });
    }
  }
}
