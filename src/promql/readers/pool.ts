import { type MessagePort, MessageChannel, Worker } from "node:worker_threads";
import {
  type Clock,
  type Logger,
  NarthexError,
  sleep,
  threadFile,
  threadHeap,
  type Timer,
} from "../../base/index.ts";
import type { Kernel, PinnedSnapshot } from "../../kernel/index.ts";
import {
  type Answer,
  type QueryProgress,
  type ReaderOrder,
  type ReaderReport,
  type ReaderRequest,
  type ReaderSettings,
  type ReaderStart,
  SharedWords,
  cancelWordsMax,
} from "./messages.ts";

export interface ReaderPoolOptions {
  kernel: Kernel;
  /** Number of threads, at least 1. */
  readers: number;
  settings: ReaderSettings;
  clock: Clock;
  logger: Logger;
}

/** Whether all readers work on a request together: the one that answers decides on what is "ifLarge", as it reads the indexes. */
export type Share = "never" | "ifLarge" | "always";

/** From this estimate on, a query is worth the trouble of sharing it between readers. */
export const sharedCostMin = 50_000;

/** A request on its way. */
export interface Running {
  /** Rejected with a NarthexError. */
  readonly answer: Promise<Answer>;
  progress(): QueryProgress;
  /** Rejects `answer` at once; the threads notice a little later. */
  fail(error: NarthexError): void;
}

interface Pending {
  readonly request: ReaderRequest;
  cancelWord: number;
  pinned: PinnedSnapshot | undefined;
  /** Reports that are still to come; the cancel word is used for another query only when there are none. */
  outstanding: number;
  /** Settles the promise; later calls do nothing. */
  settle(result: Answer | NarthexError): void;
}

/** Between two attempts to start readers that do not start. */
const restartMsMin = 100;
const restartMsMax = 10_000;

/** Threads that nobody has asked for so long end, which gives their memory back; the next query starts them again. */
export const idleMsMax = 5 * 60_000;

/**
 * Readers keep their columns in the shared memory, and what they leave on the heap is short-lived: but for the native histograms of one series, which live until it is
 * evaluated. Half of this room makes queries of them take three times as long.
 */
const semiSpaceMbMax = 8;

/**
 * The threads that evaluate queries. Orders reach every reader in one common order, so that readers that wait for each
 * other's parts cannot wait in a circle.
 */
export class ReaderPool {
  readonly words = new SharedWords();
  readonly size: number;
  readonly #options: ReaderPoolOptions;
  /** By index; those that are missing start when they are needed. */
  readonly #workers: (Worker | undefined)[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #freeCancelWords = Array.from({ length: cancelWordsMax }, (_, word) => word);
  /** By reader, to each other; none while no reader runs. */
  #ports: (MessagePort | undefined)[][] = [];
  /** By reader: orders that it has not reported on. */
  readonly #orders: number[];
  #nextId = 1;
  #isDown = false;
  #closing = false;
  readonly #closed = new AbortController();
  #restartDelayMs = 0;
  #restart: Promise<void> | undefined;
  #idle: Timer | undefined;

  constructor(options: ReaderPoolOptions) {
    this.#options = options;
    this.size = options.readers;
    this.#orders = Array.from({ length: this.size }, () => 0);
  }

  /**
   * Runs a request on one reader, or on all of them together. Threads start when the first request comes for them, also after idle minutes: a server
   * that is only asked small things does without their memory, and one whose queries are few with that of one. Throws `unavailable` while no reader can take it.
   */
  start(request: ReaderRequest, share: Share): Running {
    const cancelWord = this.#isDown || this.#closing ? undefined : this.#freeCancelWords.pop();
    if (cancelWord === undefined) throw new NarthexError("unavailable", "no reader can take the query now");
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const settle = (result: Answer | NarthexError): void =>
      result instanceof NarthexError ? reject(result) : resolve(result);
    this.#idle?.cancel();
    const pending: Pending = { request, cancelWord, pinned: undefined, outstanding: 0, settle };
    this.#pending.set(id, pending);
    try {
      this.#order(id, pending, this.size > 1 ? share : "never");
    } catch (error) {
      this.#end(id, pending);
      throw error;
    }
    const isPending = (): boolean => this.#pending.has(id);
    return {
      answer: promise,
      progress: () => (isPending() ? this.words.progress(cancelWord) : { samples: 0, memoryBytes: 0 }),
      fail: (error) => {
        // Later the word may be another query's.
        if (isPending()) this.words.cancel(cancelWord);
        settle(error);
      },
    };
  }

  /** Cancels what runs and ends the threads. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#idle?.cancel();
    this.#closed.abort();
    this.#failAll(new NarthexError("unavailable", "the server is stopping"));
    await this.#restart?.catch(() => undefined);
    await this.#terminate();
  }

  /** Throws `unavailable` when a reader has to be started and cannot be. */
  #order(id: number, pending: Pending, share: Share): void {
    const { request, cancelWord } = pending;
    // The first of those that have least to do: what it has learned of indexes, and its code, is warm.
    const answering = this.#orders.indexOf(Math.min(...this.#orders));
    const peers = share === "always" ? others(this.size, answering) : [];
    for (const reader of [answering, ...peers]) this.#workers[reader] ??= this.#startReader(reader);
    if (share === "always") pending.pinned = this.#options.kernel.pinSnapshot();
    pending.outstanding += peers.length + 1;
    const ticket = { cancelWord, snapshot: pending.pinned?.snapshot };
    peers.forEach((peer, i) => {
      const shard = { index: i + 1, count: peers.length + 1 };
      this.#send(peer, { type: "assist", id, ticket, request, shard, answering });
    });
    const costMax = share === "ifLarge" ? sharedCostMin : undefined;
    this.#send(answering, { type: "answer", id, ticket, request, peers, costMax });
  }

  #send(reader: number, order: ReaderOrder): void {
    this.#orders[reader]!++;
    this.#workers[reader]!.postMessage(order);
  }

  /** What is sent to a thread that is still starting waits for it. */
  #startReader(index: number): Worker {
    if (this.#ports.length === 0) this.#ports = connectAll(this.size);
    const kernel = this.#options.kernel.claimReader();
    const start: ReaderStart = {
      kernel,
      index,
      ports: this.#ports[index]!,
      words: this.words.buffer,
      settings: this.#options.settings,
    };
    const worker = new Worker(threadFile("reader-thread", import.meta), {
      workerData: start,
      transferList: start.ports.filter((port) => port !== undefined),
      name: `reader-${index}`,
      resourceLimits: threadHeap(semiSpaceMbMax),
    });
    worker.on("message", (report: ReaderReport) => {
      if (report.type === "ready") this.#restartDelayMs = 0;
      else this.#take(report, index, worker);
    });
    worker.on("error", (error) =>
      this.#options.logger.error("a reader thread failed", { reader: index, err: error }),
    );
    worker.on("exit", () => {
      this.#options.kernel.releaseReader(kernel.readerSlot);
      this.#lose(index, worker);
    });
    return worker;
  }

  #take(report: Exclude<ReaderReport, { type: "ready" }>, reader: number, worker: Worker): void {
    if (this.#workers[reader] === worker) this.#orders[reader]!--;
    const pending = this.#pending.get(report.id);
    if (pending === undefined) return;
    if (report.type === "declined") this.#orderAgain(report.id, pending);
    else if (report.type === "answered") pending.settle(report.answer);
    else if (report.type === "failed")
      pending.settle(new NarthexError(report.failure.code, report.failure.message));
    if (--pending.outstanding > 0) return;
    this.#end(report.id, pending);
    if (this.#pending.size > 0) return;
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(idleMsMax, () => void this.#terminate());
  }

  /** A reader has found a request to be worth sharing. */
  #orderAgain(id: number, pending: Pending): void {
    try {
      this.#order(id, pending, "always");
    } catch (error) {
      pending.settle(error as NarthexError);
    }
  }

  #end(id: number, pending: Pending): void {
    this.#pending.delete(id);
    pending.pinned?.release();
    this.words.reset(pending.cancelWord);
    this.#freeCancelWords.push(pending.cancelWord);
  }

  /** Ends the threads until they are needed again. */
  async #terminate(): Promise<void> {
    const workers = this.#workers.splice(0);
    // Those of threads that never started are still here.
    this.#ports.forEach((ports, reader) => {
      if (workers[reader] === undefined) for (const port of ports) port?.close();
    });
    this.#ports = [];
    this.#orders.fill(0);
    await Promise.all(workers.map(async (worker) => worker?.terminate()));
  }

  #failAll(error: NarthexError): void {
    for (const pending of this.#pending.values()) {
      this.words.cancel(pending.cancelWord);
      pending.settle(error);
      pending.pinned?.release();
      this.#freeCancelWords.push(pending.cancelWord);
    }
    this.#pending.clear();
  }

  /**
   * A reader is gone, which is a defect or a lack of memory. Whatever runs may hang on it, so all queries fail and all readers
   * start anew.
   */
  #lose(index: number, worker: Worker): void {
    if (this.#closing || this.#workers[index] !== worker) return;
    this.#failAll(new NarthexError("internal", "a reader thread ended while the query ran"));
    this.#isDown = true;
    this.#restart = this.#recover();
  }

  /** At once the first time; readers that end before they are ready are given longer and longer to find what they lack. */
  async #recover(): Promise<void> {
    await this.#terminate();
    const delayMs = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(Math.max(restartMsMin, delayMs * 2), restartMsMax);
    await sleep(this.#options.clock, delayMs, this.#closed.signal);
    for (let word = 0; word < cancelWordsMax; word++) this.words.reset(word);
    this.#isDown = false;
  }
}

function others(count: number, own: number): number[] {
  return Array.from({ length: count }, (_, index) => index).filter((index) => index !== own);
}

/** One channel between each two readers. */
function connectAll(count: number): (MessagePort | undefined)[][] {
  const ports: (MessagePort | undefined)[][] = Array.from({ length: count }, () =>
    Array.from({ length: count }),
  );
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const { port1, port2 } = new MessageChannel();
      ports[a]![b] = port1;
      ports[b]![a] = port2;
    }
  }
  return ports;
}
