import type { Registry } from "@narthex/client";
import { availableParallelism } from "node:os";
import type { Clock, Disk, Logger } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { Labels, type Matcher } from "../../model/index.ts";
import type { Queryable } from "../../storage/index.ts";
import type { QueryFeatures } from "../context.ts";
import type { ParserOptions } from "../parser.ts";
import type { QueryValue, VectorSample } from "../result.ts";
import type { SearchHit, SearchOptions } from "../search/search.ts";
import { walk } from "../walk.ts";
import { QueryAccounts } from "./accounts.ts";
import { ActiveFile } from "./active-file.ts";
import { ActiveQueries, type ActiveQuery } from "./active-queries.ts";
import { Answerer, type Prepared } from "./answer.ts";
import { type Cost, estimateCost, isQuickToParse } from "./cost.ts";
import { evaluationOptions } from "./evaluation-options.ts";
import { decodeVector, notAVector } from "./decode.ts";
import {
  type Answer,
  type EvaluationOptions,
  type QueryRequest,
  type ReaderRequest,
  stepsOf,
} from "./messages.ts";
import { QueryMetrics } from "./metrics.ts";
import { ReaderPool, type Share, sharedCostMin } from "./pool.ts";
import type { InstantQuery, QueryOptions, RangeQuery, SeriesRange } from "./query.ts";
import { QueryLog, type QueryOrigin } from "./query-log.ts";
import type { QueryStats } from "./stats.ts";

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

/** What an evaluation yields on this thread. */
interface Evaluated<T> {
  result: T;
  stats: QueryStats;
}

/**
 * Answers queries for the API and for rules: small ones at once on the calling thread, larger ones on a reader, large ones
 * on all readers together.
 */
export class QueryService {
  readonly #options: QueryServiceOptions;
  readonly #pool: ReaderPool;
  readonly #local: Answerer;
  readonly #active: ActiveQueries;
  readonly #accounts: QueryAccounts;
  readonly #log: QueryLog;
  readonly #activeFile: ActiveFile | undefined;

  constructor(options: QueryServiceOptions) {
    this.#options = options;
    const { kernel, queryable, clock, disk, directory, logger, concurrencyMax } = options;
    const { parser, features, samplesMax, memoryBytesMax, perStepStats } = options;
    const readers =
      options.readers > 0 ? options.readers : Math.min(availableParallelism(), readersDefaultMax);
    const settings = { parser, features, samplesMax, memoryBytesMax, perStepStats };
    const pool = new ReaderPool({ kernel, readers, settings, clock, logger });
    this.#pool = pool;
    this.#local = new Answerer({ kernel, queryable, clock, words: pool.words, settings, reader: -1 });
    if (directory !== "")
      this.#activeFile = new ActiveFile({ directory, slots: concurrencyMax, disk, logger });
    this.#active = new ActiveQueries({ pool, clock, concurrencyMax, file: this.#activeFile });
    const metrics = new QueryMetrics(options.registry, concurrencyMax, () => this.#active.count);
    this.#log = new QueryLog(disk, logger, metrics);
    this.#accounts = new QueryAccounts(metrics, this.#log, clock);
  }

  /** Number of reader threads. */
  get readers(): number {
    return this.#pool.size;
  }

  /** The step of subqueries that state none: `global.evaluation_interval`. */
  set defaultStepMs(stepMs: number) {
    this.#pool.words.defaultStepMs = stepMs;
  }

  /** The whole JSON envelope of `/api/v1/query`, at once when the query is small. */
  instant(query: InstantQuery): Promise<Uint8Array> | Uint8Array {
    return this.#evaluate(query, this.#instantRequest(query), this.#answerHere, bodyOf);
  }

  /** The whole JSON envelope of `/api/v1/query_range`, at once when the query is small. */
  range(query: RangeQuery): Promise<Uint8Array> | Uint8Array {
    const { text, startMs, endMs, stepMs } = query;
    const options = this.#evaluation(query);
    const request = { kind: "range", text, startMs, endMs, stepMs, options } as const;
    return this.#evaluate(query, request, this.#answerHere, bodyOf);
  }

  /** For rules: a vector, or a scalar as one sample without labels. Rejects with `execution` for anything else. */
  async vector(text: string, timestampMs: number, origin?: QueryOrigin): Promise<VectorSample[]> {
    const query = { text, timestampMs, limit: 0, stats: "", ...(origin && { origin: () => origin }) };
    const here = (request: QueryRequest, prepared: Prepared): Evaluated<VectorSample[]> => {
      const { value, stats } = this.#local.value(request, prepared);
      return { result: vectorOf(value), stats };
    };
    const request = this.#instantRequest(query);
    request.options.wholeHistograms = true;
    return this.#evaluate(query, request, here, decodeVector);
  }

  /** What a search finds among the values of a label or, without one, among the names of labels. Rejects as `labelValues`. */
  async search(
    name: string | undefined,
    range: Omit<SeriesRange, "limit">,
    options: SearchOptions,
    signal?: () => AbortSignal,
  ): Promise<SearchHit[]> {
    const request = { kind: "search", name, ...range, search: options } as const;
    const body = await this.#lookUp(request, `search ${name ?? "labels"}`, signal);
    return JSON.parse(Buffer.from(body).toString()) as SearchHit[];
  }

  /** The matchers of each selector in an expression. Throws `bad_data`. */
  selectors(text: string): Matcher[][] {
    const selectors: Matcher[][] = [];
    walk(this.#local.engine.parse(text), (expr) => {
      if (expr.kind === "vectorSelector") selectors.push(expr.matchers);
    });
    return selectors;
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

  /**
   * Queries that run or wait, oldest first. Those that are evaluated on this thread are not among them: they end before anything else
   * on this thread could ask.
   */
  active(): ActiveQuery[] {
    return this.#active.list();
  }

  /** Ends a query, whose client gets `canceled`; false when there is none with this id. */
  kill(id: number): boolean {
    return this.#active.kill(id);
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

  #instantRequest(query: InstantQuery): QueryRequest {
    const { text, timestampMs } = query;
    return { kind: "instant", text, timestampMs, options: this.#evaluation(query) };
  }

  #evaluation(query: QueryOptions): EvaluationOptions {
    return evaluationOptions(
      query,
      this.#deadlineMs(query.timeoutMs),
      this.#options.lookbackDeltaMs,
      this.#log.isOpen,
    );
  }

  /** Evaluates a query `here` when it is small, and otherwise takes what is wanted `from` a reader's answer. A query that cannot be parsed does not count. */
  #evaluate<T>(
    query: QueryOptions,
    request: QueryRequest,
    here: (request: QueryRequest, prepared: Prepared) => Evaluated<T>,
    from: (answer: Answer) => T,
  ): Promise<T> | T {
    const { text } = request;
    const { engine } = this.#local;
    const isQuick = engine.isParsed(text) || isQuickToParse(text);
    if (isQuick) engine.parse(text);
    const startedMs = performance.now();
    try {
      let prepared: Prepared | undefined;
      const prepare = (): Prepared => (prepared ??= this.#local.prepare(request));
      const cost = isQuick ? this.#cost(request, prepare) : undefined;
      if (cost === undefined || cost.most > localCostMax || this.#waitsForFiles(prepare()))
        return this.#evaluateThere(query, request, cost, from, startedMs);
      const { result, stats } = here(request, prepare());
      this.#accounts.answered(request, stats, query.origin);
      return result;
    } catch (error) {
      this.#accounts.failed(request, performance.now() - startedMs, error, query.origin);
      throw error;
    }
  }

  async #evaluateThere<T>(
    query: QueryOptions,
    request: QueryRequest,
    cost: Cost | undefined,
    from: (answer: Answer) => T,
    startedMs: number,
  ): Promise<T> {
    const { text, options } = request;
    const share = shareOf(cost);
    try {
      const answer = await this.#active.run({
        request,
        text,
        asker: query,
        share,
        deadlineMs: options.deadlineMs,
      });
      const result = from(answer);
      this.#accounts.answered(request, answer.stats!, query.origin);
      return result;
    } catch (error) {
      this.#accounts.failed(request, performance.now() - startedMs, error, query.origin);
      throw error;
    }
  }

  readonly #answerHere = (request: QueryRequest, prepared: Prepared): Evaluated<Uint8Array> => {
    const { body, stats } = this.#local.answer(request, { prepared });
    return { result: body, stats: stats! };
  };

  /** A query is planned only when its times matter: when the head knows nothing of a selector, the files may. */
  #cost(request: QueryRequest, prepare: () => Prepared): Cost {
    const { queryable } = this.#options;
    return estimateCost(this.#local.engine.parse(request.text), stepsOf(request), queryable, () => {
      const { minTimestampMs, maxTimestampMs } = prepare().plan;
      return queryable.storedSeriesMax?.(minTimestampMs, maxTimestampMs) ?? 0;
    });
  }

  /** Whether an evaluation may have to read files. Scrapes do not wait for that: it is the readers' business. */
  #waitsForFiles({ plan }: Prepared): boolean {
    return plan.minTimestampMs < (this.#options.queryable.filesUntilMs?.() ?? -Infinity);
  }

  async #lookUp(request: ReaderRequest, text: string, signal?: () => AbortSignal): Promise<Uint8Array> {
    const asker = signal === undefined ? {} : { signal };
    const deadlineMs = this.#deadlineMs();
    const { body } = await this.#active.run({ request, text, asker, share: "never", deadlineMs });
    return body;
  }

  async #read(request: Extract<ReaderRequest, { kind: "format" | "parse" }>): Promise<Uint8Array> {
    if (isQuickToParse(request.text)) return this.#local.answer(request).body;
    return this.#lookUp(request, request.text);
  }
}

/** What cannot even be parsed here is left to one reader. */
function shareOf(cost: Cost | undefined): Share {
  if (cost === undefined || cost.most < sharedCostMin) return "never";
  return cost.isGuess ? "ifLarge" : "always";
}

function bodyOf({ body }: Answer): Uint8Array {
  return body;
}

function vectorOf(value: QueryValue): VectorSample[] {
  if (value.type === "vector") return [...value.samples];
  if (value.type !== "scalar") throw notAVector();
  return [{ labels: Labels.empty, timestampMs: value.timestampMs, value: value.value }];
}
