import { Worker } from "node:worker_threads";
import { type Logger, NarthexError, threadFile, threadHeap } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import type { Matcher } from "../../model/index.ts";
import type { CompactionResult, RetentionLimits } from "../block/maintenance.ts";
import type { BlockKeeper } from "../block/keeper.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { WrittenChunks } from "../block/written-chunks.ts";
import type {
  MaintenanceCallName,
  MaintenanceCalls,
  MaintenanceOrder,
  MaintenanceReport,
  MaintenanceStart,
} from "./messages.ts";

/** What the thread remembers of the blocks' indexes: it reads them from front to back. */
const cacheBytesMax = 16 * 1024 * 1024;
/** Its columns are in the shared memory; it has time. */
const semiSpaceMbMax = 1;
/** A thread without work ends after so long: there is work every two hours. */
const idleMsMax = 5000;

export interface MaintenanceThreadOptions {
  readonly kernel: Kernel;
  /** The data directory, whose lock the process holds. */
  readonly directory: string;
  readonly logger: Logger;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: NarthexError): void;
}

/**
 * The thread that writes, compacts and deletes blocks, as the main thread sees it. It works on one order at a time, in the order in which they were given.
 * When it dies, what it was asked fails, its half-written block is removed by the next `recover`, and the next order starts it anew. Owned by who made it, who must
 * `close` it.
 */
export class MaintenanceThread implements BlockKeeper {
  onChunks: ((chunks: WrittenChunks) => void) | undefined;
  readonly #options: MaintenanceThreadOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  /** Resolves when the thread that had nothing to do has ended. */
  #ended: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #isClosed = false;

  constructor(options: MaintenanceThreadOptions) {
    this.#options = options;
  }

  /** Removes what unfinished work left behind, and sets damaged blocks aside. */
  recover(): Promise<{ blocks: BlockMeta[]; setAside: string[] }> {
    return this.#call("recover");
  }

  /**
   * Writes a block of what the head has, of all series or of those given, from `minTime` until before `maxTime`; undefined when it has nothing. What is appended there meanwhile may
   * be missing. When it resolves, new queries see the block; the head may be truncated once `earlierQueriesEnded`.
   */
  cut(
    minTime: number,
    maxTime: number,
    hints: readonly string[] = [],
    refs?: Uint32Array,
  ): Promise<BlockMeta | undefined> {
    return this.#call("cut", minTime, maxTime, hints, refs);
  }

  /** Compacts what can be. */
  compact(ranges: readonly number[]): Promise<CompactionResult> {
    return this.#call("compact", ranges);
  }

  /** Deletes what is beyond the limits; resolves to how many blocks. */
  applyRetention(limits: RetentionLimits): Promise<number> {
    return this.#call("applyRetention", limits);
  }

  /** Marks samples of blocks as deleted; resolves to how many series were hit, summed over the blocks. */
  deleteSeries(
    matchers: readonly Matcher[],
    minTimestampMs: number,
    maxTimestampMs: number,
  ): Promise<number> {
    const parts = matchers.map(({ type, name, value }) => ({ type, name, value }));
    return this.#call("deleteSeries", parts, minTimestampMs, maxTimestampMs);
  }

  /** Makes the snapshot `name` of the blocks and, with a range, of what the head has from its start until before its end. */
  snapshot(name: string, headRange?: readonly [minTime: number, maxTime: number]): Promise<void> {
    return this.#call("snapshot", name, headRange);
  }

  /** Rewrites the blocks without what was deleted. */
  cleanTombstones(): Promise<CompactionResult> {
    return this.#call("cleanTombstones");
  }

  /** Ends the thread where it stands; what it was asked fails. A block that is being written is removed by the next `recover`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idleTimer);
    await this.#ended;
    await this.#worker?.terminate();
  }

  #call<N extends MaintenanceCallName>(
    name: N,
    ...given: Parameters<MaintenanceCalls[N]>
  ): Promise<ReturnType<MaintenanceCalls[N]>> {
    if (this.#isClosed) return Promise.reject(new NarthexError("unavailable", "storage is closed"));
    clearTimeout(this.#idleTimer);
    this.#worker ??= this.#start();
    const id = this.#nextId++;
    const order: MaintenanceOrder = { id, name, arguments: given };
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, {
        resolve: (result) => resolve(result as ReturnType<MaintenanceCalls[N]>),
        reject,
      });
      worker.postMessage(order);
    });
  }

  #start(): Worker {
    const { kernel, directory, logger } = this.#options;
    const handle = kernel.claimReader();
    const start: MaintenanceStart = { kernel: handle, directory, cacheBytesMax };
    const worker = new Worker(threadFile("maintenance-worker", import.meta), {
      workerData: start,
      name: "maintenance",
      resourceLimits: threadHeap(semiSpaceMbMax),
    });
    worker.on("message", (report: MaintenanceReport) => this.#take(report));
    worker.on("error", (error) => logger.error("the maintenance thread failed", { err: error }));
    worker.on("exit", () => {
      kernel.releaseReader(handle.readerSlot);
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const pending of this.#pending.values())
        pending.reject(new NarthexError("unavailable", "the maintenance thread ended"));
      this.#pending.clear();
    });
    return worker;
  }

  /** Ends a thread that has nothing to do; the next order starts another. */
  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker) this.#ended = worker.terminate();
  }

  #take(report: MaintenanceReport): void {
    if (report.type === "log") {
      this.#options.logger[report.level](report.message, report.fields);
      return;
    }
    if (report.type === "chunks") {
      this.onChunks?.(report.chunks);
      return;
    }
    const pending = this.#pending.get(report.id);
    this.#pending.delete(report.id);
    if (this.#pending.size === 0) this.#idleTimer = setTimeout(() => this.#end(), idleMsMax).unref();
    if (report.type === "done") pending?.resolve(report.result);
    else pending?.reject(new NarthexError(report.code, report.message));
  }
}
