import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { MetricFamily, Sample } from "@narthex/client";
import { type Logger, NarthexError } from "../../../base/index.ts";
import { decodeFamilies } from "../../../exposition/index.ts";
import { isLegacyLabelName, isLegacyMetricName } from "../../../model/index.ts";
import type { Collector, CollectorContext } from "../collector.ts";
import { expandGlob } from "../glob.ts";
import type { MetricSink } from "../sink.ts";

/** Of one file. */
const fileBytesMax = 16 << 20;

export function createTextfileCollector({ options, log }: CollectorContext): Collector {
  return {
    async collect(sink) {
      const files = await readFiles(options.textfileDirectories, log);
      const { families, consistent } = mergeFamilies(files.read, log);
      let error = files.failed || !consistent;
      for (const family of families) {
        if (sink.addFamily(family)) continue;
        error = true;
        log.error("metric in textfile is already exposed by the exporter itself", { metric: family.name });
      }
      addModifiedTimes(sink, files.read);
      sink
        .gauge("node_textfile_scrape_error", "1 if there was an error opening or reading a file, 0 otherwise")
        .add(error ? 1 : 0);
    },
  };
}

interface TextFile {
  readonly path: string;
  readonly modifiedSeconds: number;
  readonly families: readonly MetricFamily[];
}

/** All `*.prom` files of the directories, in the order of their names; those that cannot be read are logged. */
async function readFiles(
  patterns: readonly string[],
  log: Logger,
): Promise<{ read: TextFile[]; failed: boolean }> {
  const read: TextFile[] = [];
  let failed = false;
  for (const pattern of patterns.filter((text) => text !== "")) {
    for (const directory of await expandGlob(pattern)) {
      try {
        for (const name of (await readdir(directory)).filter((entry) => entry.endsWith(".prom")).sort()) {
          try {
            read.push(await readTextFile(join(directory, name)));
          } catch (error) {
            failed = true;
            log.error("failed to collect textfile data", { file: name, err: error });
          }
        }
      } catch (error) {
        failed = true;
        log.error("failed to read textfile collector directory", { path: directory, err: error });
      }
    }
  }
  return { read, failed };
}

async function readTextFile(path: string): Promise<TextFile> {
  // Opening a pipe would wait for whoever writes to it, and keep a thread of the pool for so long.
  if (!(await stat(path)).isFile()) throw new NarthexError("bad_data", `textfile ${path} is not a file`);
  const file = await open(path);
  try {
    const { size, mtimeMs } = await file.stat();
    if (size > fileBytesMax) {
      throw new NarthexError("bad_data", `textfile ${path} is larger than ${fileBytesMax} bytes`);
    }
    const families = decodeFamilies(await file.readFile(), "text");
    checkSamples(path, families);
    return { path, modifiedSeconds: Math.floor(mtimeMs / 1000), families };
  } finally {
    await file.close();
  }
}

function checkSamples(path: string, families: readonly MetricFamily[]): void {
  for (const { name, labels, timestampMs } of families.flatMap((family) => family.samples)) {
    if (timestampMs !== undefined) {
      throw new NarthexError("bad_data", `textfile ${path} contains unsupported client-side timestamps`);
    }
    if (!isLegacyMetricName(name) || !labels.every(([label]) => isLegacyLabelName(label))) {
      throw new NarthexError(
        "bad_data",
        `textfile ${path} contains an invalid name in metric ${JSON.stringify(name)}`,
      );
    }
  }
}

interface Merged {
  readonly family: MetricFamily & { readonly samples: Sample[] };
  readonly paths: string[];
  help: string;
}

/**
 * Joins families of the same name from several files. One whose type or help differs from the first, and a series that was
 * there already, are left out, logged, and make the result inconsistent.
 */
function mergeFamilies(
  files: readonly TextFile[],
  log: Logger,
): { families: MetricFamily[]; consistent: boolean } {
  const merged = new Map<string, Merged>();
  const series = new Set<string>();
  let consistent = true;
  for (const { path, families } of files) {
    for (const family of families) {
      let known = merged.get(family.name);
      if (known === undefined) {
        known = { family: { ...family, samples: [] }, paths: [], help: family.help };
        merged.set(family.name, known);
      }
      const conflict = describeConflict(known, family);
      if (conflict !== undefined) {
        consistent = false;
        log.error(conflict, { metric: family.name, file: path, first_file: known.paths[0] });
        continue;
      }
      known.help ||= family.help;
      known.paths.push(path);
      for (const sample of family.samples) {
        const key = JSON.stringify([sample.name, sample.labels]);
        if (series.has(key)) {
          consistent = false;
          log.error("series is in textfiles twice", { series: key, file: path });
        } else {
          series.add(key);
          known.family.samples.push(sample);
        }
      }
    }
  }
  const families = [...merged.values()].map(({ family, help, paths }) => ({
    ...family,
    help: help === "" ? `Metric read from ${paths.join(", ")}` : help,
  }));
  return { families, consistent };
}

function describeConflict(known: Merged, family: MetricFamily): string | undefined {
  if (known.family.type !== family.type) return "inconsistent metric type";
  if (family.help !== "" && known.help !== "" && family.help !== known.help)
    return "inconsistent metric help text";
  return undefined;
}

function addModifiedTimes(sink: MetricSink, files: readonly TextFile[]): void {
  if (files.length === 0) return;
  const times = sink.gauge("node_textfile_mtime_seconds", "Unixtime mtime of textfiles successfully read.");
  for (const { path, modifiedSeconds } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    times.add(modifiedSeconds, [["file", path]]);
  }
}
