import assert from "node:assert/strict";
import { existsSync, rmSync, truncateSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { Labels } from "../model/index.ts";
import {
  abandon,
  baseTimeMs,
  bitsOf,
  dump,
  ForwardingDisk,
  openTest,
  temporaryDirectory,
} from "./test-support.ts";

const syncIntervalMs = 1000;
const roundMs = 100;
const outOfOrderWindowMs = 3_600_000;

/** Samples of a round that come late: enough for chunks in files, which are not synced by themselves, and for markers in the log, which are. */
function lateTimesMs(round: number): number[] {
  return [1, 2, 3].map((i) => baseTimeMs - 10 * ((round * 37) % 121) - i);
}

/** The real disk, which remembers what a power cut would leave: bytes that were synced, and names in directories that were. */
class VolatileDisk extends ForwardingDisk {
  readonly #paths = new Map<number, string>();
  /** Bytes of each file that are on the medium. */
  readonly #syncedBytes = new Map<string, number>();
  /** Files whose name is not on the medium yet. */
  readonly #unnamed = new Set<string>();

  override open(path: string, flags: string): number {
    if (flags !== "r" && !existsSync(path)) this.#unnamed.add(path);
    const fd = super.open(path, flags);
    if (flags !== "r") this.#paths.set(fd, path);
    if (flags === "w") this.#syncedBytes.set(path, 0);
    return fd;
  }
  override async sync(fd: number): Promise<void> {
    this.syncNow(fd);
  }
  override syncNow(fd: number): void {
    const path = this.#paths.get(fd)!;
    this.#syncedBytes.set(path, this.stat(path)?.sizeBytes ?? 0);
  }
  override syncDirectory(path: string): void {
    for (const file of this.#unnamed) if (file.startsWith(`${path}/`)) this.#unnamed.delete(file);
  }
  override rename(from: string, to: string): void {
    super.rename(from, to);
    for (const [path, bytes] of Array.from(this.#syncedBytes)) {
      if (!path.startsWith(from)) continue;
      this.#syncedBytes.delete(path);
      this.#syncedBytes.set(to + path.slice(from.length), bytes);
    }
  }

  /** What was not synced is lost, kept, or kept as zeros, as `fate` (0 … 1) has it for each file. */
  cutPower(fate: () => number): void {
    for (const path of this.#unnamed) this.remove(path);
    for (const [path, syncedBytes] of this.#syncedBytes) {
      const sizeBytes = this.stat(path)?.sizeBytes;
      if (sizeBytes === undefined || sizeBytes <= syncedBytes) continue;
      const keptBytes = syncedBytes + Math.floor(fate() * (sizeBytes - syncedBytes));
      truncateSync(path, keptBytes);
      if (fate() < 0.5) truncateSync(path, keptBytes + Math.floor(fate() * 70_000));
    }
  }
}

test("a power cut costs at most the sync interval", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 120 }),
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 3, max: 40 }),
      async (rounds, fates, truncateEvery) => {
        const directory = temporaryDirectory();
        try {
          const disk = new VolatileDisk();
          const options = { disk, walSyncIntervalMs: syncIntervalMs, outOfOrderWindowMs };
          const { tsdb, clock } = await openTest(directory, options);
          for (let round = 0; round < rounds; round++) {
            const appender = tsdb.appender();
            for (const id of ["a", "b", `new-${round}`])
              appender.append(appender.reference(Labels.from({ __name__: "m", id })), clock.nowMs(), round);
            for (const lateMs of lateTimesMs(round))
              appender.append(appender.reference(Labels.from({ __name__: "m", id: "a" })), lateMs, round);
            appender.commit();
            if (round % truncateEvery === 0) await tsdb.truncate(0);
            await clock.advance(roundMs);
          }
          let next = 0;
          disk.cutPower(() => fates[next++ % fates.length]!);
          abandon(directory);
          const again = await openTest(directory, { nowMs: clock.nowMs(), outOfOrderWindowMs });
          const stored = dump(again.kernel, again.tsdb.queryable);
          const ofA = new Map(stored.get('{__name__="m", id="a"}'));
          for (let round = 0; round < rounds; round++) {
            const timestampMs = baseTimeMs + round * roundMs;
            if (timestampMs > clock.nowMs() - syncIntervalMs) break;
            assert.deepEqual(stored.get(`{__name__="m", id="new-${round}"}`), [[timestampMs, bitsOf(round)]]);
            for (const timeMs of [timestampMs, ...lateTimesMs(round)])
              assert.equal(ofA.get(timeMs), bitsOf(round));
          }
          await again.tsdb.close();
        } finally {
          rmSync(directory, { recursive: true });
        }
      },
    ),
    { numRuns: 30 },
  );
});
