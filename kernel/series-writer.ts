// Creates series and reads the records of a log that name them. State and events are described in src/kernel/series-writer.ts.
import { arenaAllocate, arenaFree } from "./arena";
import {
  ALL_SERIES,
  NAMES,
  SERIES_BUCKETS,
  SERIES_COUNT,
  SERIES_VERSION,
  SLOT_HASH,
  SLOT_HASH_CHAIN,
  SLOT_LABELS,
  SW_AT,
  SW_CAPACITY,
  SW_COUNT,
  SW_CREATED,
  SW_END,
  SW_ENTRY,
  SW_HASH,
  SW_HIGHEST,
  SW_KNOWN,
  SW_LABEL_BYTES,
  SW_LABELS,
  SW_LIMIT,
  SW_LOG_REF,
  SW_MODE,
  SW_REF,
} from "./layout";
import { insertPair, pairIsNew } from "./pair-table";
import { pushPosting, reservePosting } from "./posting-list";
import { seriesCreate } from "./series";
import { bucketOf, indexSeries, reserveSeriesIndex } from "./series-index";
import { seriesOf, slotOf } from "./slot";
import { combineHash, findSymbol, internSymbol, isText, useSymbol } from "./symbols";

// A label: u32 symbols of name and value, and what was found of them before: the word of the name's table of values, that table, the word of the posting list, and the
// directory of names that the first is in. Tables move when they grow.
const NAME: usize = 0;
const VALUE: usize = 4;
const OWNER: usize = 8;
const TABLE: usize = 12;
const LIST: usize = 16;
const DIRECTORY: usize = 20;

const LABELS_HEADER: u32 = 8;
// Refs of a log beyond are left to the caller, who numbers them afresh.
const KEPT_REF_MAX: u64 = 1073741823;
const SERIES_PER_CALL: u32 = 1024;

const MODE_FIND: u32 = 1;
const MODE_EACH: u32 = 2;

const END: u32 = 0;
const FOUND: u32 = 1;
const CREATED: u32 = 2;
const ABSENT: u32 = 3;
const UNSORTED: u32 = 4;
const TOO_MANY_LABELS: u32 = 5;
const MALFORMED: u32 = 6;
const FULL: u32 = 7;
const PAUSE: u32 = 8;

// @ts-ignore: decorator
@inline
function labelAt(state: usize, i: u32): usize {
  return load<u32>(state, SW_LABELS) + i * SW_LABEL_BYTES;
}

// The ref of the series with exactly the labels of the state, 0 when there is none; computes their hash.
export function seriesFind(state: usize): u32 {
  const count = load<u32>(state, SW_COUNT);
  const labels = labelAt(state, 0);
  let hash: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const label = labels + i * SW_LABEL_BYTES;
    hash = combineHash(combineHash(hash, load<u32>(label, NAME)), load<u32>(label, VALUE));
  }
  store<u32>(state, hash, SW_HASH);
  if (load<u32>(SERIES_BUCKETS) == 0) return 0;
  for (let ref = load<u32>(bucketOf(hash)); ref != 0; ) {
    const slot = slotOf(ref);
    if (load<u32>(slot, SLOT_HASH) == hash && hasLabels(slot, labels, count)) return ref;
    ref = load<u32>(slot, SLOT_HASH_CHAIN);
  }
  return 0;
}

function hasLabels(slot: usize, labels: usize, count: u32): bool {
  const set = <usize>load<u32>(slot, SLOT_LABELS);
  if (load<u32>(set, 4) != count) return false;
  for (let i: u32 = 0; i < count; i++)
    if (load<u64>(set + LABELS_HEADER + 8 * i) != load<u64>(labels + i * SW_LABEL_BYTES)) return false;
  return true;
}

// Finds or makes the label's posting list, with room for one more ref; false when the memory is full.
function reserveLabel(label: usize): bool {
  let owner: usize = load<u32>(label, DIRECTORY) == load<u32>(NAMES) ? load<u32>(label, OWNER) : 0;
  if (owner == 0) {
    owner = insertPair(NAMES, load<u32>(label, NAME));
    if (owner == 0) return false;
    if (pairIsNew) useSymbol(load<u32>(label, NAME));
    store<u32>(label, <u32>owner, OWNER);
    store<u32>(label, load<u32>(NAMES), DIRECTORY);
    store<u32>(label, 0, TABLE);
  }
  const table = load<u32>(owner);
  let list: usize = table != 0 && load<u32>(label, TABLE) == table ? load<u32>(label, LIST) : 0;
  if (list == 0) {
    list = insertPair(owner, load<u32>(label, VALUE));
    if (list == 0) return false;
    if (pairIsNew) useSymbol(load<u32>(label, VALUE));
    store<u32>(label, load<u32>(owner), TABLE);
    store<u32>(label, <u32>list, LIST);
  }
  return reservePosting(list);
}

// Creates the series that seriesFind did not find, under a ref that is free; false when the memory is full: then nothing but empty lists is left behind.
export function seriesAdd(state: usize, ref: u32): bool {
  const count = load<u32>(state, SW_COUNT);
  const labels = labelAt(state, 0);
  if (!reserveSeriesIndex()) return false;
  for (let i: u32 = 0; i < count; i++) if (!reserveLabel(labels + i * SW_LABEL_BYTES)) return false;
  if (!reservePosting(ALL_SERIES)) return false;

  const setBytes = LABELS_HEADER + 8 * count;
  const set = arenaAllocate(setBytes);
  if (set == 0) return false;
  const hash = load<u32>(state, SW_HASH);
  store<u32>(set, hash);
  store<u32>(set, count, 4);
  for (let i: u32 = 0; i < count; i++)
    store<u64>(set + LABELS_HEADER + 8 * i, load<u64>(labels + i * SW_LABEL_BYTES));
  if (seriesCreate(ref, set) == 0) {
    arenaFree(set, setBytes);
    return false;
  }
  indexSeries(hash, ref);
  for (let i: u32 = 0; i < count; i++) pushPosting(load<u32>(labels + i * SW_LABEL_BYTES, LIST), ref);
  pushPosting(ALL_SERIES, ref);
  atomic.add<u32>(SERIES_VERSION, 1);
  return true;
}

// Where the text behind its length at `at` begins, and its length in `textBytes`; 0 when it is truncated.
let textBytes: u32 = 0;
function textAt(at: usize, end: usize): usize {
  const length = uvarintAt(at, end);
  if (afterUvarint == 0 || <usize>length > end - afterUvarint) return 0;
  textBytes = <u32>length;
  return afterUvarint;
}

let afterUvarint: usize = 0;
function uvarintAt(at: usize, end: usize): u64 {
  let value: u64 = 0;
  afterUvarint = 0;
  for (let shift: u64 = 0; at < end && shift < 64; shift += 7) {
    const byte = <u64>load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      afterUvarint = at;
      return value;
    }
  }
  return 0;
}

function compareTexts(a: usize, aBytes: u32, b: usize, bBytes: u32): i32 {
  const order = memory.compare(a, b, min<u32>(aBytes, bBytes));
  return order != 0 ? order : <i32>aBytes - <i32>bBytes;
}

// Reads the labels of an entry from `at` on into the state; what is wrong with them, or END. The entry's end is in SW_AT.
function readLabels(state: usize, at: usize, end: usize, count: u32, isFind: bool): u32 {
  const known = load<u32>(state, SW_KNOWN);
  let event = END;
  let nameBefore: usize = 0;
  let nameBeforeBytes: u32 = 0;
  let isChanged = false;
  for (let i: u32 = 0; i < count; i++) {
    const label = labelAt(state, i);
    const name = textAt(at, end);
    if (name == 0) return MALFORMED;
    const nameBytes = textBytes;
    // Next to one another, series mostly share their names, in this order, and many values.
    const wasChanged = isChanged;
    const symbol: u32 = i < known ? load<u32>(label, NAME) : 0;
    isChanged = symbol == 0 || !isText(symbol, name, nameBytes);
    if (isChanged) {
      const fresh = isFind ? findSymbol(name, nameBytes) : internSymbol(name, nameBytes);
      if (fresh == 0 && !isFind) return FULL;
      store<u32>(label, fresh, NAME);
      store<u32>(label, 0, OWNER);
      if (fresh == 0) event = max<u32>(event, ABSENT);
    }
    if (i > 0 && (isChanged || wasChanged)) {
      const order = compareTexts(nameBefore, nameBeforeBytes, name, nameBytes);
      if (order == 0) return MALFORMED;
      if (order > 0) event = UNSORTED;
    }
    nameBefore = name;
    nameBeforeBytes = nameBytes;

    const value = textAt(name + nameBytes, end);
    if (value == 0) return MALFORMED;
    const valueSymbol: u32 = i < known ? load<u32>(label, VALUE) : 0;
    if (valueSymbol == 0 || !isText(valueSymbol, value, textBytes)) {
      const fresh = isFind ? findSymbol(value, textBytes) : internSymbol(value, textBytes);
      if (fresh == 0 && !isFind) return FULL;
      store<u32>(label, fresh, VALUE);
      store<u32>(label, 0, LIST);
      if (fresh == 0) event = max<u32>(event, ABSENT);
    }
    at = value + textBytes;
  }
  store<u32>(state, max<u32>(known, count), SW_KNOWN);
  store<u32>(state, count, SW_COUNT);
  store<u32>(state, <u32>at, SW_AT);
  return event;
}

// @ts-ignore: decorator
@inline
function isUsable(logRef: u64): bool {
  if (logRef < 1 || logRef > KEPT_REF_MAX) return false;
  const slot = slotOf(<u32>logRef);
  return slot != 0 && load<u32>(slot, SLOT_LABELS) == 0;
}

// Whether the series with the labels of the state is there under the log's ref, as it is when a log is read again: cheaper to see than to look for it.
// @ts-ignore: decorator
@inline
function isKept(state: usize, logRef: u64): bool {
  if (logRef < 1 || logRef > KEPT_REF_MAX) return false;
  const slot = seriesOf(<u32>logRef);
  return slot != 0 && hasLabels(slot, labelAt(state, 0), load<u32>(state, SW_COUNT));
}

// Reads on in a series record until there is something to be told.
export function readSeriesRecord(state: usize): u32 {
  const end = <usize>load<u32>(state, SW_END);
  const mode = load<u32>(state, SW_MODE);
  const isFind = (mode & MODE_FIND) != 0;
  const isEach = (mode & MODE_EACH) != 0;
  for (let series: u32 = 0; series < SERIES_PER_CALL; series++) {
    const start = <usize>load<u32>(state, SW_AT);
    if (start >= end) return END;
    store<u32>(state, <u32>start, SW_ENTRY);
    if (end - start < 9) return MALFORMED;
    const logRef = bswap<u64>(load<u64>(start));
    const count = uvarintAt(start + 8, end);
    if (afterUvarint == 0 || count > <u64>(end - afterUvarint) / 2) return MALFORMED;
    if (count > <u64>load<u32>(state, SW_CAPACITY)) {
      store<u32>(state, <u32>count, SW_COUNT);
      return TOO_MANY_LABELS;
    }
    store<f64>(state, <f64>logRef, SW_LOG_REF);
    store<u32>(state, 0, SW_REF);
    const event = readLabels(state, afterUvarint, end, <u32>count, isFind);
    if (event != END) return event;
    const ref = isKept(state, logRef) ? <u32>logRef : seriesFind(state);
    store<u32>(state, ref, SW_REF);
    if (ref != 0) {
      if (isFind || isEach || <u64>ref != logRef) return FOUND;
      continue;
    }
    if (isFind || !isUsable(logRef) || load<u32>(SERIES_COUNT) >= load<u32>(state, SW_LIMIT)) return ABSENT;
    if (!seriesAdd(state, <u32>logRef)) return FULL;
    store<u32>(state, <u32>logRef, SW_REF);
    store<u32>(state, load<u32>(state, SW_CREATED) + 1, SW_CREATED);
    if (<u32>logRef > load<u32>(state, SW_HIGHEST)) store<u32>(state, <u32>logRef, SW_HIGHEST);
    if (isEach) return CREATED;
  }
  return PAUSE;
}
