// Reads an exposition against the previous one, line by line. State and events are described in src/kernel/line-table.ts.
import { scanExemplar, startsExemplar } from "./exemplar";
import { hash32 } from "./hash";
import {
  LT_BATCH_CAPACITY,
  LT_BATCH_COUNT,
  LT_BATCH_REFS,
  LT_BATCH_TIMESTAMPS,
  LT_BATCH_VALUES,
  LT_BODY,
  LT_BODY_BYTES,
  LT_CURSOR,
  LT_EVENT_END,
  LT_EVENT_ENTRY,
  LT_EVENT_REF,
  LT_EVENT_START,
  LT_FLAGS,
  LT_PENDING,
  LT_POSITION,
  LT_PREVIOUS,
  LT_PREVIOUS_COUNT,
  LT_SAMPLES,
  LT_SCRAPE,
  LT_TIMESTAMP,
} from "./layout";
import {
  ENTRY_EXEMPLAR,
  ENTRY_KEY_BYTES,
  ENTRY_POSITION,
  ENTRY_REF,
  ENTRY_SCRAPE,
  MEMORY_FULL,
  NOT_FOUND,
  entryAt,
  lookup,
  matches,
  see,
} from "./line-entries";
import {
  HASH_SIGN,
  NEWLINE,
  SPACE,
  TAB,
  endsKey,
  isEndOfFile,
  isMetadata,
  lineEnd,
  seriesEnd,
  skipBlanks,
} from "./line-text";
import { numberBits, numberEnd, scanNumber } from "./number";

const DONE: i32 = 0;
const UNKNOWN_SERIES: i32 = 1;
const UNKNOWN_COMMENT: i32 = 2;
const COMPLEX_LINE: i32 = 3;
const SYNTAX_ERROR: i32 = 4;
const BATCH_FULL: i32 = 5;
const EXEMPLAR: i32 = 6;

const OPENMETRICS: u32 = 1;
const HONOR_TIMESTAMPS: u32 = 2;
const TRACK_TIMESTAMPS: u32 = 4;
const REPORT_EXEMPLARS: u32 = 8;

const REF_DROPPED: u32 = 0xffffffff;
const REF_COMMENT: u32 = 0xfffffffe;

// Beyond, and for what is no number, the reference parser decides.
const TIMESTAMP_DIGITS_MAX: usize = 15;
const TIMESTAMP_SECONDS_MAX: f64 = 8796093022208;

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
      if (matches(entry, ptr, end)) {
        const after = ptr + load<u32>(entry, ENTRY_KEY_BYTES);
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

// The line's time in milliseconds, and whether it is one of its own that is honoured.
let lineTimestamp: f64 = 0;
let lineHasTimestamp: bool = false;

// @ts-ignore: decorator
@inline
function setTimestamp(state: usize, present: bool, milliseconds: f64): void {
  lineHasTimestamp = present && (load<u32>(state, LT_FLAGS) & HONOR_TIMESTAMPS) != 0;
  lineTimestamp = lineHasTimestamp ? milliseconds : load<f64>(state, LT_TIMESTAMP);
}

// What may follow a value in the text format: blanks, a time in milliseconds, blanks. Returns the line's end, or 0 for anything else.
// @ts-ignore: decorator
@inline
function scanMilliseconds(state: usize, ptr: usize, end: usize): usize {
  setTimestamp(state, false, 0);
  if (ptr >= end || load<u8>(ptr) == NEWLINE) return ptr;
  const digits = skipBlanks(ptr, end);
  if (digits == ptr) return 0;
  let at = digits;
  let milliseconds: u64 = 0;
  while (at < end && <u32>load<u8>(at) - 48 < 10) milliseconds = milliseconds * 10 + (load<u8>(at++) - 48);
  if (at - digits > TIMESTAMP_DIGITS_MAX) return 0;
  setTimestamp(state, at != digits, <f64>milliseconds);
  at = skipBlanks(at, end);
  return at >= end || load<u8>(at) == NEWLINE ? at : 0;
}

// What may follow a value in OpenMetrics: one blank and a time in seconds. Returns where the line or an exemplar follows, or 0 for anything else.
function scanSeconds(state: usize, ptr: usize, end: usize): usize {
  setTimestamp(state, false, 0);
  if (ptr >= end || load<u8>(ptr) == NEWLINE || startsExemplar(ptr, end)) return ptr;
  if (load<u8>(ptr) != SPACE) return 0;
  scanNumber(ptr + 1, end);
  const seconds = reinterpret<f64>(numberBits);
  if (numberEnd == 0 || !(abs<f64>(seconds) < TIMESTAMP_SECONDS_MAX)) return 0;
  if (numberEnd < end && load<u8>(numberEnd) != NEWLINE && !startsExemplar(numberEnd, end)) return 0;
  // Adding 0 makes −0 plain.
  setTimestamp(state, true, Math.trunc(seconds * 1000) + 0);
  return numberEnd;
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
  at = openMetrics ? scanSeconds(state, at, end) : scanMilliseconds(state, at, end);
  if (at == 0) return complex(state, index, entry, start, keyEnd, end);
  const exemplar = at;
  if (at < end && load<u8>(at) == SPACE) {
    at = scanExemplar(at, end);
    if (at == 0) return complex(state, index, entry, start, keyEnd, end);
  }
  if (ref != REF_DROPPED) {
    const n = load<u32>(state, LT_BATCH_COUNT);
    if (n >= load<u32>(state, LT_BATCH_CAPACITY)) return batchFull(state, index, start, keyEnd);
    store<u32>(<usize>load<u32>(state, LT_BATCH_REFS) + (<usize>n << 2), ref);
    store<f64>(<usize>load<u32>(state, LT_BATCH_TIMESTAMPS) + (<usize>n << 3), lineTimestamp);
    store<u64>(<usize>load<u32>(state, LT_BATCH_VALUES) + (<usize>n << 3), bits);
    store<u32>(state, n + 1, LT_BATCH_COUNT);
  }
  const own = lineHasTimestamp && (load<u32>(state, LT_FLAGS) & TRACK_TIMESTAMPS) == 0;
  if (!see(state, index, entry, ref != REF_DROPPED && !own)) return MEMORY_FULL;
  store<u32>(state, load<u32>(state, LT_SAMPLES) + 1, LT_SAMPLES);
  setPosition(state, min<usize>(at + 1, end));
  if (at != exemplar && ref != REF_DROPPED && (load<u32>(state, LT_FLAGS) & REPORT_EXEMPLARS) != 0)
    return reportExemplar(state, entry, ref, exemplar, at);
  return DONE;
}

// An exemplar that is the same as the last time was reported then.
function reportExemplar(state: usize, entry: usize, ref: u32, start: usize, end: usize): i32 {
  const hash = hash32(start, <u32>(end - start));
  if (hash == load<u32>(entry, ENTRY_EXEMPLAR)) return DONE;
  store<u32>(entry, hash, ENTRY_EXEMPLAR);
  store<u32>(state, ref, LT_EVENT_REF);
  return event(state, EXEMPLAR, start, end);
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
