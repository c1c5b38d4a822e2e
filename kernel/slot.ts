// Where a series' slot is. The pages of slots are found through a directory, by the series' ref.
import { SERIES_DIRECTORY, SLOT_BYTES, SLOT_LABELS, SLOT_PAGES_MAX, SLOT_REF, SLOTS_PER_PAGE } from "./layout";

// Pointer to the slot of a ref whose page exists, else 0. Refs that differ by SLOTS_PER_PAGE × SLOT_PAGES_MAX share a slot.
// @ts-ignore: decorator
@inline
export function slotOf(ref: u32): usize {
  const page = (ref >> 14) & (SLOT_PAGES_MAX - 1);
  const start = atomic.load<u32>(SERIES_DIRECTORY + (page << 2));
  return start == 0 ? 0 : start + (ref & (SLOTS_PER_PAGE - 1)) * SLOT_BYTES;
}

// As slotOf, but 0 when the slot is free or another ref's.
// @ts-ignore: decorator
@inline
export function seriesOf(ref: u32): usize {
  const slot = slotOf(ref);
  return slot != 0 && load<u32>(slot, SLOT_LABELS) != 0 && load<u32>(slot, SLOT_REF) == ref ? slot : 0;
}
