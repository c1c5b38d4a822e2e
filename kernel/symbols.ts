// Interned strings, the writer's side; src/tsdb/head/symbols.ts describes them and is the readers'.
import { arenaAllocate, arenaRetire } from "./arena";
import { SYMBOLS } from "./layout";

const SYMBOL_HEADER: u32 = 8;
const SYMBOL_HASH: u32 = 8;
const SYMBOL_USES: u32 = 4;
const TABLE_HEADER: u32 = 8;
const CAPACITY_MIN: u32 = 1024;
const REMOVED: u32 = 1;

// @ts-ignore: decorator
@inline
function finish(hash: u32): u32 {
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

// As hashBytes and combineHash in src/tsdb/head/text-hash.ts.
// @ts-ignore: decorator
@inline
export function textHash(text: usize, bytes: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (const end = text + bytes; text < end; text++) hash = (hash ^ load<u8>(text)) * 0x01000193;
  return finish(hash);
}

// @ts-ignore: decorator
@inline
export function combineHash(hash: u32, symbol: u32): u32 {
  return finish(hash * 31 + load<u32>(symbol - SYMBOL_HASH));
}

function equalBytes(a: usize, b: usize, bytes: u32): bool {
  const end = a + bytes;
  while (a + 8 <= end) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
  }
  for (; a < end; a++, b++) if (load<u8>(a) != load<u8>(b)) return false;
  return true;
}

// @ts-ignore: decorator
@inline
export function isText(symbol: u32, text: usize, bytes: u32): bool {
  return load<u32>(symbol) == bytes && equalBytes(symbol + 4, text, bytes);
}

// The entry that holds the string, or the free one where it would go.
function entryOf(table: usize, text: usize, bytes: u32, hash: u32): usize {
  const mask = load<u32>(table) - 1;
  let slot = hash & mask;
  while (true) {
    const entry = table + TABLE_HEADER + ((<usize>slot) << 2);
    const symbol = load<u32>(entry);
    if (symbol == 0) return entry;
    if (symbol != REMOVED && load<u32>(symbol - SYMBOL_HASH) == hash && isText(symbol, text, bytes)) return entry;
    slot = (slot + 1) & mask;
  }
}

// The symbol of a string, 0 when there is none.
export function findSymbol(text: usize, bytes: u32): u32 {
  const table = <usize>load<u32>(SYMBOLS);
  return table == 0 ? 0 : load<u32>(entryOf(table, text, bytes, textHash(text, bytes)));
}

// Publishes a table with room for more, at most half full, and retires the old one; 0 when the memory is full.
function rebuild(): usize {
  const old = <usize>load<u32>(SYMBOLS);
  const oldCapacity: u32 = old == 0 ? 0 : load<u32>(old);
  const oldEnd = old + TABLE_HEADER + oldCapacity * 4;
  let count: u32 = 0;
  for (let entry = old + TABLE_HEADER; entry < oldEnd; entry += 4) if (load<u32>(entry) > REMOVED) count++;
  let capacity = CAPACITY_MIN;
  while (capacity < 2 * count) capacity *= 2;
  const table = <usize>arenaAllocate(TABLE_HEADER + capacity * 4);
  if (table == 0) return 0;
  memory.fill(table, 0, TABLE_HEADER + capacity * 4);
  store<u32>(table, capacity);
  store<u32>(table, count, 4);
  for (let entry = old + TABLE_HEADER; entry < oldEnd; entry += 4) {
    const symbol = load<u32>(entry);
    if (symbol <= REMOVED) continue;
    let slot = load<u32>(symbol - SYMBOL_HASH) & (capacity - 1);
    while (load<u32>(table + TABLE_HEADER + ((<usize>slot) << 2)) != 0) slot = (slot + 1) & (capacity - 1);
    store<u32>(table + TABLE_HEADER + ((<usize>slot) << 2), symbol);
  }
  atomic.store<u32>(SYMBOLS, <u32>table);
  if (old != 0) arenaRetire(<u32>old, TABLE_HEADER + oldCapacity * 4);
  return table;
}

// The symbol of a string, which is new if there was none; 0 when the memory is full.
export function internSymbol(text: usize, bytes: u32): u32 {
  const hash = textHash(text, bytes);
  let table = <usize>load<u32>(SYMBOLS);
  if (table == 0) table = rebuild();
  if (table == 0) return 0;
  let entry = entryOf(table, text, bytes, hash);
  const known = load<u32>(entry);
  if (known != 0) return known;
  if ((load<u32>(table, 4) + 1) * 4 > load<u32>(table) * 3) {
    table = rebuild();
    if (table == 0) return 0;
    entry = entryOf(table, text, bytes, hash);
  }
  const block = arenaAllocate(SYMBOL_HEADER + 4 + bytes);
  if (block == 0) return 0;
  const symbol = block + SYMBOL_HEADER;
  store<u32>(symbol - SYMBOL_HASH, hash);
  store<u32>(symbol - SYMBOL_USES, 0);
  store<u32>(symbol, bytes);
  memory.copy(symbol + 4, text, bytes);
  atomic.store<u32>(entry, symbol);
  store<u32>(table, load<u32>(table, 4) + 1, 4);
  return symbol;
}

// One more place of the index has the symbol.
export function useSymbol(symbol: u32): void {
  store<u32>(symbol - SYMBOL_USES, load<u32>(symbol - SYMBOL_USES) + 1);
}
