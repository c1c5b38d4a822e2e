import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { kernelBytes, temporaryDirectory } from "../test-support.ts";
import { compressRecord, decompressRecord, recordBytesMax, type WalCompression } from "./compression.ts";
import { SegmentReader, type WalDamage } from "./reader.ts";
import { RecordCursor } from "./record.ts";
import { listSegments, pageBytes } from "./segment.ts";
import { WalWriter } from "./writer.ts";

const kernel = createKernel({ limitBytes: kernelBytes });

/** Records of a few bytes up to several pages; the first byte is a type that nobody reads. */
const recordArbitrary = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 100_000 })),
    fc.integer(),
    fc.boolean(),
  )
  .map(([length, seed, isRandom]) => {
    const record = new Uint8Array(length + 1);
    for (let i = 0, state = seed; i < length; i++) {
      state = Math.imul(state, 1_103_515_245) + 12_345;
      record[i + 1] = isRandom ? state >>> 16 : i >>> 4;
    }
    record[0] = 200;
    return record;
  });
const compressionArbitrary = fc.constantFrom<WalCompression>("none", "snappy", "zstd");

async function write(
  directory: string,
  records: readonly Uint8Array[],
  compression: WalCompression,
  segmentBytes = 64 * 1024 * 1024,
): Promise<number[]> {
  const writer = new WalWriter({
    directory,
    kernel,
    disk: systemDisk,
    clock: new SimulatedClock(),
    logger: silentLogger,
    compression,
    segmentBytes,
    syncIntervalMs: 0,
  });
  const ends: number[] = [];
  for (const record of records) {
    writer.add(record);
    writer.flush();
    ends.push(writer.segmentSizeBytes);
  }
  await writer.close();
  return ends;
}

function read(path: string): {
  records: Uint8Array[];
  damages: WalDamage[];
  tail: WalDamage | undefined;
  goodBytes: number;
} {
  const reader = new SegmentReader(kernel, systemDisk, path);
  try {
    const records: Uint8Array[] = [];
    for (let record = reader.next(); record !== undefined; record = reader.next())
      records.push(Uint8Array.from(record));
    return { records, damages: reader.damages, tail: reader.tail, goodBytes: reader.goodBytes };
  } finally {
    reader.close();
  }
}

test("records of every size come back as they were written, over segments", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(recordArbitrary, { maxLength: 20 }),
      compressionArbitrary,
      async (records, compression) => {
        const directory = temporaryDirectory();
        try {
          await write(directory, records, compression, 8 * pageBytes);
          const segments = listSegments(systemDisk, directory);
          for (const { sizeBytes } of segments) assert.ok(sizeBytes <= 8 * pageBytes);
          const results = segments.map(({ path }) => read(path));
          assert.deepEqual(
            results.flatMap((result) => result.records),
            records,
          );
          assert.deepEqual(
            results.flatMap(({ damages, tail }) => [...damages, ...(tail ? [tail] : [])]),
            [],
          );
        } finally {
          rmSync(directory, { recursive: true });
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("damaged bytes cost the records they are in and no other", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(recordArbitrary, { minLength: 1, maxLength: 20 }),
      compressionArbitrary,
      fc.array(
        fc.record({
          place: fc.double({ min: 0, max: 0.999999, noNaN: true }),
          bytes: fc.integer({ min: 1, max: 3000 }),
          mask: fc.integer({ min: 1, max: 255 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      async (records, compression, faults) => {
        const directory = temporaryDirectory();
        try {
          const ends = await write(directory, records, compression);
          const path = `${directory}/00000000`;
          const bytes = readFileSync(path);
          const damaged = new Set<number>();
          for (const { place, bytes: count, mask } of faults) {
            const start = Math.floor(place * bytes.length);
            for (let at = start; at < Math.min(start + count, bytes.length); at++) {
              bytes[at]! ^= mask;
              damaged.add(ends.findIndex((end) => at < end));
            }
          }
          writeFileSync(path, bytes);
          const result = read(path);
          const unharmed = records.filter((_, i) => !damaged.has(i));
          // Two faults can undo each other, so a record that was hit may still be whole.
          assert.ok(isSubsequence(unharmed, result.records), "what was not hit is kept");
          assert.ok(isSubsequence(result.records, records), "nothing is made up");
          if (result.records.length < records.length) assert.ok(result.damages.length > 0 || result.tail);
        } finally {
          rmSync(directory, { recursive: true });
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("a torn end is reported with the place of the last good byte", async () => {
  const directory = temporaryDirectory();
  try {
    const records = [100, 50_000, 10].map((length) => new Uint8Array(length).fill(200));
    const ends = await write(directory, records, "none");
    const path = `${directory}/00000000`;
    const bytes = readFileSync(path);
    for (let length = 0; length <= bytes.length; length += 97) {
      writeFileSync(path, bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length);
      const result = read(path);
      assert.equal(result.records.length, whole.length);
      assert.equal(result.goodBytes, whole.at(-1) ?? 0);
      assert.equal(result.tail !== undefined, length > (whole.at(-1) ?? 0), `cut at ${length}`);
      assert.deepEqual(result.damages, []);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a segment of arbitrary bytes is read to its end", () => {
  const directory = temporaryDirectory();
  try {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 * pageBytes, size: "max" }), (bytes) => {
        const path = `${directory}/00000000`;
        writeFileSync(path, bytes);
        read(path);
      }),
      { numRuns: 40 },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("zeros where a power cut lost a page are no record", async () => {
  const directory = temporaryDirectory();
  try {
    const records = [10, 20_000, 90_000, 30].map((length) => new Uint8Array(length).fill(200));
    await write(directory, records, "none");
    const path = `${directory}/00000000`;
    const bytes = readFileSync(path);
    bytes.fill(0, 2 * pageBytes, 3 * pageBytes);
    writeFileSync(path, bytes);
    const result = read(path);
    assert.deepEqual(
      result.records.map(({ length }) => length),
      [10, 20_000, 30],
    );
    assert.equal(result.damages.length, 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("compressed records: round trip, and errors for damaged ones", () => {
  fc.assert(
    fc.property(
      recordArbitrary,
      compressionArbitrary,
      fc.uint8Array({ maxLength: 200 }),
      (record, compression, junk) => {
        const { data, bits } = compressRecord(record, compression);
        assert.deepEqual(Uint8Array.from(decompress(data, bits)), record);
        for (const wrong of [junk, data.subarray(0, data.length >> 1)]) {
          try {
            decompress(wrong, bits);
          } catch (error) {
            assert.ok(error instanceof Error);
          }
        }
      },
    ),
  );
  // A short block that claims to be long is refused before memory is asked for.
  assert.throws(() => decompress(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0), 8), /claims to hold/);
  assert.throws(() => decompress(Uint8Array.of(0xff, 0xff), 8), RangeError);
});

function decompress(data: Uint8Array, bits: number): Uint8Array {
  const from = kernel.createByteBuffer(1024 * 1024);
  const to = kernel.createByteBuffer(recordBytesMax);
  try {
    from.reserve(data.length);
    from.append(data);
    return Uint8Array.from(decompressRecord(kernel, from.view(), bits, to));
  } finally {
    from.close();
    to.close();
  }
}

test("varints as upstream writes them", () => {
  const cursor = new RecordCursor(Uint8Array.of(0x00, 0x01, 0x02, 0xac, 0x02, 0xff, 0xff, 0xff, 0xff, 0x0f));
  assert.deepEqual([cursor.varint(), cursor.varint(), cursor.varint()], [0, -1, 1]);
  assert.equal(cursor.uvarint(), 300);
  assert.equal(cursor.uvarint(), 4_294_967_295);
  assert.ok(cursor.isAtEnd);
  assert.throws(() => cursor.uvarint(), RangeError);
});

function isSubsequence(some: readonly Uint8Array[], all: readonly Uint8Array[]): boolean {
  let at = 0;
  for (const record of some) {
    while (at < all.length && !Buffer.from(record).equals(all[at]!)) at++;
    if (at++ === all.length) return false;
  }
  return true;
}
