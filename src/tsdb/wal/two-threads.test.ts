import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { createKernel } from "../../kernel/index.ts";
import { parseHistogram } from "../../model/index.ts";
import { ByteWriter } from "../block/bytes.ts";
import {
  abandon,
  baseTimeMs,
  bitsOf,
  directoryOf,
  type Dump,
  dump,
  kernelBytes,
  openTest,
  writeRecords,
} from "../test-support.ts";
import { encodeFloatRecord } from "./float-record.ts";
import { encodeHistogramRecords } from "./histogram-record.ts";
import type { ReplayResult } from "./record-replay.ts";
import { recordType } from "./record.ts";
import { droppedInterval, encodeTombstoneRecord } from "./tombstone-record.ts";

const seriesCount = 6;
const stepMs = 1000;
const samplesPerChunk = 8;
const histogram = parseHistogram("count:9 sum:2 z_bucket:1 buckets:[1 2 0 4] n_buckets:[1]").histogram;

/** What is written next: of which series, under which of its refs in the log. */
interface Step {
  readonly kind: "series" | "floats" | "startedFloat" | "histogram" | "delete" | "drop" | "foreign";
  readonly series: number;
  /** A series has another ref in the log each time it comes again; 3 is that of its neighbour, too. */
  readonly life: number;
  readonly scrapes: number;
}

const stepArbitrary = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("floats" as const) },
    { weight: 3, arbitrary: fc.constant("series" as const) },
    fc.constantFrom<Step["kind"]>("startedFloat", "histogram", "delete", "drop", "foreign"),
  ),
  series: fc.nat(seriesCount - 1),
  life: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(2), fc.nat(3)),
  scrapes: fc.integer({ min: 1, max: 30 }),
});

function refOf({ series, life }: Step): number {
  return life === 3 ? 1000 + Math.floor(series / 2) : 1 + series + 100 * life;
}

function seriesRecord(step: Step): Uint8Array {
  const writer = new ByteWriter().u8(recordType.series).u64(refOf(step)).uvarint(2);
  for (const text of ["__name__", "m", "s", `${step.series}`])
    writer.uvarint(text.length).bytes(Buffer.from(text));
  return writer.view();
}

/** The records of a step, which begins at `timestampMs`. */
function recordsOf(step: Step, timestampMs: number): Uint8Array[] {
  const ref = refOf(step);
  const interval = { minTimestampMs: timestampMs - 20 * stepMs, maxTimestampMs: timestampMs - 10 * stepMs };
  const times = Array.from({ length: step.scrapes }, (_, i) => timestampMs + i * stepMs);
  const floats = (startTimestampMs: number): Uint8Array[] =>
    times.map((at) =>
      encodeFloatRecord([{ ref, timestampMs: at, startTimestampMs, bits: bitsOf(at % 7919) }]),
    );
  switch (step.kind) {
    case "series":
      return [seriesRecord(step)];
    case "floats":
      return [seriesRecord(step), ...floats(0)].slice(step.life === 1 ? 1 : 0);
    case "startedFloat":
      return floats(baseTimeMs - 5);
    case "histogram":
      return times.flatMap((at) =>
        encodeHistogramRecords([{ ref, timestampMs: at, histogram, kind: "integer", startTimestampMs: 0 }]),
      );
    case "delete":
      return [encodeTombstoneRecord([{ ref, interval }])];
    case "drop":
      return [encodeTombstoneRecord([{ ref, interval: droppedInterval }])];
    case "foreign":
      return [Uint8Array.of(recordType.samples, 1, 2, 3), Uint8Array.of(99)];
  }
}

interface Found {
  readonly samples: Dump;
  readonly result: ReplayResult | undefined;
}

async function open(t: TestContext, directory: string, readAheadBytesMin: number): Promise<Found> {
  const copy = directoryOf(t);
  cpSync(directory, copy, { recursive: true });
  const { tsdb, kernel } = await openTest(copy, { samplesPerChunk, readAheadBytesMin });
  const found = { samples: dump(kernel, tsdb.queryable), result: tsdb.replayResult };
  await tsdb.close();
  return found;
}

test("a storage is the same by two threads as by one, whatever is in the log", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 1, maxLength: 40 }), async (steps) => {
      const directory = directoryOf(t);
      const wal = join(directory, "wal");
      mkdirSync(wal);
      let timestampMs = baseTimeMs;
      const records = steps.flatMap((step) => {
        const written = recordsOf(step, timestampMs);
        timestampMs += (step.scrapes >> 1) * stepMs;
        return written;
      });
      const kernel = createKernel({ limitBytes: kernelBytes });
      // Now and then another log begins, whose files have chunks of the first half.
      const half = records.length >> 1;
      await writeRecords(kernel, wal, records.slice(0, half));
      reserve(directory);
      const first = await openTest(directory, { samplesPerChunk, nowMs: timestampMs });
      first.tsdb.appender().commit();
      await first.clock.advance(stepMs);
      abandon(directory);
      await writeRecords(kernel, wal, records.slice(half));
      reserve(directory);

      const alone = await open(t, directory, Infinity);
      const both = await open(t, directory, 0);
      assert.deepEqual(both.samples, alone.samples);
      const comparable = ({ records: _records, damages, ...rest }: ReplayResult): object => ({
        ...rest,
        damages: damages.length,
      });
      assert.deepEqual(comparable(both.result!), comparable(alone.result!));
      await first.tsdb.close();
    }),
    { numRuns: 15 },
  );
});

/** As if we had written the log. */
function reserve(directory: string): void {
  const segment = Math.max(...readdirSync(join(directory, "wal")).map(Number));
  writeFileSync(join(directory, "series-refs.json"), JSON.stringify({ reserved: 5000, segment }));
}
