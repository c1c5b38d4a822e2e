/**
 * Memory while series come and go, by hand: `node bench/tsdb/churn.ts [series] [percent per minute] [minutes]`. Samples are kept for 30 minutes; the
 * curve must be flat from then on.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Labels } from "../../src/model/index.ts";
import { openStorage, scrapeIntervalMs } from "./load.ts";

const series = Number(process.argv[2] ?? 20_000);
const churnPercent = Number(process.argv[3] ?? 10);
const minutes = Number(process.argv[4] ?? 120);
const keptMs = 30 * 60_000;
const scrapesPerMinute = 60_000 / scrapeIntervalMs;
const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));

try {
  const storage = await openStorage(directory);
  const { tsdb, kernel, clock } = storage;
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
  for (let minute = 0; minute < minutes; minute++) {
    let slowestMs = 0;
    for (let scrape = 0; scrape < scrapesPerMinute; scrape++) {
      const appender = tsdb.appender();
      for (let i = 0; i < series; i++) appender.append(refs[i]!, clock.nowMs(), i * minute + scrape);
      appender.commit();
      await clock.advance(scrapeIntervalMs);
    }
    const appender = tsdb.appender();
    for (let i = 0; i < (series * churnPercent) / 100; i++)
      refs[(minute * 7919 + i * 31) % series] = appender.reference(labelsOf());
    appender.commit();
    if (minute % 10 !== 9) continue;
    // How long a commit that comes at any time during a truncation would wait.
    let lastMs = performance.now();
    let isOver = false;
    const truncated = tsdb.truncate(clock.nowMs() - keptMs).finally(() => (isOver = true));
    const watch = (): void => {
      slowestMs = Math.max(slowestMs, performance.now() - lastMs);
      lastMs = performance.now();
      if (!isOver) setImmediate(watch);
    };
    setImmediate(watch);
    await truncated;
    const { usedBytes, reservedBytes } = kernel.arena.usage();
    console.log(
      `${String(minute + 1).padStart(4)} min ${String(tsdb.stats().numSeries).padStart(8)} series ${mib(usedBytes)} MiB used ${mib(reservedBytes)} MiB reserved ${mib(process.memoryUsage.rss())} MiB RSS, truncation held the loop ${slowestMs.toFixed(0)} ms at most`,
    );
  }
  await tsdb.close();
} finally {
  rmSync(directory, { recursive: true });
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1).padStart(7);
}
