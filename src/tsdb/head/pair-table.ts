import { type Kernel, MemoryFullError } from "../../kernel/index.ts";

/**
 * An open-addressing hash table from symbols to words, in the shared memory:
 * { u32 capacity, u32 count, u32 occupied, u32 0, (u32 key, u32 value) × capacity }. Key 0 marks a free entry, key 1 a removed one. Any
 * thread may look up while the writer works: a value is stored before its key, an entry never gets another key, and an outgrown
 * table is retired after its successor, which has no removed entries, is published.
 *
 * Functions take the table's pointer (0 = no table yet), or the index of the u32 that holds it when the pointer may change.
 */
const headerWords = 4;
const countWord = 1;
const removedKey = 1;

/** Index of the value word of `key`, or 0. */
export function findPair(u32: Uint32Array, tablePtr: number, key: number): number {
  if (tablePtr === 0) return 0;
  const at = entryIndex(u32, tablePtr, key);
  return Atomics.load(u32, at) === key ? at + 1 : 0;
}

export function pairCount(u32: Uint32Array, tablePtr: number): number {
  return tablePtr === 0 ? 0 : Atomics.load(u32, (tablePtr >>> 2) + countWord);
}

/** Calls `visit` with every key and the index of its value word. */
export function forEachPair(
  u32: Uint32Array,
  tablePtr: number,
  visit: (key: number, valueIndex: number) => void,
): void {
  if (tablePtr === 0) return;
  const table = tablePtr >>> 2;
  const end = table + headerWords + 2 * u32[table]!;
  for (let at = table + headerWords; at < end; at += 2) {
    const key = Atomics.load(u32, at);
    if (key > removedKey) visit(key, at + 1);
  }
}

/** Writer: index of the value word of `key`, which is inserted with value 0 when it is new. Throws MemoryFullError, with nothing changed. */
export function insertPair(kernel: Kernel, ownerIndex: number, key: number): number {
  const ptr = kernel.exports.insertPair(4 * ownerIndex, key) >>> 0;
  if (ptr === 0) throw new MemoryFullError("index table", 0);
  return ptr >>> 2;
}

/** Writer: removes a pair, whose value must be 0 by now. */
export function removePair(u32: Uint32Array, tablePtr: number, key: number): void {
  const table = tablePtr >>> 2;
  Atomics.store(u32, entryIndex(u32, tablePtr, key), removedKey);
  Atomics.store(u32, table + countWord, u32[table + countWord]! - 1);
}

/** Writer: unpublishes and retires the table. */
export function dropPairs(kernel: Kernel, ownerIndex: number): void {
  const { u32 } = kernel.views;
  const ptr = u32[ownerIndex]!;
  if (ptr === 0) return;
  Atomics.store(u32, ownerIndex, 0);
  kernel.arena.retire(ptr, tableBytes(u32[ptr >>> 2]!));
}

function tableBytes(capacity: number): number {
  return 4 * headerWords + 8 * capacity;
}

/** Index of the entry that holds `key`, or of the free one where it would go. */
function entryIndex(u32: Uint32Array, tablePtr: number, key: number): number {
  const table = tablePtr >>> 2;
  const mask = u32[table]! - 1;
  // Symbols are multiples of 8; the multiplication spreads them, its high bits best.
  const hash = Math.imul(key, 0x9e3779b1);
  for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
    const at = table + headerWords + 2 * slot;
    const found = Atomics.load(u32, at);
    if (found === key || found === 0) return at;
  }
}
