import { RecentMap } from "../base/index.ts";
import type { Kernel, Scratch } from "../kernel/index.ts";
import type { Expr } from "./ast.ts";
import type { QueryContext } from "./context.ts";
import { emitResult } from "./emit.ts";
import { withFinalNames } from "./operator/final-names.ts";
import { AggregateOperator } from "./operator/aggregate.ts";
import { OperatorBuilder, type Partials } from "./operator/build.ts";
import { Evaluation, type Shard } from "./operator/evaluation.ts";
import { encodeJson } from "./operator/json-parts.ts";
import type { PartialResult, Work } from "./operator/partial.ts";
import { encodeRows } from "./operator/parts.ts";
import { isSeriesLocal } from "./plan/fragments.ts";
import { type ParserOptions, parseExpr } from "./parser.ts";
import type { Plan, PlanNode } from "./plan/plan.ts";
import { planQuery } from "./plan/planner.ts";
import { type QueryValue, type ResultSink, ValueSink } from "./result.ts";

export type { PartialResult, Work } from "./operator/partial.ts";

export interface EngineOptions {
  readonly parser?: ParserOptions;
  /** Parsed queries that are kept, at least; up to twice as many. */
  readonly parsedQueriesMax?: number;
}

export interface ExecuteOptions {
  /** Parts that readers computed, by fragment; without them everything is evaluated here. */
  readonly partials?: Partials;
  /** Most series in the result; 0 or missing: all. */
  readonly seriesMax?: number;
}

/** What there is to tell about an evaluation beside its result. */
export interface Execution {
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  /** Samples in memory at the fullest moment. */
  readonly samplesPeak: number;
  /** The result had more series than were asked for. */
  readonly leftOut: boolean;
  readonly work: Work;
}

export interface QueryResult extends Execution {
  readonly value: QueryValue;
}

const parsedQueriesMaxDefault = 1000;
/** Scratch memory that a thread keeps for its next query. */
const idleScratchesMax = 2;

/**
 * Evaluates PromQL, synchronously and on the thread that calls. An engine may be used by one thread only; its plans depend on nothing
 * but text and times, so that engines of several threads agree on them.
 */
export class Engine {
  readonly #parserOptions: ParserOptions;
  /** By text. */
  readonly #parsed: RecentMap<string, Expr>;
  readonly #idleScratches: { kernel: Kernel; scratch: Scratch }[] = [];

  constructor(options: EngineOptions = {}) {
    this.#parserOptions = options.parser ?? {};
    this.#parsed = new RecentMap(options.parsedQueriesMax ?? parsedQueriesMaxDefault);
  }

  /** The syntax tree of a query, which nobody may change. Throws ParseError. */
  parse(text: string): Expr {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    const expr = parseExpr(text, this.#parserOptions);
    this.#parsed.set(text, expr);
    return expr;
  }

  /** Whether `parse` needs no time. */
  isParsed(text: string): boolean {
    return this.#parsed.get(text) !== undefined;
  }

  planInstant(text: string, timestampMs: number, context: QueryContext): Plan {
    return this.#plan(text, timestampMs, timestampMs, 0, context);
  }

  /** `stepMs` > 0 and start ≤ end. Ranges and strings are refused as upstream does. */
  planRange(text: string, startMs: number, endMs: number, stepMs: number, context: QueryContext): Plan {
    return this.#plan(text, startMs, endMs, stepMs, context);
  }

  instant(text: string, timestampMs: number, context: QueryContext): QueryResult {
    return this.#collect(this.planInstant(text, timestampMs, context), context);
  }

  range(text: string, startMs: number, endMs: number, stepMs: number, context: QueryContext): QueryResult {
    return this.#collect(this.planRange(text, startMs, endMs, stepMs, context), context);
  }

  /**
   * Evaluates a plan into a sink. Throws NarthexError: `execution` (the data does not fit the query, or a limit was reached),
   * `timeout`, `canceled`, `internal` (storage). What the sink got until then is to be thrown away.
   */
  execute(plan: Plan, context: QueryContext, sink: ResultSink, options: ExecuteOptions = {}): Execution {
    return this.#run(plan, context, undefined, (evaluation) => {
      const builder = new OperatorBuilder(evaluation, options.partials);
      const leftOut = emitResult(evaluation, builder, sink, options.seriesMax ?? 0);
      evaluation.end();
      const { warnings, infos } = evaluation.annotations.render(plan.query, plan.shared);
      const work = workOf(evaluation);
      return { warnings, infos, samplesPeak: evaluation.samplesPeak, leftOut, work };
    });
  }

  /** Evaluates one fragment of a plan over a share of the series. */
  evaluateFragment(plan: Plan, fragment: number, shard: Shard, context: QueryContext): PartialResult {
    return this.#run(plan, context, shard, (evaluation) => {
      const { node } = plan.fragments[fragment]!;
      const startMs = performance.now();
      const part = encodeFragment(evaluation, node);
      const series = part.series.offsets.length - 1;
      const samples = part.json?.samples ?? series * node.grid.steps;
      evaluation.profile?.fragment(node, performance.now() - startMs, series, samples);
      evaluation.end();
      return { ...part, annotations: [...evaluation.annotations.list], work: workOf(evaluation) };
    });
  }

  /** Gives back the memory kept for the next query. */
  close(): void {
    for (const { scratch } of this.#idleScratches.splice(0)) scratch.reset();
  }

  #plan(text: string, startMs: number, endMs: number, stepMs: number, context: QueryContext): Plan {
    return planQuery(text, this.parse(text), {
      startMs,
      endMs,
      stepMs,
      lookbackDeltaMs: context.lookbackDeltaMs,
      defaultEvalIntervalMs: context.defaultEvalIntervalMs,
      subqueryStepsMax: context.limits.subqueryStepsMax,
    });
  }

  #collect(plan: Plan, context: QueryContext): QueryResult {
    const sink = new ValueSink();
    const execution = this.execute(plan, context, sink);
    return { ...execution, value: sink.value };
  }

  #run<T>(
    plan: Plan,
    context: QueryContext,
    shard: Shard | undefined,
    body: (evaluation: Evaluation) => T,
  ): T {
    const { kernel, limits, queryable, snapshot } = context;
    const scratch = this.#takeScratch(kernel);
    scratch.budgetBytes = limits.memoryBytes;
    const querier = queryable.querier(plan.minTimestampMs, plan.maxTimestampMs, snapshot);
    const evaluation = new Evaluation(plan, context, querier, scratch, shard);
    try {
      evaluation.check();
      return body(evaluation);
    } catch (error) {
      throw evaluation.firstFailure(error);
    } finally {
      evaluation.close();
      querier.close();
      this.#returnScratch(kernel, scratch);
    }
  }

  #takeScratch(kernel: Kernel): Scratch {
    const last = this.#idleScratches.at(-1);
    if (last?.kernel !== kernel) return kernel.createScratch();
    this.#idleScratches.pop();
    return last.scratch;
  }

  #returnScratch(kernel: Kernel, scratch: Scratch): void {
    // Keeps the first span, which is all that a small query needs.
    scratch.release(0);
    if (this.#idleScratches.length < idleScratchesMax) this.#idleScratches.push({ kernel, scratch });
    else scratch.reset();
  }
}

function encodeFragment(evaluation: Evaluation, node: PlanNode): PartialResult {
  const { plan } = evaluation;
  const operator = new OperatorBuilder(evaluation).fragment(node);
  if (operator instanceof AggregateOperator) return operator.encode();
  const isWholeRange = !plan.instant && node === plan.root && isSeriesLocal(node);
  return isWholeRange
    ? encodeJson(evaluation, withFinalNames(evaluation, operator))
    : encodeRows(evaluation, operator);
}

/** To be asked last: counting samples may read some that the result did not need. */
function workOf(evaluation: Evaluation): Work {
  const counts = evaluation.counter?.finish();
  const nodes = evaluation.profile?.nodes();
  const { samplesLoaded, preparationMs, sortMs } = evaluation;
  return { samplesLoaded, preparationMs, sortMs, ...(counts && { counts }), ...(nodes && { nodes }) };
}
