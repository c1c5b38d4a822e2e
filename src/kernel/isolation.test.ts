import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { attachKernel } from "./create.ts";
import type { Snapshot } from "./isolation.ts";
import { isolationNote } from "./layout.ts";
import { testKernel } from "./testing.ts";

const refs = 40;

/** What a reader keeps, and until when each series had samples when it began. */
interface Reader {
  snapshot: Snapshot;
  newestMs: number[];
}

test("a snapshot knows until when each series had samples", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          { weight: 5, arbitrary: fc.array(fc.integer({ min: 1, max: refs }), { maxLength: 60 }) },
          { weight: 1, arbitrary: fc.constant("reader" as const) },
        ),
        { maxLength: 60 },
      ),
      (steps) => {
        const kernel = testKernel();
        const { arena, isolation, series, epoch } = kernel;
        for (let ref = 1; ref <= refs; ref++) series.create(ref, arena.allocate(16));
        const batch = kernel.createSampleBatch(64);
        const newestMs = Array.from({ length: refs + 1 }, () => -Infinity);
        const readers: Reader[] = [];
        epoch.enter();
        let nowMs = 0;
        for (const step of steps) {
          if (step === "reader") {
            readers.push({ snapshot: isolation.snapshot(), newestMs: [...newestMs] });
            continue;
          }
          nowMs++;
          for (const ref of step) batch.push(ref, nowMs, 1);
          batch.check({ minValidTimeMs: -Infinity, maxValidTimeMs: Infinity });
          batch.append();
          batch.clear();
          for (const ref of step) newestMs[ref] = nowMs;
          isolation.publish();
        }
        for (const reader of readers)
          for (let ref = 1; ref <= refs; ref++) {
            const untilMs = reader.snapshot.untilMs(ref);
            assert.equal(Math.min(untilMs, newestMs[ref]!), reader.newestMs[ref]);
          }
        epoch.leave();
      },
    ),
    { numRuns: 40 },
  );
});

test("notes go on through many blocks, which are freed when their readers have left", () => {
  const kernel = testKernel();
  const { exports, isolation, arena } = kernel;
  const perBlock = isolationNote.blockBytes / isolationNote.bytes;
  const write = (from: number, to: number): void => {
    for (let ref = from; ref < to; ref++) exports.isolationNote(ref, ref * 10);
    exports.isolationShow();
    isolation.publish();
  };
  const reader = attachKernel(kernel.handle(1));
  reader.epoch.enter();
  const snapshot = reader.isolation.snapshot();
  write(1, 5 * perBlock);
  arena.reclaim();
  const { retiredBytes } = arena.usage();
  assert.equal(retiredBytes, 5 * isolationNote.blockBytes);
  for (const ref of [1, perBlock, perBlock + 1, 5 * perBlock - 1])
    assert.equal(snapshot.untilMs(ref), ref * 10);
  assert.equal(snapshot.untilMs(5 * perBlock), Infinity);
  assert.equal(reader.isolation.snapshot().untilMs(1), Infinity);
  reader.epoch.leave();
  arena.reclaim();
  assert.equal(arena.usage().retiredBytes, 0);
});

test("a pinned snapshot outlives its thread's epochs, and only so many are pinned", () => {
  const kernel = testKernel();
  const { exports, isolation, arena } = kernel;
  const pinned = kernel.pinSnapshot()!;
  exports.isolationNote(7, 70);
  for (let i = 0; i < 10_000; i++) exports.isolationNote(8, 80);
  exports.isolationShow();
  isolation.publish();
  arena.reclaim();
  const reader = attachKernel(kernel.handle(40));
  reader.epoch.enter();
  assert.equal(reader.isolation.snapshot(pinned.snapshot).untilMs(7), 70);
  reader.epoch.leave();
  pinned.release();
  arena.reclaim();
  assert.equal(arena.usage().retiredBytes, 0);
  const pins = Array.from({ length: 60 }, () => kernel.pinSnapshot()).filter((pin) => pin !== undefined);
  assert.ok(pins.length >= 20 && pins.length < 60);
  for (const pin of pins) pin.release();
  assert.ok(kernel.pinSnapshot() !== undefined);
});

test("without memory for notes nothing breaks, and it is counted", () => {
  const kernel = testKernel();
  const { exports, isolation } = kernel;
  const snapshot = isolation.snapshot();
  while (kernel.exports.arenaAllocate(isolationNote.blockBytes) !== 0);
  for (let ref = 1; ref < 10; ref++) exports.isolationNote(ref, ref);
  exports.isolationShow();
  isolation.publish();
  assert.equal(snapshot.untilMs(1), Infinity);
  assert.equal(isolation.lost, 9);
});
