import type { Kernel } from "../../kernel/index.ts";

/**
 * A posting list: the refs of the series that have one label pair. Its word is 0 (empty), (ref << 1) | 1 (a single ref, which needs no
 * memory) or an even pointer to { u32 count, u32 capacity, u32 ref × capacity }. Refs ascend, except while the top bit of
 * `capacity` is set: then they are in the order they came, as when a WAL is replayed. The kernel adds refs (kernel/posting-list.ts).
 */
const headerWords = 2;
const unsortedBit = 0x8000_0000;
const empty = new Uint32Array(0);

/** The refs of the list in ascending order; a view that is valid within the epoch. */
export function readPostings(u32: Uint32Array, listIndex: number): Uint32Array {
  const word = Atomics.load(u32, listIndex);
  if (word === 0) return empty;
  if ((word & 1) !== 0) return Uint32Array.of(word >>> 1);
  const list = word >>> 2;
  const count = Atomics.load(u32, list);
  const refs = u32.subarray(list + headerWords, list + headerWords + count);
  return (Atomics.load(u32, list + 1) & unsortedBit) === 0 ? refs : Uint32Array.from(refs).sort();
}

export function postingCount(u32: Uint32Array, listIndex: number): number {
  const word = Atomics.load(u32, listIndex);
  if (word === 0) return 0;
  return (word & 1) !== 0 ? 1 : Atomics.load(u32, word >>> 2);
}

/** Writer: puts an unsorted list in order, as a new block. Throws MemoryFullError. */
export function sortPostings(kernel: Kernel, listIndex: number): void {
  const { u32 } = kernel.views;
  const word = u32[listIndex]!;
  if (word === 0 || (word & 1) !== 0 || (u32[(word >>> 2) + 1]! & unsortedBit) === 0) return;
  const refs = readPostings(u32, listIndex);
  publish(kernel, listIndex, refs);
}

/** Writer: replaces the list by the refs that `keep` accepts; returns how many stay. Throws MemoryFullError, with nothing changed. */
export function filterPostings(kernel: Kernel, listIndex: number, keep: (ref: number) => boolean): number {
  const { u32 } = kernel.views;
  const refs = readPostings(u32, listIndex);
  const kept = refs.filter(keep);
  if (kept.length !== refs.length) publish(kernel, listIndex, kept);
  return kept.length;
}

/** Replaces the list by these refs, which ascend. */
function publish(kernel: Kernel, listIndex: number, refs: Uint32Array): void {
  const { u32 } = kernel.views;
  const old = u32[listIndex]!;
  let word = 0;
  if (refs.length === 1) word = ((refs[0]! << 1) | 1) >>> 0;
  else if (refs.length > 1) {
    const bytes = 4 * (headerWords + refs.length);
    word = kernel.arena.allocate(bytes, "posting list");
    const list = word >>> 2;
    u32[list] = refs.length;
    u32[list + 1] = Math.floor(kernel.arena.classBytes(bytes) / 4) - headerWords;
    u32.set(refs, list + headerWords);
  }
  Atomics.store(u32, listIndex, word);
  if (old !== 0 && (old & 1) === 0)
    kernel.arena.retire(old, 4 * (headerWords + (u32[(old >>> 2) + 1]! & ~unsortedBit)));
}
