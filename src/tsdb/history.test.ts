import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../base/index.ts";
import { createKernel, type Kernel } from "../kernel/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import { openTsdb, type Tsdb } from "./index.ts";
import { createInlineKeeper } from "./maintenance/test-support.ts";
import {
  abandon,
  baseTimeMs,
  bitsOf,
  type Dump,
  dump,
  kernelBytes,
  temporaryDirectory,
} from "./test-support.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const seriesCount = 5;
const labelsOf = (id: number): Labels => Labels.from({ __name__: "m", id: `${id}` });

/** What there should be: by series, values by time. */
class Model {
  readonly #samples = Array.from({ length: seriesCount }, () => new Map<number, bigint>());

  append(id: number, timestampMs: number, bits: bigint): void {
    this.#samples[id]!.set(timestampMs, bits);
  }

  delete(ids: readonly number[], minMs: number, maxMs: number): void {
    for (const id of ids)
      for (const timestampMs of this.#samples[id]!.keys())
        if (timestampMs >= minMs && timestampMs <= maxMs) this.#samples[id]!.delete(timestampMs);
  }

  dump(): Dump {
    const all: Dump = new Map(this.#samples.map((samples, id) => [labelsOf(id).toString(), [...samples]]));
    return new Map([...all].filter(([, samples]) => samples.length > 0));
  }
}

interface Opened {
  tsdb: Tsdb;
  kernel: Kernel;
  clock: SimulatedClock;
}

function open(directory: string, nowMs: number): Opened {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const clock = new SimulatedClock(nowMs);
  const keeper = createInlineKeeper({ kernel, clock, directory });
  const parts = {
    kernel,
    disk: systemDisk,
    clock,
    directory,
    logger: silentLogger,
    registry: new Registry(),
    keeper,
  };
  const tsdb = openTsdb({ ...parts, options: { retention: {}, walSyncIntervalMs: 10 * minuteMs } });
  tsdb.setStaleSeriesThreshold(0.6);
  return { tsdb, kernel, clock };
}

const ids = fc.uniqueArray(fc.integer({ min: 0, max: seriesCount - 1 }), { minLength: 1 });
const hours = fc.double({ min: 0, max: 12, noNaN: true, noDefaultInfinity: true });
const stepArbitrary = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("scrape" as const),
      ids,
      hours: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), ids }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), ids, fromHoursAgo: hours, hours }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clean" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("snapshot" as const), withHead: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("restart" as const),
      isCrash: fc.boolean(),
      isEarly: fc.boolean(),
    }),
  },
);
type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** A sample of each of the series, every ten minutes. */
async function scrape(
  { tsdb, clock }: Opened,
  model: Model,
  chosen: readonly number[],
  turns: number,
): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await clock.advance(10 * minuteMs);
    await tsdb.maintained;
    const appender = tsdb.appender();
    for (const id of chosen) {
      const value = clock.nowMs() / 1000 + id / 7;
      appender.append(appender.reference(labelsOf(id)), clock.nowMs(), value);
      model.append(id, clock.nowMs(), bitsOf(value));
    }
    assert.equal(appender.commit().appended, chosen.length);
  }
}

async function take(opened: Opened, model: Model, step: Exclude<Step, { kind: "restart" }>): Promise<void> {
  const { tsdb, clock } = opened;
  if (step.kind === "scrape") await scrape(opened, model, step.ids, 6 * step.hours);
  else if (step.kind === "clean") await tsdb.cleanTombstones();
  else if (step.kind === "snapshot") await tsdb.snapshot(step);
  else if (step.kind === "end") {
    await clock.advance(minuteMs);
    const appender = tsdb.appender();
    for (const id of step.ids) {
      appender.appendStale(appender.reference(labelsOf(id)), clock.nowMs());
      model.append(id, clock.nowMs(), 0x7ff0_0000_0000_0002n);
    }
    appender.commit();
    await clock.advance(minuteMs);
    await tsdb.maintained;
  } else {
    const minTimestampMs = clock.nowMs() - Math.floor(step.fromHoursAgo * hourMs);
    const maxTimestampMs = minTimestampMs + Math.floor(step.hours * hourMs);
    const selectors = step.ids.map((id) => [new Matcher("=", "id", `${id}`)]);
    await tsdb.deleteSeries({ selectors, minTimestampMs, maxTimestampMs });
    model.delete(step.ids, minTimestampMs, maxTimestampMs);
  }
}

test(
  "whatever happens in whatever order, the state before a restart is the state after",
  { timeout: 600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { minLength: 3, maxLength: 14 }), async (steps) => {
        const directory = temporaryDirectory();
        const model = new Model();
        let opened = open(directory, baseTimeMs);
        await opened.tsdb.ready;
        try {
          for (const step of steps) {
            if (step.kind === "restart") {
              if (step.isCrash) abandon(directory);
              else await opened.tsdb.close();
              opened = open(directory, opened.clock.nowMs());
              if (step.isEarly && opened.tsdb.isAppendable) await scrape(opened, model, [0], 1);
              await opened.tsdb.ready;
            } else await take(opened, model, step);
            const found = [...dump(opened.kernel, opened.tsdb.queryable)].filter(
              ([, { length }]) => length > 0,
            );
            assert.deepEqual(new Map(found), model.dump(), step.kind);
          }
        } finally {
          await opened.tsdb.close();
          rmSync(directory, { recursive: true });
        }
      }),
      { numRuns: 40 },
    );
  },
);
