/** Selecting series by matchers, by hand: `node bench/tsdb/select.ts [targets of 1,000 series]`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Matcher } from "../../src/model/index.ts";
import { createSeries, openStorage, scrapeAll } from "./load.ts";

const targets = Number(process.argv[2] ?? 200);
const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));
const metric = new Matcher("=", "__name__", "app_subsystem_metric_4_total");
const queries: [string, Matcher[]][] = [
  ["one metric", [metric]],
  ["one metric of one target", [metric, new Matcher("=", "instance", "10.0.0.7:8080")]],
  ["one metric, prefix of targets", [metric, new Matcher("=~", "instance", "10.0.0.1.*")]],
  ["one metric, few targets by |", [metric, new Matcher("=~", "instance", "10.0.0.1:8080|10.0.0.2:8080")]],
  [
    "one metric, negative",
    [metric, new Matcher("!=", "code", "200"), new Matcher("!~", "zone", "zone-[12]")],
  ],
  ["metrics by regexp", [new Matcher("=~", "__name__", "app_.*_bucket")]],
  ["label present", [new Matcher("!=", "le", "")]],
  ["everything", []],
];

try {
  const storage = await openStorage(directory);
  const refs = createSeries(storage, targets);
  scrapeAll(storage, refs, 0);
  const hints = { minTimestampMs: 0, maxTimestampMs: storage.clock.nowMs() };
  for (const [what, matchers] of queries) {
    for (const sorted of [false, true]) {
      const times: number[] = [];
      let series = 0;
      for (let run = 0; run < 7; run++) {
        const start = performance.now();
        const querier = storage.tsdb.queryable.querier(0, hints.maxTimestampMs);
        series = querier.select(matchers, hints, sorted).length;
        querier.close();
        times.push(performance.now() - start);
      }
      times.sort((a, b) => a - b);
      console.log(
        `${what.padEnd(32)} ${String(series).padStart(8)} series ${sorted ? "sorted  " : "unsorted"} ${times[3]!.toFixed(2).padStart(9)} ms`,
      );
    }
  }
  await storage.tsdb.close();
} finally {
  rmSync(directory, { recursive: true });
}
