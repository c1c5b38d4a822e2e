import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { chunkBytesMax, ChunkDamagedError, layout, staleMarkerBits } from "./index.ts";
import { bitsOf, getColumns, putColumns, testKernel } from "./testing.ts";
import { decodeXor2Twin, encodeXor2Twin, type StartedSample } from "./xor2.twin.ts";

const kernel = testKernel();
const xor2 = layout.chunkEncodingXor2;

const valueBits = fc.oneof(
  fc.integer({ min: -1000, max: 100_000 }).map(bitsOf),
  fc.constantFrom(0n, bitsOf(-0), bitsOf(1), bitsOf(1), bitsOf(2)),
  fc.double().map(bitsOf),
  fc.constant(staleMarkerBits),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant(15_000) },
  fc.integer({ min: 14_990, max: 15_010 }),
  fc.constantFrom(15_000 + 4095, 15_000 + 4096, 15_000 - 4096, 15_000 - 4097),
  fc.constantFrom(600_000 + 524_287, 600_000 + 524_288, 600_000),
  fc.integer({ min: 0, max: 2 ** 45 }),
);
/** How long before a sample it began to count; undefined where that is not known. */
const age = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.constantFrom(0, 15_000, 15_003, 15_031, 15_300, 17_000, 150_000, 2 ** 24),
  fc.nat({ max: 2 ** 40 }),
);
const plan = fc.record({
  firstMs: fc.integer({ min: -(2 ** 40), max: 2 ** 41 }),
  steps: fc.array(fc.tuple(step, valueBits, age), { minLength: 1, maxLength: 220, size: "max" }),
  starts: fc.constantFrom("none", "one", "each"),
});
const series = plan.map(({ firstMs, steps, starts }) => {
  let t = firstMs;
  return steps.map(([stepMs, bits, ageMs]): StartedSample => {
    t += stepMs;
    const own = ageMs === undefined ? 0 : t - ageMs;
    return { t, bits, start: starts === "none" ? 0 : starts === "one" ? 4711 : own };
  });
});

function scratched<T>(body: () => T): T {
  const mark = kernel.scratch.mark();
  try {
    return body();
  } finally {
    kernel.scratch.release(mark);
  }
}

function encode(samples: readonly StartedSample[], hasStarts: boolean): Uint8Array {
  return scratched(() => {
    const columns = putColumns(kernel, samples);
    const startsPtr = kernel.scratch.allocate(8 * samples.length);
    samples.forEach(({ start }, i) => (kernel.views.f64[startsPtr / 8 + i] = start));
    const capacity = chunkBytesMax(samples.length);
    const out = kernel.scratch.allocate(capacity);
    kernel.views.u8.fill(0xa5, out, out + capacity);
    const bytes = kernel.encodeChunk(xor2, columns, out, capacity, hasStarts ? startsPtr : 0);
    return kernel.views.u8.slice(out, out + bytes);
  });
}

/** With the starts, and the same without. */
function decode(bytes: Uint8Array, count: number, capacity = count): StartedSample[] {
  return scratched(() => {
    const { f64, u8 } = kernel.views;
    const ptr = kernel.scratch.allocate(bytes.length);
    const [ts, vs, starts] = Array.from({ length: 3 }, () => kernel.scratch.allocate(capacity * 8 + 16)) as [
      number,
      number,
      number,
    ];
    u8.set(bytes, ptr);
    u8.fill(0xa5, ptr + bytes.length, ptr + bytes.length + 16);
    for (const column of [ts, vs, starts]) f64[column / 8 + capacity] = 42;
    try {
      kernel.decodeChunk(xor2, ptr, bytes.length, count, ts, vs, capacity);
      const plain = getColumns(kernel, ts, vs, count);
      kernel.decodeChunk(xor2, ptr, bytes.length, count, ts, vs, capacity, starts);
      const all = getColumns(kernel, ts, vs, count);
      assert.deepEqual(all, plain);
      return all.map((sample, i) => ({ ...sample, start: f64[starts / 8 + i]! }));
    } finally {
      for (const column of [ts, vs, starts])
        assert.equal(f64[column / 8 + capacity], 42, "wrote past the column");
    }
  });
}

test("encoding and decoding equal the plain twins", () => {
  fc.assert(
    fc.property(series, (samples) => {
      const expected = encodeXor2Twin(samples);
      const hasStarts = samples.some(({ start }) => start !== 0);
      assert.deepEqual(encode(samples, hasStarts), expected);
      assert.deepEqual(decode(expected, samples.length), samples);
      assert.deepEqual(decodeXor2Twin(expected, samples.length), samples);
    }),
    { numRuns: 400 },
  );
});

interface Vector {
  readonly name: string;
  /** The first sample's time, then how long after the one before each comes. */
  readonly gapsMs: readonly number[];
  /** Of the values, hexadecimal. */
  readonly bits: readonly string[];
  /** Empty where none is known. */
  readonly startsMs: readonly number[];
  readonly bytes: string;
}

/** Written by upstream's appender (tsdb/chunkenc of 3.14). */
const vectors = JSON.parse(
  readFileSync(new URL("xor2.vectors.json", import.meta.url), "utf8"),
) as readonly Vector[];

for (const { name, gapsMs, bits, startsMs, bytes } of vectors)
  test(`upstream's bytes: ${name}`, () => {
    let t = 0;
    const samples = gapsMs.map((gapMs, i): StartedSample => ({
      t: (t += gapMs),
      bits: BigInt(`0x${bits[i]}`),
      start: startsMs[i] ?? 0,
    }));
    assert.equal(Buffer.from(encode(samples, startsMs.length > 0)).toString("hex"), bytes);
    assert.deepEqual(decode(Uint8Array.from(Buffer.from(bytes, "hex")), samples.length), samples);
  });

/** Decodes as the twin does, or is damaged as it says. */
function decodesAsTwin(bytes: Uint8Array, count: number): void {
  // The kernel refuses at once what cannot hold a first sample.
  const expected = bytes.length < 12 ? undefined : decodeXor2Twin(bytes, count);
  if (expected === undefined) assert.throws(() => decode(bytes, count), ChunkDamagedError);
  else assert.deepEqual(decode(bytes, count), expected);
}

test("truncated and mutated chunks are damaged or decode as the twin does, and nothing else is touched", () => {
  const mutation = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  fc.assert(
    fc.property(series, mutation, fc.double({ min: 0, max: 1, noNaN: true }), (samples, mutations, keep) => {
      const bytes = encodeXor2Twin(samples);
      for (const [at, byte] of mutations) bytes[at % bytes.length] = byte;
      decodesAsTwin(bytes.subarray(0, Math.ceil(bytes.length * keep)), samples.length);
    }),
    { numRuns: 600 },
  );
});

test("random bytes never decode past their end", () => {
  const bytes = fc.uint8Array({ maxLength: 300, size: "max" });
  fc.assert(fc.property(bytes, fc.integer({ min: 1, max: 3000 }), decodesAsTwin), { numRuns: 500 });
});

test("capacity is respected", () => {
  const samples = [1, 2].map((t): StartedSample => ({ t, bits: 0n, start: 0 }));
  assert.throws(() => decode(encodeXor2Twin(samples), 2, 1), /capacity 1 is below the chunk's 2 samples/);
  scratched(() => {
    const columns = putColumns(kernel, samples);
    assert.equal(kernel.encodeChunk(xor2, columns, kernel.scratch.allocate(100), 10), 0);
    assert.equal(kernel.encodeChunk(xor2, { ...columns, count: 70_000 }, 0, 2 ** 30), 0);
  });
});
