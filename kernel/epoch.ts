// Epochs: a reader notes the epoch it runs in; a block retired in epoch e may be reused when every reader inside entered after e. After the last of the 32-bit
// numbers comes 1, since 0 is that of no reader: which of two epochs is the earlier one is told by their difference.
import { GLOBAL_EPOCH, READER_BYTES, READER_SLOTS, READERS } from "./layout";

export function epochEnter(readerSlot: u32): u32 {
  const word = READERS + readerSlot * READER_BYTES;
  while (true) {
    const epoch = atomic.load<u32>(GLOBAL_EPOCH);
    atomic.store<u32>(word, epoch);
    // The writer may have advanced between the two and missed us: then note the newer one.
    if (atomic.load<u32>(GLOBAL_EPOCH) == epoch) return epoch;
  }
}

export function epochLeave(readerSlot: u32): void {
  atomic.store<u32>(READERS + readerSlot * READER_BYTES, 0);
}

// @ts-ignore: decorator
@inline
export function isBefore(epoch: u32, other: u32): bool {
  return <i32>(epoch - other) < 0;
}

// Ends the current epoch; returns the new one. Writer thread only.
export function epochAdvance(): u32 {
  const next = max<u32>(load<u32>(GLOBAL_EPOCH) + 1, 1);
  atomic.store<u32>(GLOBAL_EPOCH, next);
  return next;
}

// The oldest epoch that a reader is in, or else the current one.
export function epochOldest(): u32 {
  let oldest = atomic.load<u32>(GLOBAL_EPOCH);
  for (let i: u32 = 0; i < READER_SLOTS; i++) {
    const epoch = atomic.load<u32>(READERS + i * READER_BYTES);
    if (epoch != 0 && isBefore(epoch, oldest)) oldest = epoch;
  }
  return oldest;
}
