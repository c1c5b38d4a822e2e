import { setFlagsFromString } from "node:v8";
import type { ResourceLimits } from "node:worker_threads";

/** Bytes of a young generation for each byte of its semi-space. */
const semiSpaces = 3;

/**
 * The limits of a thread that is about to be started: its young generation copies what lives between two halves of at most `semiSpaceMbMax`. The process's own
 * `--max-semi-space-size` is taken back, for it would go before what a thread is given; the main thread's heap has its size since the start.
 */
export function threadHeap(semiSpaceMbMax: number): ResourceLimits {
  setFlagsFromString("--max-semi-space-size=0");
  return { maxYoungGenerationSizeMb: semiSpaces * semiSpaceMbMax };
}
