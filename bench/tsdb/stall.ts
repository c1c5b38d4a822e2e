/**
 * How long appends wait while a block is written, the head truncated and the log cut, by hand: `node bench/tsdb/stall.ts [targets] [series per target]`. A target
 * is appended every ten milliseconds meanwhile, and the event loop turns without a pause.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/base/index.ts";
import { MaintenanceThread } from "../../src/tsdb/index.ts";
import { watchLoop } from "../../test/support/loop-watch.ts";
import { createSeries, openStorage, scrapeAll } from "./load.ts";

const targets = Number(process.argv[2] ?? 30);
const seriesPerTarget = Number(process.argv[3] ?? 3333);
const minuteMs = 60_000;
const appendIntervalMs = 10;
/** From then on the head is long enough to be cut. */
const minutes = 182;
const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));

try {
  const storage = await openStorage(directory, undefined, (kernel) => {
    return new MaintenanceThread({ kernel, directory, logger: createLogger({ level: "info" }) });
  });
  const { tsdb, clock } = storage;
  const refs = createSeries(storage, targets, seriesPerTarget);
  for (let minute = 0; minute < minutes; minute++) {
    scrapeAll(storage, refs, minute);
    await clock.advance(minuteMs);
    if (minute < minutes - 1) await tsdb.maintained;
  }
  let turns = 0;
  const startMs = performance.now();
  let nextMs = startMs;
  const longest = await watchLoop(tsdb.maintained, () => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + appendIntervalMs;
    const timestampMs = clock.nowMs() + Math.floor(turns / targets);
    const appender = tsdb.appender();
    for (const ref of refs[turns++ % targets]!) appender.append(ref, timestampMs, turns);
    appender.commit();
  });
  const ms = performance.now() - startMs;
  console.log(
    `${tsdb.blocks().length} blocks of ${targets * seriesPerTarget} series, the last in ${ms.toFixed(0)} ms`,
  );
  console.log(`${turns} commits of ${seriesPerTarget} samples meanwhile`);
  console.log(
    `longest turn of the loop ${longest.cpuMs.toFixed(1)} ms of CPU, ${longest.ownMs.toFixed(1)} ms, with waits for a CPU ${longest.wallMs.toFixed(1)} ms`,
  );
  await tsdb.close();
} finally {
  rmSync(directory, { recursive: true });
}
