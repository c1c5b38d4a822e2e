import assert from "node:assert/strict";
import { test } from "node:test";
import { readServerOptions } from "./server-options.ts";

test("flags that upstream hides are read", () => {
  const plain = readServerOptions("server", []);
  assert.deepEqual(
    [plain.walCompression, plain.samplesPerChunk, plain.timestampToleranceMs, plain.discoveryIntervalMs],
    ["snappy", 120, 2, 5000],
  );
  const told = readServerOptions("server", [
    "--storage.tsdb.wal-compression-type=zstd",
    "--storage.tsdb.samples-per-chunk=240",
    "--scrape.timestamp-tolerance=1.5ms",
    "--scrape.discovery-reload-interval=1m",
  ]);
  assert.deepEqual(
    [told.walCompression, told.samplesPerChunk, told.timestampToleranceMs, told.discoveryIntervalMs],
    ["zstd", 240, 1.5, 60_000],
  );
  const off = readServerOptions("server", [
    "--no-storage.tsdb.wal-compression",
    "--storage.tsdb.wal-compression-type=zstd",
    "--storage.tsdb.samples-per-chunk=0",
    "--no-scrape.adjust-timestamps",
  ]);
  assert.deepEqual([off.walCompression, off.samplesPerChunk, off.timestampToleranceMs], ["none", 120, 0]);
});
