import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { HeadChunkFiles } from "./files.ts";
import { RecordWindow } from "./record-window.ts";

const fileBytes = 300_000;
const contents = [1, 2].map((file) =>
  Uint8Array.from({ length: fileBytes }, (_, i) => (i * 31 + file) >>> 3),
);

/** Files that count how often, and how much, is read of them. */
function countingFiles(): { files: HeadChunkFiles; reads: number[] } {
  const reads: number[] = [];
  const read = (file: number, bytes: Uint8Array, offset: number): number => {
    const found = contents[file - 1]!.subarray(offset, offset + bytes.length);
    bytes.set(found);
    reads.push(found.length);
    return found.length;
  };
  return { files: { read } as HeadChunkFiles, reads };
}

/** So many places from a first one on. */
const places = (first: number, stepBytes: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ file: 1, offset: first + i * stepBytes, recordBytesMax: 192 }));

test("records are what the files have there, whatever was read before", () => {
  const place = fc.record({
    file: fc.constantFrom(1, 2),
    offset: fc.integer({ min: 0, max: fileBytes - 1 }),
    recordBytesMax: fc.constantFrom(64, 192, 6400),
  });
  const steps = fc.array(
    fc.tuple(place, fc.constantFrom(-7000, -150, 150, 7000), fc.integer({ min: 1, max: 9 })),
  );
  fc.assert(
    fc.property(steps, (all) => {
      const window = new RecordWindow(countingFiles().files);
      for (const [{ file, offset, recordBytesMax }, stepBytes, count] of all)
        for (let i = 0; i < count; i++) {
          const at = Math.min(Math.max(0, offset + i * stepBytes), fileBytes - 1);
          const expected = contents[file - 1]!.subarray(at, at + recordBytesMax);
          assert.deepEqual(window.read({ file, offset: at, recordBytesMax }), expected);
        }
    }),
  );
});

test("neighbours are read together, upwards and downwards, and others by themselves", () => {
  for (const neighbours of [places(100_000, 170, 300), places(100_000, 170, 300).toReversed()]) {
    const { files, reads } = countingFiles();
    const window = new RecordWindow(files);
    for (const place of neighbours) window.read(place);
    assert.equal(reads.length, 2, reads.join(" "));
  }
  const { files, reads } = countingFiles();
  const window = new RecordWindow(files);
  for (const place of places(0, 20_000, 15)) window.read(place);
  assert.deepEqual(
    reads,
    Array.from({ length: 15 }, () => 192),
  );
});
