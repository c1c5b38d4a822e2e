import { type Clock, sleep } from "../base/index.ts";
import { type Kernel, layout } from "../kernel/index.ts";

const { headWord } = layout;
const versionIndex = headWord.blocksVersion >>> 2;
const directoryIndex = headWord.dataDirectory >>> 2;
const pollMs = 5;

/** Tells all threads where the blocks are. Once per memory, main thread only. Throws MemoryFullError. */
export function publishDataDirectory({ arena, views }: Kernel, directory: string): void {
  const bytes = Buffer.from(directory);
  const ptr = arena.allocate(4 + bytes.length, "data directory");
  views.u32[ptr >>> 2] = bytes.length;
  views.u8.set(bytes, ptr + 4);
  Atomics.store(views.u32, directoryIndex, ptr);
}

/** Where the blocks are; undefined while nobody has said. */
export function publishedDataDirectory({ views }: Kernel): string | undefined {
  const ptr = Atomics.load(views.u32, directoryIndex);
  if (ptr === 0) return undefined;
  return Buffer.from(views.u8.slice(ptr + 4, ptr + 4 + views.u32[ptr >>> 2]!)).toString();
}

/** Tells all threads that the set of blocks, or what is deleted of them, has changed. */
export function blocksChanged({ views }: Kernel): void {
  Atomics.add(views.u32, versionIndex, 1);
}

/** Grows with every change of the set of blocks. */
export function blocksVersion({ views }: Kernel): number {
  return Atomics.load(views.u32, versionIndex);
}

/** Counts for all threads that a query had to leave out something damaged. */
export function countLeftOut({ views }: Kernel): void {
  Atomics.add(views.u32, headWord.blockDamages >>> 2, 1);
}

/** How often queries on all threads had to leave out something damaged of blocks so far. */
export function blockDamages({ views }: Kernel): number {
  return Atomics.load(views.u32, headWord.blockDamages >>> 2);
}

/**
 * Resolves when every query that began before the call has ended, on all threads. Between the moment that a block appears and the moment that its samples leave
 * the head this must pass: an earlier query may have looked at the blocks already and at the head not yet. Main thread only.
 */
export async function earlierQueriesEnded({ epoch }: Kernel, clock: Clock): Promise<void> {
  const hasEarlier = epoch.advance();
  while (hasEarlier()) await sleep(clock, pollMs);
}
