import type { Disk } from "../../base/index.ts";
import { type Kernel, layout } from "../../kernel/index.ts";
import { BlockDamagedError, BlockUnreadableError } from "../block/damage.ts";
import { publishedDataDirectory } from "../shared-blocks.ts";
import { headChunksDirectory, headChunksFileName } from "./format.ts";

const firstFileIndex = layout.headWord.headChunksFirstFile >>> 2;

/** Tells all threads that files before `first` are gone. */
export function headChunksRemoved({ views }: Kernel, first: number): void {
  Atomics.store(views.u32, firstFileIndex, first);
}

/** The files of head chunks as one thread has them open to read; its owner must `close` them. */
export class HeadChunkFiles {
  readonly #kernel: Kernel;
  readonly #disk: Disk;
  readonly #fds = new Map<number, number>();

  constructor(kernel: Kernel, disk: Disk) {
    this.#kernel = kernel;
    this.#disk = disk;
  }

  path(file: number): string {
    const directory = publishedDataDirectory(this.#kernel) ?? "";
    return `${headChunksDirectory(directory)}/${headChunksFileName(file)}`;
  }

  /**
   * Reads up to `bytes.length` from `offset` on; returns how many there were. Throws BlockDamagedError when there is no such file,
   * BlockUnreadableError when the disk fails.
   */
  read(file: number, bytes: Uint8Array, offset: number): number {
    const fd = this.#fds.get(file) ?? this.#open(file);
    let done = 0;
    try {
      for (let count = -1; count !== 0 && done < bytes.length; done += count)
        count = this.#disk.read(fd, bytes.subarray(done), offset + done);
    } catch (error) {
      throw new BlockUnreadableError(this.path(file), offset + done, error);
    }
    return done;
  }

  close(): void {
    for (const fd of this.#fds.values()) this.#disk.close(fd);
    this.#fds.clear();
  }

  #open(file: number): number {
    this.#closeRemoved();
    const path = this.path(file);
    if (this.#disk.stat(path) === undefined) throw new BlockDamagedError(path, 0, "the file is missing");
    let fd: number;
    try {
      fd = this.#disk.open(path, "r");
    } catch (error) {
      throw new BlockUnreadableError(path, 0, error);
    }
    this.#fds.set(file, fd);
    return fd;
  }

  #closeRemoved(): void {
    const first = Atomics.load(this.#kernel.views.u32, firstFileIndex);
    for (const [file, fd] of this.#fds) {
      if (file >= first) continue;
      this.#disk.close(fd);
      this.#fds.delete(file);
    }
  }
}
