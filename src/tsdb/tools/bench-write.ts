import { Registry } from "@narthex/client";
import { type Clock, type Disk, type Logger, NarthexError } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import type { SeriesRef } from "../../storage/index.ts";
import { openTsdb, type Tsdb } from "../tsdb.ts";
import { formatMilliseconds, type Output } from "./format.ts";

export interface WriteBenchmark {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Emptied first; the storage is made in it and stays. */
  readonly outputDirectory: string;
  /** A series on each line, as a JSON object of its labels. */
  readonly seriesFile: string;
  /** Series to take from the file. */
  readonly seriesMax: number;
  /** Rounded up to hundreds. */
  readonly scrapes: number;
}

const scrapeIntervalMs = 30_000;
const scrapesPerTurn = 100;
const seriesPerCommit = 1000;
const firstValue = 123_456_789;
const valueStep = 1000;

/** Writes simulated scrapes as fast as it can, and prints how long each stage took. Rejects with the disk's error, or `bad_data` when the file holds no series. */
export async function benchmarkWrite(options: WriteBenchmark, output: Output): Promise<void> {
  const { disk, outputDirectory, scrapes } = options;
  disk.remove(outputDirectory);
  disk.makeDirectory(outputDirectory);
  const stage = async <T>(name: string, run: () => T | Promise<T>): Promise<[T, number]> => {
    output(`>> start stage=${name}\n`);
    const startMs = performance.now();
    const result = await run();
    const ms = performance.now() - startMs;
    output(`>> completed stage=${name} duration=${formatMilliseconds(ms)}\n`);
    return [result, ms];
  };
  const tsdb = openTsdb({
    ...options,
    directory: `${outputDirectory}/storage`,
    registry: new Registry(),
    // The samples' times are those of 1970.
    options: { retention: {} },
  });
  try {
    await tsdb.ready;
    const [series] = await stage("readData", () => readSeries(options));
    const [samples, ms] = await stage("ingestScrapes", async () => {
      const ingested = await ingest(tsdb, series, scrapes);
      output("ingestion completed\n");
      return ingested;
    });
    output(` > total samples: ${samples}\n > samples/sec: ${samples / (ms / 1000)}\n`);
  } finally {
    await stage("stopStorage", () => tsdb.close());
  }
}

function readSeries({ disk, seriesFile, seriesMax }: WriteBenchmark): Labels[] {
  const series = new Map<string, Labels>();
  for (const line of Buffer.from(disk.readFile(seriesFile)).toString().split("\n")) {
    if (series.size >= seriesMax) break;
    if (line.trim() === "") continue;
    const labels = parseSeries(line, seriesFile);
    series.set(labels.key(), labels);
  }
  return [...series.values()];
}

function parseSeries(line: string, file: string): Labels {
  try {
    return Labels.from(JSON.parse(line) as Record<string, string>);
  } catch (error) {
    throw new NarthexError("bad_data", `${file}: a line is no object of labels: ${line.slice(0, 100)}`, {
      cause: error,
    });
  }
}

/** A hundred scrapes of some series, then of the next ones, as if those were other targets. Resolves to how many samples were stored. */
async function ingest(tsdb: Tsdb, series: readonly Labels[], scrapes: number): Promise<number> {
  let total = 0;
  const refs = new Map<Labels, SeriesRef>();
  for (let turn = 0; turn < scrapes; turn += scrapesPerTurn) {
    for (let from = 0; from < series.length; from += seriesPerCommit) {
      const part = series.slice(from, from + seriesPerCommit);
      for (let scrape = turn + 1; scrape <= turn + scrapesPerTurn; scrape++)
        total += commit(tsdb, part, refs, scrape);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return total;
}

function commit(tsdb: Tsdb, series: readonly Labels[], refs: Map<Labels, SeriesRef>, scrape: number): number {
  const appender = tsdb.appender();
  for (const labels of series) {
    let ref = refs.get(labels);
    if (ref === undefined) refs.set(labels, (ref = appender.reference(labels)));
    appender.append(ref, scrape * scrapeIntervalMs, firstValue + scrape * valueStep);
  }
  return appender.commit().appended;
}
