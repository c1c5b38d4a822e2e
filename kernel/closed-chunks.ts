// The queue of series that have closed chunks in memory (writer thread only). A series is in it once at most, which its slot remembers.
import { arenaAllocate, arenaFree } from "./arena";
import { CLOSED_CAPACITY, CLOSED_COUNT, CLOSED_QUEUE, CLOSED_TAKEN, SLOT_FLAGS, SLOT_QUEUED, SLOT_REF } from "./layout";
import { seriesOf } from "./slot";

const CAPACITY_MIN: u32 = 1024;

function grow(): bool {
  const queue = load<u32>(CLOSED_QUEUE);
  const taken = load<u32>(CLOSED_TAKEN);
  const left = load<u32>(CLOSED_COUNT) - taken;
  const capacity = load<u32>(CLOSED_CAPACITY);
  const wanted = max<u32>(left * 2, CAPACITY_MIN);
  const fresh = arenaAllocate(wanted << 2);
  if (fresh == 0) return false;
  memory.copy(fresh, queue + (taken << 2), left << 2);
  arenaFree(queue, capacity << 2);
  store<u32>(CLOSED_QUEUE, fresh);
  store<u32>(CLOSED_CAPACITY, wanted);
  store<u32>(CLOSED_COUNT, left);
  store<u32>(CLOSED_TAKEN, 0);
  return true;
}

// To be called when a chunk of the series was closed. Without memory for the note, the series comes in when it closes its next chunk.
export function noteClosed(slot: usize): void {
  const flags = load<u8>(slot, SLOT_FLAGS);
  if ((flags & SLOT_QUEUED) != 0) return;
  if (load<u32>(CLOSED_COUNT) == load<u32>(CLOSED_CAPACITY) && !grow()) return;
  const count = load<u32>(CLOSED_COUNT);
  store<u32>(load<u32>(CLOSED_QUEUE) + (count << 2), load<u32>(slot, SLOT_REF));
  store<u32>(CLOSED_COUNT, count + 1);
  store<u8>(slot, flags | SLOT_QUEUED, SLOT_FLAGS);
}

// How many series wait.
export function closedCount(): u32 {
  return load<u32>(CLOSED_COUNT) - load<u32>(CLOSED_TAKEN);
}

// The i-th series that waits.
// @ts-ignore: decorator
@inline
export function closedAt(i: u32): u32 {
  return load<u32>(load<u32>(CLOSED_QUEUE) + ((load<u32>(CLOSED_TAKEN) + i) << 2));
}

// Takes out the first so many.
export function takeClosed(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const slot = seriesOf(closedAt(i));
    if (slot != 0) store<u8>(slot, load<u8>(slot, SLOT_FLAGS) & ~SLOT_QUEUED, SLOT_FLAGS);
  }
  const taken = load<u32>(CLOSED_TAKEN) + count;
  const isEmpty = taken == load<u32>(CLOSED_COUNT);
  store<u32>(CLOSED_TAKEN, isEmpty ? 0 : taken);
  if (isEmpty) store<u32>(CLOSED_COUNT, 0);
}
