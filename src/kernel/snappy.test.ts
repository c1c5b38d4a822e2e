import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { snappyCompress, snappyUncompress } from "hysnappy";
import { createKernel } from "./index.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const { u8 } = kernel.views;
const guard = 0xa5;
const blockPtr = kernel.scratch.allocate(256 * 1024);
const outPtr = kernel.scratch.allocate(256 * 1024);

/** Decompresses with `capacity` bytes of room, behind and before which nothing may change; undefined when the kernel refuses. */
function uncompress(block: Uint8Array, capacity: number): Uint8Array | undefined {
  u8.set(block, blockPtr);
  const room = u8.subarray(outPtr, outPtr + capacity + 96);
  room.fill(guard);
  const bytes = kernel.exports.uncompressSnappy(blockPtr, block.length, outPtr + 32, capacity);
  assert.ok(room.subarray(0, 32).every((byte) => byte === guard));
  assert.ok(room.subarray(32 + capacity).every((byte) => byte === guard));
  return bytes < 0 ? undefined : Uint8Array.from(room.subarray(32, 32 + bytes));
}

/** Text with repetitions near and far, and noise. */
const textArbitrary = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 90 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 })
  .map((parts) => Buffer.concat(parts.flatMap(([part, times]) => Array<Uint8Array>(times).fill(part))));

test("snappy blocks unfold to what was compressed", () => {
  fc.assert(
    fc.property(textArbitrary, (text) => {
      const block = snappyCompress(text);
      assert.deepEqual(uncompress(block, text.length), Uint8Array.from(text));
      if (text.length > 0) assert.equal(uncompress(block, text.length - 1), undefined);
    }),
  );
});

test("copies overlap themselves at every distance", () => {
  for (let offset = 1; offset < 70; offset++) {
    const seed = Uint8Array.from({ length: offset }, (_, i) => i + 1);
    for (const bytes of [1, 7, 16, 33, 64]) {
      const literal = [60 << 2, offset - 1, ...seed];
      const copy = [((bytes - 1) << 2) | 2, offset, 0];
      const length = offset + bytes;
      const block = Uint8Array.of((length & 0x7f) | 0x80, length >> 7, ...literal, ...copy);
      const expected = Uint8Array.from({ length: offset + bytes }, (_, i) => (i % offset) + 1);
      // With little room behind the copy, and with much.
      assert.deepEqual(uncompress(block, offset + bytes), expected);
      assert.deepEqual(uncompress(block, offset + bytes + 100), expected);
    }
  }
});

test("damaged blocks are refused, or are what the other implementation makes of them", () => {
  fc.assert(
    fc.property(textArbitrary, fc.array(fc.tuple(fc.nat(), fc.nat(255))), fc.nat(), (text, changes, cut) => {
      const block = Uint8Array.from(snappyCompress(text));
      for (const [at, byte] of changes) block[at % block.length] = byte;
      const damaged = block.subarray(0, block.length - (cut % 3));
      const found = uncompress(damaged, 100_000);
      if (found === undefined) return;
      assert.deepEqual(found, snappyUncompress(damaged, found.length));
    }),
    { numRuns: 500 },
  );
});
