import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { systemDisk } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import type { Queryable, SeriesSet } from "../../storage/index.ts";
import { createHeadQueryable } from "../head/querier.ts";
import { HeadTombstones } from "../head/tombstones.ts";
import { baseTimeMs, type Dump, dump, type Opened, openTest, temporaryDirectory } from "../test-support.ts";
import { Block } from "./block.ts";
import { BlockNotices } from "./damage.ts";
import { writeHeadBlock } from "./head-block.ts";
import type { BlockMeta } from "./meta.ts";
import { blockQueryable, testContext } from "./test-support.ts";
import { createUlid } from "./ulid.ts";

const minuteMs = 60_000;
const labelsOf = (id: number): Labels => Labels.from({ __name__: "m", id: String(id) });

/** The same head, of which every sample must be read. */
function withoutCopies(head: Queryable): Queryable {
  const hide = (set: SeriesSet): SeriesSet =>
    new Proxy(set, {
      get(target, key) {
        const value: unknown = key === "copyRun" ? undefined : Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  return {
    querier: (...given) => {
      const querier = head.querier(...given);
      const select = querier.select.bind(querier);
      return Object.assign(querier, {
        select: (...asked: Parameters<typeof select>) => hide(select(...asked)),
      });
    },
  };
}

interface Cut {
  readonly meta: BlockMeta | undefined;
  readonly samples: Dump;
}

/** Writes a block and reads it again. */
function cut(directory: string, { kernel }: Opened, source: Queryable, minMs: number, maxMs: number): Cut {
  const ulid = createUlid(minMs);
  const context = testContext();
  const target = { kernel, disk: systemDisk, dataDirectory: directory, ulid };
  const meta = writeHeadBlock(source, target, minMs, maxMs);
  if (meta === undefined) return { meta, samples: new Map() };
  const block = Block.open(context, join(directory, ulid));
  try {
    return { meta, samples: dump(context.kernel, blockQueryable(block), [], 0) };
  } finally {
    block.release();
    rmSync(join(directory, ulid), { recursive: true });
  }
}

async function setUp(t: TestContext): Promise<{ directory: string; opened: Opened }> {
  const directory = temporaryDirectory();
  const opened = await openTest(directory, { outOfOrderWindowMs: 300 * minuteMs });
  t.after(async () => {
    await opened.tsdb.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { directory, opened };
}

function append({ tsdb }: Opened, id: number, timestampMs: number, value: number): void {
  const appender = tsdb.appender();
  appender.append(appender.reference(labelsOf(id)), timestampMs, value);
  appender.commit();
}

test("a block has what the head has, whether chunks are taken over or not", async (t) => {
  const { directory, opened } = await setUp(t);
  const { kernel, clock } = opened;
  const minutes = 400;
  for (let minute = 0; minute < minutes; minute++) {
    for (let id = 0; id < 8; id++) {
      // Series begin, end and stand still at different times, some come rarely.
      if (minute < id * 20 || minute > minutes - (id % 3) * 90 || (id === 5 && minute % 50 !== 0)) continue;
      append(opened, id, baseTimeMs + minute * minuteMs + id, minute % (id + 2));
    }
    await clock.advance(minuteMs);
  }
  append(opened, 2, baseTimeMs + 100 * minuteMs + 7, -1);
  const ref = opened.tsdb.appender().reference(labelsOf(3));
  // As a deletion does, without blocks to look at.
  const stones = new HeadTombstones(kernel);
  stones.add({
    ref,
    interval: { minTimestampMs: baseTimeMs + 130 * minuteMs, maxTimestampMs: baseTimeMs + 150 * minuteMs },
  });
  assert.ok(readdirSync(join(directory, "chunks_head")).length > 0);
  for (const part of ["all", "inOrder", "outOfOrder"] as const) {
    const head = createHeadQueryable(kernel, { part });
    fc.assert(
      fc.property(fc.nat(minutes), fc.integer({ min: 1, max: 300 }), fc.nat(20), (start, length, extraMs) => {
        const minMs = baseTimeMs + start * minuteMs + extraMs;
        const maxMs = minMs + length * minuteMs;
        const found = cut(directory, opened, head, minMs, maxMs);
        const expected = cut(directory, opened, withoutCopies(head), minMs, maxMs);
        assert.deepEqual(found.samples, expected.samples);
        assert.equal(found.meta?.stats.numSamples, expected.meta?.stats.numSamples);
        assert.equal(found.meta?.stats.numSeries, expected.meta?.stats.numSeries);
      }),
      { numRuns: 40 },
    );
    head.close();
  }
});

test("closed chunks within the block are taken as they are, others encoded anew", async (t) => {
  const { directory, opened } = await setUp(t);
  const { kernel, clock } = opened;
  for (let minute = 0; minute < 300; minute++) {
    append(opened, 1, baseTimeMs + minute * minuteMs, minute);
    await clock.advance(minuteMs);
  }
  const chunkTimes = kernel.series.chunkPtrs(1).map((chunk) => Number(kernel.views.i64[(chunk + 8) / 8]));
  assert.equal(chunkTimes.length, 3);
  const head = createHeadQueryable(kernel);
  const whole = cut(directory, opened, head, baseTimeMs, baseTimeMs + 120 * minuteMs);
  assert.equal(whole.meta?.stats.numChunks, 1);
  const across = cut(directory, opened, head, baseTimeMs + minuteMs, baseTimeMs + 241 * minuteMs);
  // The rest of the first, the second, and the first sample of the third.
  assert.equal(across.meta?.stats.numChunks, 3);
  assert.equal(across.meta?.stats.numSamples, 240);
  head.close();
});

test("a damaged chunk of the head's files is left out and noticed", async (t) => {
  const { directory, opened } = await setUp(t);
  const { kernel, clock } = opened;
  for (let minute = 0; minute < 300; minute++) {
    for (let id = 0; id < 3; id++) append(opened, id, baseTimeMs + minute * minuteMs, minute);
    await clock.advance(minuteMs);
  }
  const file = join(directory, "chunks_head", "000001");
  const bytes = readFileSync(file);
  bytes[8 + 40]! ^= 0xff;
  writeFileSync(file, bytes);
  let damaged = 0;
  const head = createHeadQueryable(kernel, { notices: new BlockNotices(() => damaged++) });
  const { meta, samples } = cut(directory, opened, head, baseTimeMs, baseTimeMs + 240 * minuteMs);
  assert.equal(damaged, 1);
  assert.equal(meta?.stats.numSamples, 3 * 240 - 120);
  assert.equal(samples.size, 3);
  head.close();
});
