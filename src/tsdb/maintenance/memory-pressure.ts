import type { Logger } from "../../base/index.ts";
import { type Head, memoryFill } from "../head/head.ts";

export interface MemoryPressureParts {
  readonly head: Head;
  readonly logger: Logger;
  readonly chunkRangeMs: number;
  /** Share of the shared memory, from 0 to 1, above which it is nearly full. */
  readonly memoryPressureRatio: number;
}

/** Tells when the shared memory is nearly full, and what to drop of the head then. */
export class MemoryPressure {
  /** How often it was told what to drop. */
  truncations = 0;
  readonly #parts: MemoryPressureParts;

  constructor(parts: MemoryPressureParts) {
    this.#parts = parts;
  }

  /** Whether the shared memory is nearly full. */
  get isHigh(): boolean {
    return memoryFill(this.#parts.head.kernel) > this.#parts.memoryPressureRatio;
  }

  /** When the shared memory is nearly full: the time before which a chunk range of samples can go. `nowMs` is in a range that stays. */
  relievingTimeMs(nowMs: number): number | undefined {
    const { head, logger, chunkRangeMs } = this.#parts;
    const nextRangeMs = rangeStart(head.minTimeMs, chunkRangeMs) + chunkRangeMs;
    if (!this.isHigh || !(nextRangeMs <= rangeStart(nowMs, chunkRangeMs))) return undefined;
    this.truncations++;
    logger.warn("shared memory is nearly full, the oldest samples are dropped", {
      fill: memoryFill(head.kernel).toFixed(2),
      before: new Date(nextRangeMs).toISOString(),
    });
    return nextRangeMs;
  }
}

/** The start of the chunk range that a time lies in. */
export function rangeStart(timeMs: number, chunkRangeMs: number): number {
  return Math.floor(timeMs / chunkRangeMs) * chunkRangeMs;
}
