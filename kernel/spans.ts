// Spans: runs of whole pages, found in a bitmap under a spin lock. A bitmap coalesces by itself, and a thread that dies in here leaves
// at worst some pages marked, never a broken list. A second bitmap says which pages may hold memory of the system: those that were used since they
// were given back last.
import {
  PAGE_BYTES,
  PAGE_COUNT,
  PAGES_USED,
  SPAN_BITMAP,
  SPAN_HINT,
  SPAN_LOCK,
  SPANS_FIRST_PAGE,
  TOUCHED_BITMAP,
} from "./layout";

function lock(readerSlot: u32): void {
  while (atomic.cmpxchg<u32>(SPAN_LOCK, 0, readerSlot + 1) != 0) {}
}

function unlock(): void {
  atomic.store<u32>(SPAN_LOCK, 0);
}

// @ts-ignore: decorator
@inline
function isUsed(page: u32): bool {
  return ((load<u8>(SPAN_BITMAP + (page >> 3)) >> (<u8>page & 7)) & 1) != 0;
}

// Finds n free pages in [from, to); returns the first one or 0.
function findRun(n: u32, from: u32, to: u32): u32 {
  let run: u32 = 0;
  let page = from;
  while (page < to) {
    if ((page & 63) == 0) {
      // 64 pages at a time where all are used.
      if (load<u64>(SPAN_BITMAP + (page >> 3)) == u64.MAX_VALUE) {
        run = 0;
        page += 64;
        continue;
      }
    }
    if (isUsed(page)) run = 0;
    else if (++run == n) return page + 1 - n;
    page++;
  }
  return 0;
}

function mark(bitmap: usize, first: u32, n: u32, isSet: bool): void {
  for (let page = first; page < first + n; page++) {
    const at = bitmap + (page >> 3);
    const bit: u8 = 1 << (<u8>page & 7);
    store<u8>(at, isSet ? load<u8>(at) | bit : load<u8>(at) & ~bit);
  }
}

// Whether all pages of a run are used, or free; a run that leaves the spans is neither.
function isRun(first: u32, n: u32, used: bool): bool {
  const pageCount = load<u32>(PAGE_COUNT);
  if (n == 0 || first < SPANS_FIRST_PAGE || first >= pageCount || n > pageCount - first) return false;
  for (let page = first; page < first + n; page++) if (isUsed(page) != used) return false;
  return true;
}

// @ts-ignore: decorator
@inline
function pagesFor(bytes: u32): u32 {
  return <u32>((<u64>bytes + (PAGE_BYTES - 1)) >> 16);
}

export function allocateSpan(bytes: u32, readerSlot: u32): u32 {
  const n = pagesFor(bytes);
  const pageCount = load<u32>(PAGE_COUNT);
  if (n == 0 || n >= pageCount) return 0;
  // Queries leave a sixteenth for the writer, as the arena leaves one for them.
  if (readerSlot != 0 && atomic.load<u32>(PAGES_USED) + n > pageCount - (pageCount >> 4)) return 0;
  lock(readerSlot);
  const hint = load<u32>(SPAN_HINT);
  let first = findRun(n, hint, pageCount);
  if (first == 0) first = findRun(n, SPANS_FIRST_PAGE, min<u32>(hint + n, pageCount));
  if (first != 0) {
    mark(SPAN_BITMAP, first, n, true);
    mark(TOUCHED_BITMAP, first, n, true);
    // A longer run skips gaps that a shorter one still fits into: low pages are used before high ones, so that few pages are ever touched.
    if (n == 1 || first == hint) store<u32>(SPAN_HINT, first + n);
    atomic.store<u32>(PAGES_USED, load<u32>(PAGES_USED) + n);
  }
  unlock();
  return first * PAGE_BYTES;
}

export function freeSpan(ptr: u32, bytes: u32, readerSlot: u32): u32 {
  const n = pagesFor(bytes);
  const first = ptr / PAGE_BYTES;
  if ((ptr & (PAGE_BYTES - 1)) != 0) return 0;
  lock(readerSlot);
  const isTaken = isRun(first, n, true);
  if (isTaken) {
    mark(SPAN_BITMAP, first, n, false);
    if (first < load<u32>(SPAN_HINT)) store<u32>(SPAN_HINT, first);
    atomic.store<u32>(PAGES_USED, load<u32>(PAGES_USED) - n);
  }
  unlock();
  return isTaken;
}

// Takes these very pages, if all are free, so that nobody else gets them while they are given back to the system; `freeSpan` ends that. They count as untouched.
export function takeFreeSpan(ptr: u32, bytes: u32, readerSlot: u32): u32 {
  const n = pagesFor(bytes);
  const first = ptr / PAGE_BYTES;
  lock(readerSlot);
  const isFree = isRun(first, n, false);
  if (isFree) {
    mark(SPAN_BITMAP, first, n, true);
    mark(TOUCHED_BITMAP, first, n, false);
    atomic.store<u32>(PAGES_USED, load<u32>(PAGES_USED) + n);
  }
  unlock();
  return isFree;
}
