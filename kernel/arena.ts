// The head's arena (writer thread only): free lists by size class over regions taken from the spans.
import { epochAdvance } from "./epoch";
import {
  ARENA_BUMP,
  ARENA_BUMP_END,
  ARENA_FREE_LISTS,
  ARENA_RESERVED,
  ARENA_RETIRED,
  ARENA_USED,
  GLOBAL_EPOCH,
  PAGE_BYTES,
  PAGE_COUNT,
  RETIRED_HEAD,
  RETIRED_TAIL,
} from "./layout";
import { allocateSpan, freeSpan } from "./spans";

const SMALL_MAX: u32 = 512;
const SMALL_CLASSES: u32 = 32;
const BLOCK_MAX: u32 = 65536;
// Above 512: ×1.25, rounded up to 16.
const LARGE: StaticArray<u32> = [
  640, 800, 1008, 1264, 1584, 1984, 2480, 3104, 3888, 4864, 6080, 7600, 9504, 11888, 14864, 18592, 23248, 29072, 36352,
  45440, 56800, 65536,
];
const LARGE_CLASSES: u32 = 22;
const CLASSES: u32 = SMALL_CLASSES + LARGE_CLASSES;
const REGION_BYTES: u32 = 1048576;
// Before memory that was never used is taken, small blocks, such as the heads of chunks in files, are cut from free ones of up to 224 bytes, which chunks outgrow
// while they are young, and blocks of chunks from free ones of up to twice their size.
const SMALL_CUT_MAX: u32 = 64;
const SMALL_CUT_FROM_END: u32 = 14;
const CHUNK_CUT_MIN: u32 = 128;
const CHUNK_CUT_MAX: u32 = 1264;

// Retired blocks wait in a queue of nodes: { u32 next, u32 first, u32 last, u32 0, (u32 ptr, u32 bytes, u32 epoch) × 84 }.
const NODE_BYTES: u32 = 1024;
const NODE_HEADER: u32 = 16;
const NODE_ENTRIES: u32 = 84;

function classOf(bytes: u32): u32 {
  if (bytes <= SMALL_MAX) return bytes == 0 ? 0 : (bytes - 1) >> 4;
  let k: u32 = 0;
  while (unchecked(LARGE[k]) < bytes) k++;
  return SMALL_CLASSES + k;
}

// @ts-ignore: decorator
@inline
function bytesOf(sizeClass: u32): u32 {
  return sizeClass < SMALL_CLASSES ? (sizeClass + 1) << 4 : unchecked(LARGE[sizeClass - SMALL_CLASSES]);
}

// @ts-ignore: decorator
@inline
function listOf(sizeClass: u32): usize {
  return ARENA_FREE_LISTS + (sizeClass << 2);
}

// @ts-ignore: decorator
@inline
function count(word: usize, bytes: f64): void {
  store<f64>(word, load<f64>(word) + bytes);
}

function roundToPages(bytes: u32): u64 {
  return (<u64>bytes + (PAGE_BYTES - 1)) & ~(<u64>PAGE_BYTES - 1);
}

export function arenaClassBytes(bytes: u32): u32 {
  return bytes > BLOCK_MAX ? <u32>roundToPages(bytes) : bytesOf(classOf(bytes));
}

function push(sizeClass: u32, ptr: u32): void {
  const list = listOf(sizeClass);
  store<u32>(ptr, load<u32>(list));
  store<u32>(list, ptr);
}

// Cuts [ptr, ptr + bytes), a multiple of 16, into the largest classes that fit and puts them on their lists.
function pushRest(ptr: u32, bytes: u32): void {
  while (bytes != 0) {
    let sizeClass = bytes >= BLOCK_MAX ? CLASSES - 1 : classOf(bytes);
    if (bytesOf(sizeClass) > bytes) sizeClass--;
    push(sizeClass, ptr);
    ptr += bytesOf(sizeClass);
    bytes -= bytesOf(sizeClass);
  }
}

// A span for the arena, which may hold fifteen sixteenths of the memory: the rest is for scratch and buffers.
function reserve(bytes: u32): u32 {
  const limit = <f64>load<u32>(PAGE_COUNT) * <f64>PAGE_BYTES * 0.9375;
  if (load<f64>(ARENA_RESERVED) + <f64>roundToPages(bytes) > limit) return 0;
  const ptr = allocateSpan(bytes, 0);
  if (ptr != 0) count(ARENA_RESERVED, <f64>roundToPages(bytes));
  return ptr;
}

function newRegion(bytesMin: u32): bool {
  let bytes = REGION_BYTES;
  let ptr = reserve(bytes);
  if (ptr == 0) {
    bytes = <u32>roundToPages(bytesMin);
    ptr = reserve(bytes);
    if (ptr == 0) return false;
  }
  pushRest(load<u32>(ARENA_BUMP), load<u32>(ARENA_BUMP_END) - load<u32>(ARENA_BUMP));
  store<u32>(ARENA_BUMP, ptr);
  store<u32>(ARENA_BUMP_END, ptr + bytes);
  return true;
}

// Splits the smallest free block that is larger, of the classes before `end`; 0 when there is none.
function split(sizeClass: u32, end: u32): u32 {
  for (let larger = sizeClass + 1; larger < end; larger++) {
    const ptr = load<u32>(listOf(larger));
    if (ptr == 0) continue;
    store<u32>(listOf(larger), load<u32>(ptr));
    pushRest(ptr + bytesOf(sizeClass), bytesOf(larger) - bytesOf(sizeClass));
    return ptr;
  }
  return 0;
}

export function arenaAllocate(bytes: u32): u32 {
  if (bytes > BLOCK_MAX) {
    const ptr = reserve(bytes);
    if (ptr != 0) count(ARENA_USED, <f64>roundToPages(bytes));
    return ptr;
  }
  const sizeClass = classOf(bytes);
  const blockBytes = bytesOf(sizeClass);
  let ptr = load<u32>(listOf(sizeClass));
  if (ptr != 0) store<u32>(listOf(sizeClass), load<u32>(ptr));
  else if (blockBytes <= SMALL_CUT_MAX) ptr = split(sizeClass, SMALL_CUT_FROM_END);
  else if (blockBytes >= CHUNK_CUT_MIN && blockBytes <= CHUNK_CUT_MAX) ptr = split(sizeClass, classOf(blockBytes * 2) + 1);
  if (ptr != 0) {
    count(ARENA_USED, <f64>blockBytes);
    return ptr;
  }
  if (load<u32>(ARENA_BUMP_END) - load<u32>(ARENA_BUMP) >= blockBytes || newRegion(blockBytes)) {
    ptr = load<u32>(ARENA_BUMP);
    store<u32>(ARENA_BUMP, ptr + blockBytes);
  } else {
    // Nothing is left but larger free blocks.
    ptr = split(sizeClass, CLASSES);
    if (ptr == 0) return 0;
  }
  count(ARENA_USED, <f64>blockBytes);
  return ptr;
}

export function arenaFree(ptr: u32, bytes: u32): void {
  if (ptr == 0) return;
  if (bytes > BLOCK_MAX) {
    if (freeSpan(ptr, bytes, 0) == 0) return;
    count(ARENA_USED, -<f64>roundToPages(bytes));
    count(ARENA_RESERVED, -<f64>roundToPages(bytes));
    return;
  }
  const sizeClass = classOf(bytes);
  count(ARENA_USED, -<f64>bytesOf(sizeClass));
  push(sizeClass, ptr);
}

export function arenaRetire(ptr: u32, bytes: u32): void {
  if (ptr == 0) return;
  let node = load<u32>(RETIRED_TAIL);
  if (node == 0 || load<u32>(node, 8) == NODE_ENTRIES) {
    const fresh = arenaAllocate(NODE_BYTES);
    // Without memory for the note the block is given up: 1 KiB short of full, losing it is the lesser harm.
    if (fresh == 0) return;
    store<u32>(fresh, 0);
    store<u32>(fresh, 0, 4);
    store<u32>(fresh, 0, 8);
    if (node == 0) store<u32>(RETIRED_HEAD, fresh);
    else store<u32>(node, fresh);
    store<u32>(RETIRED_TAIL, fresh);
    node = fresh;
  }
  const last = load<u32>(node, 8);
  const entry = node + NODE_HEADER + last * 12;
  store<u32>(entry, ptr);
  store<u32>(entry, bytes, 4);
  store<u32>(entry, atomic.load<u32>(GLOBAL_EPOCH), 8);
  store<u32>(node, last + 1, 8);
  count(ARENA_RETIRED, <f64>arenaClassBytes(bytes));
}

export function arenaReclaim(): u32 {
  let freed: u32 = 0;
  let node = load<u32>(RETIRED_HEAD);
  if (node == 0) return 0;
  const oldest = epochAdvance();
  while (node != 0) {
    const last = load<u32>(node, 8);
    let first = load<u32>(node, 4);
    while (first < last) {
      const entry = node + NODE_HEADER + first * 12;
      if (load<u32>(entry, 8) >= oldest) break;
      const bytes = load<u32>(entry, 4);
      count(ARENA_RETIRED, -<f64>arenaClassBytes(bytes));
      arenaFree(load<u32>(entry), bytes);
      freed++;
      first++;
    }
    store<u32>(node, first, 4);
    if (first < last) break;
    const next = load<u32>(node);
    store<u32>(RETIRED_HEAD, next);
    if (next == 0) store<u32>(RETIRED_TAIL, 0);
    arenaFree(node, NODE_BYTES);
    node = next;
  }
  return freed;
}
