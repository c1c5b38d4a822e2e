// Epochs: a reader notes the epoch it runs in; a block retired in epoch e may be reused when every reader inside entered after e.
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

// Ends the current epoch; returns the oldest epoch that a reader is still in, or the new one.
export function epochAdvance(): u32 {
  const next = atomic.add<u32>(GLOBAL_EPOCH, 1) + 1;
  let oldest = next;
  for (let i: u32 = 0; i < READER_SLOTS; i++) {
    const epoch = atomic.load<u32>(READERS + i * READER_BYTES);
    if (epoch != 0 && epoch < oldest) oldest = epoch;
  }
  return oldest;
}
