// Hash tables from symbols to words, the writer's side; src/tsdb/head/pair-table.ts describes them and is the readers'.
import { arenaAllocate, arenaRetire } from "./arena";

const HEADER: u32 = 16;
const COUNT: usize = 4;
const OCCUPIED: usize = 8;
const CAPACITY_MIN: u32 = 4;
const REMOVED_KEY: u32 = 1;

// @ts-ignore: decorator
@inline
function entryOf(table: usize, key: u32): usize {
  const mask = load<u32>(table) - 1;
  const hash: u32 = key * 0x9e3779b1;
  let slot = (hash ^ (hash >> 15)) & mask;
  while (true) {
    const entry = table + HEADER + ((<usize>slot) << 3);
    const found = load<u32>(entry);
    if (found == key || found == 0) return entry;
    slot = (slot + 1) & mask;
  }
}

// Publishes a table with room for more pairs, at most half full except for the smallest, and retires the old one; 0 when the memory is full.
function rebuild(owner: usize): usize {
  const old = <usize>load<u32>(owner);
  const count: u32 = old == 0 ? 0 : load<u32>(old, COUNT);
  const oldCapacity: u32 = old == 0 ? 0 : load<u32>(old);
  let capacity = CAPACITY_MIN;
  while (capacity < 2 * count || capacity * 3 < (count + 1) * 4) capacity *= 2;
  const table = <usize>arenaAllocate(HEADER + capacity * 8);
  if (table == 0) return 0;
  memory.fill(table, 0, HEADER + capacity * 8);
  store<u32>(table, capacity);
  store<u32>(table, count, COUNT);
  store<u32>(table, count, OCCUPIED);
  for (let i: u32 = 0; i < oldCapacity; i++) {
    const from = old + HEADER + ((<usize>i) << 3);
    const key = load<u32>(from);
    if (key <= REMOVED_KEY) continue;
    const to = entryOf(table, key);
    store<u32>(to, key);
    store<u32>(to, load<u32>(from, 4), 4);
  }
  atomic.store<u32>(owner, <u32>table);
  if (old != 0) arenaRetire(<u32>old, HEADER + oldCapacity * 8);
  return table;
}

// Whether insertPair made the pair that it returned last.
export let pairIsNew: bool = false;

// The value word of `key` in the table that the word `owner` leads to, inserted with value 0 when it is new; 0 when the memory is full.
export function insertPair(owner: usize, key: u32): usize {
  pairIsNew = false;
  let table = <usize>load<u32>(owner);
  if (table != 0) {
    const entry = entryOf(table, key);
    if (load<u32>(entry) == key) return entry + 4;
  }
  if (table == 0 || (load<u32>(table, OCCUPIED) + 1) * 4 > load<u32>(table) * 3) table = rebuild(owner);
  if (table == 0) return 0;
  const entry = entryOf(table, key);
  pairIsNew = true;
  store<u32>(entry, 0, 4);
  atomic.store<u32>(entry, key);
  store<u32>(table, load<u32>(table, OCCUPIED) + 1, OCCUPIED);
  atomic.store<u32>(table + COUNT, load<u32>(table, COUNT) + 1);
  return entry + 4;
}

