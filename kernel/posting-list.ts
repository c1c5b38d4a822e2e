// Posting lists, as they grow; src/tsdb/head/posting-list.ts describes them and does the rest.
import { arenaAllocate, arenaClassBytes, arenaRetire } from "./arena";

const HEADER: u32 = 8;
const UNSORTED: u32 = 0x80000000;

// Makes room for one more ref in the list that `word` leads to, so that pushPosting cannot fail; false when the memory is full.
export function reservePosting(word: usize): bool {
  const list = load<u32>(word);
  if (list == 0) return true;
  const isSingle = (list & 1) != 0;
  const count: u32 = isSingle ? 1 : load<u32>(list);
  const flagged: u32 = isSingle ? 1 : load<u32>(list, 4);
  const capacity = flagged & ~UNSORTED;
  if (count < capacity) return true;
  const bytes = arenaClassBytes(HEADER + 4 * ((count * 3 + 1) / 2));
  const larger = arenaAllocate(bytes);
  if (larger == 0) return false;
  store<u32>(larger, count);
  store<u32>(larger, ((bytes - HEADER) >> 2) | (flagged & UNSORTED), 4);
  if (isSingle) store<u32>(larger, list >> 1, HEADER);
  else memory.copy(larger + HEADER, list + HEADER, 4 * count);
  atomic.store<u32>(word, larger);
  if (!isSingle) arenaRetire(list, HEADER + 4 * capacity);
  return true;
}

// Adds a ref that is not in the list, after reservePosting.
export function pushPosting(word: usize, ref: u32): void {
  const list = load<u32>(word);
  if (list == 0) {
    atomic.store<u32>(word, (ref << 1) | 1);
    return;
  }
  const count = load<u32>(list);
  const end = list + HEADER + 4 * count;
  if (ref < load<u32>(end - 4)) atomic.or<u32>(list + 4, UNSORTED);
  store<u32>(end, ref);
  atomic.store<u32>(list, count + 1);
}
