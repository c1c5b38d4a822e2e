// The end of a scrape: what has vanished since the one before.
import { arenaFree } from "./arena";
import {
  LT_CURRENT,
  LT_CURRENT_COUNT,
  LT_ENTRIES_CAPACITY,
  LT_ENTRIES_COUNT,
  LT_LIVE,
  LT_PENDING,
  LT_PREVIOUS,
  LT_PREVIOUS_COUNT,
  LT_SCRAPE,
  LT_VANISHED,
  LT_VANISHED_CAPACITY,
} from "./layout";
import {
  ENTRY_DEAD,
  ENTRY_FLAGS,
  ENTRY_REF,
  ENTRY_SCRAPE,
  ENTRY_TRACKED,
  ENTRY_TRACKED_BEFORE,
  ENTRIES_MIN,
  MEMORY_FULL,
  compact,
  entryAt,
  forget,
  growArray,
} from "./line-entries";

// Room for as many refs as there are lines; false when memory is full.
function reserveVanished(state: usize): bool {
  const needed = load<u32>(state, LT_PREVIOUS_COUNT);
  const capacity = load<u32>(state, LT_VANISHED_CAPACITY);
  if (needed <= capacity) return true;
  const larger = max<u32>(needed, 64);
  if (!growArray(state, LT_VANISHED, capacity * 4, larger * 4)) return false;
  store<u32>(state, larger, LT_VANISHED_CAPACITY);
  return true;
}

// Lists tracked entries of the previous order that were not seen in scrape `seen`, and marks what was not seen dead.
function bury(state: usize, seen: u32): u32 {
  const previous = <usize>load<u32>(state, LT_PREVIOUS);
  const count = load<u32>(state, LT_PREVIOUS_COUNT);
  const vanished = <usize>load<u32>(state, LT_VANISHED);
  let n: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = entryAt(state, load<u32>(previous + ((<usize>i) << 2)));
    const flags = load<u32>(entry, ENTRY_FLAGS);
    if (load<u32>(entry, ENTRY_SCRAPE) == seen || (flags & ENTRY_DEAD) != 0) continue;
    if ((flags & ENTRY_TRACKED) != 0) {
      store<u32>(vanished + ((<usize>n) << 2), load<u32>(entry, ENTRY_REF));
      n++;
    }
    store<u32>(entry, ENTRY_DEAD, ENTRY_FLAGS);
    store<u32>(state, load<u32>(state, LT_LIVE) - 1, LT_LIVE);
  }
  return n;
}

// Whether growing has left more than half as much room again as the lines take.
function isRoomy(state: usize): bool {
  const live = load<u32>(state, LT_LIVE);
  return load<u32>(state, LT_ENTRIES_CAPACITY) > live + (live >> 1) + ENTRIES_MIN;
}

// Ends a good scrape; the number of vanished refs, or −1 when memory is full (nothing is changed then).
export function lineTableFinish(state: usize): i32 {
  if (!reserveVanished(state)) return MEMORY_FULL;
  const vanished = bury(state, load<u32>(state, LT_SCRAPE));
  const previous = load<u32>(state, LT_PREVIOUS);
  store<u32>(state, load<u32>(state, LT_CURRENT), LT_PREVIOUS);
  store<u32>(state, load<u32>(state, LT_CURRENT_COUNT), LT_PREVIOUS_COUNT);
  store<u32>(state, previous, LT_CURRENT);
  store<u32>(state, 0, LT_CURRENT_COUNT);
  store<u32>(state, 0, LT_PENDING);
  if (load<u32>(state, LT_LIVE) * 2 < load<u32>(state, LT_ENTRIES_COUNT) || isRoomy(state)) compact(state);
  return <i32>vanished;
}

// Ends a failed scrape: every tracked ref of the last good one is listed, and all lines are forgotten.
export function lineTableFail(state: usize): i32 {
  if (!reserveVanished(state)) return MEMORY_FULL;
  const vanished = listTracked(state);
  forget(state);
  return <i32>vanished;
}

// What was tracked after the last good scrape: a line that the failed one has seen since remembers it.
function listTracked(state: usize): u32 {
  const failed = load<u32>(state, LT_CURRENT_COUNT) == 0 ? 0 : load<u32>(state, LT_SCRAPE);
  const previous = <usize>load<u32>(state, LT_PREVIOUS);
  const count = load<u32>(state, LT_PREVIOUS_COUNT);
  const vanished = <usize>load<u32>(state, LT_VANISHED);
  let n: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = entryAt(state, load<u32>(previous + ((<usize>i) << 2)));
    const flags = load<u32>(entry, ENTRY_FLAGS);
    const tracked = load<u32>(entry, ENTRY_SCRAPE) == failed ? ENTRY_TRACKED_BEFORE : ENTRY_TRACKED;
    if ((flags & tracked) == 0) continue;
    store<u32>(vanished + ((<usize>n) << 2), load<u32>(entry, ENTRY_REF));
    n++;
    store<u32>(entry, flags & ~tracked, ENTRY_FLAGS);
  }
  return n;
}

export function lineTableFree(state: usize): void {
  forget(state);
  arenaFree(load<u32>(state, LT_VANISHED), load<u32>(state, LT_VANISHED_CAPACITY) * 4);
  store<u32>(state, 0, LT_VANISHED);
  store<u32>(state, 0, LT_VANISHED_CAPACITY);
}
