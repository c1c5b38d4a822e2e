import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { silentLogger } from "../../base/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { MaintenanceThread } from "../maintenance/maintenance-thread.ts";
import {
  abandon,
  baseTimeMs,
  bitsOf,
  dump,
  type Opened,
  type OpenOptions,
  openTest,
  temporaryDirectory,
} from "../test-support.ts";

const minuteMs = 60_000;
const windowMinutes = 240;
const seriesCount = 3;

type Step =
  | { kind: "commit"; samples: { series: number; minutesAgo: number }[] }
  | { kind: "wait"; minutes: number }
  | { kind: "delete"; series: number; minutesAgo: number; minutes: number }
  | { kind: "clean" | "kill" | "restart" };

const series = fc.nat({ max: seriesCount - 1 });
/** Now, a little ago, or long ago. */
const minutesAgo = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.nat({ max: 20 }) },
  { weight: 1, arbitrary: fc.nat({ max: windowMinutes + 60 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      samples: fc.array(fc.record({ series, minutesAgo }), { minLength: 1, maxLength: 60 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), minutes: fc.integer({ min: 1, max: 150 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      series,
      minutesAgo: fc.nat({ max: 400 }),
      minutes: fc.nat({ max: 100 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom("clean", "kill", "restart").map((kind) => ({ kind }) as Step),
  },
);

/** What a series should have, and what was deleted of it, in minutes since `baseTimeMs`. */
interface ModelSeries {
  readonly minutes: Set<number>;
  readonly deleted: (readonly [from: number, to: number])[];
}

class History {
  readonly #directory = temporaryDirectory();
  readonly #model: ModelSeries[] = Array.from({ length: seriesCount }, () => ({
    minutes: new Set<number>(),
    deleted: [],
  }));
  #opened: Opened | undefined;
  #nowMinute = 1000;

  async run(steps: readonly Step[]): Promise<void> {
    try {
      await this.#open();
      for (const each of steps) {
        await this.#take(each);
        this.#compare(each);
      }
    } finally {
      await this.#opened?.tsdb.close();
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  async #open(): Promise<void> {
    const options: OpenOptions = {
      outOfOrderWindowMs: windowMinutes * minuteMs,
      nowMs: baseTimeMs + this.#nowMinute * minuteMs,
      walSegmentBytes: 10 * 1024 * 1024,
      keeper: (parts) => new MaintenanceThread({ ...parts, logger: silentLogger }),
    };
    this.#opened = await openTest(this.#directory, options);
  }

  async #take(each: Step): Promise<void> {
    const { tsdb, clock } = this.#opened!;
    switch (each.kind) {
      case "commit":
        for (const sample of each.samples) this.#append(sample.series, this.#nowMinute - sample.minutesAgo);
        return;
      case "wait":
        this.#nowMinute += each.minutes;
        await clock.advance(each.minutes * minuteMs);
        await tsdb.maintained;
        return;
      case "delete":
        return this.#delete(each.series, this.#nowMinute - each.minutesAgo, each.minutes);
      case "clean":
        return tsdb.cleanTombstones();
      case "kill":
        // What the process left behind is there as it was; the old one is closed when that was copied.
        abandon(this.#directory);
        return this.#open();
      case "restart":
        await tsdb.close();
        return this.#open();
    }
  }

  /** One sample in a commit of its own. What was deleted is not brought back: whether that shows depends on what still remembers. */
  #append(index: number, minute: number): void {
    const { minutes, deleted } = this.#model[index]!;
    if (deleted.some(([from, to]) => from <= minute && minute <= to)) return;
    const appender = this.#opened!.tsdb.appender();
    const ref = appender.reference(labelsOf(index));
    appender.append(ref, baseTimeMs + minute * minuteMs, valueOf(index, minute));
    if (appender.commit().appended === 1) minutes.add(minute);
  }

  async #delete(index: number, from: number, length: number): Promise<void> {
    const { minutes, deleted } = this.#model[index]!;
    // What comes in order after a deletion is not deleted.
    const to = Math.min(from + length, this.#nowMinute - 1);
    await this.#opened!.tsdb.deleteSeries({
      selectors: [[new Matcher("=", "series", `${index}`)]],
      minTimestampMs: baseTimeMs + from * minuteMs,
      maxTimestampMs: baseTimeMs + to * minuteMs,
    });
    for (const minute of minutes) if (from <= minute && minute <= to) minutes.delete(minute);
    deleted.push([from, to]);
  }

  #compare(after: Step): void {
    const { tsdb, kernel } = this.#opened!;
    const found = dump(kernel, tsdb.queryable);
    this.#model.forEach(({ minutes }, index) => {
      const expected = [...minutes]
        .sort((a, b) => a - b)
        .map((minute) => [baseTimeMs + minute * minuteMs, bitsOf(valueOf(index, minute))]);
      assert.deepEqual(
        found.get(labelsOf(index).toString()) ?? [],
        expected,
        `after ${JSON.stringify(after)}`,
      );
    });
  }
}

function labelsOf(index: number): Labels {
  return Labels.from({ __name__: "m", series: `${index}` });
}

function valueOf(index: number, minute: number): number {
  return minute * 10 + index;
}

test("random histories with late samples leave what a plain model has", async (t) => {
  const seed = Number(process.env["HISTORY_SEED"] ?? Date.now() % 1_000_000);
  t.diagnostic(`HISTORY_SEED=${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), (steps) => new History().run(steps)),
    { seed, numRuns: 8, endOnFailure: true },
  );
});
