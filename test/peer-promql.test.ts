import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { NarthexError, systemClock } from "../src/base/index.ts";
import {
  Engine,
  type Execution,
  type Expr,
  JsonSink,
  type QueryContext,
  type QueryFeatures,
  defaultLimits,
  exprToJson,
  parseExpr,
  prettyPrint,
} from "../src/promql/index.ts";
import { TestHead } from "../src/promql/testing/index.ts";
import { randomNumbers } from "./support/promql-data.ts";
import { peerSamples } from "./support/peer-samples.ts";
import { type Change, changesSince242, changesSince314 } from "./support/promql/changes.ts";
import { type Answer, findDifference } from "./support/promql/compare.ts";
import { Dialect } from "./support/promql/dialect.ts";
import { type GeneratedQuery, QueryGenerator } from "./support/promql/query-generator.ts";
import { printQuery, type QueryNode, shrinkQuery } from "./support/promql/query-tree.ts";
import { PrometheusPeer, writeDataDirectory } from "./support/prometheus.ts";
import { isOldPeer, skipWithout } from "./support/peers.ts";
import { handwrittenQueries } from "./support/promql-queries.ts";

/** Of the queries drawn and of the data. */
const seed = Number(process.env["SEED"] ?? 1);
const generatedCount = Number(process.env["QUERIES"] ?? 5000);
/** Requests under way at the peer. */
const requestsMax = 6;
/** What is left out, put in twice or exchanged, so that texts become queries that are none. */
const tokens = /[A-Za-z_]\w*|\d[\w.]*|"[^"]*"|\s+|[!=<>]=?~?|./g;

/** How often the peer is asked again before a difference counts: it must not contradict itself. */
const repetitions = 20;
/** Failures after which there is no point in going on. */
const failuresMax = 10;

const skip = skipWithout("prometheus", "promtool");
const isCurrent = !skip && !isOldPeer("prometheus");

/** A whole hour. */
const startMs = 1_699_999_200_000;
const durationMs = 3_600_000;

const flags = ["--storage.tsdb.retention.time=100y", "--web.enable-remote-write-receiver"];
const features = isCurrent
  ? ["promql-experimental-functions", "promql-extended-range-selectors", "promql-binop-fill-modifiers"]
  : ["native-histograms"];

/** What both are told besides. */
interface Variant {
  title: string;
  /** The peer's names for it. */
  features: readonly string[];
  ours: QueryFeatures;
  changes?: readonly Change[];
}

const plain: Variant = { title: "the same answers as Prometheus", features: [], ours: {} };
/** What 2.42 does not know. */
const variants: readonly Variant[] = [
  {
    title: "the same where names are dropped at the end",
    features: ["promql-delayed-name-removal"],
    ours: { delayedNameRemoval: true },
    changes: [{ what: "info leaves names to be dropped", skip: /\binfo\(/ }],
  },
  {
    title: "the same where start timestamps are known",
    features: ["st-storage", "xor2-encoding", "histograms-st-encoding", "use-start-timestamps"],
    ours: { startTimestamps: true },
  },
  {
    title: "the same where labels tell types",
    features: ["type-and-unit-labels"],
    ours: { typeAndUnitLabels: true },
  },
];

const parser = { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true };

/** A query and the times at which it is asked. */
interface Question {
  query: string;
  /** Of an instant query; undefined for a range. */
  timeMs?: number | undefined;
  range: GeneratedQuery["range"];
}

interface Parsed {
  error?: string;
  data?: unknown;
}

function parsingDifference(query: string, tree: Parsed, layout: Parsed): string | undefined {
  let expr: Expr;
  try {
    expr = parseExpr(query, parser);
  } catch (error) {
    const ours = `invalid parameter "query": ${(error as Error).message}`;
    return ours === tree.error ? undefined : `${ours}, expected ${tree.error ?? "a tree"}`;
  }
  if (tree.error !== undefined) return `a tree, expected ${tree.error}`;
  const ours = JSON.parse(JSON.stringify(exprToJson(expr))) as unknown;
  if (!isDeepStrictEqual(ours, tree.data)) return `the tree is ${JSON.stringify(ours)}`;
  return prettyPrint(expr) === layout.data ? undefined : `the layout is ${prettyPrint(expr)}`;
}

for (const variant of isCurrent ? [plain, ...variants] : [plain]) compareAll(variant);

function compareAll(variant: Variant): void {
  describe(`${variant.title}, seed ${seed}`, { skip }, () => {
    const directory = mkdtempSync(join(tmpdir(), "narthex-peer-promql-"));
    const head = new TestHead();
    const engine = new Engine({ parser });
    const dialect = new Dialect({ current: isCurrent, startMs, durationMs });
    const context: QueryContext = {
      queryable: head.queryable,
      kernel: head.kernel,
      clock: systemClock,
      limits: defaultLimits,
      lookbackDeltaMs: 300_000,
      defaultEvalIntervalMs: 60_000,
      features: variant.ours,
    };
    const changes = [...(isCurrent ? changesSince314 : changesSince242), ...(variant.changes ?? [])];
    let peer: PrometheusPeer;
    let contradictions = 0;

    before(async () => {
      const { startTimestamps = false, typeAndUnitLabels = false } = variant.ours;
      const aligned = isCurrent;
      const series = peerSamples({
        seed,
        startMs,
        durationMs,
        aligned,
        current: isCurrent,
        startTimestamps,
        typeAndUnitLabels,
      });
      head.append(series);
      // Remote write says nothing of start timestamps.
      if (startTimestamps) await writeDataDirectory(join(directory, "data"), series);
      peer = await PrometheusPeer.start(directory, [
        ...flags,
        `--enable-feature=${[...features, ...variant.features].join(",")}`,
      ]);
      if (!startTimestamps) await peer.write(series);
    });

    after(async () => {
      await peer?.stop();
      engine.close();
      rmSync(directory, { recursive: true, force: true });
    });

    const isChanged = (query: string): boolean => changes.some(({ skip: changed }) => changed?.test(query));
    /** What is to be compared of an answer. */
    const common = (full: Answer): Answer =>
      changes.reduce((rest, change) => change.common?.(rest) ?? rest, full);

    const answer = ({ query, timeMs, range }: Question): Answer => {
      const sink = new JsonSink();
      let execution: Execution;
      try {
        const plan =
          timeMs === undefined
            ? engine.planRange(query, range.startMs, range.endMs, range.stepMs, context)
            : engine.planInstant(query, timeMs, context);
        execution = engine.execute(plan, context, sink);
      } catch (error) {
        if (error instanceof NarthexError)
          return { status: "error", errorType: error.code, error: error.message };
        return { status: "error", errorType: "internal", error: String(error) };
      }
      const { warnings, infos } = execution;
      const data = JSON.parse(new TextDecoder().decode(sink.finish())) as Answer["data"] & object;
      return { status: "success", data, warnings: [...warnings], infos: [...infos] };
    };

    const ask = async ({ query, timeMs, range }: Question): Promise<Answer> => {
      const seconds = (ms: number): string => String(ms / 1000);
      const times: Record<string, string> =
        timeMs === undefined
          ? { start: seconds(range.startMs), end: seconds(range.endMs), step: seconds(range.stepMs) }
          : { time: seconds(timeMs) };
      const path = timeMs === undefined ? "/api/v1/query_range" : "/api/v1/query";
      const theirs = (await peer.get(path, { query, ...times })) as Answer;
      const error = theirs.error?.replace(/^invalid parameter "query": /, "");
      return error === undefined ? theirs : { ...theirs, error };
    };

    const difference = async (question: Question): Promise<string | undefined> => {
      if (isChanged(question.query)) return undefined;
      const asked = ask(question);
      const ours = answer(question);
      const isOrdered = /^(?:sort|sort_desc|topk|bottomk)\b/.test(question.query);
      const theirs = await asked;
      const found = findDifference(common(ours), common(theirs), isOrdered);
      if (found === undefined || changes.some((change) => change.error?.test(ours.error ?? "")))
        return undefined;
      // Which of equal series is among the first k, and in what order a range query adds, the peer leaves to chance.
      for (let i = 0; i < repetitions; i++) {
        const again = await ask(question);
        if (findDifference(again, theirs, isOrdered) === undefined) continue;
        contradictions++;
        return undefined;
      }
      return found;
    };

    /** Asks as an instant query and as a range; a failure is told of the smallest query that shows it. */
    const check = async ({ node, timeMs, range }: GeneratedQuery): Promise<string[]> => {
      const failures: string[] = [];
      for (const time of [timeMs, undefined]) {
        const differs = (smaller: QueryNode): Promise<string | undefined> =>
          difference({ query: printQuery(smaller), timeMs: time, range });
        if ((await differs(node)) === undefined) continue;
        const smallest = await shrinkQuery(node, async (each) => (await differs(each)) !== undefined);
        const { startMs: from, endMs: to, stepMs } = range;
        const when = time === undefined ? `from ${from} to ${to} each ${stepMs} ms` : `at ${time}`;
        failures.push(
          `${printQuery(smallest)} ${when}: ${await differs(smallest)}; drawn as ${printQuery(node)}`,
        );
      }
      return failures;
    };

    const checkAll = async (next: () => GeneratedQuery | undefined): Promise<void> => {
      const failures: string[] = [];
      const work = async (): Promise<void> => {
        for (let query = next(); query !== undefined && failures.length < failuresMax; query = next())
          failures.push(...(await check(query)));
      };
      await Promise.all(Array.from({ length: requestsMax }, work));
      assert.deepEqual(failures, []);
    };

    /** 2.42 has no `parse_query`, and other words for some errors. */
    const parsing = { skip: !isCurrent && "the peer is older than 3.0" };

    test("trees, layouts and errors of parsing", parsing, async () => {
      const random = randomNumbers(seed);
      const generator = new QueryGenerator(dialect, seed);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
      const damaged = (text: string): string => {
        const all = text.match(tokens)!;
        const place = Math.floor(random() * all.length);
        return all.toSpliced(place, pick([0, 1]), ...pick([[], [pick(all)], [pick(all)]])).join("");
      };
      const failures: string[] = [];
      for (let i = 0; i < generatedCount && failures.length < failuresMax; i++) {
        const text = printQuery(generator.query().node);
        const query = i % 4 === 0 ? text : damaged(text);
        if (isChanged(query)) continue;
        const ask = (what: string): Promise<Parsed | undefined> =>
          peer.get(`/api/v1/${what}_query`, { query }).then(
            (answer) => answer as Parsed,
            () => undefined,
          );
        const [tree, layout] = await Promise.all([ask("parse"), ask("format")]);
        // The peer prints no tree with NaN in it.
        if (tree === undefined) continue;
        const difference = parsingDifference(query, tree, layout ?? {});
        if (difference !== undefined) failures.push(`${query}: ${difference}`);
      }
      assert.deepEqual(failures, []);
    });

    test("written by hand", async () => {
      const generator = new QueryGenerator(dialect, seed);
      const queries = handwrittenQueries.map((text): GeneratedQuery => {
        const node: QueryNode = { kind: "vector", exactness: "close", parts: [text] };
        return { ...generator.query(), node };
      });
      await checkAll(() => queries.pop());
    });

    test(`${generatedCount} generated`, async (context) => {
      const generator = new QueryGenerator(dialect, seed);
      let rest = generatedCount;
      await checkAll(() => (rest-- > 0 ? generator.query() : undefined));
      context.diagnostic(`in ${contradictions} cases the peer contradicts itself`);
    });
  });
}
