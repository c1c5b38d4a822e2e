import { existsSync, readFileSync } from "node:fs";

/** Where Linux tells how long this thread ran and waited for a CPU, in nanoseconds. */
const scheduling = "/proc/self/schedstat";
const hasScheduling = existsSync(scheduling);

/** How long one turn of the event loop took at most, in milliseconds. */
export interface LongestTurn {
  wallMs: number;
  /** Of this thread's CPU. */
  cpuMs: number;
  /** Less what it waited for a CPU: running, waiting for the disk, and whatever else a busy machine makes it wait for. */
  ownMs: number;
}

/** Turns the main thread's event loop, doing `each` in every turn, until `until` is settled. */
export async function watchLoop(until: Promise<unknown>, each: () => void = () => {}): Promise<LongestTurn> {
  const longest: LongestTurn = { wallMs: 0, cpuMs: 0, ownMs: 0 };
  let isOver = false;
  const over = (): void => void (isOver = true);
  void until.then(over, over);
  let lastMs = performance.now();
  let lastDelayMs = cpuDelayMs();
  let lastCpuMs = cpuTimeMs();
  while (!isOver) {
    each();
    await new Promise((resolve) => setImmediate(resolve));
    const nowMs = performance.now();
    const delayMs = cpuDelayMs();
    const cpuMs = cpuTimeMs();
    longest.cpuMs = Math.max(longest.cpuMs, cpuMs - lastCpuMs);
    longest.wallMs = Math.max(longest.wallMs, nowMs - lastMs);
    longest.ownMs = Math.max(longest.ownMs, nowMs - lastMs - (delayMs - lastDelayMs));
    lastMs = nowMs;
    lastDelayMs = delayMs;
    lastCpuMs = cpuMs;
  }
  return longest;
}

function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** How long this thread has waited for a CPU so far. */
function cpuDelayMs(): number {
  return hasScheduling ? Number(readFileSync(scheduling, "utf8").split(" ")[1]) / 1e6 : 0;
}
