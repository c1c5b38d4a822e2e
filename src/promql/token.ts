import { quoteGo } from "../model/index.ts";
import type { AggregationOperator, BinaryOperator, PositionRange } from "./ast.ts";

export const aggregators = [
  "avg",
  "bottomk",
  "count",
  "count_values",
  "group",
  "limit_ratio",
  "limitk",
  "max",
  "min",
  "quantile",
  "stddev",
  "stdvar",
  "sum",
  "topk",
] as const satisfies readonly AggregationOperator[];

export const modifiers = [
  "anchored",
  "bool",
  "by",
  "fill",
  "fill_left",
  "fill_right",
  "group_left",
  "group_right",
  "ignoring",
  "offset",
  "on",
  "smoothed",
  "without",
] as const;

export const wordOperators = ["and", "atan2", "or", "unless"] as const satisfies readonly BinaryOperator[];

/** Words that name a function and, in `@` and durations, a value of the query itself. */
export const queryWords = ["end", "max_of", "min_of", "range", "start", "step"] as const;

export const signs = [
  "!=",
  "!~",
  "%",
  "*",
  "+",
  "-",
  "/",
  "<",
  "</",
  "<=",
  "==",
  "=~",
  ">",
  ">/",
  ">=",
  "@",
  "^",
] as const;
const punctuation = ["(", ")", ",", ":", "=", "[", "]", "{", "}"] as const;

export type KeywordKind =
  | (typeof aggregators)[number]
  | (typeof modifiers)[number]
  | (typeof wordOperators)[number]
  | (typeof queryWords)[number];

/** Fixed tokens are their own kind; the others carry their text. */
export type TokenKind =
  | KeywordKind
  | (typeof signs)[number]
  | (typeof punctuation)[number]
  | "identifier"
  | "metric identifier"
  | "string"
  | "number"
  | "duration"
  | "end of input";

export interface Token {
  kind: TokenKind;
  /** As written, quotes and case included. */
  text: string;
  position: PositionRange;
}

const keywordKinds = new Set<string>([...aggregators, ...modifiers, ...wordOperators, ...queryWords]);
const aggregatorKinds = new Set<string>(aggregators);
const modifierKinds = new Set<string>(modifiers);
const operatorKinds = new Set<string>([...signs, ...wordOperators]);
const valueKinds = new Set<string>(["identifier", "metric identifier", "string", "number", "duration"]);
const identifierKinds = new Set<string>(["identifier", "metric identifier"]);

/** The kind of a keyword in any case, or undefined for other words. */
export function keywordKind(word: string): KeywordKind | undefined {
  const lower = word.toLowerCase();
  return keywordKinds.has(lower) ? (lower as KeywordKind) : undefined;
}

export function isKeyword(kind: TokenKind): kind is KeywordKind {
  return keywordKinds.has(kind);
}

export function isAggregator(kind: TokenKind): kind is AggregationOperator {
  return aggregatorKinds.has(kind);
}

/** Bytes beyond which an error message shows only the beginning of a token, and how many characters of it. */
const shownLengthMax = 10;

/** How error messages name a token. */
export function describeToken({ kind, text }: Token): string {
  if (kind === "end of input") return kind;
  if (identifierKinds.has(kind)) return `${kind} ${quoteGo(text)}`;
  if (modifierKinds.has(kind)) return `<${text}>`;
  if (operatorKinds.has(kind)) return `<op:${text}>`;
  if (aggregatorKinds.has(kind)) return `<aggr:${text}>`;
  const long = new TextEncoder().encode(text).length > shownLengthMax;
  const shown = long ? `${quoteGo(Array.from(text).slice(0, shownLengthMax).join(""))}...` : quoteGo(text);
  return valueKinds.has(kind) ? `${kind} ${shown}` : shown;
}
