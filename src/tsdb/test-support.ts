import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type { TestContext } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "@narthex/client";
import {
  type Disk,
  type FileStat,
  type Logger,
  silentLogger,
  SimulatedClock,
  systemDisk,
} from "../base/index.ts";
import { createKernel, type Kernel, runSeries, type SeriesRun } from "../kernel/index.ts";
import type { Matcher } from "../model/index.ts";
import type { Queryable, SeriesSet } from "../storage/index.ts";
import { type BlockKeeper, openTsdb, type Tsdb, type TsdbOptions } from "./index.ts";
import { WalWriter } from "./wal/writer.ts";

/** A time at the start of a chunk range, so that tests know where ranges end. */
export const baseTimeMs = 1_700_006_400_000;
export const kernelBytes = 64 * 1024 * 1024;

export interface Opened {
  tsdb: Tsdb;
  kernel: Kernel;
  clock: SimulatedClock;
  registry: Registry;
}

export interface OpenOptions extends TsdbOptions {
  disk?: Disk;
  logger?: Logger;
  nowMs?: number;
  kernelBytes?: number;
  /** Makes what maintains blocks; none when absent. */
  keeper?: (parts: { kernel: Kernel; directory: string }) => BlockKeeper;
}

/** Opens a storage with a memory of its own and a clock that stands still, and waits for its replay. */
export async function openTest(directory: string, options: OpenOptions = {}): Promise<Opened> {
  const opened = openEarly(directory, options);
  await opened.tsdb.ready;
  return opened;
}

/** As `openTest`, while the replay still goes on. */
export function openEarly(directory: string, options: OpenOptions = {}): Opened {
  const { disk, logger, nowMs, keeper, kernelBytes: limitBytes, ...rest } = options;
  const kernel = createKernel({ limitBytes: limitBytes ?? kernelBytes });
  const clock = new SimulatedClock(nowMs ?? baseTimeMs);
  const registry = new Registry();
  const tsdb = openTsdb({
    kernel,
    disk: disk ?? systemDisk,
    clock,
    directory,
    logger: logger ?? silentLogger,
    registry,
    options: rest,
    ...(keeper && { keeper: keeper({ kernel, directory }) }),
  });
  return { tsdb, kernel, clock, registry };
}

/** Leaves a storage as `kill -9` would: nothing is closed, the lock stays behind (and is taken away here, since we live on). */
export function abandon(directory: string): void {
  rmSync(join(directory, "lock"), { force: true });
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "narthex-tsdb-"));
}

/** A directory that goes with the test. */
export function directoryOf(t: TestContext): string {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Series by their labels' text; samples as [milliseconds, value bits]. */
export type Dump = Map<string, [timestampMs: number, bits: bigint][]>;

/** All that matches, read through a querier: series by series, and together where the set can do that, which must be the same. */
export function dump(
  kernel: Kernel,
  queryable: Queryable,
  matchers: readonly Matcher[] = [],
  minTimestampMs = 0,
  maxTimestampMs = Number.MAX_SAFE_INTEGER,
  shard?: { index: number; count: number },
): Dump {
  const result: Dump = new Map();
  const querier = queryable.querier(minTimestampMs, maxTimestampMs);
  const mark = kernel.scratch.mark();
  try {
    const hints = { minTimestampMs, maxTimestampMs, ...(shard && { shard }) };
    const set = querier.select(matchers, hints, true);
    for (let series = 0; series < set.length; series++) {
      const capacity = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
      const timestamps = kernel.scratch.allocate(8 * capacity + 64);
      const values = kernel.scratch.allocate(8 * capacity + 64);
      const count = set.read(series, minTimestampMs, maxTimestampMs, false, { timestamps, values, capacity });
      const samples: [number, bigint][] = [];
      for (let i = 0; i < count; i++)
        samples.push([kernel.views.f64[timestamps / 8 + i]!, kernel.views.u64[values / 8 + i]!]);
      result.set(set.labels(series).toString(), samples);
      kernel.scratch.release(mark);
    }
    for (const [series, samples] of readInRuns(kernel, set, minTimestampMs, maxTimestampMs))
      assert.deepEqual(samples, result.get(set.labels(series).toString()));
  } finally {
    querier.close();
  }
  return result;
}

/** What `readRun` gives of each series that it does not leave to `read`. */
function readInRuns(
  kernel: Kernel,
  set: SeriesSet,
  minTimestampMs: number,
  maxTimestampMs: number,
): Map<number, [number, bigint][]> {
  const { scratch, views } = kernel;
  const found = new Map<number, [number, bigint][]>();
  const [seriesMax, capacity] = [7, 300];
  const run: SeriesRun = {
    tablePtr: scratch.allocate(seriesMax * runSeries.bytes),
    seriesMax,
    timestamps: scratch.allocate(8 * capacity),
    values: scratch.allocate(8 * capacity),
    capacity,
  };
  for (let first = 0; first < set.length;) {
    const count = set.readRun?.(first, minTimestampMs, maxTimestampMs, false, run) ?? 0;
    for (let i = 0; i < count; i++) {
      const entry = (run.tablePtr + i * runSeries.bytes) >>> 2;
      const start = views.u32[entry + runSeries.first / 4]!;
      const samples = Array.from({ length: views.u32[entry + runSeries.samples / 4]! }, (_, k) => k + start);
      const [times, bits] = [run.timestamps / 8, run.values / 8];
      found.set(
        first + i,
        samples.map((k) => [views.f64[times + k]!, views.u64[bits + k]!]),
      );
    }
    first += Math.max(1, count);
  }
  return found;
}

/** The real disk; tests override what shall fail. */
export class ForwardingDisk implements Disk {
  open(path: string, flags: string): number {
    return systemDisk.open(path, flags);
  }
  close(fd: number): void {
    systemDisk.close(fd);
  }
  write(fd: number, bytes: Uint8Array, position?: number): void {
    systemDisk.write(fd, bytes, position);
  }
  read(fd: number, bytes: Uint8Array, position: number): number {
    return systemDisk.read(fd, bytes, position);
  }
  sync(fd: number): Promise<void> {
    return systemDisk.sync(fd);
  }
  syncNow(fd: number): void {
    systemDisk.syncNow(fd);
  }
  truncate(fd: number, sizeBytes: number): void {
    systemDisk.truncate(fd, sizeBytes);
  }
  readFile(path: string): Uint8Array {
    return systemDisk.readFile(path);
  }
  writeFileAtomic(path: string, bytes: Uint8Array | string): void {
    systemDisk.writeFileAtomic(path, bytes);
  }
  list(directory: string): string[] {
    return systemDisk.list(directory);
  }
  stat(path: string): FileStat | undefined {
    return systemDisk.stat(path);
  }
  rename(from: string, to: string): void {
    systemDisk.rename(from, to);
  }
  link(existing: string, path: string): void {
    systemDisk.link(existing, path);
  }
  remove(path: string): void {
    systemDisk.remove(path);
  }
  makeDirectory(path: string): void {
    systemDisk.makeDirectory(path);
  }
  capacityBytes(path: string): number {
    return systemDisk.capacityBytes(path);
  }
  syncDirectory(path: string): void {
    systemDisk.syncDirectory(path);
  }
  async removeLater(path: string): Promise<void> {
    this.remove(path);
  }
  async syncDirectoryLater(path: string): Promise<void> {
    this.syncDirectory(path);
  }
}

export function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!;
}

/** Writes a log of these records to `directory`. */
export async function writeRecords(
  kernel: Kernel,
  directory: string,
  records: readonly Uint8Array[],
): Promise<void> {
  const writer = new WalWriter({
    directory,
    kernel,
    disk: systemDisk,
    clock: new SimulatedClock(),
    logger: silentLogger,
    compression: "snappy",
    segmentBytes: 64 * 1024 * 1024,
    syncIntervalMs: 0,
  });
  for (const record of records) writer.add(record);
  writer.flush();
  await writer.close();
}
