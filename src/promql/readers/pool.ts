import { type MessagePort, MessageChannel, Worker } from "node:worker_threads";
import { type Clock, type Logger, NarthexError, sleep, threadFile, type Timer } from "../../base/index.ts";
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

/** A request on its way. */
export interface Running {
  /** Rejected with a NarthexError. */
  readonly answer: Promise<Answer>;
  progress(): QueryProgress;
  /** Rejects `answer` at once; the threads notice a little later. */
  fail(error: NarthexError): void;
}

interface Pending {
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

/** Readers keep their columns in the shared memory; what they leave on the heap is short-lived. */
const youngGenerationMbMax = 12;

/**
 * The threads that evaluate queries. Orders reach every reader in one common order, so that readers that wait for each
 * other's parts cannot wait in a circle.
 */
export class ReaderPool {
  readonly words = new SharedWords();
  readonly size: number;
  readonly #options: ReaderPoolOptions;
  readonly #workers: Worker[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #freeCancelWords = Array.from({ length: cancelWordsMax }, (_, word) => word);
  #ports: (MessagePort | undefined)[][] = [];
  #nextId = 1;
  #nextReader = 0;
  #isStarted = false;
  #closing = false;
  readonly #closed = new AbortController();
  #restartDelayMs = 0;
  #restart: Promise<void> | undefined;
  #idle: Timer | undefined;

  constructor(options: ReaderPoolOptions) {
    this.#options = options;
    this.size = options.readers;
  }

  /**
   * Runs a request on one reader, or on all of them together when it is `shared`. The first one, also the first after idle minutes, starts
   * the threads: a server that is only asked small things does without their memory. Throws `unavailable` while no reader can take it.
   */
  start(request: ReaderRequest, shared: boolean): Running {
    if (!this.#isStarted && !this.#closing) {
      this.#isStarted = true;
      // What is sent to a thread that is still starting waits for it. Should one not start, `#lose` sees to it.
      this.#startAll().catch(() => undefined);
    }
    const running = !this.#closing && this.#workers.length === this.size;
    const cancelWord = running ? this.#freeCancelWords.pop() : undefined;
    if (cancelWord === undefined) throw new NarthexError("unavailable", "no reader can take the query now");
    const id = this.#nextId++;
    const answering = this.#nextReader++ % this.size;
    const peers = shared ? others(this.size, answering) : [];
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const settle = (result: Answer | NarthexError): void =>
      result instanceof NarthexError ? reject(result) : resolve(result);
    this.#idle?.cancel();
    const pinned = shared ? this.#options.kernel.pinSnapshot() : undefined;
    const ticket = { cancelWord, snapshot: pinned?.snapshot };
    this.#pending.set(id, { cancelWord, pinned, outstanding: peers.length + 1, settle });
    peers.forEach((peer, i) => {
      const shard = { index: i + 1, count: peers.length + 1 };
      this.#send(peer, { type: "assist", id, ticket, request, shard, answering });
    });
    this.#send(answering, { type: "answer", id, ticket, request, peers });
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
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #send(reader: number, order: ReaderOrder): void {
    this.#workers[reader]!.postMessage(order);
  }

  #startReader(index: number): Promise<void> {
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
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMbMax },
    });
    this.#workers[index] = worker;
    return new Promise((resolve, reject) => {
      worker.on("message", (report: ReaderReport) =>
        report.type === "ready" ? resolve() : this.#take(report),
      );
      worker.on("error", (error) => {
        this.#options.logger.error("a reader thread failed", { reader: index, err: error });
        reject(error);
      });
      worker.on("exit", () => {
        this.#options.kernel.releaseReader(kernel.readerSlot);
        this.#lose(index, worker);
      });
    });
  }

  #take(report: Exclude<ReaderReport, { type: "ready" }>): void {
    const pending = this.#pending.get(report.id);
    if (pending === undefined) return;
    if (report.type === "answered") pending.settle(report.answer);
    else if (report.type === "failed")
      pending.settle(new NarthexError(report.failure.code, report.failure.message));
    if (--pending.outstanding > 0) return;
    this.#pending.delete(report.id);
    pending.pinned?.release();
    this.words.reset(pending.cancelWord);
    this.#freeCancelWords.push(pending.cancelWord);
    if (this.#pending.size > 0) return;
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(idleMsMax, () => this.#rest());
  }

  /** Ends the threads until they are needed again. */
  #rest(): void {
    if (this.#closing || this.#workers.length < this.size) return;
    this.#isStarted = false;
    for (const worker of this.#workers.splice(0)) void worker.terminate();
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
    this.#restart = this.#startAnew(this.#workers.splice(0));
    this.#restart.catch((error: unknown) =>
      this.#options.logger.error("readers cannot be started", { err: error }),
    );
  }

  /** At once the first time; readers that end before they are ready are given longer and longer to find what they lack. */
  async #startAnew(old: readonly Worker[]): Promise<void> {
    await Promise.all(old.map((each) => each.terminate()));
    const delayMs = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(Math.max(restartMsMin, delayMs * 2), restartMsMax);
    await sleep(this.#options.clock, delayMs, this.#closed.signal);
    if (this.#closing) return;
    await this.#startAll();
    this.#restartDelayMs = 0;
  }

  async #startAll(): Promise<void> {
    for (let word = 0; word < cancelWordsMax; word++) this.words.reset(word);
    this.#ports = connectAll(this.size);
    await Promise.all(Array.from({ length: this.size }, (_, index) => this.#startReader(index)));
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
