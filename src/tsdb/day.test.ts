import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { createLogger, SimulatedClock, systemDisk } from "../base/index.ts";
import { createKernel, type Kernel } from "../kernel/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import { MaintenanceThread, openTsdb, type Tsdb } from "./index.ts";
import { directoryBytes } from "./directory-bytes.ts";
import { baseTimeMs, bitsOf, directoryOf, dump } from "./test-support.ts";

/** 100,000 take about two minutes of two idle cores: `DAY_SERIES=100000`, as CI does. */
const seriesCount = Number(process.env["DAY_SERIES"] ?? 10_000);
const scrapeIntervalMs = 15_000;
const hourMs = 3_600_000;
const scrapesPerHour = hourMs / scrapeIntervalMs;
/** At the start of a block of 18 hours, so that all levels are filled. */
const startMs = Math.ceil(baseTimeMs / (18 * hourMs)) * 18 * hourMs;
/** What a target of a few thousand series commits at once. */
const samplesPerCommit = 10_000;

interface Opened {
  tsdb: Tsdb;
  kernel: Kernel;
  clock: SimulatedClock;
  registry: Registry;
  problems: string[];
}

async function open(directory: string, nowMs: number): Promise<Opened> {
  const kernel = createKernel({ limitBytes: 2 * 1024 ** 3 });
  const clock = new SimulatedClock(nowMs);
  const registry = new Registry();
  const problems: string[] = [];
  const logger = createLogger({ level: "warn", write: (line) => void problems.push(line) });
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock,
    directory,
    logger,
    registry,
    keeper: new MaintenanceThread({ kernel, directory, logger }),
    // A sync for each simulated second would be more than the disk can take in this time.
    options: { retention: {}, walSyncIntervalMs: 60_000 },
  });
  await tsdb.ready;
  return { tsdb, kernel, clock, registry, problems };
}

/** Counters of seven speeds. */
function valueAt(id: number, scrape: number): number {
  return id + scrape * (1 + (id % 7));
}

function scrapeOf(timestampMs: number): number {
  return (timestampMs - startMs) / scrapeIntervalMs;
}

function createSeries({ tsdb }: Opened): Uint32Array {
  const appender = tsdb.appender();
  const refs = Uint32Array.from({ length: seriesCount }, (_, id) =>
    appender.reference(
      Labels.from({
        __name__: `m_${id % 100}_total`,
        id: `${id}`,
        instance: `host-${id % 97}:9100`,
        job: "day",
      }),
    ),
  );
  appender.commit();
  return refs;
}

/** Appends a sample of every series, as columns. */
function scrape({ tsdb, clock }: Opened, refs: Uint32Array): void {
  const timestampMs = clock.nowMs();
  const number = scrapeOf(timestampMs);
  for (let from = 0; from < refs.length; from += samplesPerCommit) {
    const to = Math.min(from + samplesPerCommit, refs.length);
    const appender = tsdb.appender();
    const { batch } = appender;
    batch.refs.set(refs.subarray(from, to));
    batch.timestamps.fill(timestampMs, 0, to - from);
    for (let id = from; id < to; id++) batch.values[id - from] = valueAt(id, number);
    batch.count = to - from;
    assert.equal(appender.commit().appended, to - from);
  }
}

async function passHour(opened: Opened, refs: Uint32Array): Promise<void> {
  for (let i = 0; i < scrapesPerHour; i++) {
    scrape(opened, refs);
    await opened.clock.advance(scrapeIntervalMs);
  }
  // Files are written in real time: the next hour waits for them.
  await opened.tsdb.maintained;
}

/** Every series has the sample of this time, and it is right. */
function assertInstant({ tsdb, kernel }: Opened, timestampMs: number): void {
  const querier = tsdb.queryable.querier(timestampMs, timestampMs);
  const { scratch, views } = kernel;
  try {
    const hints = { minTimestampMs: timestampMs, maxTimestampMs: timestampMs };
    const set = querier.select([new Matcher("=", "job", "day")], hints, false);
    assert.equal(set.length, seriesCount);
    for (let series = 0; series < set.length; series++) {
      const mark = scratch.mark();
      const capacity = set.sampleCountMax(series, timestampMs, timestampMs);
      const columns = {
        timestamps: scratch.allocate(8 * capacity),
        values: scratch.allocate(8 * capacity),
        capacity,
      };
      const count = set.read(series, timestampMs, timestampMs, false, columns);
      const value = views.f64[columns.values / 8];
      const id = Number(set.labels(series).get("id"));
      if (count !== 1 || value !== valueAt(id, scrapeOf(timestampMs)))
        assert.fail(`series ${id} at ${new Date(timestampMs).toISOString()}: ${count} samples, ${value}`);
      scratch.release(mark);
    }
  } finally {
    querier.close();
  }
}

/** A few series have every sample from `fromMs` on, and no other. */
function assertWhole({ tsdb, kernel, clock }: Opened, fromMs: number): void {
  for (const id of [0, 1, Math.floor(seriesCount / 2), seriesCount - 1]) {
    const found = [...dump(kernel, tsdb.queryable, [new Matcher("=", "id", `${id}`)])];
    assert.equal(found.length, 1);
    const samples = found[0]![1];
    assert.equal(samples.length, (clock.nowMs() - fromMs) / scrapeIntervalMs);
    samples.forEach(([timestampMs, bits], i) => {
      if (
        timestampMs !== fromMs + i * scrapeIntervalMs ||
        bits !== bitsOf(valueAt(id, scrapeOf(timestampMs)))
      )
        assert.fail(`series ${id}, sample ${i}: ${timestampMs} ${bits}`);
    });
  }
}

/** Start and end of each block in hours since the start, and its level. */
function shape({ tsdb }: Opened): string[] {
  return tsdb.blocks().map(({ minTime, maxTime, compaction }) => {
    const hours = [minTime, maxTime].map((ms) => (ms - startMs) / hourMs);
    return `${hours.join("–")} level ${compaction.level}`;
  });
}

function metric({ registry }: Opened, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(registry.expose())![1]);
}

test(`a day of ${seriesCount} series at 15 s`, { timeout: 3_600_000 }, async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, startMs);
  const { tsdb, kernel, clock, problems } = opened;
  const refs = createSeries(opened);
  const shapes: string[][] = [];
  let headBytesMax = 0;
  let walBytesMax = 0;
  for (let hour = 1; hour <= 24; hour++) {
    await passHour(opened, refs);
    shapes.push(shape(opened));
    headBytesMax = Math.max(headBytesMax, kernel.arena.usage().usedBytes);
    walBytesMax = Math.max(walBytesMax, directoryBytes(systemDisk, `${directory}/wal`));
    // The head holds what the blocks do not yet.
    const headHours = (tsdb.stats().maxTimeMs! - tsdb.stats().minTimeMs!) / hourMs;
    assert.ok(headHours <= 3, `after ${hour} h the head holds ${headHours} h`);
  }
  const day = `${(headBytesMax / seriesCount).toFixed(0)} bytes of memory per series, ${(walBytesMax / 1e6).toFixed(0)} MB of WAL at most`;
  t.diagnostic(day);
  assert.deepEqual(problems, []);

  // A cut every two hours, an hour after its range has ended; three make one of six hours as soon as a later one exists.
  assert.deepEqual(shapes[1], []);
  assert.deepEqual(shapes[3], ["0–2 level 1"]);
  assert.deepEqual(shapes[7], ["0–2 level 1", "2–4 level 1", "4–6 level 1"]);
  assert.deepEqual(shapes[9], ["0–6 level 2", "6–8 level 1"]);
  assert.deepEqual(shapes[21], ["0–18 level 3", "18–20 level 1"]);
  assert.deepEqual(shapes[23], ["0–18 level 3", "18–20 level 1", "20–22 level 1"]);
  const samples = tsdb.blocks().reduce((sum, { stats }) => sum + stats.numSamples, 0);
  assert.equal(samples, 22 * scrapesPerHour * seriesCount);
  assert.equal(metric(opened, "prometheus_tsdb_head_truncations_total"), 11);
  assert.equal(metric(opened, "prometheus_tsdb_compactions_failed_total"), 0);

  // Blocks of each level, their borders, and the head.
  for (const hours of [0, 3.5, 18, 20.25, 22]) assertInstant(opened, startMs + hours * hourMs);
  assertInstant(opened, clock.nowMs() - scrapeIntervalMs);
  assertWhole(opened, startMs);

  // What is too old goes as whole blocks, within a minute of being asked for.
  tsdb.setRetention({ timeMs: 4 * hourMs, sizeBytes: 0, percentage: 0 });
  for (let i = 0; i < 4; i++) {
    scrape(opened, refs);
    await clock.advance(scrapeIntervalMs);
  }
  await tsdb.maintained;
  assert.deepEqual(shape(opened), ["18–20 level 1", "20–22 level 1"]);
  assert.equal(metric(opened, "prometheus_tsdb_time_retentions_total"), 1);
  assertWhole(opened, startMs + 18 * hourMs);

  await tsdb.close();
  const again = await open(directory, clock.nowMs());
  assertWhole(again, startMs + 18 * hourMs);
  assertInstant(again, startMs + 22 * hourMs);
  await again.tsdb.close();
});
