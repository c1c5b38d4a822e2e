import { Registry } from "@narthex/client";
import { type Disk, errorMessage, NarthexError, silentLogger, SimulatedClock } from "../../base/index.ts";
import { formatDuration, formatGoDuration, formatNotation, quoteGo } from "../../model/index.ts";
import { parseSeriesDescription, parseSeriesLabels } from "../../promql/index.ts";
import type { AlertingRule } from "../alerting-rule.ts";
import { type GroupEnvironment, RuleGroup } from "../group.ts";
import { RuleMetrics } from "../metrics.ts";
import { parseRuleFile, type RuleFileOptions } from "../rule-file.ts";
import type { AlertTest, AlertTexts, ExpectedSample, ExprTest, UnitTest, UnitTestFile } from "./file.ts";
import { type ComparedSample, formatAlerts, formatMatrix, formatSamples, indentLines } from "./format.ts";
import { Scene, type SceneOptions } from "./scene.ts";

export interface UnitTestOptions {
  readonly disk: Disk;
  readonly features: SceneOptions["features"];
  readonly ruleFile: RuleFileOptions;
  /** Told of all samples that there are in the end; without it nobody looks. */
  readonly dump?: (text: string) => void;
}

/** Runs one test: evaluates the rules over its input from its start to the last time that is asked about. Resolves to what was not as expected, one text each. */
export async function runUnitTest(
  test: UnitTest,
  file: UnitTestFile,
  options: UnitTestOptions,
): Promise<string[]> {
  const { evaluationIntervalMs } = file;
  let scene: Scene;
  let groups: RuleGroup[];
  try {
    const parser = options.ruleFile.parser ?? {};
    scene = new Scene(test, { parser, features: options.features, evaluationIntervalMs });
    groups = loadGroups(test, file, scene, options);
  } catch (error) {
    return [expectedMessage(error)];
  }
  const nameless = test.alertTests.find(({ alertName }) => alertName === "");
  if (nameless) {
    const where = test.name === "" ? "" : ` (in TestGroup ${test.name})`;
    const atTime = formatDuration(nameless.evalTimeMs);
    return [
      `an item under alert_rule_test misses required attribute alertname at eval_time ${atTime}${where}`,
    ];
  }
  try {
    const problems = await evaluate(test, file, scene, groups);
    if (problems.isBroken) return problems.texts;
    const found = [...problems.texts, ...checkExprs(test, file, scene)];
    if (options.dump) options.dump(dumpSamples(test, scene));
    return found;
  } finally {
    scene.close();
  }
}

/** Groups that the file orders come in its order, after all others. */
function loadGroups(
  { intervalMs, externalLabels, externalUrl }: UnitTest,
  { ruleFiles, groupOrder }: UnitTestFile,
  scene: Scene,
  { disk, ruleFile }: UnitTestOptions,
): RuleGroup[] {
  const metrics = new RuleMetrics(new Registry());
  const environment: GroupEnvironment = {
    context: {
      metrics,
      query: (text, timestampMs) => new Promise((resolve) => resolve(scene.vector(text, timestampMs))),
      externalUrl,
      externalLabels,
      logger: silentLogger,
    },
    appendable: scene.storage,
    clock: new SimulatedClock(),
    metrics,
    restore: {
      lastSamples: () => Promise.resolve([]),
      logger: silentLogger,
      outageToleranceMs: 0,
      forGracePeriodMs: 0,
    },
    resendDelayMs: 0,
    queryOffsetMs: 0,
    notify: () => {},
  };
  const groups = new Map<string, RuleGroup>();
  for (const file of ruleFiles)
    for (const config of parseRuleFile(Buffer.from(disk.readFile(file)).toString(), file, ruleFile).groups) {
      const group = new RuleGroup(config, intervalMs, false, environment);
      groups.set(group.key, group);
    }
  const rank = ({ name }: RuleGroup): number => groupOrder.indexOf(name);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
}

/** `isBroken`: a rule failed, and there is no use in looking further. */
async function evaluate(
  test: UnitTest,
  { evaluationIntervalMs }: UnitTestFile,
  scene: Scene,
  groups: readonly RuleGroup[],
): Promise<{ isBroken: boolean; texts: string[] }> {
  const texts: string[] = [];
  const lastMs = lastEvalTimeMs(test);
  const alertTests = test.alertTests.toSorted((a, b) => a.evalTimeMs - b.evalTimeMs);
  let next = 0;
  for (let sinceMs = 0; sinceMs <= lastMs; sinceMs += evaluationIntervalMs) {
    const timestampMs = test.startMs + sinceMs;
    scene.loadUntil(timestampMs);
    for (const group of groups) await group.iterate(timestampMs);
    // Lets the appenders have their batches back.
    await new Promise((resolve) => setImmediate(resolve));
    const failed = groups.flatMap(({ rules }) => rules.filter(({ lastError }) => lastError !== ""));
    if (failed.length > 0) {
      const time = formatGoDuration(BigInt(timestampMs) * 1_000_000n);
      const ofRules = failed.map(
        ({ name, lastError }) => `    rule: ${name}, time: ${time}, err: ${lastError}`,
      );
      return { isBroken: true, texts: [...texts, ...ofRules] };
    }
    for (; alertTests[next] && alertTests[next]!.evalTimeMs < sinceMs + evaluationIntervalMs; next++)
      texts.push(...checkAlerts(test, alertTests[next]!, groups));
  }
  return { isBroken: false, texts };
}

function lastEvalTimeMs({ alertTests, exprTests }: UnitTest): number {
  return [...alertTests, ...exprTests].reduce((last, { evalTimeMs }) => Math.max(last, evalTimeMs), 0);
}

function checkAlerts(
  { name }: UnitTest,
  { alertName, evalTimeMs, expected }: AlertTest,
  groups: readonly RuleGroup[],
): string[] {
  const found = groups
    .flatMap(({ alertingRules }) => alertingRules.filter((rule) => rule.name === alertName))
    .flatMap(firingAlerts)
    .sort(compareAlerts);
  const wanted = expected.toSorted(compareAlerts);
  const isEqual =
    found.length === wanted.length && found.every((each, i) => !compareAlerts(each, wanted[i]!));
  if (isEqual) return [];
  const where = name === "" ? "" : `    name: ${name},\n`;
  const indented = (alerts: readonly AlertTexts[]): string =>
    indentLines(formatAlerts(alerts), " ".repeat(12));
  const time = formatDuration(evalTimeMs);
  return [
    `${where}    alertname: ${alertName}, time: ${time}, \n        exp:${indented(wanted)}, \n        got:${indented(found)}`,
  ];
}

function firingAlerts({ activeAlerts }: AlertingRule): readonly AlertTexts[] {
  return activeAlerts.filter(({ state }) => state === "firing");
}

function compareAlerts(a: AlertTexts, b: AlertTexts): number {
  return a.labels.compare(b.labels) || a.annotations.compare(b.annotations);
}

function checkExprs({ exprTests, startMs }: UnitTest, { isFuzzy }: UnitTestFile, scene: Scene): string[] {
  return exprTests.flatMap(({ expr, evalTimeMs, expected }: ExprTest) => {
    const head = `    expr: ${quoteGo(expr)}, time: ${formatDuration(evalTimeMs)},`;
    let found: ComparedSample[];
    let wanted: ComparedSample[];
    try {
      found = scene.vector(expr, startMs + evalTimeMs).map(({ labels, value, histogram }) => ({
        labels,
        value: histogram ? 0 : value,
        histogram: histogram ? formatNotation(histogram) : "",
      }));
      wanted = expected.map(describe);
    } catch (error) {
      return [`${head} err: ${expectedMessage(error)}`];
    }
    found.sort(compareLabels);
    wanted.sort(compareLabels);
    const isSame = (a: ComparedSample, b: ComparedSample): boolean =>
      a.labels.equals(b.labels) &&
      a.histogram === b.histogram &&
      (a.value === b.value || (isFuzzy && areNeighbours(a.value, b.value)));
    if (found.length === wanted.length && found.every((each, i) => isSame(each, wanted[i]!))) return [];
    return [`${head}\n        exp: ${formatSamples(wanted)}\n        got: ${formatSamples(found)}`];
  });
}

/** Throws `bad_data`. */
function describe({ labels: text, value, histogram: notation }: ExpectedSample): ComparedSample {
  try {
    const { labels } = text === "" ? parseSeriesLabels("{}") : parseSeriesLabels(text);
    if (notation === "") return { labels, value, histogram: "" };
    const { values } = parseSeriesDescription(`{} ${notation}`);
    const [described] = values;
    if (values.length !== 1) throw new Error(`expected 1 value, got ${values.length}`);
    if (described?.kind !== "histogram") throw new Error(`expected histogram, got ${notation}`);
    return { labels, value: 0, histogram: formatNotation(described.histogram) };
  } catch (error) {
    throw new NarthexError("bad_data", `labels ${quoteGo(text)}: ${errorMessage(error)}`, { cause: error });
  }
}

function compareLabels(a: ComparedSample, b: ComparedSample): number {
  return a.labels.compare(b.labels);
}

const bits = new DataView(new ArrayBuffer(8));

/** Whether there is no other float between the two. */
function areNeighbours(a: number, b: number): boolean {
  const difference = orderedBits(a) - orderedBits(b);
  return difference === 1n || difference === -1n;
}

/** Whole numbers in the order of the floats. */
function orderedBits(value: number): bigint {
  bits.setFloat64(0, value);
  const number = bits.getBigInt64(0);
  return number < 0n ? -(number & 0x7fff_ffff_ffff_ffffn) : number;
}

/** Every sample of the input and of the rules. */
function dumpSamples(test: UnitTest, scene: Scene): string {
  // Where the last time has a part of a second, which a range cannot say, it is looked a second further.
  const seconds = Math.floor(lastEvalTimeMs(test) / 1000) + 1;
  const value = scene.query(`{__name__=~".+"}[${seconds}s]`, test.startMs + 1000 * seconds);
  const series = value.type === "matrix" ? value.series : [];
  return `Dump of all data (input_series and rules) at ${formatGoDuration(BigInt(seconds) * 1_000_000_000n)}:\n${formatMatrix(series)}`;
}

/** What users can cause; the rest is ours and goes on. */
function expectedMessage(error: unknown): string {
  if (error instanceof NarthexError || (error as NodeJS.ErrnoException).code !== undefined)
    return errorMessage(error);
  throw error;
}
