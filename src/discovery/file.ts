import fs from "node:fs";
import path from "node:path";
import { type Clock, type Disk, errorMessage, globFiles, type Logger, sleep } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import type { FileConfig } from "./config.ts";
import type { Discoverer, Publish } from "./discoverer.ts";
import type { DiscoveryMetrics } from "./metrics.ts";
import { withLabel } from "./refresh.ts";
import { parseTargetGroups, type TargetGroup } from "./target-group.ts";

/** A file is read this long after the last sign of change, so that it is not met half written. */
const settleMs = 100;

/** Calls back when something in a directory changes, until closed. Throws when the directory cannot be watched. */
export type WatchDirectory = (directory: string, changed: () => void) => { close(): void };

export interface FileDiscovererOptions {
  clock: Clock;
  disk: Disk;
  logger: Logger;
  metrics: DiscoveryMetrics;
  watch?: WatchDirectory;
}

/** Targets from files, watched, and looked at again after each refresh interval. A broken file keeps its last good content. */
export function createFileDiscoverer(config: FileConfig, options: FileDiscovererOptions): Discoverer {
  return { run: (publish, signal) => new FileWatch(config, options, publish).run(signal) };
}

class FileWatch {
  readonly #config: FileConfig;
  readonly #options: FileDiscovererOptions;
  readonly #publish: Publish;
  readonly #watchers = new Map<string, { close(): void }>();
  /** How many groups each file gave last; its sources are numbered. */
  readonly #groupCounts = new Map<string, number>();
  #wake = new AbortController();

  constructor(config: FileConfig, options: FileDiscovererOptions, publish: Publish) {
    this.#config = config;
    this.#options = options;
    this.#publish = publish;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      while (!signal.aborted) {
        this.#wake = new AbortController();
        this.#watch();
        this.#refresh();
        await sleep(clock, this.#config.refreshIntervalMs, AbortSignal.any([signal, this.#wake.signal]));
        while (this.#wake.signal.aborted && !signal.aborted) {
          this.#wake = new AbortController();
          await sleep(clock, settleMs, AbortSignal.any([signal, this.#wake.signal]));
        }
      }
    } finally {
      for (const watcher of this.#watchers.values()) watcher.close();
      for (const file of this.#groupCounts.keys())
        this.#options.metrics.fileModified.remove({ filename: file });
    }
  }

  /** Watches anew each time: a watch ends with its directory, also when another has taken its name. */
  #watch(): void {
    const { disk, logger, metrics, watch = watchDirectory } = this.#options;
    for (const directory of new Set(this.#config.files.map((file) => path.dirname(file)))) {
      const before = this.#watchers.get(directory);
      this.#watchers.delete(directory);
      try {
        if (disk.stat(directory)) {
          this.#watchers.set(
            directory,
            watch(directory, () => this.#wake.abort()),
          );
        }
      } catch (error) {
        metrics.fileWatchErrors.inc();
        logger.error("Error adding file watch", { path: directory, err: errorMessage(error) });
      }
      before?.close();
    }
  }

  #refresh(): void {
    const { clock, disk, logger, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    const files = new Set(this.#config.files.flatMap((pattern) => globFiles(disk, pattern)));
    const changed: TargetGroup[] = [];
    for (const file of files) {
      try {
        changed.push(...this.#read(file));
        metrics.fileModified.labels({ filename: file }).set((disk.stat(file)?.modifiedMs ?? 0) / 1000);
      } catch (error) {
        metrics.fileReadErrors.inc();
        logger.error("Error reading file", { path: file, err: errorMessage(error) });
        // Counted as present, so that its last good groups stay.
        if (!this.#groupCounts.has(file)) this.#groupCounts.set(file, 0);
      }
    }
    for (const [file, count] of this.#groupCounts) {
      if (files.has(file)) continue;
      changed.push(...goneGroups(file, 0, count));
      this.#groupCounts.delete(file);
      metrics.fileModified.remove({ filename: file });
    }
    metrics.fileScanDuration.observe((clock.monotonicMs() - startMs) / 1000);
    this.#publish(changed);
  }

  #read(file: string): TargetGroup[] {
    const content = Buffer.from(this.#options.disk.readFile(file)).toString("utf8");
    const groups: TargetGroup[] = parseTargetGroups(content, file).map((group, i) => ({
      source: `${file}:${i}`,
      targets: group.targets,
      labels: withLabel(group.labels, "__meta_filepath", file),
    }));
    const before = this.#groupCounts.get(file) ?? 0;
    this.#groupCounts.set(file, groups.length);
    return [...groups, ...goneGroups(file, groups.length, before)];
  }
}

function goneGroups(file: string, from: number, to: number): TargetGroup[] {
  const gone: TargetGroup[] = [];
  for (let i = from; i < to; i++) gone.push({ source: `${file}:${i}`, targets: [], labels: Labels.empty });
  return gone;
}

function watchDirectory(directory: string, changed: () => void): { close(): void } {
  const watcher = fs.watch(directory, { persistent: false }, changed);
  watcher.on("error", changed);
  return watcher;
}
