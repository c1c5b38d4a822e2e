/** The maintenance thread: carries out one order after the other on the blocks of one data directory. */
import { parentPort, workerData } from "node:worker_threads";
import {
  errorMessage,
  type LogFields,
  type Logger,
  type LogLevel,
  NarthexError,
  systemClock,
  systemDisk,
  lowerThreadPriority,
} from "../../base/index.ts";
import { attachKernel } from "../../kernel/index.ts";
import { Matcher } from "../../model/index.ts";
import { BlockCache } from "../block/cache.ts";
import { BlockNotices } from "../block/damage.ts";
import { deleteFromBlock } from "../block/delete-series.ts";
import { writeHeadBlock } from "../block/head-block.ts";
import {
  applyRetention,
  type BlockMaintenance,
  cleanTombstones,
  compactAll,
  listBlocks,
  recoverBlocks,
} from "../block/maintenance.ts";
import type { BlockMeta } from "../block/meta.ts";
import { writeSnapshot } from "../block/snapshot.ts";
import { createUlid } from "../block/ulid.ts";
import { WrittenChunksCounter } from "../block/written-chunks.ts";
import { createHeadQueryable, type HeadQueryable } from "../head/querier.ts";
import { outOfOrderHint } from "../out-of-order/compaction.ts";
import { blocksChanged, countLeftOut } from "../shared-blocks.ts";
import type { MaintenanceCalls, MaintenanceOrder, MaintenanceReport, MaintenanceStart } from "./messages.ts";

const maintenanceNice = 10;
/** Of the head's files, when a block is written: its series lie far apart there, and what is between them is read as often as there are pieces. */
const aheadBytesMax = 32 * 1024 * 1024;

const start = workerData as MaintenanceStart;
const kernel = attachKernel(start.kernel);
const notices = new BlockNotices(({ message }) => {
  countLeftOut(kernel);
  maintenance.logger.error("left out of a block", { err: message });
});
const head = createHeadQueryable(kernel, { notices, aheadBytesMax });
const maintenance: BlockMaintenance = {
  context: { kernel, disk: systemDisk, cache: new BlockCache(start.cacheBytesMax) },
  clock: systemClock,
  logger: forwardingLogger({}),
  dataDirectory: start.directory,
  onChange: () => blocksChanged(kernel),
};

const calls: MaintenanceCalls = {
  recover: () => recoverBlocks(maintenance),
  cut(minTime, maxTime, hints, refs) {
    const startMs = systemClock.monotonicMs();
    const ulid = createUlid(systemClock.nowMs());
    const part = hints.includes(outOfOrderHint) ? "outOfOrder" : "inOrder";
    const source = createHeadQueryable(kernel, { among: refs, part, notices, aheadBytesMax });
    let meta: BlockMeta | undefined;
    try {
      meta = cutBlock(source, start.directory, ulid, minTime, maxTime, hints);
    } finally {
      source.close();
    }
    if (meta === undefined) return undefined;
    blocksChanged(kernel);
    const { numSeries: series, numSamples: samples } = meta.stats;
    const duration = `${((systemClock.monotonicMs() - startMs) / 1000).toFixed(3)}s`;
    maintenance.logger.info("block written from the head", { block: ulid, series, samples, duration });
    return meta;
  },
  compact: (ranges) => compactAll(maintenance, ranges),
  applyRetention: (limits) => applyRetention(maintenance, limits),
  deleteSeries(parts, minTimestampMs, maxTimestampMs) {
    const matchers = parts.map(({ type, name, value }) => new Matcher(type, name, value));
    let hits = 0;
    try {
      for (const { ulid, minTime, maxTime } of listBlocks(maintenance)) {
        if (minTime > maxTimestampMs || maxTime <= minTimestampMs) continue;
        const directory = `${start.directory}/${ulid}`;
        hits += deleteFromBlock(maintenance.context, directory, matchers, minTimestampMs, maxTimestampMs);
      }
    } finally {
      // What was deleted before one failed is.
      if (hits > 0) blocksChanged(kernel);
    }
    return hits;
  },
  snapshot(name, headRange) {
    writeSnapshot(maintenance, name, (dataDirectory) => {
      if (headRange === undefined) return;
      const ulid = createUlid(systemClock.nowMs());
      cutBlock(head, dataDirectory, ulid, ...headRange);
    });
    maintenance.logger.info("snapshot written", { name });
  },
  cleanTombstones: () => cleanTombstones(maintenance),
};

// Queries and scrapes come first.
lowerThreadPriority(maintenanceNice);
parentPort!.on("message", ({ id, name, arguments: given }: MaintenanceOrder) => {
  try {
    const call = calls[name] as (...given: readonly unknown[]) => unknown;
    report({ type: "done", id, result: call(...given) });
  } catch (error) {
    const code = error instanceof NarthexError ? error.code : "internal";
    report({ type: "failed", id, code, message: errorMessage(error) });
  }
});

/** Writes a block of the head, and tells what its chunks are like. */
function cutBlock(
  source: HeadQueryable,
  dataDirectory: string,
  ulid: string,
  minTime: number,
  maxTime: number,
  hints: readonly string[] = [],
): BlockMeta | undefined {
  const chunks = new WrittenChunksCounter();
  const onChunk = chunks.add.bind(chunks);
  const target = { kernel, disk: systemDisk, dataDirectory, ulid, onChunk };
  const meta = writeHeadBlock(source, target, minTime, maxTime, hints);
  if (meta !== undefined) report({ type: "chunks", chunks: chunks.result });
  return meta;
}

function report(message: MaintenanceReport): void {
  parentPort!.postMessage(message);
}

function forwardingLogger(bound: LogFields): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      report({ type: "log", level, message, fields: { ...bound, ...fields } });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => forwardingLogger({ ...bound, ...fields }),
  };
}
