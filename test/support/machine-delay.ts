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
