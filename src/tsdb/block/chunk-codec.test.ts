import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkDamagedError, createKernel, layout, staleMarkerBits } from "../../kernel/index.ts";
import { Xor2Encoder } from "../chunk/xor2.ts";
import { bitsOf } from "../test-support.ts";
import { chunkCodecs } from "./chunk-codec.ts";

test("floats with start timestamps become columns", () => {
  const kernel = createKernel({ limitBytes: layout.memoryBytesMin });
  const encoder = new Xor2Encoder();
  const times = Array.from({ length: 130 }, (_, i) => 1_700_000_000_000 + i * 15_000 + (i % 3));
  const isStale = (i: number): boolean => i % 50 === 49;
  times.forEach((timestampMs, i) =>
    encoder.append({ timestampMs, value: i / 3, isStale: isStale(i), startTimestampMs: 1_600_000_000_000 }),
  );
  const bytes = encoder.bytes();
  const dataPtr = kernel.scratch.allocate(bytes.length);
  const timestamps = kernel.scratch.allocate(8 * times.length);
  const values = kernel.scratch.allocate(8 * times.length);
  const { u8, u64, f64 } = kernel.views;
  u8.set(bytes, dataPtr);
  const decode = (dataBytes: number): number =>
    chunkCodecs[4]!.decode!(kernel, dataPtr, dataBytes, 130, timestamps, values, times.length);
  assert.equal(decode(bytes.length), times.length);
  times.forEach((timestampMs, i) => {
    assert.equal(f64[timestamps / 8 + i], timestampMs);
    assert.equal(u64[values / 8 + i], isStale(i) ? staleMarkerBits : bitsOf(i / 3));
  });
  assert.throws(() => decode(bytes.length - 2), ChunkDamagedError);
});
