// CRC-32C by sixteen tables of 1 KiB, xxHash64, and a 32-bit hash made of it.
import { TABLES } from "./layout";

const POLYNOMIAL: u32 = 0x82f63b78;

// Fills the tables; called once, by the main thread.
export function initTables(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
    store<u32>(TABLES + (i << 2), crc);
  }
  for (let i: u32 = 0; i < 256; i++) {
    let crc = load<u32>(TABLES + (i << 2));
    for (let table: u32 = 1; table < 16; table++) {
      crc = load<u32>(TABLES + ((crc & 0xff) << 2)) ^ (crc >> 8);
      store<u32>(TABLES + (table << 10) + (i << 2), crc);
    }
  }
}

// @ts-ignore: decorator
@inline
function lookup(table: u32, byte: u32): u32 {
  return load<u32>(TABLES + (table << 10) + ((byte & 0xff) << 2));
}

// The part of four bytes that `tables` bytes follow.
// @ts-ignore: decorator
@inline
function lookup4(tables: u32, word: u32): u32 {
  return lookup(tables + 3, word) ^ lookup(tables + 2, word >> 8) ^ lookup(tables + 1, word >> 16) ^ lookup(tables, word >> 24);
}

export function crc32c(ptr: usize, bytes: u32, seed: u32): u32 {
  let crc = ~seed;
  const end = ptr + bytes;
  while (ptr + 16 <= end) {
    crc =
      lookup4(12, load<u32>(ptr) ^ crc) ^
      lookup4(8, load<u32>(ptr, 4)) ^
      lookup4(4, load<u32>(ptr, 8)) ^
      lookup4(0, load<u32>(ptr, 12));
    ptr += 16;
  }
  if (ptr + 8 <= end) {
    crc = lookup4(4, load<u32>(ptr) ^ crc) ^ lookup4(0, load<u32>(ptr, 4));
    ptr += 8;
  }
  while (ptr < end) crc = lookup(0, crc ^ load<u8>(ptr++)) ^ (crc >> 8);
  return ~crc;
}

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;

// @ts-ignore: decorator
@inline
function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * PRIME_2, 31) * PRIME_1;
}

// @ts-ignore: decorator
@inline
function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
}

export function hash64(ptr: usize, bytes: u32): u64 {
  const end = ptr + bytes;
  let hash: u64 = 0;
  if (bytes >= 32) {
    let a = PRIME_1 + PRIME_2;
    let b = PRIME_2;
    let c: u64 = 0;
    let d = 0 - PRIME_1;
    while (ptr + 32 <= end) {
      a = round(a, load<u64>(ptr));
      b = round(b, load<u64>(ptr, 8));
      c = round(c, load<u64>(ptr, 16));
      d = round(d, load<u64>(ptr, 24));
      ptr += 32;
    }
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  } else {
    hash = PRIME_5;
  }
  hash += bytes;
  for (; ptr + 8 <= end; ptr += 8) hash = rotl<u64>(hash ^ round(0, load<u64>(ptr)), 27) * PRIME_1 + PRIME_4;
  if (ptr + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(ptr) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    ptr += 4;
  }
  for (; ptr < end; ptr++) hash = rotl<u64>(hash ^ (<u64>load<u8>(ptr) * PRIME_5), 11) * PRIME_1;
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return hash ^ (hash >> 32);
}

export function hash32(ptr: usize, bytes: u32): u32 {
  const hash = hash64(ptr, bytes);
  return <u32>hash ^ <u32>(hash >> 32);
}
