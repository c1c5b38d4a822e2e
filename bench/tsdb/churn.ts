/**
 * Memory while series come and go, by hand: `node bench/tsdb/churn.ts [series] [percent per minute] [hours]`. Blocks are cut and compacted meanwhile, every two
 * hours once there are three; what the head holds goes up and down with that, and the curve's peaks must be level.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/base/index.ts";
import { Labels } from "../../src/model/index.ts";
import { MaintenanceThread } from "../../src/tsdb/index.ts";
import { sleep } from "../process.ts";
import { openStorage, scrapeIntervalMs } from "./load.ts";

const series = Number(process.argv[2] ?? 5000);
const churnPercent = Number(process.argv[3] ?? 10);
const hours = Number(process.argv[4] ?? 12);
const minutesPerLine = 60;
/** After so long without work the maintenance thread has ended, whose memory is none of the head's. */
const idleMs = 5500;
const scrapesPerMinute = 60_000 / scrapeIntervalMs;
const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));

try {
  const { tsdb, kernel, clock } = await openStorage(directory, undefined, (opened) => {
    return new MaintenanceThread({ kernel: opened, directory, logger: createLogger({ level: "warn" }) });
  });
  let created = 0;
  const labelsOf = (): Labels =>
    Labels.from({
      __name__: `container_metric_${created % 50}`,
      pod: `pod-${Math.floor(created / 50).toString(16)}`,
      container: `container-${created % 7}`,
      id: `/kubepods/${(created++).toString(36)}`,
    });
  const creating = tsdb.appender();
  const refs = Uint32Array.from({ length: series }, () => creating.reference(labelsOf()));
  for (let minute = 0; minute < hours * 60; minute++) {
    for (let scrape = 0; scrape < scrapesPerMinute; scrape++) {
      const appender = tsdb.appender();
      for (let i = 0; i < series; i++) appender.append(refs[i]!, clock.nowMs(), i * minute + scrape);
      appender.commit();
      await clock.advance(scrapeIntervalMs);
    }
    await tsdb.maintained;
    const appender = tsdb.appender();
    for (let i = 0; i < (series * churnPercent) / 100; i++)
      refs[(minute * 7919 + i * 31) % series] = appender.reference(labelsOf());
    appender.commit();
    if ((minute + 1) % minutesPerLine !== 0) continue;
    await sleep(idleMs);
    printLine((minute + 1) / 60);
  }
  await tsdb.close();

  function printLine(hour: number): void {
    const { usedBytes, reservedBytes } = kernel.arena.usage();
    const { heapTotal, rss } = process.memoryUsage();
    const parts = [
      `${hour.toFixed(1).padStart(6)} h`,
      `${String(tsdb.stats().numSeries).padStart(8)} series`,
      `${tsdb.blocks().length} blocks`,
      `${mib(usedBytes)} MiB used`,
      `${mib(reservedBytes)} reserved`,
      `${mib(heapTotal)} heap`,
      `${mib(rss)} resident`,
    ];
    console.log(parts.join(" "));
  }
} finally {
  rmSync(directory, { recursive: true });
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1).padStart(7);
}
