import { type Clock, NarthexError } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { type Labels, type Matcher, compareStrings } from "../../model/index.ts";
import type { Querier, Queryable } from "../../storage/index.ts";
import { exprToJson } from "../ast-json.ts";
import { annotationsMax } from "../annotations.ts";
import { type QueryContext, defaultLimits } from "../context.ts";
import { Engine, type Execution, type PartialResult } from "../engine.ts";
import { type ExplainNode, explainPlan } from "../explain.ts";
import { answerBytesMax, ByteWriter } from "../json/byte-writer.ts";
import { parseMetricSelector } from "../parser.ts";
import type { Plan } from "../plan/plan.ts";
import { prettyPrint } from "../printer.ts";
import { JsonSink } from "../result-json.ts";
import { search } from "../search/search.ts";
import { ValueSink, type QueryValue } from "../result.ts";
import { computeCost } from "./cost.ts";
import {
  type Answer,
  type EvaluationOptions,
  type QueryRequest,
  type ReaderRequest,
  type ReaderSettings,
  type SharedWords,
  stepsOf,
  type Ticket,
} from "./messages.ts";

import { type QueryStats, queryStats } from "./stats.ts";

type SearchRequest = Extract<ReaderRequest, { kind: "search" }>;
type SeriesRequest = Exclude<Extract<ReaderRequest, { selectors: string[] }>, SearchRequest>;

const truncatedWarning = "results truncated due to limit";
const envelopeStart = `{"status":"success","data":`;

export interface AnswererParts {
  kernel: Kernel;
  queryable: Queryable;
  clock: Clock;
  words: SharedWords;
  settings: ReaderSettings;
  /** Number of the reader; -1 for the thread where queries arrive. */
  reader: number;
}

/** A query that is planned and knows what it runs on. */
export interface Prepared {
  context: QueryContext;
  plan: Plan;
}

export interface AnswerOptions {
  ticket?: Ticket;
  /** Of this request; without it the request is planned here. */
  prepared?: Prepared | undefined;
  /** Hands over what all readers found, by fragment, this one first. */
  partials?: ((plan: Plan) => PartialResult[][]) | undefined;
}

const smallAnswerBytes = 4096;

/** Turns requests into finished answers on one thread, whichever that is. */
export class Answerer {
  readonly engine: Engine;
  readonly #parts: AnswererParts;
  /** Where answers begin: allocating a buffer for each costs more than computing a small one. */
  readonly #smallAnswer = new Uint8Array(smallAnswerBytes);

  constructor(parts: AnswererParts) {
    this.#parts = parts;
    this.engine = new Engine({ parser: parts.settings.parser });
  }

  /** Answers a request. Throws NarthexError. */
  answer(request: ReaderRequest, { ticket, prepared, partials }: AnswerOptions = {}): Answer {
    if (request.kind === "format") return dataAnswer(prettyPrint(this.engine.parse(request.text)));
    if (request.kind === "parse") return dataAnswer(exprToJson(this.engine.parse(request.text)));
    if (request.kind === "search") return this.#answerSearch(request);
    if (request.kind !== "instant" && request.kind !== "range") return this.#answerSeries(request);
    const startMs = performance.now();
    const { options } = request;
    const { context, plan } = prepared ?? this.prepare(request, ticket);
    const out = new ByteWriter(answerBytesMax, this.#smallAnswer);
    out.ascii(envelopeStart);
    const parts = partials?.(plan);
    const sink = new JsonSink(out);
    const execution = this.engine.execute(plan, context, sink, {
      partials: parts && ((fragment) => parts[fragment]!),
      seriesMax: options.limit,
    });
    const stats = this.#stats(plan, options, execution, parts ?? [], performance.now() - startMs);
    if (options.stats !== "") insertIntoData(out, "stats", stats);
    if (options.explain) insertIntoData(out, "explain", this.#explain(plan, execution, parts ?? []));
    finishEnvelope(out, warningsOf(options, execution), execution.infos);
    const body = this.#detach(out.finish());
    return options.wholeHistograms ? { body, stats, histograms: sink.histograms } : { body, stats };
  }

  /** A small answer is copied out of the buffer that the next one is written to; Node's pool makes that cheap. */
  #detach(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return body.buffer === this.#smallAnswer.buffer ? Buffer.from(body) : body;
  }

  /** The result of an instant query as values, and what it took. */
  value(request: QueryRequest, { context, plan }: Prepared): { value: QueryValue; stats: QueryStats } {
    const startMs = performance.now();
    const sink = new ValueSink();
    const execution = this.engine.execute(plan, context, sink);
    const stats = this.#stats(plan, request.options, execution, [], performance.now() - startMs);
    return { value: sink.value, stats };
  }

  /** What this thread's share of the series gives for each fragment of the plan. */
  assist(request: QueryRequest, shard: { index: number; count: number }, ticket: Ticket): PartialResult[] {
    const { context, plan } = this.prepare(request, ticket);
    return plan.fragments.map((_, fragment) => {
      const part = this.engine.evaluateFragment(plan, fragment, shard, context);
      return { ...part, work: { ...part.work!, reader: this.#parts.reader } };
    });
  }

  /** What a query costs, by the indexes of all that it reads. Throws NarthexError. */
  cost(request: QueryRequest, { plan, context }: Prepared): number {
    const { minTimestampMs, maxTimestampMs } = plan;
    const querier = context.queryable.querier(minTimestampMs, maxTimestampMs, context.snapshot);
    try {
      return computeCost(this.engine.parse(request.text), stepsOf(request), (matchers) =>
        querier.seriesCountMax(matchers),
      );
    } finally {
      querier.close();
    }
  }

  /** Plans a query. Throws NarthexError. */
  prepare(request: QueryRequest, ticket?: Ticket): Prepared {
    const context = this.#context(request.options, ticket);
    const plan =
      request.kind === "instant"
        ? this.engine.planInstant(request.text, request.timestampMs, context)
        : this.engine.planRange(request.text, request.startMs, request.endMs, request.stepMs, context);
    return { context, plan };
  }

  #context(options: EvaluationOptions, ticket?: Ticket): QueryContext {
    const { kernel, queryable, clock, words, settings } = this.#parts;
    const timeoutMs = options.deadlineMs - clock.nowMs();
    if (timeoutMs <= 0) throw new NarthexError("timeout", "query timed out in query queue");
    return {
      kernel,
      queryable,
      clock,
      limits: {
        samplesMax: settings.samplesMax,
        timeoutMs,
        memoryBytes: settings.memoryBytesMax,
        subqueryStepsMax: defaultLimits.subqueryStepsMax,
      },
      lookbackDeltaMs: options.lookbackDeltaMs,
      defaultEvalIntervalMs: words.defaultStepMs,
      features: settings.features,
      countSamples: options.countSamples,
      profile: options.explain,
      snapshot: ticket?.snapshot,
      isCancelled: ticket && (() => words.isCancelled(ticket.cancelWord)),
      reportProgress:
        ticket && ((samples, memoryBytes) => words.addProgress(ticket.cancelWord, samples, memoryBytes)),
    };
  }

  #stats(
    plan: Plan,
    { stats, queuedMs }: EvaluationOptions,
    execution: Execution,
    parts: PartialResult[][],
    evaluationMs: number,
  ): QueryStats {
    const perStep = stats === "all" && this.#parts.settings.perStepStats;
    return queryStats(plan, execution, parts, { queuedMs, evaluationMs, perStep });
  }

  /** The readers of a shared query have their numbers from the order of the parts: this thread is the first. */
  #explain(plan: Plan, execution: Execution, parts: PartialResult[][]): ExplainNode {
    const threads = [{ reader: this.#parts.reader, nodes: execution.work.nodes ?? [] }];
    for (const fragment of parts)
      for (const { work } of fragment) threads.push({ reader: work!.reader!, nodes: work!.nodes ?? [] });
    return explainPlan(plan, threads);
  }

  #answerSearch({ name, selectors, startMs, endMs, search: options }: SearchRequest): Answer {
    const matcherSets = selectors.map(parseSeriesSelector);
    const querier = this.#parts.queryable.querier(startMs, endMs);
    try {
      const hints = { minTimestampMs: startMs, maxTimestampMs: endMs };
      const names = findNames(matcherSets, (matchers) =>
        name === undefined ? querier.labelNames(matchers, hints) : querier.labelValues(name, matchers, hints),
      );
      const out = new ByteWriter();
      out.text(JSON.stringify(search(names, options)));
      return { body: out.finish() };
    } finally {
      querier.close();
    }
  }

  #answerSeries(request: SeriesRequest): Answer {
    const { startMs, endMs, limit } = request;
    const selectors = request.selectors.map(parseSeriesSelector);
    const querier = this.#parts.queryable.querier(startMs, endMs);
    try {
      const found = findSeriesData(querier, request, selectors);
      const isCut = limit > 0 && found.length > limit;
      const out = new ByteWriter();
      out.ascii(envelopeStart);
      out.text(JSON.stringify(isCut ? found.slice(0, limit) : found));
      finishEnvelope(out, isCut ? [truncatedWarning] : [], []);
      return { body: out.finish() };
    } finally {
      querier.close();
    }
  }
}

/** Parses a `match[]`. Throws `bad_data` when it would select everything. */
export function parseSeriesSelector(text: string): Matcher[] {
  const matchers = parseMetricSelector(text);
  if (matchers.every((matcher) => matcher.matchesEmpty())) {
    throw new NarthexError("bad_data", "match[] must contain at least one non-empty matcher");
  }
  return matchers;
}

function findSeriesData(
  querier: Querier,
  request: SeriesRequest,
  selectors: Matcher[][],
): Labels[] | string[] {
  // One more than asked for tells whether something is left out.
  const limit = request.limit > 0 ? request.limit + 1 : 0;
  const hints = { minTimestampMs: request.startMs, maxTimestampMs: request.endMs, limit };
  if (request.kind === "series") return findSeries(querier, selectors, hints);
  return findNames(selectors, (matchers) =>
    request.kind === "labelNames"
      ? querier.labelNames(matchers, hints)
      : querier.labelValues(request.name, matchers, hints),
  );
}

/** What one of the selectors finds, sorted. */
function findNames(selectors: Matcher[][], find: (matchers: Matcher[]) => string[]): string[] {
  if (selectors.length <= 1) return find(selectors[0] ?? []);
  return [...new Set(selectors.flatMap(find))].sort(compareStrings);
}

function findSeries(
  querier: Querier,
  selectors: Matcher[][],
  hints: { minTimestampMs: number; maxTimestampMs: number; limit: number },
): Labels[] {
  const found = new Map<string, Labels>();
  for (const matchers of selectors) {
    const set = querier.select(matchers, hints, true);
    for (let series = 0; series < set.length; series++) {
      const labels = set.labels(series);
      found.set(labels.key(), labels);
    }
  }
  return selectors.length > 1 ? [...found.values()].sort((a, b) => a.compare(b)) : [...found.values()];
}

/** Puts a key inside the `data` object, which ends with the brace that is taken back. */
function insertIntoData(out: ByteWriter, key: string, value: unknown): void {
  out.advance(out.length - 1);
  out.text(`,"${key}":${JSON.stringify(value)}}`);
}

function warningsOf({ warnings }: EvaluationOptions, execution: Execution): readonly string[] {
  if (execution.leftOut) return [...warnings, ...execution.warnings, truncatedWarning];
  return warnings.length === 0 ? execution.warnings : [...warnings, ...execution.warnings];
}

function dataAnswer(data: unknown): Answer {
  const out = new ByteWriter();
  out.ascii(envelopeStart);
  out.text(JSON.stringify(data));
  out.ascii("}");
  return { body: out.finish() };
}

/** `warnings` and `infos` follow `data`, each left out when empty; beyond a few, a count stands for the rest. */
function finishEnvelope(out: ByteWriter, warnings: readonly string[], infos: readonly string[]): void {
  if (warnings.length > 0) out.text(`,"warnings":${JSON.stringify(cutAnnotations(warnings, "warning"))}`);
  if (infos.length > 0) out.text(`,"infos":${JSON.stringify(cutAnnotations(infos, "info"))}`);
  out.ascii("}");
}

function cutAnnotations(all: readonly string[], kind: string): readonly string[] {
  if (all.length <= annotationsMax) return all;
  return [...all.slice(0, annotationsMax), `${all.length - annotationsMax} more ${kind} annotations omitted`];
}
