// A target's previous scrape, line by line, and the parser that compares the next one with it. State and events are described in
// src/kernel/line-table.ts; offsets of the state are in layout.ts.
import { arenaAllocate, arenaFree } from "./arena";
import { hash32 } from "./hash";
import {
  LT_BATCH_CAPACITY,
  LT_BATCH_COUNT,
  LT_BATCH_REFS,
  LT_BATCH_TIMESTAMPS,
  LT_BATCH_VALUES,
  LT_BODY,
  LT_BODY_BYTES,
  LT_CURRENT,
  LT_CURRENT_COUNT,
  LT_CURSOR,
  LT_ENTRIES,
  LT_ENTRIES_CAPACITY,
  LT_ENTRIES_COUNT,
  LT_EVENT_END,
  LT_EVENT_ENTRY,
  LT_EVENT_REF,
  LT_EVENT_START,
  LT_FLAGS,
  LT_INDEX,
  LT_INDEX_CAPACITY,
  LT_KEYS,
  LT_KEYS_BYTES,
  LT_KEYS_CAPACITY,
  LT_LIVE,
  LT_ORDER_CAPACITY,
  LT_PENDING,
  LT_POSITION,
  LT_PREVIOUS,
  LT_PREVIOUS_COUNT,
  LT_SAMPLES,
  LT_SCRAPE,
  LT_TIMESTAMP,
  LT_VANISHED,
  LT_VANISHED_CAPACITY,
  SLACK,
} from "./layout";
import { numberBits, numberEnd, scanNumber } from "./number";

const DONE: i32 = 0;
const UNKNOWN_SERIES: i32 = 1;
const UNKNOWN_COMMENT: i32 = 2;
const COMPLEX_LINE: i32 = 3;
const SYNTAX_ERROR: i32 = 4;
const BATCH_FULL: i32 = 5;
const MEMORY_FULL: i32 = -1;

const OPENMETRICS: u32 = 1;
const HONOR_TIMESTAMPS: u32 = 2;
const TRACK_TIMESTAMPS: u32 = 4;

const REF_DROPPED: u32 = 0xffffffff;
const REF_COMMENT: u32 = 0xfffffffe;

// An entry. A dead one has no tracking and is in no order; its hash stays so that probing goes on past it.
const ENTRY_BYTES: u32 = 32;
const ENTRY_KEY: usize = 0;
const ENTRY_KEY_BYTES: usize = 4;
const ENTRY_REF: usize = 8;
const ENTRY_SCRAPE: usize = 12;
const ENTRY_HASH: usize = 16;
// Its place in the current order, or in the previous one until it is seen again.
const ENTRY_POSITION: usize = 20;
const ENTRY_FLAGS: usize = 24;
// The series gets a stale marker when the line goes away; as of the last time it was seen, and as of the scrape before that.
const ENTRY_TRACKED: u32 = 1;
const ENTRY_TRACKED_BEFORE: u32 = 2;
const ENTRY_DEAD: u32 = 4;

const NEWLINE: u32 = 10;
const SPACE: u32 = 32;
const TAB: u32 = 9;
const HASH_SIGN: u32 = 35;
const QUOTE: u32 = 34;
const BACKSLASH: u32 = 92;
const BRACE_OPEN: u32 = 123;
const BRACE_CLOSE: u32 = 125;

const TIMESTAMP_DIGITS_MAX: usize = 15;

// @ts-ignore: decorator
@inline
function entryAt(state: usize, index: u32): usize {
  return <usize>load<u32>(state, LT_ENTRIES) + <usize>index * ENTRY_BYTES;
}

// Both regions have n bytes.
// @ts-ignore: decorator
@inline
function equal(a: usize, b: usize, n: u32): bool {
  if (n >= 16) {
    let i: u32 = 0;
    for (; i + 16 <= n; i += 16) if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
    if (i == n) return true;
    // The rest, overlapping what was compared.
    return !v128.any_true(v128.xor(v128.load(a + n - 16), v128.load(b + n - 16)));
  }
  if (n >= 8) return load<u64>(a) == load<u64>(b) && load<u64>(a + n - 8) == load<u64>(b + n - 8);
  if (n >= 4) return load<u32>(a) == load<u32>(b) && load<u32>(a + n - 4) == load<u32>(b + n - 4);
  for (let i: u32 = 0; i < n; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

function lineEnd(ptr: usize, end: usize): usize {
  const newlines = i8x16.splat(<i8>NEWLINE);
  while (ptr + 16 <= end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(ptr), newlines));
    if (mask != 0) return ptr + ctz<i32>(mask);
    ptr += 16;
  }
  while (ptr < end && load<u8>(ptr) != NEWLINE) ptr++;
  return ptr;
}

// @ts-ignore: decorator
@inline
function skipBlanks(ptr: usize, end: usize): usize {
  while (ptr < end && (load<u8>(ptr) == SPACE || load<u8>(ptr) == TAB)) ptr++;
  return ptr;
}

// The end of the series part that begins at ptr (name, labels, or both), or 0 if the line ends before its value.
function seriesEnd(ptr: usize, end: usize): usize {
  let at = ptr;
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte == BRACE_OPEN || byte == SPACE || byte == TAB || byte == NEWLINE) break;
    at++;
  }
  const nameEnd = at;
  at = skipBlanks(at, end);
  if (at >= end || load<u8>(at) == NEWLINE) return 0;
  if (load<u8>(at) != BRACE_OPEN) return nameEnd;
  at++;
  let quoted = false;
  while (at < end) {
    const byte = <u32>load<u8>(at++);
    if (quoted) {
      if (byte == BACKSLASH) at++;
      else if (byte == QUOTE) quoted = false;
    } else if (byte == QUOTE) quoted = true;
    else if (byte == BRACE_CLOSE) return at;
    else if (byte == NEWLINE) return 0;
  }
  return 0;
}

function event(state: usize, kind: i32, start: usize, end: usize): i32 {
  const body = <usize>load<u32>(state, LT_BODY);
  store<u32>(state, <u32>(start - body), LT_EVENT_START);
  store<u32>(state, <u32>(end - body), LT_EVENT_END);
  return kind;
}

function setPosition(state: usize, ptr: usize): void {
  store<u32>(state, <u32>(ptr - <usize>load<u32>(state, LT_BODY)), LT_POSITION);
}

// Reads on from the state's position until the caller is needed.
export function lineTableParse(state: usize): i32 {
  const body = <usize>load<u32>(state, LT_BODY);
  const end = body + load<u32>(state, LT_BODY_BYTES);
  const flags = load<u32>(state, LT_FLAGS);
  const openMetrics = (flags & OPENMETRICS) != 0;
  let ptr = body + load<u32>(state, LT_POSITION);
  const pending = load<u32>(state, LT_PENDING);
  store<u32>(state, 0, LT_PENDING);
  if (pending != 0) {
    // The line that the last event was about, now known.
    const kind = known(state, pending - 1, ptr, body + load<u32>(state, LT_EVENT_END), end);
    if (kind != DONE) return kind;
    ptr = body + load<u32>(state, LT_POSITION);
  }
  while (ptr < end) {
    const byte = <u32>load<u8>(ptr);
    if (!openMetrics) {
      if (byte == NEWLINE || byte == SPACE || byte == TAB) {
        ptr++;
        continue;
      }
    } else if (byte == HASH_SIGN && isEndOfFile(ptr, end)) {
      setPosition(state, ptr);
      const after = ptr + 5;
      return after == end || (after + 1 == end && load<u8>(after) == NEWLINE) ? DONE : event(state, SYNTAX_ERROR, ptr, end);
    }
    const cursor = load<u32>(state, LT_CURSOR);
    let index: u32 = 0;
    let keyEnd: usize = 0;
    if (cursor < load<u32>(state, LT_PREVIOUS_COUNT)) {
      index = load<u32>(<usize>load<u32>(state, LT_PREVIOUS) + (<usize>cursor << 2));
      const entry = entryAt(state, index);
      const keyBytes = load<u32>(entry, ENTRY_KEY_BYTES);
      if (keyBytes <= <u32>(end - ptr) && equal(ptr, <usize>load<u32>(state, LT_KEYS) + load<u32>(entry, ENTRY_KEY), keyBytes)) {
        const after = ptr + keyBytes;
        if (endsKey(byte == HASH_SIGN, after, end)) {
          keyEnd = after;
          store<u32>(state, cursor + 1, LT_CURSOR);
        }
      }
    }
    if (keyEnd == 0) {
      if (byte == HASH_SIGN) {
        keyEnd = lineEnd(ptr, end);
        if (!openMetrics && !isMetadata(ptr, keyEnd)) {
          ptr = keyEnd + 1;
          continue;
        }
      } else {
        keyEnd = seriesEnd(ptr, end);
        if (keyEnd == 0 || keyEnd == ptr) return event(state, SYNTAX_ERROR, ptr, lineEnd(ptr, end));
      }
      const found = lookup(state, ptr, <u32>(keyEnd - ptr));
      if (found == MEMORY_FULL) return MEMORY_FULL;
      if (found == NOT_FOUND) {
        setPosition(state, ptr);
        return event(state, byte == HASH_SIGN ? UNKNOWN_COMMENT : UNKNOWN_SERIES, ptr, keyEnd);
      }
      index = <u32>found;
      // Lines were added or left out: go on after where this one was, if it has not been seen before in this scrape.
      const entry = entryAt(state, index);
      if (load<u32>(entry, ENTRY_SCRAPE) != load<u32>(state, LT_SCRAPE)) store<u32>(state, load<u32>(entry, ENTRY_POSITION) + 1, LT_CURSOR);
    }
    const kind = known(state, index, ptr, keyEnd, end);
    if (kind != DONE) return kind;
    ptr = body + load<u32>(state, LT_POSITION);
  }
  setPosition(state, min<usize>(ptr, end));
  return openMetrics ? event(state, SYNTAX_ERROR, end, end) : DONE;
}

// Whether a key may end at `after`: a comment at the line's end, a series at a blank that no label set follows ("a" is not the key of
// `a {b="c"} 1`).
// @ts-ignore: decorator
@inline
function endsKey(comment: bool, after: usize, end: usize): bool {
  const next = after < end ? <u32>load<u8>(after) : NEWLINE;
  if (comment) return next == NEWLINE;
  if (next != SPACE && next != TAB) return false;
  const peeked = <u32>load<u8>(after, 1);
  if (peeked - 48 < 10) return true;
  const value = skipBlanks(after, end);
  return value >= end || load<u8>(value) != BRACE_OPEN;
}

function isEndOfFile(ptr: usize, end: usize): bool {
  // "# EO", "F"
  return end - ptr >= 5 && load<u32>(ptr) == 0x4f452023 && load<u8>(ptr, 4) == 0x46;
}

// Whether a text comment is HELP or TYPE: the others mean nothing.
function isMetadata(ptr: usize, end: usize): bool {
  const at = skipBlanks(ptr + 1, end);
  if (at == ptr + 1 || end - at < 5) return false;
  const word = load<u32>(at);
  const next = <u32>load<u8>(at, 4);
  return (word == 0x504c4548 || word == 0x45505954) && (next == SPACE || next == TAB);
}

// Handles the line of a known entry, whose key is [start, keyEnd): DONE with the position after it, or an event.
// @ts-ignore: decorator
@inline
function known(state: usize, index: u32, start: usize, keyEnd: usize, end: usize): i32 {
  const entry = entryAt(state, index);
  const ref = load<u32>(entry, ENTRY_REF);
  if (ref == REF_COMMENT) {
    if (!see(state, index, entry, false)) return MEMORY_FULL;
    setPosition(state, min<usize>(keyEnd + 1, end));
    return DONE;
  }
  const openMetrics = (load<u32>(state, LT_FLAGS) & OPENMETRICS) != 0;
  let at = keyEnd;
  if (openMetrics) {
    if (at < end && load<u8>(at) == SPACE) at++;
  } else {
    at = skipBlanks(at, end);
  }
  scanNumber(at, end);
  at = numberEnd;
  if (at == 0) return complex(state, index, entry, start, keyEnd, end);
  const bits = numberBits;
  let timestamp = load<f64>(state, LT_TIMESTAMP);
  let explicit = false;
  if (at < end && load<u8>(at) != NEWLINE) {
    const blank = <u32>load<u8>(at);
    if (openMetrics) {
      if (blank != SPACE) return complex(state, index, entry, start, keyEnd, end);
      scanNumber(at + 1, end);
      at = numberEnd;
      const seconds = reinterpret<f64>(numberBits);
      // 2^43 s: beyond, and for what is no number, the reference parser decides.
      if (at == 0 || !(abs<f64>(seconds) < 8796093022208.0)) return complex(state, index, entry, start, keyEnd, end);
      if (at < end && load<u8>(at) != NEWLINE) return complex(state, index, entry, start, keyEnd, end);
      explicit = true;
      if ((load<u32>(state, LT_FLAGS) & HONOR_TIMESTAMPS) != 0) timestamp = Math.trunc(seconds * 1000) + 0;
    } else {
      if (blank != SPACE && blank != TAB) return complex(state, index, entry, start, keyEnd, end);
      at = skipBlanks(at, end);
      const digits = at;
      let millis: u64 = 0;
      while (at < end && <u32>load<u8>(at) - 48 < 10) millis = millis * 10 + (load<u8>(at++) - 48);
      if (at - digits > TIMESTAMP_DIGITS_MAX) return complex(state, index, entry, start, keyEnd, end);
      explicit = at != digits;
      if (explicit && (load<u32>(state, LT_FLAGS) & HONOR_TIMESTAMPS) != 0) timestamp = <f64>millis;
      at = skipBlanks(at, end);
      if (at < end && load<u8>(at) != NEWLINE) return complex(state, index, entry, start, keyEnd, end);
    }
  }
  if (ref != REF_DROPPED) {
    const n = load<u32>(state, LT_BATCH_COUNT);
    if (n >= load<u32>(state, LT_BATCH_CAPACITY)) return batchFull(state, index, start, keyEnd);
    store<u32>(<usize>load<u32>(state, LT_BATCH_REFS) + (<usize>n << 2), ref);
    store<f64>(<usize>load<u32>(state, LT_BATCH_TIMESTAMPS) + (<usize>n << 3), timestamp);
    store<u64>(<usize>load<u32>(state, LT_BATCH_VALUES) + (<usize>n << 3), bits);
    store<u32>(state, n + 1, LT_BATCH_COUNT);
  }
  const flags = load<u32>(state, LT_FLAGS);
  const own = explicit && (flags & HONOR_TIMESTAMPS) != 0 && (flags & TRACK_TIMESTAMPS) == 0;
  if (!see(state, index, entry, ref != REF_DROPPED && !own)) return MEMORY_FULL;
  store<u32>(state, load<u32>(state, LT_SAMPLES) + 1, LT_SAMPLES);
  setPosition(state, min<usize>(at + 1, end));
  return DONE;
}

// The line is read again, as a known one, when the caller has made room.
function batchFull(state: usize, index: u32, start: usize, keyEnd: usize): i32 {
  setPosition(state, start);
  store<u32>(state, index + 1, LT_PENDING);
  return event(state, BATCH_FULL, start, keyEnd);
}

// The line of a known series that the caller must read.
function complex(state: usize, index: u32, entry: usize, start: usize, keyEnd: usize, end: usize): i32 {
  const after = lineEnd(keyEnd, end);
  const ref = load<u32>(entry, ENTRY_REF);
  if (ref != REF_DROPPED && load<u32>(state, LT_BATCH_COUNT) >= load<u32>(state, LT_BATCH_CAPACITY))
    return batchFull(state, index, start, keyEnd);
  if (!see(state, index, entry, ref != REF_DROPPED)) return MEMORY_FULL;
  store<u32>(state, load<u32>(state, LT_SAMPLES) + 1, LT_SAMPLES);
  store<u32>(state, ref, LT_EVENT_REF);
  store<u32>(state, index, LT_EVENT_ENTRY);
  setPosition(state, min<usize>(after + 1, end));
  return event(state, COMPLEX_LINE, start, after);
}

// Notes that an entry was seen: false when memory is full.
// @ts-ignore: decorator
@inline
function see(state: usize, index: u32, entry: usize, tracked: bool): bool {
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
function growArray(state: usize, word: usize, bytes: u32, newBytes: u32): bool {
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

const NOT_FOUND: i32 = -2;

// The live entry of a key, NOT_FOUND, or MEMORY_FULL.
function lookup(state: usize, key: usize, bytes: u32): i32 {
  if (load<u32>(state, LT_ENTRIES_COUNT) == 0) return NOT_FOUND;
  if (load<u32>(state, LT_INDEX) == 0 && !buildIndex(state)) return MEMORY_FULL;
  const hash = hash32(key, bytes);
  const index = <usize>load<u32>(state, LT_INDEX);
  const mask = load<u32>(state, LT_INDEX_CAPACITY) - 1;
  const keys = <usize>load<u32>(state, LT_KEYS);
  let slot = hash & mask;
  while (true) {
    const word = load<u32>(index + (<usize>slot << 2));
    if (word == 0) return NOT_FOUND;
    const entry = entryAt(state, word - 1);
    if (
      load<u32>(entry, ENTRY_HASH) == hash &&
      load<u32>(entry, ENTRY_KEY_BYTES) == bytes &&
      (load<u32>(entry, ENTRY_FLAGS) & ENTRY_DEAD) == 0 &&
      equal(key, keys + load<u32>(entry, ENTRY_KEY), bytes)
    )
      return <i32>(word - 1);
    slot = (slot + 1) & mask;
  }
}

function insert(state: usize, number: u32): void {
  const index = <usize>load<u32>(state, LT_INDEX);
  const mask = load<u32>(state, LT_INDEX_CAPACITY) - 1;
  let slot = load<u32>(entryAt(state, number), ENTRY_HASH) & mask;
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
    const larger = max<u32>(capacity * 2, 32);
    if (!growArray(state, LT_ENTRIES, capacity * ENTRY_BYTES, larger * ENTRY_BYTES)) return 0;
    store<u32>(state, larger, LT_ENTRIES_CAPACITY);
  }
  const keysBytes = load<u32>(state, LT_KEYS_BYTES);
  const keysCapacity = load<u32>(state, LT_KEYS_CAPACITY);
  const needed = <u64>keysBytes + bytes + SLACK;
  if (needed > <u64>keysCapacity) {
    const larger = max<u64>(needed, min<u64>(max<u64>(<u64>keysCapacity * 2, 1024), 1 << 30));
    if (larger > 1 << 30 || !growArray(state, LT_KEYS, keysCapacity, <u32>larger)) return 0;
    store<u32>(state, <u32>larger, LT_KEYS_CAPACITY);
  }
  memory.copy(<usize>load<u32>(state, LT_KEYS) + keysBytes, start, bytes);
  store<u32>(state, keysBytes + bytes, LT_KEYS_BYTES);
  const entry = entryAt(state, count);
  store<u32>(entry, keysBytes, ENTRY_KEY);
  store<u32>(entry, bytes, ENTRY_KEY_BYTES);
  store<u32>(entry, ref, ENTRY_REF);
  // Not seen yet: the scrape number starts at 1.
  store<u32>(entry, 0, ENTRY_SCRAPE);
  store<u32>(entry, hash32(start, bytes), ENTRY_HASH);
  store<u32>(entry, 0, ENTRY_POSITION);
  store<u32>(entry, 0, ENTRY_FLAGS);
  store<u32>(state, count + 1, LT_ENTRIES_COUNT);
  store<u32>(state, load<u32>(state, LT_LIVE) + 1, LT_LIVE);
  if (load<u32>(state, LT_INDEX) != 0) {
    if ((count + 1) * 2 > load<u32>(state, LT_INDEX_CAPACITY)) dropIndex(state);
    else insert(state, count);
  }
  store<u32>(state, count + 1, LT_PENDING);
  return 1;
}

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
    const entry = entryAt(state, load<u32>(previous + (<usize>i << 2)));
    const flags = load<u32>(entry, ENTRY_FLAGS);
    if (load<u32>(entry, ENTRY_SCRAPE) == seen || (flags & ENTRY_DEAD) != 0) continue;
    if ((flags & ENTRY_TRACKED) != 0) {
      store<u32>(vanished + (<usize>n << 2), load<u32>(entry, ENTRY_REF));
      n++;
    }
    store<u32>(entry, ENTRY_DEAD, ENTRY_FLAGS);
    store<u32>(state, load<u32>(state, LT_LIVE) - 1, LT_LIVE);
  }
  return n;
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
  if (load<u32>(state, LT_LIVE) * 2 < load<u32>(state, LT_ENTRIES_COUNT)) compact(state);
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
    const entry = entryAt(state, load<u32>(previous + (<usize>i << 2)));
    const flags = load<u32>(entry, ENTRY_FLAGS);
    const tracked = load<u32>(entry, ENTRY_SCRAPE) == failed ? ENTRY_TRACKED_BEFORE : ENTRY_TRACKED;
    if ((flags & tracked) == 0) continue;
    store<u32>(vanished + (<usize>n << 2), load<u32>(entry, ENTRY_REF));
    n++;
    store<u32>(entry, flags & ~tracked, ENTRY_FLAGS);
  }
  return n;
}

// Moves the live entries together, in the order of the last scrape, so that reading them is reading forward. Does nothing when memory is short.
function compact(state: usize): void {
  const live = load<u32>(state, LT_LIVE);
  const entriesCapacity = max<u32>(live + (live >> 2), 32);
  const entries = arenaAllocate(entriesCapacity * ENTRY_BYTES);
  if (entries == 0) return;
  const previous = <usize>load<u32>(state, LT_PREVIOUS);
  const lines = load<u32>(state, LT_PREVIOUS_COUNT);
  let keysBytes: u32 = 0;
  for (let i: u32 = 0; i < lines; i++) {
    const entry = entryAt(state, load<u32>(previous + (<usize>i << 2)));
    if (load<u32>(entry, ENTRY_POSITION) == i) keysBytes += load<u32>(entry, ENTRY_KEY_BYTES);
  }
  const keysCapacity = keysBytes + (keysBytes >> 2) + SLACK;
  const keys = arenaAllocate(keysCapacity);
  if (keys == 0) {
    arenaFree(entries, entriesCapacity * ENTRY_BYTES);
    return;
  }
  const oldKeys = <usize>load<u32>(state, LT_KEYS);
  let n: u32 = 0;
  let at: u32 = 0;
  // A line that occurs twice has the position of its last occurrence, where it moves; earlier ones are renumbered afterwards.
  for (let i: u32 = 0; i < lines; i++) {
    const entry = entryAt(state, load<u32>(previous + (<usize>i << 2)));
    if (load<u32>(entry, ENTRY_POSITION) != i) continue;
    const moved = entries + n * ENTRY_BYTES;
    const bytes = load<u32>(entry, ENTRY_KEY_BYTES);
    memory.copy(moved, entry, ENTRY_BYTES);
    memory.copy(<usize>keys + at, oldKeys + load<u32>(entry, ENTRY_KEY), bytes);
    store<u32>(moved, at, ENTRY_KEY);
    // The old entry now says where it went.
    store<u32>(entry, n, ENTRY_HASH);
    at += bytes;
    n++;
  }
  for (let i: u32 = 0; i < lines; i++) {
    const word = previous + (<usize>i << 2);
    store<u32>(word, load<u32>(entryAt(state, load<u32>(word)), ENTRY_HASH));
  }
  arenaFree(load<u32>(state, LT_ENTRIES), load<u32>(state, LT_ENTRIES_CAPACITY) * ENTRY_BYTES);
  arenaFree(<u32>oldKeys, load<u32>(state, LT_KEYS_CAPACITY));
  store<u32>(state, entries, LT_ENTRIES);
  store<u32>(state, entriesCapacity, LT_ENTRIES_CAPACITY);
  store<u32>(state, n, LT_ENTRIES_COUNT);
  store<u32>(state, n, LT_LIVE);
  store<u32>(state, keys, LT_KEYS);
  store<u32>(state, keysCapacity, LT_KEYS_CAPACITY);
  store<u32>(state, at, LT_KEYS_BYTES);
  dropIndex(state);
}

// Forgets every line and frees the arrays but the list of vanished refs.
function forget(state: usize): void {
  arenaFree(load<u32>(state, LT_ENTRIES), load<u32>(state, LT_ENTRIES_CAPACITY) * ENTRY_BYTES);
  arenaFree(load<u32>(state, LT_KEYS), load<u32>(state, LT_KEYS_CAPACITY));
  arenaFree(load<u32>(state, LT_PREVIOUS), load<u32>(state, LT_ORDER_CAPACITY) * 4);
  arenaFree(load<u32>(state, LT_CURRENT), load<u32>(state, LT_ORDER_CAPACITY) * 4);
  dropIndex(state);
  for (let word = LT_ENTRIES; word <= LT_INDEX_CAPACITY; word += 4) store<u32>(state + word, 0);
  store<u32>(state, 0, LT_PENDING);
  store<u32>(state, 0, LT_CURSOR);
}

export function lineTableFree(state: usize): void {
  forget(state);
  arenaFree(load<u32>(state, LT_VANISHED), load<u32>(state, LT_VANISHED_CAPACITY) * 4);
  store<u32>(state, 0, LT_VANISHED);
  store<u32>(state, 0, LT_VANISHED_CAPACITY);
}
