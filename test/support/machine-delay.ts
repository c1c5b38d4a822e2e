import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the loop is looked at, in milliseconds. */
const resolutionMs = 5;

export interface MachineDelay {
  /** The longest time, in milliseconds, that this process was not let run while it had nothing else to do. */
  maxMs(): number;
  close(): void;
}

/**
 * Measures how late this process itself wakes up. A test of delays allows for it: on a machine with too much to do everything is late, and
 * that is no fault of what is tested.
 */
export function measureMachineDelay(): MachineDelay {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  return { maxMs: () => delays.max / 1e6, close: () => delays.disable() };
}

export interface WaitWatch {
  /** Milliseconds between two times of the wall clock that the main thread was ready to run and did not get a processor. */
  waitedMs(fromMs: number, toMs: number): number;
  close(): void;
}

/** How often it is looked how long a process has waited. */
const lookMs = 50;

/** Watches how long another process waits for a processor: what it does late for that is no fault of its own. */
export function watchWaits(pid: number): WaitWatch {
  const looks = [{ atMs: Date.now(), waitedMs: waitedSoFarMs(pid) }];
  const timer = setInterval(() => looks.push({ atMs: Date.now(), waitedMs: waitedSoFarMs(pid) }), lookMs);
  return {
    waitedMs(fromMs, toMs) {
      const before = looks.findLast(({ atMs }) => atMs <= fromMs) ?? looks[0]!;
      const after = looks.find(({ atMs }) => atMs >= toMs) ?? looks.at(-1)!;
      return Math.max(0, after.waitedMs - before.waitedMs);
    },
    close: () => clearInterval(timer),
  };
}

/** The second number is nanoseconds in the queue of a processor. A kernel that does not count them, or a process that is gone, has waited for nothing. */
function waitedSoFarMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}
