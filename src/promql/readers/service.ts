import { type Histogram, type Registry } from "@narthex/client";
import { availableParallelism } from "node:os";
import { type Clock, type Logger, NarthexError } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import type { Queryable } from "../../storage/index.ts";
import { type Json, exprToJson } from "../ast-json.ts";
import type { Expr } from "../ast.ts";
import type { QueryFeatures } from "../context.ts";
import type { ParserOptions } from "../parser.ts";
import { prettyPrint } from "../printer.ts";
import type { VectorSample } from "../result.ts";
import { walk } from "../walk.ts";
import { Answerer } from "./answer.ts";
import { decodeVector, notAVector } from "./decode.ts";
import type { EvaluationOptions, ReaderRequest } from "./messages.ts";
import { ReaderPool } from "./pool.ts";

export interface QueryOptions {
  timeoutMs?: number;
  lookbackDeltaMs?: number;
  /** Most series in the answer; 0 means all. */
  limit: number;
  /** "" or what `stats=` asked for. */
  stats: string;
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
  startedMs: number;
}

export interface QueryServiceOptions {
  kernel: Kernel;
  /** For what is evaluated on the calling thread. */
  queryable: Queryable;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** 0: one for each CPU, at most `readersDefaultMax`. */
  readers: number;
  concurrencyMax: number;
  timeoutMs: number;
  lookbackDeltaMs: number;
  samplesMax: number;
  memoryBytesMax: number;
  parser: ParserOptions;
  features: QueryFeatures;
}

const readersDefaultMax = 8;
/** Estimated samples and steps up to which a query is evaluated where it arrives: well under a millisecond. */
const localCostMax = 4000;
/** From this estimate on, a query is worth the trouble of sharing it between readers. */
const sharedCostMin = 50_000;
/** For estimates: how far apart samples usually are. */
const usualIntervalMs = 15_000;

interface Waiting {
  resolve(): void;
  deadlineMs: number;
}

/**
 * Answers queries for the API and for rules: small ones at once on the calling thread, larger ones on a reader, large ones
 * on all readers together.
 */
export class QueryService {
  readonly #options: QueryServiceOptions;
  readonly #pool: ReaderPool;
  readonly #local: Answerer;
  readonly #active = new Map<number, ActiveQuery & { abort: AbortController }>();
  readonly #queue: Waiting[] = [];
  readonly #seconds: Histogram;
  #running = 0;
  #nextId = 1;

  /** Starts the reader threads; `ready` tells when they can answer. */
  constructor(options: QueryServiceOptions) {
    this.#options = options;
    const { kernel, queryable, clock, logger, registry } = options;
    const { parser, features, samplesMax, memoryBytesMax } = options;
    const readers =
      options.readers > 0 ? options.readers : Math.min(availableParallelism(), readersDefaultMax);
    const settings = { parser, features, samplesMax, memoryBytesMax };
    const pool = new ReaderPool({ kernel, readers, settings, logger });
    this.#pool = pool;
    this.#local = new Answerer({ kernel, queryable, clock, words: pool.words, settings });
    registry.gaugeFunction(
      { name: "prometheus_engine_queries", help: "Queries that run or wait." },
      () => this.#active.size,
    );
    registry
      .gauge({ name: "prometheus_engine_queries_concurrent_max", help: "Most queries that run at once." })
      .set(options.concurrencyMax);
    this.#seconds = registry.histogram({
      name: "prometheus_engine_query_duration_histogram_seconds",
      help: "How long queries took from arrival to answer.",
      buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
    });
  }

  /** Resolves when the reader threads can answer; small queries are answered before. */
  get ready(): Promise<void> {
    return this.#pool.ready;
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

  series(range: SeriesRange, signal?: () => AbortSignal): Promise<Uint8Array> {
    return this.#dispatch({ kind: "series", ...range }, "series", false, this.#deadlineMs(), signal);
  }

  labelNames(range: SeriesRange, signal?: () => AbortSignal): Promise<Uint8Array> {
    return this.#dispatch({ kind: "labelNames", ...range }, "labels", false, this.#deadlineMs(), signal);
  }

  labelValues(name: string, range: SeriesRange, signal?: () => AbortSignal): Promise<Uint8Array> {
    const request = { kind: "labelValues", name, ...range } as const;
    return this.#dispatch(request, `values of ${name}`, false, this.#deadlineMs(), signal);
  }

  /** For rules: a vector, or a scalar as one sample without labels. Rejects with `execution` for anything else. */
  async vector(text: string, timestampMs: number): Promise<VectorSample[]> {
    const query = { text, timestampMs, limit: 0, stats: "" };
    const expr = this.#local.engine.parse(text);
    if (this.#cost(expr, 1) <= localCostMax) return this.#localVector(query);
    return decodeVector(await this.instant(query));
  }

  /** The query in upstream's layout. Throws `bad_data`. */
  format(text: string): string {
    return prettyPrint(this.#local.engine.parse(text));
  }

  /** The syntax tree as upstream's `parse_query` prints it. Throws `bad_data`. */
  parse(text: string): Json {
    return exprToJson(this.#local.engine.parse(text));
  }

  /** Queries that run or wait, oldest first. */
  active(): ActiveQuery[] {
    return [...this.#active.values()].map(({ id, text, startedMs }) => ({ id, text, startedMs }));
  }

  /** Ends a query; false when there is none with this id. */
  kill(id: number): boolean {
    this.#active.get(id)?.abort.abort();
    return this.#active.has(id);
  }

  close(): Promise<void> {
    this.#local.engine.close();
    return this.#pool.close();
  }

  #deadlineMs(timeoutMs = this.#options.timeoutMs): number {
    return this.#options.clock.nowMs() + Math.min(timeoutMs, this.#options.timeoutMs);
  }

  #evaluation(query: QueryOptions): EvaluationOptions {
    return {
      deadlineMs: this.#deadlineMs(query.timeoutMs),
      lookbackDeltaMs: query.lookbackDeltaMs ?? this.#options.lookbackDeltaMs,
      limit: query.limit,
      stats: query.stats !== "",
    };
  }

  /** Async so that a query that cannot be parsed rejects instead of throwing. */
  async #evaluate(
    query: QueryOptions & { text: string },
    steps: number,
    request: ReaderRequest & { options: EvaluationOptions },
  ): Promise<Uint8Array> {
    const cost = this.#cost(this.#local.engine.parse(query.text), steps);
    if (cost <= localCostMax) {
      const startMs = performance.now();
      const body = this.#local.answer(request);
      this.#seconds.observe((performance.now() - startMs) / 1000);
      return body;
    }
    const isShared = cost >= sharedCostMin && this.#pool.size > 1;
    return this.#dispatch(request, query.text, isShared, request.options.deadlineMs, query.signal);
  }

  #localVector(query: InstantQuery): VectorSample[] {
    const { engine } = this.#local;
    const { value } = engine.instant(
      query.text,
      query.timestampMs,
      this.#local.context(this.#evaluation(query)),
    );
    if (value.type === "vector") return [...value.samples];
    if (value.type !== "scalar") throw notAVector();
    const { timestampMs, value: number } = value;
    return [{ labels: Labels.empty, timestampMs, value: number }];
  }

  async #dispatch(
    request: ReaderRequest,
    text: string,
    isShared: boolean,
    deadlineMs: number,
    getSignal?: () => AbortSignal,
  ): Promise<Uint8Array> {
    const id = this.#nextId++;
    const abort = new AbortController();
    const startedMs = this.#options.clock.nowMs();
    this.#active.set(id, { id, text, startedMs, abort });
    const forward = (): void => abort.abort();
    const signal = getSignal?.();
    if (signal?.aborted === true) abort.abort();
    signal?.addEventListener("abort", forward, { once: true });
    try {
      await this.#takeTurn(deadlineMs);
      try {
        return await this.#pool.run(request, isShared, abort.signal);
      } finally {
        this.#endTurn();
      }
    } finally {
      signal?.removeEventListener("abort", forward);
      this.#active.delete(id);
      this.#seconds.observe((this.#options.clock.nowMs() - startedMs) / 1000);
    }
  }

  async #takeTurn(deadlineMs: number): Promise<void> {
    if (this.#running >= this.#options.concurrencyMax) {
      await new Promise<void>((resolve) => this.#queue.push({ resolve, deadlineMs }));
      if (this.#options.clock.nowMs() > deadlineMs) {
        this.#queue.shift()?.resolve();
        throw new NarthexError("timeout", "query timed out in query queue");
      }
    }
    this.#running++;
  }

  #endTurn(): void {
    this.#running--;
    this.#queue.shift()?.resolve();
  }

  /** A rough estimate of the samples and steps that an evaluation touches. */
  #cost(expr: Expr, steps: number): number {
    const querier = this.#options.queryable.querier(0, 0);
    try {
      let cost = 0;
      walk(expr, (node, path) => {
        if (node.kind !== "vectorSelector") return;
        let windowMs = usualIntervalMs;
        let inner = steps;
        for (const parent of path) {
          if (parent.kind === "matrixSelector") windowMs += parent.rangeMs;
          if (parent.kind === "subquery") inner *= 1 + parent.rangeMs / (parent.stepMs || usualIntervalMs);
        }
        cost += querier.seriesCountMax(node.matchers) * (inner + windowMs / usualIntervalMs);
      });
      return cost;
    } finally {
      querier.close();
    }
  }
}
