import { assert, type Clock, type Disk, errorMessage, type Logger } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { directoryBytes } from "../directory-bytes.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import type { Head } from "../head/head.ts";
import { setAsideDirectory } from "../set-aside.ts";
import { removeCovered, rewriteWal, truncateWal } from "./checkpoint.ts";
import type { CheckpointOptions } from "./checkpoint-writer.ts";
import type { WalCompression } from "./compression.ts";
import { WalLog } from "./log.ts";
import { keptRefMax } from "./ref-numbering.ts";
import { RefReservation } from "./ref-reservation.ts";
import { listCheckpoints, listSegments } from "./segment.ts";
import { WalWriter } from "./writer.ts";

export interface WalParts {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The data directory. */
  readonly directory: string;
  readonly head: Head;
  readonly compression: WalCompression;
  readonly segmentBytes: number;
  readonly syncIntervalMs: number;
}

/**
 * The write-ahead log of a data directory, and what is remembered of the refs in it. It can be written once it is open: before its replay when a bound on
 * its refs is known, else after. Owns its writer; who made it must `close` it.
 */
export class Wal {
  readonly directory: string;
  /** Each truncation begins a checkpoint. */
  truncations = 0;
  truncationsFailed = 0;
  checkpointsDeleted = 0;
  readonly #parts: WalParts;
  readonly #reservation: RefReservation;
  #writer: WalWriter | undefined;
  #log: WalLog | undefined;

  constructor(parts: WalParts) {
    this.#parts = parts;
    this.directory = `${parts.directory}/wal`;
    this.#reservation = new RefReservation(parts.disk, parts.directory);
  }

  /** Undefined while the log is not open. */
  get writer(): WalWriter | undefined {
    return this.#writer;
  }

  /** Where commits and deletions go, once the log is open. */
  get log(): WalLog {
    assert(this.#log, "the WAL is open");
    return this.#log;
  }

  /** Bytes of its files. Throws the disk's error. */
  get sizeBytes(): number {
    return directoryBytes(this.#parts.disk, this.directory);
  }

  /**
   * Prepares the directory, and opens the log when a bound on its refs is known: then new refs are beyond all in the log. Returns whether it is open. Throws the
   * disk's error.
   */
  recover(): boolean {
    removeCovered(this.#parts.disk, this.directory);
    const isBound = this.#reserveRefs();
    if (isBound) this.open();
    return isBound;
  }

  /** Begins a segment to write to. Throws the disk's error. */
  open(): void {
    const { kernel, head } = this.#parts;
    this.#writer = new WalWriter({
      ...this.#parts,
      directory: this.directory,
      onSegment: (segment) => this.#reserve(() => this.#reservation.begin(head.nextRef, segment)),
    });
    this.#log = new WalLog(kernel, this.#writer, this.#reservation);
  }

  /** Drops the part of the log that is needed neither for series of the head nor for samples from `minTimeMs` on. Rejects with the disk's error; then less was dropped. */
  async truncate(minTimeMs: number): Promise<void> {
    const writer = this.#writer;
    assert(writer, "the WAL is open");
    this.truncations++;
    try {
      // What is in the present segment can go with the next truncation only if it is not the present one then.
      if (writer.segmentSizeBytes > 0) writer.nextSegment();
      this.checkpointsDeleted += await truncateWal(this.#checkpointOptions(), writer, minTimeMs);
    } catch (error) {
      this.truncationsFailed++;
      throw error;
    }
  }

  /** Puts the log on the refs of the head, before it is open. Rejects with the disk's error; then it is as it was. */
  async rewrite(exemplars: ExemplarStorage): Promise<void> {
    await rewriteWal(this.#checkpointOptions(), exemplars);
  }

  /** Ends the log cleanly, with all that was written durable. */
  async close(): Promise<void> {
    await this.#log?.close();
    const segment = this.#writer?.segment;
    if (segment === undefined) return;
    this.#reserve(() => this.#reservation.settle(this.#parts.head.nextRef, segment));
  }

  /** Sets new refs beyond all in the log, if a bound on those is known. */
  #reserveRefs(): boolean {
    const { disk, head } = this.#parts;
    const last = listSegments(disk, this.directory).at(-1)?.index;
    const isNew = last === undefined && listCheckpoints(disk, this.directory).length === 0;
    const reserved = isNew ? 1 : last === undefined ? undefined : this.#reservation.load(last);
    // Too few would be left: then the replay numbers series afresh.
    if (reserved === undefined || reserved > keptRefMax) return false;
    head.skipRef(reserved - 1);
    return true;
  }

  /** A reservation that fails costs the next start its early appends, and nothing else. */
  #reserve(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#parts.logger.warn("reservation of series refs cannot be written", { err: errorMessage(error) });
    }
  }

  #checkpointOptions(): CheckpointOptions {
    return {
      ...this.#parts,
      directory: this.directory,
      setAsideDirectory: setAsideDirectory(this.#parts.directory),
    };
  }
}
