import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ChunkDamagedError } from "../../kernel/index.ts";
import { decodeXor2Chunk, Xor2Encoder, type Xor2Sample } from "./xor2.ts";

function encode(samples: readonly Xor2Sample[]): Uint8Array {
  const encoder = new Xor2Encoder();
  for (const sample of samples) encoder.append(sample);
  return encoder.bytes();
}

function sample(timestampMs: number, value: number | "stale", startTimestampMs = 0): Xor2Sample {
  const isStale = value === "stale";
  return { timestampMs, value: isStale ? NaN : value, isStale, startTimestampMs };
}

const value = fc.oneof(fc.double(), fc.constantFrom(0, 1, 1, 2.5, "stale" as const), fc.nat({ max: 5 }));
const gap = fc.oneof(
  fc.constant(15_000),
  fc.constantFrom(15_001, 14_000, 20_000),
  fc.integer({ min: 1, max: 2 ** 40 }),
);
const start = fc.oneof(fc.constant(0), fc.constantFrom(5, 1_000_000), fc.nat());

test("what is written is read back", () => {
  const series = fc.array(fc.tuple(gap, value, start), { maxLength: 200 });
  fc.assert(
    fc.property(
      series,
      fc.integer({ min: -(2 ** 40), max: 2 ** 41 }),
      fc.boolean(),
      (steps, firstMs, hasStarts) => {
        let timestampMs = firstMs;
        const samples = steps.map(([gapMs, each, startMs]) =>
          sample((timestampMs += gapMs), each, hasStarts ? startMs : 0),
        );
        assert.deepEqual([...decodeXor2Chunk(encode(samples))], samples);
      },
    ),
  );
});

test("regular samples take a bit each, and a start that stays nothing more", () => {
  const samples = Array.from({ length: 122 }, (_, i) => sample(i * 15_000, 1, 0));
  const bytes = encode(samples);
  assert.equal(bytes.length, 3 + 1 + 8 + 2 + 1 + 15);
  assert.equal(bytes[2], 0);
  const started = encode(samples.slice(0, 100).map((each) => ({ ...each, startTimestampMs: 7 })));
  assert.equal(started[2], 0x80);
  assert.equal(started.length, 3 + 1 + 8 + 1 + 2 + 13);
  const changed = encode([sample(0, 1, 0), sample(15_000, 1, 0), sample(30_000, 1, 9)]);
  assert.equal(changed[2], 2);
});

test("a start timestamp that first changes after the 127th sample", () => {
  const samples = Array.from({ length: 300 }, (_, i) => sample(i * 15_000, i, i < 200 ? 5 : i));
  assert.deepEqual([...decodeXor2Chunk(encode(samples))], samples);
  assert.equal(encode(samples)[2], 0x80 | 127);
});

test("the bytes of a chunk", () => {
  const bytes = encode([
    sample(1000, 1),
    sample(2000, 1),
    sample(3000, 2),
    sample(4001, 2),
    sample(5002, "stale"),
  ]);
  // Times 1000 and +1000; the value 1, then "0"; "10" and a window of 12 bits; "110" and +1, "0"; "11111".
  const bits = ["0", "10", "1", "00001", "001011", "11111111111", "110", "0000000000001", "0", "11111"].join(
    "",
  );
  const rest = Buffer.from(
    bits
      .padEnd(Math.ceil(bits.length / 8) * 8, "0")
      .match(/.{8}/g)!
      .map((byte) => parseInt(byte, 2)),
  );
  assert.equal(Buffer.from(bytes).toString("hex"), `000500d00f3ff0000000000000e807${rest.toString("hex")}`);
});

test("damaged bytes end in a typed error or in samples", () => {
  const bytes = encode(Array.from({ length: 40 }, (_, i) => sample(i * 15_000 + (i % 7), i / 3, i * 10)));
  const read = (damaged: Uint8Array): void => {
    try {
      for (const { timestampMs } of decodeXor2Chunk(damaged)) assert.equal(typeof timestampMs, "number");
    } catch (error) {
      assert.ok(error instanceof ChunkDamagedError, String(error));
    }
  };
  for (let length = 0; length < bytes.length; length++) read(bytes.subarray(0, length));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), read), { numRuns: 500 });
});

test("an open chunk is read as far as it is counted, whatever is written behind", () => {
  const samples = Array.from({ length: 200 }, (_, i) =>
    sample(i * 15_000, i, i < 20 ? 0 : i * 15_000 - 1000),
  );
  const encoder = new Xor2Encoder();
  const memory = new Uint8Array(8192);
  let copied = 0;
  samples.forEach((one, i) => {
    encoder.append(one);
    encoder.copyTo(memory, 8, Math.max(0, copied - 1));
    copied = encoder.byteLength;
    for (const count of new Set([1, i >> 1, i, i + 1]))
      assert.deepEqual([...decodeXor2Chunk(memory.subarray(8), count)], samples.slice(0, count));
  });
});
