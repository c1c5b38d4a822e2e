import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { equalHistograms, parseHistogram, staleHistogram } from "../../model/index.ts";
import { customHistograms, exponentialHistograms } from "../../model/histogram/testing.ts";
import type { HistogramKind } from "../../storage/index.ts";
import { decodeFloatRecord, encodeFloatRecord } from "./float-record.ts";
import { decodeHistogramRecord, encodeHistogramRecords } from "./histogram-record.ts";

const kinds: readonly HistogramKind[] = ["integer", "float"];
const entriesOf = (kind: HistogramKind) =>
  fc.array(
    fc.record({
      kind: fc.constant(kind),
      ref: fc.nat(),
      startTimestampMs: fc.oneof(fc.constant(0), fc.constantFrom(1, 1_700_000_000_000), fc.integer()),
      timestampMs: fc.integer({ min: -(2 ** 40), max: 2 ** 41 }),
      histogram: fc.oneof(exponentialHistograms, customHistograms, fc.constant(staleHistogram)),
    }),
  );

for (const kind of kinds) {
  test(`${kind} histograms: what is written is read back`, () => {
    fc.assert(
      fc.property(entriesOf(kind), (all) => {
        const records = encodeHistogramRecords(all);
        const read = records.map(decodeHistogramRecord);
        for (const record of read) assert.equal(record.skipped, 0);
        const isCustom = (schema: number): number => (schema === -53 ? 1 : 0);
        // Only the first generation keeps those of custom buckets apart.
        const expected = all.some(({ startTimestampMs }) => startTimestampMs !== 0)
          ? all
          : all.toSorted((a, b) => isCustom(a.histogram.schema) - isCustom(b.histogram.schema));
        const actual = read.flatMap((record) => record.entries);
        assert.equal(actual.length, expected.length);
        actual.forEach((entry, i) => {
          const { histogram, ...place } = expected[i]!;
          const { histogram: read, ...readPlace } = entry;
          assert.deepEqual(readPlace, place);
          assert.ok(equalHistograms(read, histogram));
          if (!histogram.isStale) assert.equal(read.counterReset, histogram.counterReset);
        });
      }),
    );
  });

  test(`${kind} histograms: damaged records end in a RangeError`, () => {
    const histogram = parseHistogram("count:9 sum:2 z_bucket:1 buckets:[1 2 0 4] n_buckets:[1]").histogram;
    const [record] = encodeHistogramRecords([
      { ref: 1, timestampMs: 5, histogram, kind, startTimestampMs: 3 },
      { ref: 2, timestampMs: 6, histogram, kind, startTimestampMs: 4 },
    ]);
    const read = (bytes: Uint8Array): void => {
      try {
        decodeHistogramRecord(bytes);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    };
    for (let length = 0; length < record!.length; length++) read(record!.subarray(0, length));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(record!.length - 1), fc.nat(255)), { minLength: 1 }),
        (changes) => {
          const damaged = record!.slice();
          for (const [at, value] of changes) damaged[at] = value;
          read(damaged);
        },
      ),
      { numRuns: 500 },
    );
  });
}

test("the bytes of a record of the first generation", () => {
  const histogram = parseHistogram(
    "schema:1 count:6 sum:2 z_bucket:1 z_bucket_w:0.5 offset:1 buckets:[2 3]",
  ).histogram;
  const [record] = encodeHistogramRecords([
    { ref: 258, timestampMs: 1000, histogram, kind: "integer", startTimestampMs: 0 },
  ]);
  assert.equal(
    Buffer.from(record!).toString("hex"),
    [
      "07",
      "0000000000000102",
      "00000000000003e8",
      "00",
      "00",
      "00",
      "02",
      "3fe0000000000000",
      "01",
      "06",
    ].join("") + ["4000000000000000", "01", "02", "02", "00", "02", "04", "02", "00"].join(""),
  );
});

test("the bytes of records of the second generation", () => {
  const bits = 0x3ff0000000000000n;
  const places = [
    { ref: 5, timestampMs: 1000, startTimestampMs: 900 },
    { ref: 7, timestampMs: 1001, startTimestampMs: 900 },
    { ref: 6, timestampMs: 1002, startTimestampMs: 0 },
    { ref: 6, timestampMs: 1003, startTimestampMs: 901 },
  ];
  const floats = places.map((place) => ({ ...place, bits }));
  const record = encodeFloatRecord(floats);
  const one = "3ff0000000000000";
  assert.equal(
    Buffer.from(record).toString("hex"),
    ["0b", `0ad00f880e${one}`, `040201${one}`, `010400${one}`, `00060202${one}`].join(""),
  );
  assert.deepEqual(decodeFloatRecord(record), floats);
  const entries = places.map((place) => ({ ...place, histogram: staleHistogram, kind: "float" as const }));
  const [histograms] = encodeHistogramRecords(entries);
  assert.equal(histograms![0], 13);
  assert.deepEqual(decodeHistogramRecord(histograms!).entries, entries);
});

test("damaged records of floats end in a RangeError", () => {
  const record = encodeFloatRecord([
    { ref: 1, timestampMs: 5, startTimestampMs: 3, bits: 1n },
    { ref: 2, timestampMs: 6, startTimestampMs: 4, bits: 2n },
  ]);
  const counts = Array.from({ length: record.length + 1 }, (_, length) => {
    try {
      return decodeFloatRecord(record.subarray(0, length)).length;
    } catch (error) {
      assert.ok(error instanceof RangeError);
      return -1;
    }
  });
  assert.deepEqual(
    counts.filter((count) => count >= 0),
    [0, 0, 1, 2],
  );
});
