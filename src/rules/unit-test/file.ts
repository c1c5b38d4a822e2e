import path from "node:path";
import { type Disk, globFiles, NarthexError } from "../../base/index.ts";
import {
  bool,
  type Codec,
  durationMs,
  field,
  list,
  mapOf,
  mapped,
  object,
  Place,
  text,
} from "../../codec/index.ts";
import { Labels, parseNumber } from "../../model/index.ts";

/** A file of unit tests for rules, in upstream's format. */
export interface UnitTestFile {
  /** As the disk has them; patterns are replaced by the files they match. */
  readonly ruleFiles: readonly string[];
  readonly evaluationIntervalMs: number;
  /** Groups that are evaluated after the others, in this order. */
  readonly groupOrder: readonly string[];
  /** Values may be one float apart. */
  readonly isFuzzy: boolean;
  readonly tests: readonly UnitTest[];
}

export interface UnitTest {
  /** Empty when it has none. */
  readonly name: string;
  /** Between the samples of the input; also that of groups which state none. */
  readonly intervalMs: number;
  readonly startMs: number;
  readonly inputSeries: readonly InputSeries[];
  readonly alertTests: readonly AlertTest[];
  readonly exprTests: readonly ExprTest[];
  readonly externalLabels: Labels;
  readonly externalUrl: URL | undefined;
}

export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

export interface AlertTest {
  readonly evalTimeMs: number;
  readonly alertName: string;
  readonly expected: readonly AlertTexts[];
}

/** What is compared of an alert; `alertname` stands among the labels. */
export interface AlertTexts {
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface ExprTest {
  readonly expr: string;
  readonly evalTimeMs: number;
  readonly expected: readonly ExpectedSample[];
}

export interface ExpectedSample {
  readonly labels: string;
  readonly value: number;
  /** In the notation of test series; empty for a float. */
  readonly histogram: string;
}

export interface UnitTestFileOptions {
  readonly disk: Disk;
  readonly ignoresUnknownFields: boolean;
  /** What is odd and still no error. */
  readonly warn: (message: string) => void;
  /** Reads `start_timestamp`: seconds or RFC 3339, into milliseconds. */
  readonly parseTime: (text: string) => number;
}

const evaluationIntervalMsDefault = 60_000;

/** YAML's own words for what is no plain number, and Go's. */
const sampleValue: Codec<number> = mapped(
  text,
  (source) => {
    const value = parseNumber(source.replace(/^([+-]?)\.(inf|nan)$/i, "$1$2").replace(/^\+nan$/i, "nan"));
    if (value === undefined) throw new Error(`cannot unmarshal ${source} into float64`);
    return value;
  },
  String,
);

const inputSeries = object("main.series", {
  series: field("series", text, ""),
  values: field("values", text, ""),
});
const texts = mapOf(text);
const alert = object("main.alert", {
  labels: field("exp_labels", texts, new Map()),
  annotations: field("exp_annotations", texts, new Map()),
});
const alertTest = object(
  "main.alertTestCase",
  {
    evalTimeMs: field("eval_time", durationMs, 0),
    alertName: field("alertname", text, ""),
    alerts: field("exp_alerts", list(alert), []),
  },
  ({ evalTimeMs, alertName, alerts }): AlertTest => ({
    evalTimeMs,
    alertName,
    expected: alerts.map(({ labels, annotations }) => ({
      labels: Labels.from([...labels, ["alertname", alertName]]),
      annotations: Labels.from(annotations),
    })),
  }),
);
const expectedSample = object("main.sample", {
  labels: field("labels", text, ""),
  value: field("value", sampleValue, 0),
  histogram: field("histogram", text, ""),
});
const exprTest = object("main.promqlTestCase", {
  expr: field("expr", text, ""),
  evalTimeMs: field("eval_time", durationMs, 0),
  expected: field("exp_samples", list(expectedSample), []),
});
const unitTest = object("main.testGroup", {
  name: field("name", text, ""),
  intervalMs: field("interval", durationMs, 0),
  start: field("start_timestamp", text, ""),
  inputSeries: field("input_series", list(inputSeries), []),
  alertTests: field("alert_rule_test", list(alertTest), []),
  exprTests: field("promql_expr_test", list(exprTest), []),
  externalLabels: field("external_labels", texts, new Map()),
  externalUrl: field("external_url", text, ""),
});
const unitTestFile = object("main.unitTestFile", {
  ruleFiles: field("rule_files", list(text), []),
  evaluationIntervalMs: field("evaluation_interval", durationMs, 0),
  groupOrder: field("group_eval_order", list(text), []),
  isFuzzy: field("fuzzy_compare", bool, false),
  tests: field("tests", list(unitTest), []),
});

/** Throws `bad_data` or the disk's error. */
export function readUnitTestFile(file: string, options: UnitTestFileOptions): UnitTestFile {
  const { disk, ignoresUnknownFields, parseTime } = options;
  const content = Buffer.from(disk.readFile(file)).toString();
  const root = Place.parse(content, file, path.dirname(file), ignoresUnknownFields);
  const { evaluationIntervalMs, ...raw } = root.isNull() ? unitTestFile.default() : unitTestFile.decode(root);
  const repeated = raw.groupOrder.find((name, i) => raw.groupOrder.indexOf(name) < i);
  if (repeated !== undefined)
    throw new NarthexError("bad_data", `group name repeated in evaluation order: ${repeated}`);
  const intervalMs = evaluationIntervalMs || evaluationIntervalMsDefault;
  return {
    ...raw,
    evaluationIntervalMs: intervalMs,
    ruleFiles: raw.ruleFiles.flatMap((pattern) => findRuleFiles(pattern, root.directory, options)),
    tests: raw.tests.map(({ start, externalLabels, externalUrl, ...test }) => ({
      ...test,
      intervalMs: test.intervalMs || intervalMs,
      startMs: start === "" ? 0 : parseTime(start),
      externalLabels: Labels.from(externalLabels),
      externalUrl: externalUrl === "" ? undefined : parseUrl(externalUrl),
    })),
  };
}

function findRuleFiles(pattern: string, directory: string, { disk, warn }: UnitTestFileOptions): string[] {
  const resolved = pattern === "" || path.isAbsolute(pattern) ? pattern : path.join(directory, pattern);
  const files = globFiles(disk, resolved);
  if (files.length === 0) warn(`no file match pattern ${resolved}`);
  return files;
}

function parseUrl(source: string): URL {
  const url = URL.parse(source);
  if (url === null) throw new NarthexError("bad_data", `external_url: ${source} is not a URL`);
  return url;
}
