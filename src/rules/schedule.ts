const fnvOffset = 0xcbf29ce484222325n;
const fnvPrime = 0x100000001b3n;
const encoder = new TextEncoder();

/**
 * Where in its interval a group has its slot, in milliseconds: a hash of its key, so that it stays where it is over restarts and
 * groups do not all wake at once.
 */
export function slotOffsetMs(key: string, intervalMs: number): number {
  let hash = fnvOffset;
  for (const byte of encoder.encode(key)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * fnvPrime);
  return Number(hash % BigInt(intervalMs));
}

/** The last slot at or before `nowMs`. */
export function slotBefore(nowMs: number, intervalMs: number, offsetMs: number): number {
  return Math.floor((nowMs - offsetMs) / intervalMs) * intervalMs + offsetMs;
}

/** The last slot at or before `atMs` of a group that is evaluated at this interval. */
export function lastSlot(group: { file: string; name: string }, intervalMs: number, atMs: number): number {
  return slotBefore(atMs, intervalMs, slotOffsetMs(groupKey(group), intervalMs));
}

/** What tells groups apart. */
export function groupKey({ file, name }: { file: string; name: string }): string {
  return `${file};${name}`;
}

/** The slot to evaluate once `nowMs` has come, after the one at `lastMs`, and how many lie between that nobody evaluated. */
export function nextSlot(
  lastMs: number,
  nowMs: number,
  intervalMs: number,
): { slotMs: number; missed: number } {
  const missed = Math.max(0, Math.floor((nowMs - lastMs) / intervalMs) - 1);
  return { slotMs: lastMs + (missed + 1) * intervalMs, missed };
}
