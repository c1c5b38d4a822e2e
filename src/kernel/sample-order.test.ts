import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createKernel } from "./index.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const batch = kernel.createSampleBatch(512);
const sorted = kernel.createSampleBatch(512);
const positions = { ptr: kernel.scratch.allocate(4 * 4096), count: 4096 };

test("samples come in the order of their refs, and keep theirs within a ref", () => {
  const sampleArbitrary = fc.record({
    ref: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2000 })),
    bits: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  });
  fc.assert(
    fc.property(fc.array(sampleArbitrary, { maxLength: 400 }), fc.nat(2 ** 31), (samples, base) => {
      batch.clear();
      samples.forEach(({ ref, bits }, i) => batch.pushBits(base + ref, i, bits));
      assert.equal(batch.orderBySeries(sorted, positions), samples.length > 0);
      const expected = samples
        .map(({ ref, bits }, timestampMs) => ({ ref: base + ref, bits, timestampMs }))
        .sort((a, b) => a.ref - b.ref || a.timestampMs - b.timestampMs);
      const found = expected.map((_, i) => ({
        ref: sorted.refs[i]!,
        bits: sorted.valueBits[i]!,
        timestampMs: sorted.timestamps[i]!,
      }));
      assert.deepEqual(found, expected);
    }),
  );
});

test("refs that are too far apart stay as they are", () => {
  sorted.clear();
  batch.clear();
  batch.push(1, 1, 1);
  batch.push(positions.count, 1, 1);
  assert.equal(batch.orderBySeries(sorted, positions), false);
  assert.equal(sorted.count, 0);
  batch.push(0xffff_ffff, 1, 1);
  assert.equal(batch.orderBySeries(sorted, positions), false);
});
