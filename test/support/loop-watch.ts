/** How long one turn of the event loop took at most, in milliseconds: of the clock, and of this thread's CPU, which a busy machine does not make longer. */
export interface LongestTurn {
  wallMs: number;
  cpuMs: number;
}

/** Turns the event loop, doing `each` in every turn, until `until` is settled. */
export async function watchLoop(until: Promise<unknown>, each: () => void = () => {}): Promise<LongestTurn> {
  const longest: LongestTurn = { wallMs: 0, cpuMs: 0 };
  let isOver = false;
  const over = (): void => void (isOver = true);
  void until.then(over, over);
  let wallMs = performance.now();
  let cpuMs = threadCpuMs();
  while (!isOver) {
    each();
    await new Promise((resolve) => setImmediate(resolve));
    const nowMs = performance.now();
    const cpuNowMs = threadCpuMs();
    longest.wallMs = Math.max(longest.wallMs, nowMs - wallMs);
    longest.cpuMs = Math.max(longest.cpuMs, cpuNowMs - cpuMs);
    wallMs = nowMs;
    cpuMs = cpuNowMs;
  }
  return longest;
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
