// The head's arena (writer thread only): blocks of one size class are cut from slabs, which are spans that go back when all their blocks are free, so that
// what was outgrown or removed makes room for any other size.
import { epochAdvance, epochOldest, isBefore } from "./epoch";
import {
  ARENA_RESERVED,
  ARENA_RETIRED,
  ARENA_SLABS,
  ARENA_USED,
  GLOBAL_EPOCH,
  PAGE_BYTES,
  PAGE_COUNT,
  RETIRED_HEAD,
  RETIRED_TAIL,
  SLAB_OF_PAGE,
} from "./layout";
import { allocateSpan, freeSpan } from "./spans";

const SMALL_MAX: u32 = 512;
const SMALL_CLASSES: u32 = 32;
// Above 512, multiples of 16: ×1.125 for the blocks of large chunks, then ×1.25. Larger blocks are spans of their own.
const LARGE: StaticArray<u32> = [
  576, 640, 720, 800, 896, 1008, 1136, 1264, 1584, 1984, 2480, 3104, 3888, 4864, 6080, 7600, 9504, 11888, 14864, 18592, 23248,
  29072, 36352, 45440, 56800,
];
const LARGE_CLASSES: u32 = 25;
const CLASSES: u32 = SMALL_CLASSES + LARGE_CLASSES;
const BLOCK_MAX: u32 = 56800;

// A slab has room for at least so many blocks, unless the memory is nearly full.
const SLAB_BLOCKS_MIN: u32 = 8;
// A slab: a header, then its blocks. Those with room are in a list, { u32 first, u32 last }, one for each size class.
const LIST_LAST: usize = 4;
const SLAB_HEADER: u32 = 32;
const SLAB_NEXT: usize = 0;
const SLAB_PREVIOUS: usize = 4;
const SLAB_CLASS: usize = 8;
const SLAB_BYTES: usize = 12;
// Its blocks in use, the first of those freed, and where the part begins that was never used.
const SLAB_USED: usize = 16;
const SLAB_FREE: usize = 20;
const SLAB_FRESH: usize = 24;

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
  return ARENA_SLABS + (sizeClass << 3);
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

// A span for the arena, which may hold fifteen sixteenths of the memory: the rest is for scratch and buffers.
function reserve(bytes: u32): u32 {
  const limit = <f64>load<u32>(PAGE_COUNT) * <f64>PAGE_BYTES * 0.9375;
  if (load<f64>(ARENA_RESERVED) + <f64>roundToPages(bytes) > limit) return 0;
  const ptr = allocateSpan(bytes, 0);
  if (ptr != 0) count(ARENA_RESERVED, <f64>roundToPages(bytes));
  return ptr;
}

function giveBack(span: u32, bytes: u32): bool {
  if (freeSpan(span, bytes, 0) == 0) return false;
  count(ARENA_RESERVED, -<f64>roundToPages(bytes));
  return true;
}

// Behind the others: most blocks of a slab are freed at about the same time, so one that gets room will soon be free as a whole, unless it is filled again.
function link(slab: u32): void {
  const list = listOf(load<u32>(slab, SLAB_CLASS));
  const last = load<u32>(list, LIST_LAST);
  store<u32>(slab, 0, SLAB_NEXT);
  store<u32>(slab, last, SLAB_PREVIOUS);
  if (last != 0) store<u32>(last, slab, SLAB_NEXT);
  else store<u32>(list, slab);
  store<u32>(list, slab, LIST_LAST);
}

function unlink(slab: u32): void {
  const list = listOf(load<u32>(slab, SLAB_CLASS));
  const next = load<u32>(slab, SLAB_NEXT);
  const previous = load<u32>(slab, SLAB_PREVIOUS);
  if (next != 0) store<u32>(next, previous, SLAB_PREVIOUS);
  else store<u32>(list, previous, LIST_LAST);
  if (previous != 0) store<u32>(previous, next, SLAB_NEXT);
  else store<u32>(list, next);
}

// @ts-ignore: decorator
@inline
function isFull(slab: u32, blockBytes: u32): bool {
  return load<u32>(slab, SLAB_FREE) == 0 && load<u32>(slab, SLAB_FRESH) + blockBytes > load<u32>(slab, SLAB_BYTES);
}

// A slab of the class, linked; 0 when there is no span for one.
function newSlab(sizeClass: u32): u32 {
  const blockBytes = bytesOf(sizeClass);
  let bytes = <u32>roundToPages(blockBytes * SLAB_BLOCKS_MIN);
  let slab = reserve(bytes);
  if (slab == 0) {
    bytes = <u32>roundToPages(SLAB_HEADER + blockBytes);
    slab = reserve(bytes);
    if (slab == 0) return 0;
  }
  store<u32>(slab, sizeClass, SLAB_CLASS);
  store<u32>(slab, bytes, SLAB_BYTES);
  store<u32>(slab, 0, SLAB_USED);
  store<u32>(slab, 0, SLAB_FREE);
  store<u32>(slab, SLAB_HEADER, SLAB_FRESH);
  const first = slab / PAGE_BYTES;
  for (let page = first; page < first + bytes / PAGE_BYTES; page++) store<u16>(SLAB_OF_PAGE + (page << 1), <u16>first);
  link(slab);
  return slab;
}

// @ts-ignore: decorator
@inline
function slabOf(ptr: u32): u32 {
  return <u32>load<u16>(SLAB_OF_PAGE + ((ptr / PAGE_BYTES) << 1)) * PAGE_BYTES;
}

// A slab with room for the class. When memory is full, one of larger blocks may do; 0 when there is none.
function slabFor(sizeClass: u32): u32 {
  let slab = load<u32>(listOf(sizeClass));
  if (slab == 0) slab = newSlab(sizeClass);
  for (let larger = sizeClass + 1; slab == 0 && larger < CLASSES; larger++) slab = load<u32>(listOf(larger));
  return slab;
}

export function arenaAllocate(bytes: u32): u32 {
  if (bytes > BLOCK_MAX) {
    const ptr = reserve(bytes);
    if (ptr != 0) count(ARENA_USED, <f64>roundToPages(bytes));
    return ptr;
  }
  const slab = slabFor(classOf(bytes));
  if (slab == 0) return 0;
  const blockBytes = bytesOf(load<u32>(slab, SLAB_CLASS));
  let ptr = load<u32>(slab, SLAB_FREE);
  if (ptr != 0) store<u32>(slab, load<u32>(ptr), SLAB_FREE);
  else {
    const fresh = load<u32>(slab, SLAB_FRESH);
    ptr = slab + fresh;
    store<u32>(slab, fresh + blockBytes, SLAB_FRESH);
  }
  store<u32>(slab, load<u32>(slab, SLAB_USED) + 1, SLAB_USED);
  if (isFull(slab, blockBytes)) unlink(slab);
  count(ARENA_USED, <f64>blockBytes);
  return ptr;
}

export function arenaFree(ptr: u32, bytes: u32): void {
  if (ptr == 0) return;
  if (bytes > BLOCK_MAX) {
    if (giveBack(ptr, bytes)) count(ARENA_USED, -<f64>roundToPages(bytes));
    return;
  }
  const slab = slabOf(ptr);
  const blockBytes = bytesOf(load<u32>(slab, SLAB_CLASS));
  const wasFull = isFull(slab, blockBytes);
  const used = load<u32>(slab, SLAB_USED) - 1;
  count(ARENA_USED, -<f64>blockBytes);
  if (used == 0) {
    if (!wasFull) unlink(slab);
    giveBack(slab, load<u32>(slab, SLAB_BYTES));
    return;
  }
  store<u32>(slab, used, SLAB_USED);
  store<u32>(ptr, load<u32>(slab, SLAB_FREE));
  store<u32>(slab, ptr, SLAB_FREE);
  if (wasFull) link(slab);
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
  epochAdvance();
  const oldest = epochOldest();
  while (node != 0) {
    const last = load<u32>(node, 8);
    let first = load<u32>(node, 4);
    while (first < last) {
      const entry = node + NODE_HEADER + first * 12;
      if (!isBefore(load<u32>(entry, 8), oldest)) break;
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
