import { errorMessage, NarthexError } from "../base/index.ts";
import {
  compareStrings,
  isLabelName,
  isMetricName,
  metricNameLabel,
  type NameValidationScheme,
  quoteGo,
} from "../model/index.ts";
import {
  durationMs,
  field,
  integer,
  list,
  type Mapping,
  mapOf,
  object,
  Place,
  text,
} from "../codec/index.ts";
import { type Expr, parseExpr, type ParserOptions, printExpr } from "../promql/index.ts";
import { Expander } from "../template/index.ts";

/** Names and values in the order of the names. An empty value is kept: it takes a label away from what a rule yields. */
export type LabelTexts = ReadonlyMap<string, string>;

export interface RecordingRuleConfig {
  kind: "recording";
  name: string;
  expr: Expr;
  /** The expression's normal form. */
  query: string;
  /** The group's labels included. */
  labels: LabelTexts;
}

export interface AlertingRuleConfig {
  kind: "alerting";
  name: string;
  expr: Expr;
  query: string;
  /** How long an alert must be there before it fires. */
  forMs: number;
  keepFiringForMs: number;
  /** Templates, the group's labels included. */
  labels: LabelTexts;
  annotations: LabelTexts;
}

export type RuleConfig = RecordingRuleConfig | AlertingRuleConfig;

export interface RuleGroupConfig {
  name: string;
  file: string;
  /** Undefined: the global evaluation interval. */
  intervalMs?: number;
  /** Undefined: the global offset. */
  queryOffsetMs?: number;
  /** Most series or alerts that one rule may yield; 0: any number. */
  limit: number;
  rules: RuleConfig[];
}

export interface RuleFileOptions {
  parser?: ParserOptions;
  nameValidationScheme?: NameValidationScheme;
  /** Fields that nobody knows are for others. */
  ignoresUnknownFields?: boolean;
}

export interface RuleFile {
  groups: RuleGroupConfig[];
  /** The file holds further YAML documents, which are not read. */
  hasMoreDocuments: boolean;
}

/** All that is wrong with a rule file, each message beginning with file, line and column. */
export class RuleFileError extends NarthexError {
  readonly messages: readonly string[];

  constructor(messages: readonly string[]) {
    super("bad_data", messages.join("\n"));
    this.name = "RuleFileError";
    this.messages = messages;
  }
}

/** Reads and checks a rule file. `file` names it in errors. Throws RuleFileError with everything that is wrong. */
export function parseRuleFile(content: string, file: string, options: RuleFileOptions = {}): RuleFile {
  const { first, hasMore } = splitDocuments(content);
  const root = decode(first, file, options.ignoresUnknownFields);
  const checker = new Checker(file, options);
  const groups = checker.check(root);
  if (checker.problems.length > 0) throw new RuleFileError(checker.problems);
  return { groups, hasMoreDocuments: hasMore };
}

interface RawRule {
  record: string;
  alert: string;
  expr: string;
  forMs: number;
  keepFiringForMs: number;
  labels: Map<string, string>;
  annotations: Map<string, string>;
  mapping: Mapping;
}

interface RawGroup {
  name: string;
  intervalMs: number;
  queryOffsetMs: number | undefined;
  limit: number;
  rules: RawRule[];
  labels: Map<string, string>;
  mapping: Mapping;
}

const texts = mapOf(text);

const rawRule = object(
  "rulefmt.Rule",
  {
    record: field("record", text, ""),
    alert: field("alert", text, ""),
    expr: field("expr", text, ""),
    forMs: field("for", durationMs, 0),
    keepFiringForMs: field("keep_firing_for", durationMs, 0),
    labels: field("labels", texts, new Map()),
    annotations: field("annotations", texts, new Map()),
  },
  (value, mapping): RawRule => ({ ...value, mapping }),
);

const rawGroup = object(
  "rulefmt.RuleGroup",
  {
    name: field("name", text, ""),
    intervalMs: field("interval", durationMs, 0),
    queryOffsetMs: field("query_offset", durationMs),
    limit: field("limit", integer(), 0),
    rules: field("rules", list(rawRule), []),
    labels: field("labels", texts, new Map()),
  },
  (value, mapping): RawGroup => ({ ...value, mapping }),
);

const rawFile = object("rulefmt.RuleGroups", { groups: field("groups", list(rawGroup), []) });

function decode(content: string, file: string, ignoresUnknownFields = false): RawGroup[] {
  try {
    const root = Place.parse(content, file, ".", ignoresUnknownFields);
    return root.isNull() ? [] : rawFile.decode(root).groups;
  } catch (error) {
    if (error instanceof NarthexError) throw new RuleFileError([error.message]);
    throw error;
  }
}

/** As upstream, everything from the second document on is ignored. */
function splitDocuments(content: string): { first: string; hasMore: boolean } {
  let hasContent = false;
  let at = 0;
  for (const line of content.split("\n")) {
    const isMarker = /^(?:---|\.\.\.)(?:\s|$)/.test(line);
    if (isMarker && hasContent) {
      return { first: content.slice(0, at), hasMore: /^\s*[^\s#.-]/m.test(content.slice(at + line.length)) };
    }
    hasContent ||= isMarker ? /^---\s+[^\s#]/.test(line) : !/^\s*(?:#.*|%.*)?$/.test(line);
    at += line.length + 1;
  }
  return { first: content, hasMore: false };
}

class Checker {
  readonly problems: string[] = [];
  readonly #file: string;
  readonly #options: RuleFileOptions;

  constructor(file: string, options: RuleFileOptions) {
    this.#file = file;
    this.#options = options;
  }

  check(groups: readonly RawGroup[]): RuleGroupConfig[] {
    const names = new Set<string>();
    return groups.map((group) => {
      const { mapping, name } = group;
      if (name === "") this.#report(mapping.at, "Groupname must not be empty");
      if (names.has(name)) this.#report(mapping.at, `groupname: "${name}" is repeated in the same file`);
      names.add(name);
      this.#checkLabels(group.labels, mapping.place("labels"), "");
      const rules = group.rules.flatMap((rule, i) => this.#rule(rule, group, i + 1) ?? []);
      return {
        name,
        file: this.#file,
        ...(group.intervalMs > 0 && { intervalMs: group.intervalMs }),
        ...(group.queryOffsetMs !== undefined && { queryOffsetMs: group.queryOffsetMs }),
        limit: group.limit,
        rules,
      };
    });
  }

  #rule(rule: RawRule, group: RawGroup, number: number): RuleConfig | undefined {
    const problemsBefore = this.problems.length;
    const name = rule.alert || rule.record;
    const prefix = `group ${quoteGo(group.name)}, rule ${number}, ${quoteGo(name)}: `;
    const report = (key: string, message: string): void =>
      this.#report(rule.mapping.place(key), prefix + message);
    if (rule.record !== "" && rule.alert !== "")
      report("record", "only one of 'record' and 'alert' must be set");
    if (name === "") report("record", "one of 'record' or 'alert' must be set");
    const expr = this.#expr(rule, report);
    if (rule.record !== "") this.#recording(rule, report);
    this.#checkLabels(rule.labels, rule.mapping.place("labels"), prefix);
    for (const key of rule.annotations.keys()) {
      if (!isLabelName(key, this.#scheme)) report("annotations", `invalid annotation name: ${key}`);
    }
    if (rule.alert !== "") {
      checkTemplates("label", rule.alert, rule.labels, (message) => report("labels", message));
      checkTemplates("annotation", rule.alert, rule.annotations, (message) => report("annotations", message));
    }
    if (!expr || this.problems.length > problemsBefore) return undefined;
    const labels = sorted([...group.labels, ...rule.labels]);
    const common = { name, expr, query: printExpr(expr), labels };
    if (rule.record !== "") return { kind: "recording", ...common };
    const { forMs, keepFiringForMs } = rule;
    return { kind: "alerting", ...common, forMs, keepFiringForMs, annotations: sorted(rule.annotations) };
  }

  #expr(rule: RawRule, report: (key: string, message: string) => void): Expr | undefined {
    if (rule.expr === "") {
      report("expr", "field 'expr' must be set in rule");
      return undefined;
    }
    try {
      return parseExpr(rule.expr, this.#options.parser);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      report("expr", `could not parse expression: ${error.message}`);
      return undefined;
    }
  }

  #recording(rule: RawRule, report: (key: string, message: string) => void): void {
    const refuse = (key: string): void => report(key, `invalid field '${key}' in recording rule`);
    if (rule.annotations.size > 0) refuse("annotations");
    if (rule.forMs !== 0) refuse("for");
    if (rule.keepFiringForMs !== 0) refuse("keep_firing_for");
    if (!isMetricName(rule.record, this.#scheme))
      report("record", `invalid recording rule name: ${rule.record}`);
    if (/[{}]/.test(rule.record)) {
      const hint = "braces present in the recording rule name; should it be in expr?";
      report("record", `${hint}: ${rule.record}`);
    }
  }

  #checkLabels(labels: ReadonlyMap<string, string>, at: Place, prefix: string): void {
    for (const [name, value] of labels) {
      if (!isLabelName(name, this.#scheme) || name === metricNameLabel) {
        this.#report(at, `${prefix}invalid label name: ${name}`);
      }
      if (!value.isWellFormed()) this.#report(at, `${prefix}invalid label value: ${value.toWellFormed()}`);
    }
  }

  get #scheme(): NameValidationScheme {
    return this.#options.nameValidationScheme ?? "utf8";
  }

  #report(at: Place, message: string): void {
    this.problems.push(at.error(message).message);
  }
}

function checkTemplates(
  kind: "label" | "annotation",
  alert: string,
  templates: ReadonlyMap<string, string>,
  report: (message: string) => void,
): void {
  for (const [name, template] of templates) {
    try {
      Expander.forAlert(`__alert_${alert}`, template);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      report(`${kind} ${quoteGo(name)}: ${errorMessage(error)}`);
    }
  }
}

/** Later entries win. */
function sorted(entries: Iterable<readonly [string, string]>): LabelTexts {
  const merged = new Map(entries);
  return new Map([...merged].sort(([a], [b]) => compareStrings(a, b)));
}
