import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { SampleReading } from "./index.ts";
import { testKernel } from "./testing.ts";

const refMax = 20;
const newestMs = 1000;

interface Row {
  readonly ref: number;
  readonly t: number;
  readonly bits: bigint;
}

const rowArbitrary = fc.record({
  ref: fc.integer({ min: 1, max: refMax }),
  t: fc.integer({ min: newestMs - 10, max: newestMs + 10 }),
  bits: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});

/** What is taken of a record when the series with even refs have a sample at `newestMs`, in plain words. */
function readTwin(
  rows: readonly Row[],
  { minTimeMs, storedUntilMs }: SampleReading,
  aliases: ReadonlyMap<number, number>,
): Row[] {
  return rows
    .map((row) => ({ ...row, ref: aliases.get(row.ref) ?? row.ref }))
    .filter(({ ref, t }) => {
      const isStored = t <= storedUntilMs && ref % 2 === 0 && t < newestMs;
      return t >= minTimeMs && !isStored;
    });
}

test("samples of a log are read as the twin reads them: under other refs, and without what is stored or too old", () => {
  const kernel = testKernel();
  const batch = kernel.createSampleBatch(256);
  for (let ref = 1; ref <= refMax; ref++) kernel.series.create(ref, kernel.arena.allocate(16));
  for (let ref = 2; ref <= refMax; ref += 2) batch.push(ref, newestMs, 1);
  assert.equal(batch.append(), refMax / 2);
  const record = kernel.scratch.allocate(8192);
  const table = kernel.scratch.allocate(4 * 8);
  fc.assert(
    fc.property(
      fc.array(rowArbitrary, { minLength: 1, maxLength: 100 }),
      fc.record({
        minTimeMs: fc.constantFrom(-Infinity, newestMs - 5, newestMs + 5),
        storedUntilMs: fc.constantFrom(-Infinity, newestMs - 3, newestMs, Infinity),
      }),
      fc.array(fc.nat(refMax), { maxLength: 8 }),
      fc.integer({ min: 1, max: refMax }),
      (rows, bounds, others, first) => {
        batch.clear();
        for (const { ref, t, bits } of rows) batch.pushBits(ref, t, bits);
        const bytes = batch.encodeRecord(record, 8000);
        kernel.views.u32.set(others, table >>> 2);
        const aliases = new Map(
          others.map((ref, i) => [first + i, ref] as const).filter(([, ref]) => ref !== 0),
        );
        const expected = readTwin(rows, bounds, aliases);
        batch.clear();
        batch.push(99, 1, 1);
        const reading = { ...bounds, aliases: { ptr: table, first, count: others.length } };
        assert.equal(batch.addRecord(record, bytes, reading), expected.length);
        const found = expected.map((_, i) => ({
          ref: batch.refs[i + 1],
          t: batch.timestamps[i + 1],
          bits: batch.valueBits[i + 1],
        }));
        assert.deepEqual(found, expected);
      },
    ),
  );
});
