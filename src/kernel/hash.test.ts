import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { testKernel } from "./testing.ts";

const kernel = testKernel();
const ptr = kernel.scratch.allocate(5000);

function put(bytes: Uint8Array): void {
  kernel.views.u8.set(bytes, ptr);
}

function crc32cTwin(bytes: Uint8Array, seed: number): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

test("CRC-32C equals its definition, in one go and in parts", () => {
  put(Buffer.from("123456789"));
  assert.equal(kernel.crc32c(ptr, 9), 0xe3069283);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000, size: "max" }), fc.nat(), (bytes, cut) => {
      put(bytes);
      const at = bytes.length === 0 ? 0 : cut % bytes.length;
      const expected = crc32cTwin(bytes, 0);
      assert.equal(kernel.crc32c(ptr, bytes.length), expected);
      assert.equal(kernel.crc32c(ptr + at, bytes.length - at, kernel.crc32c(ptr, at)), expected);
    }),
    { numRuns: 100 },
  );
});

const mask = 2n ** 64n - 1n;
const primes: readonly [bigint, bigint, bigint, bigint, bigint] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
];
const rotate = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & mask;
const roundOf = (lane: bigint, input: bigint): bigint =>
  (rotate((lane + input * primes[1]) & mask, 31n) * primes[0]) & mask;

function xxHash64Twin(input: Uint8Array): bigint {
  const bytes = Buffer.from(input);
  let at = 0;
  let hash = primes[4];
  if (bytes.length >= 32) {
    const lanes = [(primes[0] + primes[1]) & mask, primes[1], 0n, -primes[0] & mask];
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) lanes[i] = roundOf(lanes[i]!, bytes.readBigUInt64LE(at + i * 8));
    hash = [1n, 7n, 12n, 18n].reduce((sum, n, i) => sum + rotate(lanes[i]!, n), 0n) & mask;
    for (const lane of lanes) hash = ((hash ^ roundOf(0n, lane)) * primes[0] + primes[3]) & mask;
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8)
    hash = (rotate(hash ^ roundOf(0n, bytes.readBigUInt64LE(at)), 27n) * primes[0] + primes[3]) & mask;
  if (at + 4 <= bytes.length) {
    hash ^= (BigInt(bytes.readUInt32LE(at)) * primes[0]) & mask;
    hash = (rotate(hash, 23n) * primes[1] + primes[2]) & mask;
    at += 4;
  }
  for (; at < bytes.length; at++)
    hash = (rotate(hash ^ ((BigInt(bytes[at]!) * primes[4]) & mask), 11n) * primes[0]) & mask;
  hash = ((hash ^ (hash >> 33n)) * primes[1]) & mask;
  hash = ((hash ^ (hash >> 29n)) * primes[2]) & mask;
  return hash ^ (hash >> 32n);
}

test("hash64 is xxHash64", () => {
  assert.equal(kernel.hash64(ptr, 0), 0xef46db3751d8e999n);
  put(Buffer.from("a"));
  assert.equal(kernel.hash64(ptr, 1), 0xd24ec4f1a98c6e5bn);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200, size: "max" }), (bytes) => {
      put(bytes);
      const expected = xxHash64Twin(bytes);
      assert.equal(kernel.hash64(ptr, bytes.length), expected);
      assert.equal(kernel.hash32(ptr, bytes.length), Number((expected ^ (expected >> 32n)) & 0xffff_ffffn));
    }),
  );
});
