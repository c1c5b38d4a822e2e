import { type Kernel, layout } from "../../kernel/index.ts";

const hashChainOffset = layout.slot.hashChain;
const hashOffset = layout.slot.labelsHash;
const bucketsMin = 1024;

/** A label set in the shared memory: { u32 hash, u32 pairs, (u32 nameSymbol, u32 valueSymbol) × pairs }, sorted by name. */
export const labelsHeaderBytes = 8;

export function labelsBytes(pairs: number): number {
  return labelsHeaderBytes + 8 * pairs;
}

/**
 * Labels → ref, for the writer alone: an array of chain heads, chained through the slots. The hash is a function of the texts
 * (`combineHash`), so that it also serves to share queries out by series.
 */
export class SeriesIndex {
  readonly #kernel: Kernel;
  readonly #u32: Uint32Array;
  #buckets = 0;
  #capacity = 0;
  #count = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#u32 = kernel.views.u32;
    this.#resize(bucketsMin);
  }

  /** The ref of the series with exactly these pairs, or 0. */
  find(hash: number, pairs: Uint32Array, count: number): number {
    const u32 = this.#u32;
    for (let ref = u32[this.#bucket(hash)]!; ref !== 0;) {
      const slot = this.#kernel.series.slot(ref);
      if (u32[(slot + hashOffset) >>> 2] === hash) {
        const labels = u32[slot >>> 2]! >>> 2;
        if (u32[labels + 1] === count && this.#samePairs(labels + 2, pairs, 2 * count)) return ref;
      }
      ref = u32[(slot + hashChainOffset) >>> 2]!;
    }
    return 0;
  }

  /** Makes room, so that `insert` cannot fail. Throws MemoryFullError. */
  reserve(): void {
    if (this.#count >= this.#capacity) this.#resize(this.#capacity * 2);
  }

  insert(hash: number, ref: number): void {
    const at = this.#bucket(hash);
    const slot = this.#kernel.series.slot(ref);
    this.#u32[(slot + hashOffset) >>> 2] = hash;
    this.#u32[(slot + hashChainOffset) >>> 2] = this.#u32[at]!;
    this.#u32[at] = ref;
    this.#count++;
  }

  remove(hash: number, ref: number): void {
    const u32 = this.#u32;
    let at = this.#bucket(hash);
    while (u32[at] !== ref) at = (this.#kernel.series.slot(u32[at]!) + hashChainOffset) >>> 2;
    u32[at] = u32[(this.#kernel.series.slot(ref) + hashChainOffset) >>> 2]!;
    this.#count--;
  }

  #bucket(hash: number): number {
    return (this.#buckets >>> 2) + (hash & (this.#capacity - 1));
  }

  #samePairs(at: number, pairs: Uint32Array, words: number): boolean {
    for (let i = 0; i < words; i++) if (this.#u32[at + i] !== pairs[i]) return false;
    return true;
  }

  #resize(capacity: number): void {
    const u32 = this.#u32;
    const { arena, series } = this.#kernel;
    const old = this.#buckets;
    const oldCapacity = this.#capacity;
    this.#buckets = arena.allocateZeroed(4 * capacity, "series table");
    this.#capacity = capacity;
    for (let i = 0; i < oldCapacity; i++) {
      for (let ref = u32[(old >>> 2) + i]!; ref !== 0;) {
        const slot = series.slot(ref);
        const chainIndex = (slot + hashChainOffset) >>> 2;
        const next = u32[chainIndex]!;
        const at = this.#bucket(u32[(slot + hashOffset) >>> 2]!);
        u32[chainIndex] = u32[at]!;
        u32[at] = ref;
        ref = next;
      }
    }
    if (old !== 0) arena.free(old, 4 * oldCapacity);
  }
}
