/** A year of samples in blocks of a month under both servers: the same answers to what looks at hours, at months, and at all of it. */
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bitsOf } from "../src/kernel/testing.ts";
import { Labels } from "../src/model/index.ts";
import { staleMarkerBits } from "../src/kernel/index.ts";
import { testContext, writeModel } from "../src/tsdb/block/test-support.ts";
import { skipWithout, startPeer } from "./support/peers.ts";
import { api, startProgram, temporaryDirectory } from "./support/program.ts";

const skip = skipWithout("prometheus");
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const monthMs = 30 * dayMs;
const months = 12;
/** No window begins at a sample, which would count before Prometheus 3 and since then does not. */
const offsetMs = 137;
const sampleIntervalMs = 10 * 60_000;
const samplesPerMonth = monthMs / sampleIntervalMs;

interface YearSeries {
  readonly labels: Labels;
  /** Undefined where the series has no sample, `"stale"` where it says that it ended. */
  readonly valueAt: (sample: number) => number | "stale" | undefined;
}

/** Counters that begin anew, gauges, and some that are there in every third week only. */
const allSeries: readonly YearSeries[] = Array.from({ length: 24 }, (_, id): YearSeries => {
  const isCounter = id % 2 === 0;
  const labels = Labels.from({
    __name__: isCounter ? "served_total" : "level",
    id: `${id}`,
    zone: `z${id % 3}`,
  });
  const perWeek = (7 * dayMs) / sampleIntervalMs;
  return {
    labels,
    valueAt(sample) {
      const week = Math.floor(sample / perWeek);
      if (id % 5 === 4 && week % 3 !== 0)
        return week % 3 === 1 && sample % perWeek === 0 ? "stale" : undefined;
      return isCounter
        ? (sample % (1000 + 100 * id)) * (id + 1)
        : Math.round(100 * Math.sin(sample / (20 + id)));
    },
  };
});

function writeYear(directory: string, startMs: number): void {
  for (let month = 0; month < months; month++) {
    const first = month * samplesPerMonth;
    const model = allSeries.map(({ labels, valueAt }) => ({
      labels,
      samples: Array.from({ length: samplesPerMonth }, (_, i) => first + i).flatMap(
        (sample): [number, bigint][] => {
          const value = valueAt(sample);
          if (value === undefined) return [];
          const bits = value === "stale" ? staleMarkerBits : bitsOf(value);
          return [[startMs + sample * sampleIntervalMs + offsetMs, bits]];
        },
      ),
    }));
    const range = [startMs + month * monthMs, startMs + (month + 1) * monthMs] as const;
    writeModel(testContext(), directory, model, range);
  }
}

test(
  "a year of blocks answers the same under Prometheus and under ours",
  { skip, timeout: 120_000 },
  async (t) => {
    const directory = temporaryDirectory();
    t.after(() => directory.remove());
    const path = (name: string): string => join(directory.path, name);
    const endMs = Math.floor(Date.now() / monthMs) * monthMs - monthMs;
    const startMs = endMs - months * monthMs;
    writeYear(path("ours"), startMs);
    cpSync(path("ours"), path("theirs"), { recursive: true });
    writeFileSync(path("config.yml"), "global: {}\n");
    const flags = (data: string): string[] => [
      `--config.file=${path("config.yml")}`,
      `--storage.tsdb.path=${path(data)}`,
      "--storage.tsdb.retention.time=10y",
    ];
    const ours = await startProgram("server", [...flags("ours"), "--query.readers=2"]);
    t.after(() => ours.end("SIGKILL"));
    const theirs = await startPeer("prometheus", flags("theirs"));
    t.after(() => theirs.end("SIGKILL"));

    const ranges = {
      "two hours": {
        fromMs: startMs + 5 * monthMs - hourMs,
        toMs: startMs + 5 * monthMs + hourMs,
        stepMs: 60_000,
      },
      "30 days": { fromMs: endMs - monthMs - dayMs, toMs: endMs - dayMs, stepMs: hourMs },
      "a year, by the day": { fromMs: startMs - dayMs, toMs: endMs + dayMs, stepMs: dayMs },
      "a year, by six hours": { fromMs: startMs, toMs: endMs, stepMs: 6 * hourMs },
    };
    for (const [name, { fromMs, toMs, stepMs }] of Object.entries(ranges)) {
      const grid = `start=${fromMs / 1000}&end=${toMs / 1000}&step=${stepMs / 1000}`;
      for (const query of [
        "level",
        "count by (zone) (level)",
        "max by (zone) (level offset 40d)",
        "rate(served_total[1h])",
        "increase(served_total[2d])",
        "max_over_time(level[1d])",
        "max(count_over_time(level[30d]))",
        'resets(served_total{id=~"4|14|8"}[10d])',
        'served_total{zone="z1"} - served_total{zone="z1"} offset 1w',
      ]) {
        const [a, b] = await Promise.all(
          [ours, theirs].map(({ url }) =>
            api<unknown>(url, `query_range?query=${encodeURIComponent(query)}&${grid}`),
          ),
        );
        assert.deepEqual(a, b, `${query}, ${name}`);
      }
    }
  },
);
