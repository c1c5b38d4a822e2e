import type { TsdbDurations } from "../durations.ts";
import type { HeadAppendable } from "../head/appendable.ts";
import type { Head } from "../head/head.ts";
import { truncateChunks, truncateHead } from "../head/truncate.ts";
import type { HeadChunks } from "../head-chunks/index.ts";
import type { Wal } from "../wal/wal.ts";

export interface HeadTruncationParts {
  readonly head: Head;
  readonly appendable: HeadAppendable;
  readonly headChunks: HeadChunks;
  readonly wal: Wal;
  readonly durations: TsdbDurations;
}

/** Takes what is old out of the head, the files of its chunks and the WAL. */
export class HeadTruncation {
  truncations = 0;
  truncationsFailed = 0;
  chunksRemoved = 0;
  readonly #parts: HeadTruncationParts;

  constructor(parts: HeadTruncationParts) {
    this.#parts = parts;
  }

  /**
   * Drops whole chunks that end before `minTimeMs`, series that have none left, and the part of the WAL that is no longer needed; samples before are refused
   * from now on. Rejects with `unavailable` before the head has all that is in the WAL or when the memory does not suffice, and with the disk's error; then less was dropped.
   */
  async truncate(minTimeMs: number): Promise<void> {
    const { head, appendable, headChunks, wal, durations } = this.#parts;
    appendable.assertReady();
    appendable.refuseBefore(minTimeMs);
    this.truncations++;
    try {
      const { chunksRemoved } = await durations.measure(durations.headGc, () =>
        truncateHead(head, minTimeMs),
      );
      this.chunksRemoved += chunksRemoved;
    } catch (error) {
      this.truncationsFailed++;
      throw error;
    }
    // Waits for queries, and nothing waits for it.
    void headChunks.removeBefore(minTimeMs);
    await durations.measure(durations.walTruncation, () => wal.truncate(minTimeMs));
  }

  /** Drops chunks that end before `minTimeMs` and nothing else: while the WAL is replayed, its records need the series. */
  async dropChunks(minTimeMs: number): Promise<void> {
    this.chunksRemoved += await truncateChunks(this.#parts.head, minTimeMs);
  }
}
