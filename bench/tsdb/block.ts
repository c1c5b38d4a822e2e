/**
 * Blocks, by hand: `node bench/tsdb/block.ts [series] [samples per series] [blocks] [seconds between samples]`. Writes blocks as the head would be cut, opens them, queries
 * them, compacts them, and prints what each step read from the disk. `1000 525600 36 60` is a year at one minute; `500000 480 1` two hours at 15 s.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Disk, systemDisk } from "../../src/base/index.ts";
import { createKernel } from "../../src/kernel/index.ts";
import { Labels, Matcher } from "../../src/model/index.ts";
import { type Querier, type Queryable, type SeriesSet } from "../../src/storage/index.ts";
import {
  Block,
  BlockCache,
  BlockNotices,
  BlockQuerier,
  blockSizeBytes,
  createQueryable,
  createUlid,
  writeHeadBlock,
} from "../../src/tsdb/index.ts";
import { compactBlocks } from "../../src/tsdb/block/compact.ts";
import { BlockWriter } from "../../src/tsdb/block/block-writer.ts";
import { IndexSymbols } from "../../src/tsdb/block/index-symbols.ts";

const seriesCount = Number(process.argv[2] ?? 100_000);
const samplesPerSeries = Number(process.argv[3] ?? 480);
const blockCount = Number(process.argv[4] ?? 3);
const stepMs = 1000 * Number(process.argv[5] ?? 15);
const startMs = 1_700_006_400_000;
const samplesPerBlock = Math.ceil(samplesPerSeries / blockCount);

const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));
const kernel = createKernel({ limitBytes: 1024 * 1024 * 1024 });
const cache = new BlockCache();
let bytesRead = 0;
const disk: Disk = {
  ...systemDisk,
  read(fd, bytes, position) {
    const count = systemDisk.read(fd, bytes, position);
    bytesRead += count;
    return count;
  },
};
const context = { kernel, disk, cache };

/** Label sets in their order. */
const labelSets = Array.from({ length: seriesCount }, (_, i) =>
  Labels.from({
    __name__: `metric_${i % 500}_total`,
    instance: `host-${Math.floor(i / 500)}.example.org:9100`,
    job: "node",
    cluster: `c${i % 3}`,
    mode: `m${i % 7}`,
  }),
).sort((a, b) => a.compare(b));
const symbols = IndexSymbols.of(labelSets.flatMap(({ pairs }) => pairs));

try {
  const total = seriesCount * samplesPerSeries;
  const written = timed("write", total, () =>
    Array.from({ length: blockCount }, (_, block) => writeBlock(block)),
  );
  const bytes = written.reduce((sum, ulid) => sum + blockSizeBytes(systemDisk, `${directory}/${ulid}`), 0);
  console.log(`${"bytes per sample".padEnd(36)} ${(bytes / total).toFixed(3)}`);
  console.log(`${"bytes of blocks".padEnd(36)} ${(bytes / 1e6).toFixed(1)} MB`);
  const rssBefore = process.memoryUsage.rss();

  const blocks = timed("open", blockCount, () =>
    written.map((ulid) => Block.open(context, `${directory}/${ulid}`)),
  );
  const queryable = createQueryable({ kernel, disk, directory });
  const last = startMs + samplesPerSeries * stepMs;
  const one = [
    new Matcher("=", "__name__", "metric_7_total"),
    new Matcher("=", "instance", labelSets[0]!.get("instance")),
  ];
  for (const round of ["first", "again"]) {
    timed(`one series, everything (${round})`, samplesPerSeries, () => query(queryable, one, startMs, last));
    timed(`one metric, last 30 days (${round})`, 1, () =>
      query(queryable, [new Matcher("=", "__name__", "metric_7_total")], last - 30 * 86_400_000, last),
    );
    timed(`one metric, last hour (${round})`, 1, () =>
      query(queryable, [new Matcher("=", "__name__", "metric_7_total")], last - 3_600_000, last),
    );
    timed(`regular expression (${round})`, 1, () =>
      query(
        queryable,
        [new Matcher("=~", "instance", "host-1.*"), new Matcher("=", "mode", "m3")],
        last - 600_000,
        last,
      ),
    );
    timed(`values of a label (${round})`, 1, () => labelValues(queryable));
  }
  timed("all samples", total, () => query(queryable, [], startMs, last));
  queryable.close();

  const target = { kernel, disk: systemDisk, dataDirectory: directory, ulid: createUlid(Date.now()) };
  timed("compact", total, () => compactBlocks(blocks, target));
  const again = { ...target, ulid: createUlid(Date.now()) };
  timed("cut through a querier", total / blockCount, () =>
    writeHeadBlock(
      { querier: () => new BlockQuerier(blocks[0]!, new BlockNotices()) },
      again,
      startMs,
      startMs + samplesPerBlock * stepMs,
    ),
  );
  console.log(
    `${"cache".padEnd(36)} ${(cache.bytes / 1e6).toFixed(1)} MB, ${cache.hits} hits, ${cache.misses} misses`,
  );
  const rss = process.memoryUsage.rss();
  console.log(
    `${"resident, since it was written".padEnd(36)} ${((rss - rssBefore) / 1e6).toFixed(1)} MB of ${(rss / 1e6).toFixed(0)}`,
  );
  console.log(`${"heap".padEnd(36)} ${(process.memoryUsage().heapUsed / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(directory, { recursive: true });
}

function writeBlock(block: number): string {
  const ulid = createUlid(startMs + block);
  const writer = new BlockWriter({ kernel, disk: systemDisk, dataDirectory: directory, ulid }, symbols);
  const firstMs = startMs + block * samplesPerBlock * stepMs;
  const timestamps = kernel.scratch.allocate(8 * samplesPerBlock);
  const values = kernel.scratch.allocate(8 * samplesPerBlock);
  const { f64 } = kernel.views;
  for (let i = 0; i < samplesPerBlock; i++) f64[timestamps / 8 + i] = firstMs + i * stepMs;
  labelSets.forEach(({ pairs }, series) => {
    let value = series;
    for (let i = 0; i < samplesPerBlock; i++)
      f64[values / 8 + i] = value += (i * series) % 4 === 0 ? 0 : (i % 9) + 1;
    writer.addSamples({ timestamps, values, count: samplesPerBlock });
    writer.endSeries(symbols.symbolsOf(pairs));
  });
  writer.finish(firstMs, firstMs + samplesPerBlock * stepMs, { level: 1, sources: [ulid] });
  return ulid;
}

function query(
  queryable: Queryable,
  matchers: Matcher[],
  minTimestampMs: number,
  maxTimestampMs: number,
): number {
  return using(queryable, (querier) => {
    const set = querier.select(matchers, { minTimestampMs, maxTimestampMs }, false);
    let samples = 0;
    for (let series = 0; series < set.length; series++)
      samples += read(set, series, minTimestampMs, maxTimestampMs);
    return samples;
  });
}

function read(set: SeriesSet, series: number, minTimestampMs: number, maxTimestampMs: number): number {
  const mark = kernel.scratch.mark();
  const capacity = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
  const columns = {
    timestamps: kernel.scratch.allocate(8 * capacity),
    values: kernel.scratch.allocate(8 * capacity),
    capacity,
  };
  const count = set.read(series, minTimestampMs, maxTimestampMs, true, columns);
  kernel.scratch.release(mark);
  return count;
}

function labelValues(queryable: Queryable): number {
  const hints = { minTimestampMs: 0, maxTimestampMs: Number.MAX_SAFE_INTEGER };
  return using(queryable, (querier) => querier.labelValues("instance", [], hints).length);
}

function using<T>(queryable: Queryable, run: (querier: Querier) => T): T {
  const querier = queryable.querier(0, Number.MAX_SAFE_INTEGER);
  try {
    return run(querier);
  } finally {
    querier.close();
  }
}

function timed<T>(what: string, count: number, run: () => T): T {
  const bytesBefore = bytesRead;
  const start = performance.now();
  const result = run();
  const ms = performance.now() - start;
  const found = typeof result === "number" ? `${result} found` : "";
  const read = bytesRead === bytesBefore ? "" : `${((bytesRead - bytesBefore) / 1e6).toFixed(2)} MB read`;
  console.log(
    `${what.padEnd(36)} ${ms.toFixed(1).padStart(9)} ms ${((ms * 1e6) / count).toFixed(1).padStart(10)} ns each  ${found} ${read}`,
  );
  return result;
}
