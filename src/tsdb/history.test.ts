import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../base/index.ts";
import { createKernel, type Kernel } from "../kernel/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import type { Exemplar } from "../storage/index.ts";
import { appendSample, HistoryModel, labelsOf, seriesKinds, tellStored } from "./history-model.ts";
import { type FloatEncodingName, openTsdb, type Tsdb } from "./index.ts";
import { createInlineKeeper } from "./maintenance/test-support.ts";
import { abandon, baseTimeMs, kernelBytes, temporaryDirectory } from "./test-support.ts";

const minuteMs = 60_000;
const windowMinutes = 240;
const seriesCount = seriesKinds.length;
const exemplarsMax = 20;

type Step =
  | { kind: "commit"; samples: { series: number; minutesAgo: number }[] }
  | { kind: "scrape"; series: number[]; minutes: number }
  | { kind: "backfill"; series: number; minutesAgo: number; stride: number }
  | { kind: "end"; series: number[] }
  | { kind: "wait"; minutes: number }
  | { kind: "exemplar"; series: number }
  | { kind: "delete"; series: number[]; minutesAgo: number; minutes: number }
  | { kind: "clean" | "snapshot" }
  | { kind: "encode"; as: FloatEncodingName }
  | { kind: "restart"; isCrash: boolean; isEarly: boolean };

const series = fc.nat({ max: seriesCount - 1 });
const several = fc.uniqueArray(series, { minLength: 1 });
const minutesAgo = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 20 }) },
  { weight: 1, arbitrary: fc.nat({ max: windowMinutes }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      samples: fc.array(fc.record({ series, minutesAgo }), { minLength: 1, maxLength: 60 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("scrape" as const),
      series: several,
      minutes: fc.integer({ min: 1, max: 150 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("backfill" as const),
      series,
      minutesAgo: fc.integer({ min: 40, max: windowMinutes }),
      stride: fc.constantFrom(1, 7, 11, 13),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), series: several }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), minutes: fc.integer({ min: 1, max: 150 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("exemplar" as const), series }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      series: several,
      minutesAgo: fc.nat({ max: 700 }),
      minutes: fc.nat({ max: 300 }),
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom("clean", "snapshot").map((kind) => ({ kind }) as Step) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("encode" as const), as: fc.constantFrom("xor", "xor2") }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("restart" as const),
      isCrash: fc.boolean(),
      isEarly: fc.boolean(),
    }),
  },
);

interface Opened {
  tsdb: Tsdb;
  kernel: Kernel;
  clock: SimulatedClock;
}

/** A storage that lives through steps, and what it should have. */
class History {
  readonly #directory = temporaryDirectory();
  readonly #model = new HistoryModel();
  #opened: Opened;
  #exemplars = 0;
  #openings = 0;
  #floatEncoding: FloatEncodingName = "xor";

  constructor() {
    this.#opened = this.#open(baseTimeMs + 1000 * minuteMs);
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      await this.#opened.tsdb.ready;
      for (const [i, each] of steps.entries()) {
        await this.#take(each);
        const { kernel, tsdb } = this.#opened;
        const told = tellStored(kernel, tsdb.queryable);
        assert.deepEqual(told, this.#model.tell(), `after step ${i}, ${JSON.stringify(each)}`);
      }
    } finally {
      await this.#opened.tsdb.close();
      rmSync(this.#directory, { recursive: true });
    }
  }

  #open(nowMs: number): Opened {
    const directory = this.#directory;
    const kernel = createKernel({ limitBytes: kernelBytes });
    const clock = new SimulatedClock(nowMs);
    const tsdb = openTsdb({
      kernel,
      disk: systemDisk,
      clock,
      directory,
      logger: silentLogger,
      registry: new Registry(),
      keeper: createInlineKeeper({ kernel, clock, directory }),
      options: {
        retention: {},
        walSyncIntervalMs: 10 * minuteMs,
        outOfOrderWindowMs: windowMinutes * minuteMs,
        storesStarts: true,
        floatEncoding: this.#floatEncoding,
        exemplarsMax,
        // Another thread takes a while to start, and must come to the same.
        readAheadBytesMin: this.#openings++ % 4 === 1 ? 0 : Infinity,
      },
    });
    tsdb.setStaleSeriesThreshold(0.6);
    return { tsdb, kernel, clock };
  }

  async #take(each: Step): Promise<void> {
    const { tsdb, clock } = this.#opened;
    switch (each.kind) {
      case "commit":
        return this.#append(
          each.samples.map((sample) => [sample.series, clock.nowMs() - sample.minutesAgo * minuteMs]),
        );
      case "scrape":
        for (let minute = 0; minute < each.minutes; minute++) {
          await this.#wait(1);
          this.#append(each.series.map((id) => [id, clock.nowMs()]));
        }
        return;
      case "backfill":
        // Each minute once, in an order of its own.
        return this.#append(
          Array.from({ length: each.minutesAgo }, (_, i) => [
            each.series,
            clock.nowMs() - ((i * each.stride) % each.minutesAgo) * minuteMs,
          ]),
        );
      case "end":
        return this.#end(each.series);
      case "wait":
        return this.#wait(each.minutes);
      case "exemplar":
        return this.#appendExemplar(each.series);
      case "delete":
        return this.#delete(each);
      case "clean":
        return tsdb.cleanTombstones();
      case "snapshot":
        await tsdb.snapshot({ withHead: true });
        return;
      case "encode":
        this.#floatEncoding = each.as;
        return tsdb.setFloatEncoding(each.as);
      case "restart":
        return this.#restart(each);
    }
  }

  async #wait(minutes: number): Promise<void> {
    const { tsdb, clock } = this.#opened;
    for (let minute = 0; minute < minutes; minute++) {
      await clock.advance(minuteMs);
      await tsdb.maintained;
    }
  }

  /** Appends samples in one commit, as far as they were not deleted. */
  #append(samples: readonly (readonly [id: number, timestampMs: number])[]): void {
    const appender = this.#opened.tsdb.appender();
    for (const [id, timestampMs] of samples) {
      if (this.#model.wasDeleted(id, timestampMs)) continue;
      appendSample(appender, id, timestampMs);
      this.#model.append(id, timestampMs);
    }
    const { outOfOrder, outOfBounds, tooOld, memoryFull } = appender.commit();
    assert.deepEqual([outOfOrder, outOfBounds, tooOld, memoryFull], [0, 0, 0, 0]);
  }

  async #end(ids: readonly number[]): Promise<void> {
    const { tsdb, clock } = this.#opened;
    await clock.advance(1);
    const timestampMs = clock.nowMs();
    const appender = tsdb.appender();
    for (const id of ids) {
      if (this.#model.newestMs(id) >= timestampMs) continue;
      appender.appendStale(appender.reference(labelsOf(id)), timestampMs);
      this.#model.appendStale(id, timestampMs);
    }
    appender.commit();
    // No other sample has the time of a marker.
    await clock.advance(1);
  }

  #appendExemplar(id: number): void {
    const { tsdb, clock } = this.#opened;
    const appender = tsdb.appender();
    const ref = appender.reference(labelsOf(id));
    const labels = Labels.from({ trace: `${this.#exemplars++}` });
    const exemplar = { labels, value: id, timestampMs: clock.nowMs(), hasOwnTimestamp: true };
    const fate = appender.appendExemplar(ref, exemplar);
    appender.commit();
    assert.ok(fate === "queued" || fate === "outOfOrder" || fate === "duplicate", fate);
    if (fate === "queued") assert.ok(this.#traces().includes(`${this.#exemplars - 1}`));
  }

  /** The exemplars that are kept. */
  #traces(): string[] {
    const matchers = [[new Matcher("=", "__name__", "m")]];
    const found = this.#opened.tsdb.exemplars.selectExemplars(0, Number.MAX_SAFE_INTEGER, matchers);
    return found.flatMap(({ exemplars }) => exemplars.map(traceOf)).sort();
  }

  async #delete({ series: ids, minutesAgo: ago, minutes }: Step & { kind: "delete" }): Promise<void> {
    const { tsdb, clock } = this.#opened;
    const minTimestampMs = clock.nowMs() - ago * minuteMs;
    const maxTimestampMs = minTimestampMs + minutes * minuteMs;
    const selectors = ids.map((id) => [new Matcher("=", "id", `${id}`)]);
    await tsdb.deleteSeries({ selectors, minTimestampMs, maxTimestampMs });
    for (const id of ids) this.#model.delete(id, minTimestampMs, maxTimestampMs);
  }

  async #restart({ isCrash, isEarly }: Step & { kind: "restart" }): Promise<void> {
    const { tsdb, clock } = this.#opened;
    const before = this.#traces();
    if (isCrash) abandon(this.#directory);
    else await tsdb.close();
    this.#opened = this.#open(clock.nowMs());
    // While the log is read: in order and late.
    if (isEarly && this.#opened.tsdb.isAppendable)
      for (let id = 0; id < seriesCount; id++)
        this.#append([
          [id, clock.nowMs()],
          [id, clock.nowMs() - 17 * minuteMs],
        ]);
    await this.#opened.tsdb.ready;
    // Those whose series or segments are gone may be gone; others must not come.
    const after = this.#traces();
    assert.deepEqual(
      after.filter((trace) => !before.includes(trace)),
      [],
    );
  }
}

function traceOf({ labels }: Exemplar): string {
  return labels.get("trace")!;
}

test(
  "whatever happens in whatever order, what is stored is what a plain model has",
  { timeout: 600_000 },
  async (t) => {
    const seed = Number(process.env["HISTORY_SEED"] ?? Date.now() % 1_000_000);
    const numRuns = Number(process.env["HISTORY_RUNS"] ?? 20);
    const path = process.env["HISTORY_PATH"];
    t.diagnostic(`HISTORY_SEED=${seed}`);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 24 }), (steps) => new History().run(steps)),
      { seed, numRuns, ...(path && { path }), endOnFailure: process.env["HISTORY_SHRINK"] === undefined },
    );
  },
);
