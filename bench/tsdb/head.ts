/**
 * Ingest, memory per series, WAL bytes per sample and replay, by hand: `node bench/tsdb/head.ts [targets of 1,000 series] [scrapes]`.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSeries, openStorage, scrapeAll, scrapeIntervalMs, type Storage } from "./load.ts";

const targets = Number(process.argv[2] ?? 100);
const scrapes = Number(process.argv[3] ?? 100);
const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));

try {
  const rssBefore = process.memoryUsage.rss();
  const storage = await openStorage(directory);
  const refs = await timed("create series", targets * 1000, () => createSeries(storage, targets));
  const samples = targets * 1000 * scrapes;
  await timed("append samples", samples, async () => {
    for (let scrape = 0; scrape < scrapes; scrape++) {
      scrapeAll(storage, refs, scrape);
      await storage.clock.advance(scrapeIntervalMs);
    }
  });
  show("resident memory per series", (process.memoryUsage.rss() - rssBefore) / targets / 1000, "bytes");
  show("arena per series", storage.kernel.arena.usage().usedBytes / targets / 1000, "bytes");
  show("WAL per sample", walBytes() / samples, "bytes");
  await storage.tsdb.close();
  const again = await timed("replay", samples, () => openStorage(directory, storage.clock.nowMs()));
  report(again);
  await again.tsdb.close();
} finally {
  rmSync(directory, { recursive: true });
}

function report({ tsdb, kernel }: Storage): void {
  const { numSeries } = tsdb.stats();
  show("arena per series after replay", kernel.arena.usage().usedBytes / numSeries, "bytes");
}

function walBytes(): number {
  const wal = join(directory, "wal");
  return readdirSync(wal).reduce((bytes, name) => bytes + statSync(join(wal, name)).size, 0);
}

async function timed<T>(what: string, count: number, run: () => T | Promise<T>): Promise<T> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await run();
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - start;
  console.log(
    `${what.padEnd(32)} ${wallMs.toFixed(0).padStart(8)} ms  ${((user + system) / count).toFixed(3).padStart(8)} µs CPU each`,
  );
  return result;
}

function show(what: string, value: number, unit: string): void {
  console.log(`${what.padEnd(32)} ${value.toFixed(2).padStart(8)} ${unit}`);
}
