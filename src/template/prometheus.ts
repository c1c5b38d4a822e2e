/** The templates of alerting rules and consoles: Prometheus' functions over alert data. */
import { isIP } from "node:net";
import { NarthexError } from "../base/index.ts";
import { compareStrings, parseDuration } from "../model/index.ts";
import { queryEscape } from "./escape.ts";
import { fourDigits, sharedFunctions, titleCase, toFloat, withSmallPrefix } from "./functions.ts";
import { Template, type TemplateMode } from "./template.ts";
import { DurationValue, TimeValue } from "./time.ts";
import {
  ListValue,
  MapValue,
  SafeText,
  StructValue,
  stringMap,
  type TemplateFunction,
  templateFunction,
  types,
  type Value,
} from "./value.ts";

/** A query's result as templates see it; a native histogram comes as its text. */
export interface TemplateSample {
  readonly labels: Iterable<readonly [name: string, value: string]>;
  readonly value: number | { readonly histogram: string };
}

/** What an expansion knows of its surroundings. */
export interface ExpansionContext {
  /** The evaluation's time in milliseconds: `now`, and when `query` is asked. */
  readonly timeMs: number;
  readonly externalUrl: URL | undefined;
  /** Answers an instant query. Rejections become the expansion's error. */
  readonly query: (expression: string, timeMs: number) => Promise<readonly TemplateSample[]>;
}

/** How many different queries one expansion may ask. */
const QUERIES_MAX = 200;
/** How deep `tmpl` calls may nest. */
const TMPL_DEPTH_MAX = 50;

/** Prefixed to the texts of alerting rules: the variables they know. */
const alertVariables =
  "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";

const { any, string } = types;
const sampleType = types.named("*template.sample", true);
const resultType = types.named("template.queryResult", true);

/** A text, parsed once and expanded often. */
export class Expander {
  readonly #name: string;
  readonly #template: Template;
  readonly #mode: TemplateMode;

  /** Throws `bad_data` (`error parsing template …`) when the text is no template. */
  constructor(name: string, text: string, mode: TemplateMode = "text") {
    this.#name = name;
    this.#mode = mode;
    const functions = new Map(contextFreeFunctions);
    for (const called of contextFunctionNames)
      functions.set(
        called,
        templateFunction([], () => ""),
      );
    if (mode === "html")
      functions.set(
        "tmpl",
        templateFunction([], () => ""),
      );
    this.#template = new Template({ functions });
    this.add(name, text);
  }

  /** An expander for a label or annotation of an alerting rule, which knows `$labels`, `$value` and so on. */
  static forAlert(name: string, text: string): Expander {
    return new Expander(name, alertVariables + text);
  }

  /** Adds a file of further definitions (a console library). */
  add(name: string, text: string): void {
    try {
      this.#template.parse(name, text);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      throw new NarthexError("bad_data", `error parsing template ${name}: ${error.message}`);
    }
  }

  /**
   * Expands over `data`. Execution itself never waits: when it comes to a query whose answer is not there yet it is
   * left, the answer awaited, and execution begun anew. Throws `execution` (`error executing template …`).
   */
  async expand(data: Value, context: ExpansionContext): Promise<string> {
    const answers = new Map<string, ListValue | NarthexError>();
    for (;;) {
      try {
        return this.#run(data, context, answers);
      } catch (error) {
        if (error instanceof NarthexError) {
          throw new NarthexError("execution", `error executing template ${this.#name}: ${error.message}`);
        }
        if (!(error instanceof UnansweredQuery)) throw error;
        answers.set(error.expression, await answer(context, error.expression));
      }
    }
  }

  #run(
    data: Value,
    context: ExpansionContext,
    answers: ReadonlyMap<string, ListValue | NarthexError>,
  ): string {
    const functions = contextFunctions(context, answers);
    let depth = 0;
    if (this.#mode === "html") {
      functions.set(
        "tmpl",
        templateFunction([string, any], (name: string, argument: Value) => {
          if (depth >= TMPL_DEPTH_MAX)
            throw new NarthexError("execution", `tmpl nested deeper than ${TMPL_DEPTH_MAX}`);
          depth++;
          const html = template.execute(name, argument, "html");
          depth--;
          return new SafeText("HTML", html);
        }),
      );
    }
    const template = this.#template.clone(functions);
    return template.execute(this.#name, data, this.#mode);
  }
}

/** Leaves an execution that needs the answer to a query. */
class UnansweredQuery {
  readonly expression: string;

  constructor(expression: string) {
    this.expression = expression;
  }
}

async function answer(context: ExpansionContext, expression: string): Promise<ListValue | NarthexError> {
  try {
    return queryResult(await context.query(expression, context.timeMs));
  } catch (error) {
    if (error instanceof NarthexError) return error;
    throw error;
  }
}

function queryResult(samples: readonly TemplateSample[]): ListValue {
  const items = samples.map(({ labels, value }) => {
    const fields: [string, Value][] = [
      ["Labels", stringMap(labels)],
      ["Value", sampleValue(value)],
    ];
    return new StructValue(new Map(fields), { typeName: "*template.sample" });
  });
  return new ListValue(items, { typeName: "template.queryResult" });
}

function sampleValue(value: TemplateSample["value"]): Value {
  if (typeof value === "number") return value;
  const { histogram } = value;
  return new StructValue(new Map(), { typeName: "*histogram.FloatHistogram", text: () => histogram });
}

export interface AlertData {
  readonly labels: Iterable<readonly [string, string]>;
  readonly externalLabels: Iterable<readonly [string, string]>;
  readonly externalUrl: string;
  readonly value: TemplateSample["value"];
}

/** Dot for the templates of an alert. */
export function alertTemplateData(data: AlertData): Value {
  const fields: [string, Value][] = [
    ["Labels", stringMap(data.labels)],
    ["ExternalLabels", stringMap(data.externalLabels)],
    ["ExternalURL", data.externalUrl],
    ["Value", sampleValue(data.value)],
  ];
  return new StructValue(new Map(fields), { typeName: "rules.alertData" });
}

const contextFunctionNames = ["query", "now", "pathPrefix", "externalURL"];

function contextFunctions(
  context: ExpansionContext,
  answers: ReadonlyMap<string, ListValue | NarthexError>,
): Map<string, TemplateFunction> {
  const query = (expression: string): Value => {
    const known = answers.get(expression);
    if (known instanceof NarthexError) throw known;
    if (known !== undefined) return known;
    if (answers.size >= QUERIES_MAX) {
      throw new NarthexError("execution", `more than ${QUERIES_MAX} queries in one template`);
    }
    throw new UnansweredQuery(expression);
  };
  return new Map([
    ["query", templateFunction([string], query)],
    ["now", templateFunction([], () => context.timeMs / 1000)],
    ["pathPrefix", templateFunction([], () => context.externalUrl?.pathname.replace(/\/$/, "") ?? "")],
    ["externalURL", templateFunction([], () => context.externalUrl?.href.replace(/\/$/, "") ?? "")],
  ]);
}

function splitHostPort(address: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(address);
  return match === null ? undefined : { host: match[1] ?? match[2] ?? "", port: match[3] ?? "" };
}

function stripDomain(address: string): string {
  const split = splitHostPort(address);
  const host = split?.host ?? address;
  if (isIP(host) !== 0) return address;
  const name = host.split(".")[0]!;
  return split === undefined || split.port === "" ? name : `${name}:${split.port}`;
}

function withLargePrefix(value: number, step: number, prefixes: readonly string[]): string {
  let scaled = value;
  let prefix = "";
  for (const candidate of prefixes) {
    if (Math.abs(scaled) < step) break;
    prefix = candidate;
    scaled /= step;
  }
  return fourDigits(scaled) + prefix;
}

function humanize(argument: Value): string {
  const value = toFloat(argument);
  if (value === 0 || !Number.isFinite(value)) return fourDigits(value);
  if (Math.abs(value) < 1) return withSmallPrefix(value);
  return withLargePrefix(value, 1000, ["k", "M", "G", "T", "P", "E", "Z", "Y"]);
}

function humanize1024(argument: Value): string {
  const value = toFloat(argument);
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return fourDigits(value);
  return withLargePrefix(value, 1024, ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]);
}

/** Unix seconds as a time; times beyond what 64 bits of nanoseconds hold are refused. */
function toTime(seconds: number): TimeValue {
  if (!Number.isFinite(seconds)) throw new NarthexError("execution", "value is NaN or Inf");
  if (Math.abs(seconds) * 1e9 > 2 ** 63) {
    const reason = "cannot be represented as a nanoseconds timestamp since it overflows int64";
    throw new NarthexError("execution", `${String(seconds)} ${reason}`);
  }
  return new TimeValue(Math.floor(seconds * 1000));
}

function humanizeTimestamp(argument: Value): string {
  const seconds = toFloat(argument);
  return Number.isFinite(seconds) ? toTime(seconds).text() : fourDigits(seconds);
}

function first(result: ListValue | null): Value {
  if (result === null || result.items.length === 0) {
    throw new NarthexError("execution", "first() called on vector with no elements");
  }
  return result.items[0];
}

function field(sample: StructValue | null, name: string): Value {
  if (sample === null) throw new NarthexError("execution", "nil pointer evaluating *template.sample");
  return sample.fields.get(name);
}

function label(sample: StructValue | null, name: string): string {
  const labels = field(sample, "Labels");
  const value = labels instanceof MapValue ? labels.entries.get(name) : undefined;
  return typeof value === "string" ? value : "";
}

function sortByLabel(name: string, result: ListValue | null): Value {
  if (result === null) return null;
  const key = (sample: Value): string => label(sample as StructValue, name);
  const items = [...result.items].sort((a, b) => compareStrings(key(a), key(b)));
  return new ListValue(items, { typeName: "template.queryResult" });
}

function durationSeconds(text: string): number {
  return text.startsWith("-") ? -parseDuration(text.slice(1)) / 1000 : parseDuration(text) / 1000;
}

const contextFreeFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ...sharedFunctions,
  ["first", templateFunction([resultType], first)],
  [
    "label",
    templateFunction([string, sampleType], (name: string, sample: StructValue | null) => label(sample, name)),
  ],
  ["value", templateFunction([sampleType], (sample: StructValue | null) => field(sample, "Value"))],
  ["strvalue", templateFunction([sampleType], (sample: StructValue | null) => label(sample, "__value__"))],
  ["sortByLabel", templateFunction([string, resultType], sortByLabel)],
  [
    "args",
    templateFunction(
      [],
      (...args: Value[]) => new MapValue(new Map(args.map((arg, i) => [`arg${i}`, arg]))),
      any,
    ),
  ],
  ["title", templateFunction([string], (text: string) => titleCase(text, false))],
  ["graphLink", templateFunction([string], (expr: string) => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=0`)],
  ["tableLink", templateFunction([string], (expr: string) => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=1`)],
  ["stripPort", templateFunction([string], (address: string) => splitHostPort(address)?.host ?? address)],
  ["stripDomain", templateFunction([string], stripDomain)],
  ["humanize", templateFunction([any], humanize)],
  ["humanize1024", templateFunction([any], humanize1024)],
  ["humanizePercentage", templateFunction([any], (value: Value) => `${fourDigits(toFloat(value) * 100)}%`)],
  ["humanizeTimestamp", templateFunction([any], humanizeTimestamp)],
  ["toTime", templateFunction([any], (value: Value) => toTime(toFloat(value)))],
  [
    "toDuration",
    templateFunction([any], (value: Value) => {
      const nanoseconds = toFloat(value) * 1e9;
      return new DurationValue(Number.isFinite(nanoseconds) ? BigInt(Math.trunc(nanoseconds)) : -(2n ** 63n));
    }),
  ],
  ["parseDuration", templateFunction([string], durationSeconds)],
  ["urlQueryEscape", templateFunction([string], queryEscape)],
];

/** All names a rule's template may call, beside Go's own. */
export const prometheusFunctionNames: readonly string[] = [
  ...contextFreeFunctions.map(([name]) => name),
  ...contextFunctionNames,
];
