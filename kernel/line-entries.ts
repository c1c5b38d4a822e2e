// The lines a table remembers: entries, the order they came in, and a hash index for lines out of order. A line's key is its series part or, of a comment,
// all of it. The text is not kept: 64 bits of hash and the length tell keys apart.
import { arenaAllocate, arenaFree } from "./arena";
import { hash64 } from "./hash";
import {
  LT_BODY,
  LT_CURRENT,
  LT_CURRENT_COUNT,
  LT_CURSOR,
  LT_ENTRIES,
  LT_ENTRIES_CAPACITY,
  LT_ENTRIES_COUNT,
  LT_EVENT_END,
  LT_EVENT_START,
  LT_INDEX,
  LT_INDEX_CAPACITY,
  LT_LIVE,
  LT_ORDER_CAPACITY,
  LT_PENDING,
  LT_PREVIOUS,
  LT_PREVIOUS_COUNT,
  LT_SCRAPE,
} from "./layout";

export const MEMORY_FULL: i32 = -1;
export const NOT_FOUND: i32 = -2;

// An entry. A dead one has no tracking and is in no order; its hash stays so that probing goes on past it.
const ENTRY_BYTES: u32 = 32;
export const ENTRIES_MIN: u32 = 32;
const ENTRY_HASH: usize = 0;
export const ENTRY_REF: usize = 8;
export const ENTRY_SCRAPE: usize = 12;
export const ENTRY_KEY_BYTES: usize = 16;
// Its place in the current order, or in the previous one until it is seen again.
export const ENTRY_POSITION: usize = 20;
export const ENTRY_FLAGS: usize = 24;
// Hash of the exemplar that the line had when one was last reported, 0 when none was.
export const ENTRY_EXEMPLAR: usize = 28;
// The series gets a stale marker when the line goes away; as of the last time it was seen, and as of the scrape before that.
export const ENTRY_TRACKED: u32 = 1;
export const ENTRY_TRACKED_BEFORE: u32 = 2;
export const ENTRY_DEAD: u32 = 4;

// @ts-ignore: decorator
@inline
export function entryAt(state: usize, index: u32): usize {
  return <usize>load<u32>(state, LT_ENTRIES) + <usize>index * ENTRY_BYTES;
}

// Whether the entry's key begins at `ptr`.
// @ts-ignore: decorator
@inline
export function matches(entry: usize, ptr: usize, end: usize): bool {
  const keyBytes = load<u32>(entry, ENTRY_KEY_BYTES);
  return keyBytes <= <u32>(end - ptr) && hash64(ptr, keyBytes) == load<u64>(entry, ENTRY_HASH);
}

// Notes that an entry was seen: false when memory is full.
// @ts-ignore: decorator
@inline
export function see(state: usize, index: u32, entry: usize, tracked: bool): bool {
  const n = load<u32>(state, LT_CURRENT_COUNT);
  if (n >= load<u32>(state, LT_ORDER_CAPACITY) && !growOrders(state)) return false;
  store<u32>(<usize>load<u32>(state, LT_CURRENT) + (<usize>n << 2), index);
  store<u32>(state, n + 1, LT_CURRENT_COUNT);
  const scrape = load<u32>(state, LT_SCRAPE);
  const flags = load<u32>(entry, ENTRY_FLAGS);
  const before = load<u32>(entry, ENTRY_SCRAPE) == scrape ? flags & ENTRY_TRACKED_BEFORE : (flags & ENTRY_TRACKED) << 1;
  store<u32>(entry, scrape, ENTRY_SCRAPE);
  store<u32>(entry, n, ENTRY_POSITION);
  store<u32>(entry, (tracked ? ENTRY_TRACKED : 0) | before, ENTRY_FLAGS);
  return true;
}

// Grows the array at a word of the state by copy; false when memory is full.
export function growArray(state: usize, word: usize, bytes: u32, newBytes: u32): bool {
  const fresh = arenaAllocate(newBytes);
  if (fresh == 0) return false;
  const old = load<u32>(state + word);
  if (old != 0) {
    memory.copy(fresh, old, bytes);
    arenaFree(old, bytes);
  }
  store<u32>(state + word, fresh);
  return true;
}

function growOrders(state: usize): bool {
  const capacity = load<u32>(state, LT_ORDER_CAPACITY);
  const larger = max<u32>(capacity * 2, 64);
  const fresh = arenaAllocate(larger * 4);
  if (fresh == 0) return false;
  if (!growArray(state, LT_PREVIOUS, capacity * 4, larger * 4)) {
    arenaFree(fresh, larger * 4);
    return false;
  }
  const old = load<u32>(state, LT_CURRENT);
  if (old != 0) {
    memory.copy(fresh, old, capacity * 4);
    arenaFree(old, capacity * 4);
  }
  store<u32>(state, fresh, LT_CURRENT);
  store<u32>(state, larger, LT_ORDER_CAPACITY);
  return true;
}

// The live entry of a key, NOT_FOUND, or MEMORY_FULL.
export function lookup(state: usize, key: usize, bytes: u32): i32 {
  if (load<u32>(state, LT_ENTRIES_COUNT) == 0) return NOT_FOUND;
  if (load<u32>(state, LT_INDEX) == 0 && !buildIndex(state)) return MEMORY_FULL;
  const hash = hash64(key, bytes);
  const index = <usize>load<u32>(state, LT_INDEX);
  const mask = load<u32>(state, LT_INDEX_CAPACITY) - 1;
  let slot = <u32>hash & mask;
  while (true) {
    const word = load<u32>(index + (<usize>slot << 2));
    if (word == 0) return NOT_FOUND;
    const entry = entryAt(state, word - 1);
    if (
      load<u64>(entry, ENTRY_HASH) == hash &&
      load<u32>(entry, ENTRY_KEY_BYTES) == bytes &&
      (load<u32>(entry, ENTRY_FLAGS) & ENTRY_DEAD) == 0
    )
      return <i32>(word - 1);
    slot = (slot + 1) & mask;
  }
}

function insert(state: usize, number: u32): void {
  const index = <usize>load<u32>(state, LT_INDEX);
  const mask = load<u32>(state, LT_INDEX_CAPACITY) - 1;
  let slot = <u32>load<u64>(entryAt(state, number), ENTRY_HASH) & mask;
  while (load<u32>(index + (<usize>slot << 2)) != 0) slot = (slot + 1) & mask;
  store<u32>(index + (<usize>slot << 2), number + 1);
}

function buildIndex(state: usize): bool {
  dropIndex(state);
  const count = load<u32>(state, LT_ENTRIES_COUNT);
  let capacity: u32 = 64;
  // At most half full, with room to grow.
  while (capacity < count * 3) capacity *= 2;
  const index = arenaAllocate(capacity * 4);
  if (index == 0) return false;
  memory.fill(index, 0, capacity * 4);
  store<u32>(state, index, LT_INDEX);
  store<u32>(state, capacity, LT_INDEX_CAPACITY);
  for (let i: u32 = 0; i < count; i++) insert(state, i);
  return true;
}

function dropIndex(state: usize): void {
  arenaFree(load<u32>(state, LT_INDEX), load<u32>(state, LT_INDEX_CAPACITY) * 4);
  store<u32>(state, 0, LT_INDEX);
  store<u32>(state, 0, LT_INDEX_CAPACITY);
}

// Remembers the text of the last event, an unknown series or comment; 0 when memory is full.
export function lineTableAddEntry(state: usize, ref: u32): u32 {
  const start = <usize>load<u32>(state, LT_BODY) + load<u32>(state, LT_EVENT_START);
  const bytes = load<u32>(state, LT_EVENT_END) - load<u32>(state, LT_EVENT_START);
  const count = load<u32>(state, LT_ENTRIES_COUNT);
  const capacity = load<u32>(state, LT_ENTRIES_CAPACITY);
  if (count == capacity) {
    const larger = max<u32>(capacity * 2, ENTRIES_MIN);
    if (!growArray(state, LT_ENTRIES, capacity * ENTRY_BYTES, larger * ENTRY_BYTES)) return 0;
    store<u32>(state, larger, LT_ENTRIES_CAPACITY);
  }
  const entry = entryAt(state, count);
  store<u64>(entry, hash64(start, bytes), ENTRY_HASH);
  store<u32>(entry, bytes, ENTRY_KEY_BYTES);
  store<u32>(entry, ref, ENTRY_REF);
  // Not seen yet: the scrape number starts at 1.
  store<u32>(entry, 0, ENTRY_SCRAPE);
  store<u32>(entry, 0, ENTRY_POSITION);
  store<u32>(entry, 0, ENTRY_FLAGS);
  store<u32>(entry, 0, ENTRY_EXEMPLAR);
  store<u32>(state, count + 1, LT_ENTRIES_COUNT);
  store<u32>(state, load<u32>(state, LT_LIVE) + 1, LT_LIVE);
  if (load<u32>(state, LT_INDEX) != 0) {
    if ((count + 1) * 2 > load<u32>(state, LT_INDEX_CAPACITY)) dropIndex(state);
    else insert(state, count);
  }
  store<u32>(state, count + 1, LT_PENDING);
  return 1;
}

// Moves the live entries together, in the order of the last scrape, so that reading them is reading forward. Does nothing when memory is short.
export function compact(state: usize): void {
  const live = load<u32>(state, LT_LIVE);
  const entriesCapacity = max<u32>(live + (live >> 3), ENTRIES_MIN);
  const entries = arenaAllocate(entriesCapacity * ENTRY_BYTES);
  if (entries == 0) return;
  const previous = <usize>load<u32>(state, LT_PREVIOUS);
  const lines = load<u32>(state, LT_PREVIOUS_COUNT);
  let n: u32 = 0;
  // A line that occurs twice has the position of its last occurrence, where it moves; earlier ones are renumbered afterwards.
  for (let i: u32 = 0; i < lines; i++) {
    const entry = entryAt(state, load<u32>(previous + (<usize>i << 2)));
    if (load<u32>(entry, ENTRY_POSITION) != i) continue;
    const moved = entries + n * ENTRY_BYTES;
    memory.copy(moved, entry, ENTRY_BYTES);
    // The old entry now says where it went.
    store<u32>(entry, n, ENTRY_KEY_BYTES);
    n++;
  }
  for (let i: u32 = 0; i < lines; i++) {
    const word = previous + (<usize>i << 2);
    store<u32>(word, load<u32>(entryAt(state, load<u32>(word)), ENTRY_KEY_BYTES));
  }
  arenaFree(load<u32>(state, LT_ENTRIES), load<u32>(state, LT_ENTRIES_CAPACITY) * ENTRY_BYTES);
  store<u32>(state, entries, LT_ENTRIES);
  store<u32>(state, entriesCapacity, LT_ENTRIES_CAPACITY);
  store<u32>(state, n, LT_ENTRIES_COUNT);
  store<u32>(state, n, LT_LIVE);
  dropIndex(state);
}

// Forgets every line and frees the arrays but the list of vanished refs.
export function forget(state: usize): void {
  arenaFree(load<u32>(state, LT_ENTRIES), load<u32>(state, LT_ENTRIES_CAPACITY) * ENTRY_BYTES);
  arenaFree(load<u32>(state, LT_PREVIOUS), load<u32>(state, LT_ORDER_CAPACITY) * 4);
  arenaFree(load<u32>(state, LT_CURRENT), load<u32>(state, LT_ORDER_CAPACITY) * 4);
  dropIndex(state);
  for (let word = LT_ENTRIES; word <= LT_INDEX_CAPACITY; word += 4) store<u32>(state + word, 0);
  store<u32>(state, 0, LT_PENDING);
  store<u32>(state, 0, LT_CURSOR);
}
