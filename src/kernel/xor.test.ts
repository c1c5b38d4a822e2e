import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ChunkDamagedError, layout, staleMarkerBits } from "./index.ts";
import { type Sample, bitsOf, getColumns, putColumns, testKernel } from "./testing.ts";
import { decodeTwin, encodeTwin } from "./xor.twin.ts";

const kernel = testKernel();

const anyBits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const smallNumber = fc.integer({ min: -1000, max: 100_000 }).map(bitsOf);
const valueBits = fc.oneof(
  smallNumber,
  smallNumber,
  fc.double().map(bitsOf),
  fc.constant(staleMarkerBits),
  fc.constantFrom(0n, bitsOf(-0), bitsOf(1)),
  anyBits,
);
const step = fc.oneof(
  fc.constant(15_000),
  fc.constant(15_000),
  fc.integer({ min: 14_990, max: 15_010 }),
  fc.integer({ min: 0, max: 140_000 }),
  fc.integer({ min: 0, max: 2_000_000 }),
  fc.integer({ min: 0, max: 2 ** 45 }),
);
const series = fc
  .tuple(
    fc.integer({ min: -(2 ** 40), max: 2 ** 41 }),
    fc.array(fc.tuple(step, valueBits), { minLength: 1, maxLength: 200, size: "max" }),
  )
  .map(([start, steps]) => {
    let t = start;
    return steps.map(([stepMs, bits]): Sample => ({ t: (t += stepMs), bits }));
  });

function decode(bytes: Uint8Array, count: number, capacity = count): Sample[] {
  const ptr = kernel.scratch.allocate(bytes.length);
  const tsOut = kernel.scratch.allocate(capacity * 8 + 16);
  const vsOut = kernel.scratch.allocate(capacity * 8 + 16);
  kernel.views.u8.set(bytes, ptr);
  kernel.views.u8.fill(0xa5, ptr + bytes.length, ptr + bytes.length + 16);
  kernel.views.f64[tsOut / 8 + capacity] = 42;
  kernel.views.f64[vsOut / 8 + capacity] = 43;
  try {
    kernel.decodeChunk(layout.chunkEncodingXor, ptr, bytes.length, count, tsOut, vsOut, capacity);
  } finally {
    assert.equal(kernel.views.f64[tsOut / 8 + capacity], 42, "wrote past the column");
    assert.equal(kernel.views.f64[vsOut / 8 + capacity], 43, "wrote past the column");
  }
  return getColumns(kernel, tsOut, vsOut, count);
}

function scratched(body: () => void): void {
  const mark = kernel.scratch.mark();
  try {
    body();
  } finally {
    kernel.scratch.release(mark);
  }
}

test("encoding and decoding equal the plain twins", () => {
  fc.assert(
    fc.property(series, (samples) =>
      scratched(() => {
        const expected = encodeTwin(samples);
        const columns = putColumns(kernel, samples);
        const capacity = samples.length * 20 + 40;
        const out = kernel.scratch.allocate(capacity);
        const bytes = kernel.encodeChunk(layout.chunkEncodingXor, columns, out, capacity);
        assert.deepEqual(kernel.views.u8.slice(out, out + bytes), Uint8Array.from(expected));
        assert.deepEqual(decode(expected, samples.length), samples);
        assert.deepEqual(decodeTwin(expected, samples.length), samples);
      }),
    ),
    { numRuns: 400 },
  );
});

test("truncated and mutated chunks are damaged or decode as the twin does, and nothing else is touched", () => {
  const mutation = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  fc.assert(
    fc.property(series, mutation, fc.double({ min: 0, max: 1, noNaN: true }), (samples, mutations, keep) =>
      scratched(() => {
        const bytes = encodeTwin(samples);
        for (const [at, byte] of mutations) bytes[at % bytes.length] = byte;
        const cut = bytes.subarray(0, Math.ceil(bytes.length * keep));
        // The kernel refuses at once what cannot hold a first sample.
        const expected = cut.length < 11 ? undefined : decodeTwin(cut, samples.length);
        if (expected === undefined) assert.throws(() => decode(cut, samples.length), ChunkDamagedError);
        else assert.deepEqual(decode(cut, samples.length), expected);
      }),
    ),
    { numRuns: 600 },
  );
});

test("random bytes never decode past their end", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300, size: "max" }),
      fc.integer({ min: 1, max: 3000 }),
      (bytes, count) =>
        scratched(() => {
          const expected = bytes.length < 11 ? undefined : decodeTwin(bytes, count);
          if (expected === undefined) assert.throws(() => decode(bytes, count), ChunkDamagedError);
          else assert.deepEqual(decode(bytes, count), expected);
        }),
    ),
    { numRuns: 500 },
  );
});

test("capacity is respected", () => {
  scratched(() => {
    const bytes = encodeTwin([
      { t: 1, bits: 0n },
      { t: 2, bits: 0n },
    ]);
    assert.throws(() => decode(bytes, 2, 1), /capacity 1 is below the chunk's 2 samples/);
    const columns = putColumns(kernel, [{ t: 1, bits: 0n }]);
    assert.equal(kernel.encodeChunk(layout.chunkEncodingXor, columns, kernel.scratch.allocate(100), 10), 0);
    assert.equal(kernel.encodeChunk(layout.chunkEncodingXor, { ...columns, count: 70_000 }, 0, 2 ** 30), 0);
  });
});
