import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "../base/index.ts";
import { Labels, parseHistogram } from "../model/index.ts";
import { defaultLimits, type QueryContext } from "./context.ts";
import { Engine } from "./engine.ts";
import { TestHead } from "./testing/test-head.ts";

const minuteMs = 60_000;
const head = new TestHead();
head.append([
  {
    labels: Labels.from({ __name__: "deltas_total" }),
    samples: [5, 6, 7].map((minute) => ({
      timestampMs: minute * minuteMs,
      value: 60,
      startTimestampMs: (minute - 1) * minuteMs,
    })),
  },
  {
    labels: Labels.from({ __name__: "native" }),
    samples: [
      {
        timestampMs: 7 * minuteMs,
        value: parseHistogram("count:60 sum:60 buckets:[60]").histogram,
        startTimestampMs: 6 * minuteMs,
      },
    ],
  },
  {
    labels: Labels.from({ __name__: "native_later" }),
    samples: [6, 7].map((minute) => ({
      timestampMs: minute * minuteMs,
      value: parseHistogram("count:60 sum:60 buckets:[60]").histogram,
    })),
  },
]);
const engine = new Engine({ parser: { experimentalFunctions: true, extendedRangeSelectors: true } });

/** The one float at 7 min, or the count of the one histogram; undefined when there is nothing. */
function valueOf(query: string, startTimestamps: boolean): number | undefined {
  const context: QueryContext = {
    queryable: head.queryable,
    kernel: head.kernel,
    clock: new SimulatedClock(),
    limits: defaultLimits,
    lookbackDeltaMs: 5 * minuteMs,
    defaultEvalIntervalMs: minuteMs,
    features: { startTimestamps },
  };
  const { value } = engine.instant(query, 7 * minuteMs, context);
  assert.ok(value.type === "vector");
  const sample = value.samples[0];
  return sample?.histogram?.count ?? sample?.value;
}

const cases: [query: string, without: number | undefined, using: number | undefined][] = [
  ["increase(deltas_total[150s])", 0, 150],
  ["resets(deltas_total[5m])", 0, 2],
  ["irate(deltas_total[5m])", 0, 1],
  ["increase(native[5m])", undefined, 60],
  ["increase(native[1m])", undefined, undefined],
  ["increase(deltas_total[150s:1m])", 0, 0],
  ["increase(deltas_total[150s] anchored)", 0, 0],
  ["resets(deltas_total[90s] anchored)", 0, 2],
  ["start_timestamp(deltas_total)", undefined, 360],
  ["start_timestamp(native)", undefined, 360],
  ["timestamp(native_later offset 1m @ 420)", 360, 360],
  ["timestamp(deltas_total offset 1m @ 420)", 360, 360],
  ["start_timestamp(deltas_total offset 1m)", undefined, 300],
  ["start_timestamp(deltas_total @ 300)", undefined, 240],
  ["start_timestamp(deltas_total offset -1m @ 360)", undefined, 300],
  ["timestamp(deltas_total offset -1m @ 360)", 360, 360],
  ["timestamp(deltas_total offset -10m @ 360)", undefined, undefined],
  ["start_timestamp(deltas_total + 0)", undefined, undefined],
];
for (const [query, without, using] of cases)
  test(`${query} with and without use-start-timestamps`, () => {
    assert.equal(valueOf(query, false), without);
    assert.equal(valueOf(query, true), using);
  });
