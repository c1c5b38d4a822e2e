import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * Lets the calling thread stand back behind others (`nice` 1 … 19), so that scraping goes on in time while queries or compactions use
 * every core. Linux counts niceness by thread; where that is not so, nothing happens.
 */
export function lowerThreadPriority(nice: number): void {
  try {
    // "PID/task/TID": the link is resolved on the thread that asks.
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(thread, nice);
  } catch {
    // No /proc, or not allowed: the thread competes like any other.
  }
}
