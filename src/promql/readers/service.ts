import type { Registry } from "@narthex/client";
import { availableParallelism } from "node:os";
import {
  type Clock,
  type Disk,
  type Logger,
  NarthexError,
  type Timer,
  errorMessage,
} from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { Labels, type Matcher, quoteGo } from "../../model/index.ts";
import type { Queryable } from "../../storage/index.ts";
import type { QueryFeatures } from "../context.ts";
import type { ParserOptions } from "../parser.ts";
import type { QueryValue, VectorSample } from "../result.ts";
import { ActiveFile } from "./active-file.ts";
import { Answerer } from "./answer.ts";
import { estimateCost, isQuickToParse } from "./cost.ts";
import { decodeVector, notAVector } from "./decode.ts";
import type { Answer, EvaluationOptions, QueryRequest, ReaderRequest } from "./messages.ts";
import { QueryMetrics } from "./metrics.ts";
import { ReaderPool, type Running } from "./pool.ts";
import { QueryLog, type QueryOrigin } from "./query-log.ts";
import { type QueryStats, failedStats } from "./stats.ts";
import { walk } from "../walk.ts";
import { Turns } from "./turns.ts";

export interface QueryOptions {
  timeoutMs?: number;
  lookbackDeltaMs?: number;
  /** Most series in the answer; 0 means all. */
  limit: number;
  /** "" or what `stats=` asked for. */
  stats: string;
  /** Whether the answer shall tell how the query's plan was carried out. */
  explain?: boolean;
  /** Who asks, for lists and logs. Asked for only when one of them wants it. */
  origin?: () => QueryOrigin;
  /** The name under which somebody logged in. */
  user?: () => string | undefined;
  /** Aborts when whoever asked has gone away. Asked for only when the query leaves this thread: making one costs time. */
  signal?: () => AbortSignal;
}

export interface InstantQuery extends QueryOptions {
  text: string;
  timestampMs: number;
}

export interface RangeQuery extends QueryOptions {
  text: string;
  startMs: number;
  endMs: number;
  stepMs: number;
}

export interface SeriesRange {
  /** Each a `match[]`; none means everything where that is allowed. */
  selectors: string[];
  startMs: number;
  endMs: number;
  /** 0 means all. */
  limit: number;
}

/** A query that runs or waits. */
export interface ActiveQuery {
  id: number;
  text: string;
  user: string | undefined;
  origin: QueryOrigin | undefined;
  startedMs: number;
  ageMs: number;
  state: "waiting" | "running";
  /** Samples loaded so far. */
  samples: number;
  /** Shared memory in use, over all threads. */
  memoryBytes: number;
}

export interface QueryServiceOptions {
  kernel: Kernel;
  /** For what is evaluated on the calling thread. */
  queryable: Queryable;
  clock: Clock;
  disk: Disk;
  logger: Logger;
  registry: Registry;
  /** Where running queries are noted; "" for nowhere. */
  directory: string;
  /** 0: one for each CPU, at most `readersDefaultMax`. */
  readers: number;
  concurrencyMax: number;
  timeoutMs: number;
  lookbackDeltaMs: number;
  samplesMax: number;
  memoryBytesMax: number;
  parser: ParserOptions;
  features: QueryFeatures;
  /** `promql-per-step-stats`. */
  perStepStats: boolean;
}

const readersDefaultMax = 8;
/** Estimated samples and steps up to which a query is evaluated where it arrives: well under a millisecond. */
const localCostMax = 4000;
/** From this estimate on, a query is worth the trouble of sharing it between readers. */
const sharedCostMin = 50_000;

/** A query that is past its deadline and has not said so by itself fails after so long. */
const overdueMs = 1000;

interface Active {
  id: number;
  text: string;
  user: string | undefined;
  origin: QueryOrigin | undefined;
  startedMs: number;
  abort: AbortController;
  running: Running | undefined;
}

/**
 * Answers queries for the API and for rules: small ones at once on the calling thread, larger ones on a reader, large ones
 * on all readers together.
 */
export class QueryService {
  readonly #options: QueryServiceOptions;
  readonly #pool: ReaderPool;
  readonly #local: Answerer;
  readonly #active = new Map<number, Active>();
  readonly #turns: Turns;
  readonly #metrics: QueryMetrics;
  readonly #log: QueryLog;
  readonly #activeFile: ActiveFile | undefined;
  #nextId = 1;

  constructor(options: QueryServiceOptions) {
    this.#options = options;
    const { kernel, queryable, clock, disk, directory, logger, concurrencyMax } = options;
    const { parser, features, samplesMax, memoryBytesMax, perStepStats } = options;
    const readers =
      options.readers > 0 ? options.readers : Math.min(availableParallelism(), readersDefaultMax);
    const settings = { parser, features, samplesMax, memoryBytesMax, perStepStats };
    const pool = new ReaderPool({ kernel, readers, settings, logger });
    this.#pool = pool;
    this.#local = new Answerer({ kernel, queryable, clock, words: pool.words, settings, reader: -1 });
    this.#turns = new Turns(concurrencyMax, clock);
    this.#metrics = new QueryMetrics(options.registry, concurrencyMax, () => this.#active.size);
    this.#log = new QueryLog(disk, logger, this.#metrics);
    if (directory !== "")
      this.#activeFile = new ActiveFile({ directory, slots: concurrencyMax, disk, logger });
  }

  /** Number of reader threads. */
  get readers(): number {
    return this.#pool.size;
  }

  /** The step of subqueries that state none: `global.evaluation_interval`. */
  set defaultStepMs(stepMs: number) {
    this.#pool.words.defaultStepMs = stepMs;
  }

  /** The whole JSON envelope of `/api/v1/query`. */
  instant(query: InstantQuery): Promise<Uint8Array> {
    const { text, timestampMs } = query;
    return this.#evaluate(query, 1, { kind: "instant", text, timestampMs, options: this.#evaluation(query) });
  }

  /** The whole JSON envelope of `/api/v1/query_range`. */
  range(query: RangeQuery): Promise<Uint8Array> {
    const { text, startMs, endMs, stepMs } = query;
    const steps = Math.floor((endMs - startMs) / stepMs) + 1;
    const options = this.#evaluation(query);
    return this.#evaluate(query, steps, { kind: "range", text, startMs, endMs, stepMs, options });
  }

  async series(range: SeriesRange, signal?: () => AbortSignal): Promise<Uint8Array> {
    return this.#lookUp({ kind: "series", ...range }, "series", signal);
  }

  async labelNames(range: SeriesRange, signal?: () => AbortSignal): Promise<Uint8Array> {
    return this.#lookUp({ kind: "labelNames", ...range }, "labels", signal);
  }

  async labelValues(name: string, range: SeriesRange, signal?: () => AbortSignal): Promise<Uint8Array> {
    return this.#lookUp({ kind: "labelValues", name, ...range }, `values of ${name}`, signal);
  }

  /** The envelope with the query in upstream's layout. Rejects with `bad_data`. */
  async format(text: string): Promise<Uint8Array> {
    return this.#read({ kind: "format", text });
  }

  /** The envelope with the syntax tree as upstream's `parse_query` prints it. Rejects with `bad_data`. */
  async parse(text: string): Promise<Uint8Array> {
    return this.#read({ kind: "parse", text });
  }

  /** The matchers of each selector in an expression. Throws `bad_data`. */
  selectors(text: string): Matcher[][] {
    const selectors: Matcher[][] = [];
    walk(this.#local.engine.parse(text), (expr) => {
      if (expr.kind === "vectorSelector") selectors.push(expr.matchers);
    });
    return selectors;
  }

  /** For rules: a vector, or a scalar as one sample without labels. Rejects with `execution` for anything else. */
  async vector(text: string, timestampMs: number, origin?: QueryOrigin): Promise<VectorSample[]> {
    const query = { text, timestampMs, limit: 0, stats: "", ...(origin && { origin: () => origin }) };
    const expr = this.#local.engine.parse(text);
    const isSmall = estimateCost(expr, 1, this.#options.queryable) <= localCostMax;
    const request = { kind: "instant", text, timestampMs, options: this.#evaluation(query) } as const;
    if (isSmall && !this.#waitsForFiles(request)) return this.#localVector(query);
    return decodeVector(await this.instant(query));
  }

  /** Queries that run or wait, oldest first. Small ones, which end before anybody could ask, are not among them. */
  active(): ActiveQuery[] {
    const nowMs = this.#options.clock.nowMs();
    return [...this.#active.values()].map(({ id, text, user, origin, startedMs, running }) => ({
      id,
      text,
      user,
      origin,
      startedMs,
      ageMs: nowMs - startedMs,
      state: running === undefined ? "waiting" : "running",
      ...(running?.progress() ?? { samples: 0, memoryBytes: 0 }),
    }));
  }

  /** Ends a query, whose client gets `canceled`; false when there is none with this id. */
  kill(id: number): boolean {
    this.#active.get(id)?.abort.abort();
    return this.#active.has(id);
  }

  /** The file that queries are logged to, opened anew at each call; "" for none. Throws when it cannot be opened. */
  logTo(path: string): void {
    this.#log.open(path);
  }

  async close(): Promise<void> {
    this.#local.engine.close();
    await this.#pool.close();
    this.#activeFile?.close();
    this.#log.close();
  }

  #deadlineMs(timeoutMs = this.#options.timeoutMs): number {
    return this.#options.clock.nowMs() + Math.min(timeoutMs, this.#options.timeoutMs);
  }

  #evaluation(query: QueryOptions): EvaluationOptions {
    const { stats } = query;
    const isKnown = stats === "" || stats === "true" || stats === "all";
    const warning = `value ${quoteGo(stats)} for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"`;
    return {
      deadlineMs: this.#deadlineMs(query.timeoutMs),
      lookbackDeltaMs: query.lookbackDeltaMs ?? this.#options.lookbackDeltaMs,
      limit: query.limit,
      stats: isKnown ? stats : "true",
      countSamples: stats !== "" || this.#log.isOpen,
      explain: query.explain === true,
      queuedMs: 0,
      warnings: isKnown ? [] : [warning],
    };
  }

  /** Async so that a query that cannot be parsed rejects instead of throwing. */
  async #evaluate(
    query: QueryOptions & { text: string },
    steps: number,
    request: QueryRequest,
  ): Promise<Uint8Array> {
    const { text } = query;
    const cost = isQuickToParse(text)
      ? estimateCost(this.#local.engine.parse(text), steps, this.#options.queryable)
      : Infinity;
    if (cost <= localCostMax && !this.#waitsForFiles(request))
      return this.#accounted(query, request, () => Promise.resolve(this.#local.answer(request)));
    const isShared = cost >= sharedCostMin && cost < Infinity && this.#pool.size > 1;
    return this.#accounted(query, request, () =>
      this.#dispatch(request, { text, query, isShared, deadlineMs: request.options.deadlineMs }),
    );
  }

  /** Whether an evaluation may have to read files. Scrapes do not wait for that: it is the readers' business. */
  #waitsForFiles(request: QueryRequest): boolean {
    const untilMs = this.#options.queryable.filesUntilMs?.() ?? -Infinity;
    if (untilMs === -Infinity) return false;
    const context = this.#local.context(request.options);
    return this.#local.plan(request, context).minTimestampMs < untilMs;
  }

  #localVector(query: InstantQuery): Promise<VectorSample[]> {
    const { text, timestampMs } = query;
    const request = { kind: "instant", text, timestampMs, options: this.#evaluation(query) } as const;
    const startedMs = performance.now();
    let stats: QueryStats | undefined;
    try {
      const found = this.#local.value(request);
      stats = found.stats;
      this.#account(query, request, stats);
      return Promise.resolve(vectorOf(found.value));
    } catch (error) {
      if (stats === undefined)
        this.#account(query, request, failedStats(performance.now() - startedMs, 0), error);
      return Promise.reject(error as Error);
    }
  }

  /** Counts and logs a query when it has ended, however it has. */
  async #accounted(
    query: QueryOptions,
    request: QueryRequest,
    run: () => Promise<Answer>,
  ): Promise<Uint8Array> {
    const startedMs = performance.now();
    let answer: Answer;
    try {
      answer = await run();
    } catch (error) {
      const totalMs = performance.now() - startedMs;
      this.#account(query, request, failedStats(totalMs, request.options.queuedMs), error);
      throw error;
    }
    this.#account(query, request, answer.stats!);
    return answer.body;
  }

  #account(query: QueryOptions, request: QueryRequest, stats: QueryStats, error?: unknown): void {
    this.#metrics.observe(stats);
    if (!this.#log.isOpen) return;
    const times =
      request.kind === "range"
        ? request
        : { startMs: request.timestampMs, endMs: request.timestampMs, stepMs: 0 };
    const { startMs, endMs, stepMs } = times;
    this.#log.write(
      {
        text: request.text,
        startMs,
        endMs,
        stepMs,
        stats,
        ...(error !== undefined && { error: errorMessage(error) }),
        origin: query.origin?.(),
      },
      this.#options.clock.nowMs(),
    );
  }

  async #lookUp(request: ReaderRequest, text: string, getSignal?: () => AbortSignal): Promise<Uint8Array> {
    const query = getSignal && { signal: getSignal };
    const { body } = await this.#dispatch(request, {
      text,
      query,
      isShared: false,
      deadlineMs: this.#deadlineMs(),
    });
    return body;
  }

  async #read(request: Extract<ReaderRequest, { kind: "format" | "parse" }>): Promise<Uint8Array> {
    if (isQuickToParse(request.text)) return this.#local.answer(request).body;
    return this.#lookUp(request, request.text);
  }

  async #dispatch(
    request: ReaderRequest,
    options: {
      text: string;
      query: Pick<QueryOptions, "origin" | "user" | "signal"> | undefined;
      isShared: boolean;
      deadlineMs: number;
    },
  ): Promise<Answer> {
    const { text, query, isShared, deadlineMs } = options;
    const { clock } = this.#options;
    const id = this.#nextId++;
    const abort = new AbortController();
    const startedMs = clock.nowMs();
    const [user, origin] = [query?.user?.(), query?.origin?.()];
    const active: Active = { id, text, user, origin, startedMs, abort, running: undefined };
    this.#active.set(id, active);
    const forward = (): void => abort.abort();
    const signal = query?.signal?.();
    if (signal?.aborted === true) abort.abort();
    signal?.addEventListener("abort", forward, { once: true });
    try {
      try {
        await this.#turns.take(deadlineMs, abort.signal);
      } finally {
        if ("options" in request) request.options.queuedMs = clock.nowMs() - startedMs;
      }
      try {
        return await this.#run(active, request, isShared, deadlineMs);
      } finally {
        this.#turns.end();
      }
    } finally {
      signal?.removeEventListener("abort", forward);
      this.#active.delete(id);
    }
  }

  async #run(active: Active, request: ReaderRequest, isShared: boolean, deadlineMs: number): Promise<Answer> {
    const { clock } = this.#options;
    const leaveFile = this.#activeFile?.enter(active.text, clock.nowMs());
    let timer: Timer | undefined;
    try {
      const running = this.#pool.start(request, isShared);
      active.running = running;
      active.abort.signal.addEventListener("abort", () =>
        running.fail(new NarthexError("canceled", "query was canceled in expression evaluation")),
      );
      // Readers look at the clock themselves; a query that still waits behind another in a reader cannot.
      timer = clock.after(Math.max(0, deadlineMs - clock.nowMs()) + overdueMs, () =>
        running.fail(new NarthexError("timeout", "query timed out in expression evaluation")),
      );
      return await running.answer;
    } finally {
      timer?.cancel();
      leaveFile?.();
    }
  }
}

function vectorOf(value: QueryValue): VectorSample[] {
  if (value.type === "vector") return [...value.samples];
  if (value.type !== "scalar") throw notAVector();
  return [{ labels: Labels.empty, timestampMs: value.timestampMs, value: value.value }];
}
