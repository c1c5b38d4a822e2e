import { type Labels, type Matcher, quoteGo } from "../model/index.ts";
import type {
  AggregateExpr,
  AggregationOperator,
  BinaryExpr,
  BinaryOperator,
  Call,
  Expr,
  MatrixSelector,
  NumberLiteral,
  PositionRange,
  Subquery,
  UnaryExpr,
  VectorSelector,
} from "./ast.ts";
import { checkExpr } from "./checker.ts";
import { DurationParser, literalSeconds } from "./duration-parser.ts";
import { functions } from "./functions.ts";
import {
  applyAtBound,
  applyAtTimestamp,
  applyOffset,
  applyRangeExtension,
  type Failure,
} from "./modifiers.ts";
import { MatchingParser } from "./matching-parser.ts";
import { isMetricName, SelectorParser, startsExpression } from "./selector-parser.ts";
import { unquote } from "./string-literal.ts";
import { isAggregator, type Token, type TokenKind } from "./token.ts";
import { TokenStream } from "./token-stream.ts";

/** What of the language is enabled beyond its stable part; everything defaults to off, as upstream's feature flags do. */
export interface ParserOptions {
  /** `promql-experimental-functions`. */
  experimentalFunctions?: boolean;
  /** `promql-extended-range-selectors`: `anchored` and `smoothed`. */
  extendedRangeSelectors?: boolean;
  /** `promql-binop-fill-modifiers`: `fill`, `fill_left`, `fill_right`. */
  binopFillModifiers?: boolean;
}

/** Parentheses, calls and signs inside one another. */
const nestingMax = 500;

/** Parses and checks a query. Throws ParseError for the first thing that is wrong with it. */
export function parseExpr(text: string, options: ParserOptions = {}): Expr {
  const tokens = new TokenStream(text);
  if (tokens.peek().kind === "end of input") {
    tokens.fail({ start: 0, end: 0 }, "no expression found in input");
  }
  const parser = new Parser(tokens, options);
  const expr = parser.parseExpr();
  tokens.expect("end of input");
  checkExpr(expr, text);
  return expr;
}

/** Parses a selector without modifiers, `name{a="b"}`, into its matchers. Throws ParseError. */
export function parseMetricSelector(text: string): Matcher[] {
  const tokens = new TokenStream(text);
  const selector = new SelectorParser(tokens).parseVectorSelector();
  tokens.expect("end of input");
  return selector.matchers;
}

/**
 * Reads the labels of one series, `name{a="b"}` or `{"name", a="b"}`, from the beginning of `text`, and tells where they
 * end. A space ends them; what follows is not looked at. Throws ParseError.
 */
export function parseSeriesLabels(text: string): { labels: Labels; end: number } {
  const tokens = new TokenStream(text);
  return new SelectorParser(tokens).parseSeriesLabels();
}

const precedences: Partial<Record<TokenKind, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "</": 3,
  ">/": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};
const powerPrecedence = 6;

const queryFunctions = new Set<TokenKind>(["start", "end", "step", "range", "min_of", "max_of"]);
const parametrisedAggregations = new Set<AggregationOperator>([
  "topk",
  "bottomk",
  "count_values",
  "quantile",
  "limitk",
  "limit_ratio",
]);
export const experimentalAggregations = new Set<AggregationOperator>(["limitk", "limit_ratio"]);

/** One rule of the grammar per method. Each leaves the stream behind what it took. */
class Parser {
  readonly #tokens: TokenStream;
  readonly #options: ParserOptions;
  readonly #selectors: SelectorParser;
  readonly #matching: MatchingParser;
  readonly #durations: DurationParser;
  #nesting = 0;

  constructor(tokens: TokenStream, options: ParserOptions) {
    this.#tokens = tokens;
    this.#options = options;
    this.#selectors = new SelectorParser(tokens);
    this.#matching = new MatchingParser(tokens);
    this.#durations = new DurationParser(tokens);
  }

  parseExpr(precedenceMin = 1): Expr {
    if (++this.#nesting > nestingMax) {
      this.#tokens.fail(this.#tokens.peek().position, `expression nested deeper than ${nestingMax} levels`);
    }
    let lhs = this.#unary();
    for (;;) {
      const { kind } = this.#tokens.peek();
      const precedence = precedences[kind];
      if (precedence === undefined || precedence < precedenceMin) break;
      lhs = this.#binary(lhs, this.#tokens.take(), precedence);
    }
    this.#nesting--;
    return lhs;
  }

  #binary(lhs: Expr, operator: Token, precedence: number): BinaryExpr {
    const returnBool = this.#tokens.accept("bool") !== undefined;
    const matching = this.#matching.parseMatching();
    const rhs = this.parseExpr(operator.kind === "^" ? precedence : precedence + 1);
    const position = { start: lhs.position.start, end: rhs.position.end };
    const filled = matching.fillLeft !== undefined || matching.fillRight !== undefined;
    if (filled && !this.#options.binopFillModifiers) {
      this.#tokens.fail(position, "binop fill modifiers are experimental and not enabled");
    }
    return {
      kind: "binaryExpr",
      op: operator.kind as BinaryOperator,
      lhs,
      rhs,
      matching,
      returnBool,
      position,
    };
  }

  #unary(): Expr {
    const sign = this.#tokens.accept("+") ?? this.#tokens.accept("-");
    if (!sign) return this.#modified(this.#primary());
    const expr = this.parseExpr(powerPrecedence);
    const position = { start: sign.position.start, end: expr.position.end };
    if (expr.kind === "numberLiteral") {
      return { ...expr, value: sign.kind === "-" ? -expr.value : expr.value, position };
    }
    return { kind: "unaryExpr", op: sign.kind as UnaryExpr["op"], expr, position };
  }

  #primary(): Expr {
    const { kind, position } = this.#tokens.peek();
    switch (kind) {
      case "number":
      case "duration":
        return this.#numberLiteral();
      case "string":
        return { kind: "stringLiteral", value: unquote(this.#tokens.take().text), position };
      case "(": {
        this.#tokens.take();
        const expr = this.parseExpr();
        this.#tokens.expect(")");
        return { kind: "parenExpr", expr, position: this.#tokens.rangeFrom(position.start) };
      }
      case "{":
        return this.#selectors.parseVectorSelector();
    }
    if (!isMetricName(kind)) return this.#tokens.failUnexpected();
    const name = this.#tokens.take();
    const next = this.#tokens.peek().kind;
    if (isAggregator(kind) && (next === "(" || next === "by" || next === "without"))
      return this.#aggregation(name);
    if (next === "(" && (kind === "identifier" || queryFunctions.has(kind))) return this.#call(name);
    return this.#selectors.parseNamed(name);
  }

  #numberLiteral(): NumberLiteral {
    const token = this.#tokens.take();
    const value = literalSeconds(this.#tokens, token);
    return { kind: "numberLiteral", value, duration: token.kind === "duration", position: token.position };
  }

  #aggregation(name: Token): AggregateExpr {
    const op = name.kind as AggregationOperator;
    const grouping = { grouping: [] as string[], without: false };
    const args = this.#tokens.within("aggregation", undefined, () => {
      const modified = this.#groupingModifier(grouping);
      const body = this.#callBody();
      if (!modified) this.#groupingModifier(grouping);
      return body;
    });
    const position = this.#tokens.rangeFrom(name.position.start);
    if (args.length === 0) this.#tokens.fail(position, "no arguments for aggregate expression provided");
    const expectedCount = parametrisedAggregations.has(op) ? 2 : 1;
    if (experimentalAggregations.has(op) && !this.#options.experimentalFunctions) {
      const hint = "is experimental and must be enabled with --enable-feature=promql-experimental-functions";
      this.#tokens.fail(position, `${op}() ${hint}`);
    }
    if (args.length !== expectedCount) {
      const counts = `expected ${expectedCount}, got ${args.length}`;
      this.#tokens.fail(position, `wrong number of arguments for aggregate expression provided, ${counts}`);
    }
    const aggregation: AggregateExpr = { kind: "aggregation", op, expr: args.at(-1)!, ...grouping, position };
    if (expectedCount === 2) aggregation.param = args[0]!;
    return aggregation;
  }

  #groupingModifier(target: { grouping: string[]; without: boolean }): boolean {
    const modifier = this.#tokens.accept("by") ?? this.#tokens.accept("without");
    if (!modifier) return false;
    target.grouping = this.#matching.parseLabels();
    target.without = modifier.kind === "without";
    return true;
  }

  #call(name: Token): Call {
    const args = this.#callBody();
    const func = functions.get(name.text);
    if (!func) this.#tokens.fail(name.position, `unknown function with name ${quoteGo(name.text)}`);
    if (func.experimental && !this.#options.experimentalFunctions) {
      this.#tokens.fail(name.position, `function ${quoteGo(name.text)} is not enabled`);
    }
    return { kind: "call", func, args, position: this.#tokens.rangeFrom(name.position.start) };
  }

  #callBody(): Expr[] {
    this.#tokens.expect("(");
    const args: Expr[] = [];
    if (this.#tokens.accept(")")) return args;
    args.push(this.parseExpr());
    for (let comma = this.#tokens.accept(","); comma; comma = this.#tokens.accept(",")) {
      const { kind } = this.#tokens.peek();
      if (!startsExpression(kind)) {
        this.#tokens.fail(comma.position, "trailing commas not allowed in function call args");
      }
      args.push(this.parseExpr());
    }
    this.#tokens.expect(")");
    return args;
  }

  /** What may follow an expression: ranges, `offset`, `@`, `anchored`, `smoothed`. */
  #modified(expr: Expr): Expr {
    for (;;) {
      const token = this.#tokens.peek();
      switch (token.kind) {
        case "[":
          expr = this.#bracketed(expr);
          break;
        case "offset": {
          this.#tokens.take();
          const expected = "number, duration, step(), or range()";
          const offset = this.#tokens.within("offset", expected, () => this.#durations.parseOffset());
          this.#report(expr.position, applyOffset(expr, offset));
          this.#extend(expr);
          break;
        }
        case "@":
          this.#tokens.take();
          this.#tokens.within("@", "timestamp", () => this.#at(expr));
          this.#extend(expr);
          break;
        case "anchored":
        case "smoothed":
          this.#tokens.take();
          if (!this.#options.extendedRangeSelectors) {
            this.#tokens.fail(expr.position, `${token.kind} modifier is experimental and not enabled`);
          }
          this.#report(expr.position, applyRangeExtension(expr, token.kind));
          break;
        default:
          return expr;
      }
    }
  }

  #at(expr: Expr): void {
    const { kind } = this.#tokens.peek();
    if (kind !== "start" && kind !== "end") {
      this.#report(expr.position, applyAtTimestamp(expr, this.#matching.parseSignedNumber()));
      return;
    }
    this.#tokens.take();
    this.#tokens.expect("(");
    this.#tokens.expect(")");
    this.#report(expr.position, applyAtBound(expr, kind));
  }

  #report(position: PositionRange, failure: Failure | undefined): void {
    if (failure !== undefined) this.#tokens.fail(position, failure);
  }

  #extend(expr: Expr): void {
    expr.position = this.#tokens.rangeFrom(expr.position.start);
  }

  #bracketed(expr: Expr): MatrixSelector | Subquery {
    const { start } = this.#tokens.take().position;
    const literals = "number, duration, step(), or range()";
    const parseDuration = (): ReturnType<DurationParser["parsePositive"]> => this.#durations.parsePositive();
    const range = this.#tokens.within("subquery or range selector", literals, parseDuration);
    if (this.#tokens.accept("]")) {
      const problem = rangeProblem(expr);
      if (problem !== undefined) this.#tokens.fail(this.#tokens.rangeFrom(start), problem);
      return {
        kind: "matrixSelector",
        selector: expr as VectorSelector,
        rangeMs: range.ms,
        ...(range.expr && { rangeExpr: range.expr }),
        position: this.#tokens.rangeFrom(expr.position.start),
      };
    }
    this.#tokens.expect(":", "subquery or range", '":" or "]"');
    const subquery: Subquery = {
      kind: "subquery",
      expr,
      rangeMs: range.ms,
      ...(range.expr && { rangeExpr: range.expr }),
      stepMs: 0,
      offsetMs: 0,
      position: expr.position,
    };
    if (!this.#tokens.accept("]")) {
      const stepOrEnd = 'number, duration, step(), range(), or "]"';
      const step = this.#tokens.within("subquery selector", stepOrEnd, parseDuration);
      this.#tokens.expect("]", "subquery selector", '"]"');
      subquery.stepMs = step.ms;
      if (step.expr) subquery.stepExpr = step.expr;
    }
    this.#extend(subquery);
    return subquery;
  }
}

function rangeProblem(expr: Expr): string | undefined {
  if (expr.kind !== "vectorSelector") return "ranges only allowed for vector selectors";
  if (expr.offsetMs !== 0 || expr.offsetExpr) return "no offset modifiers allowed before range";
  if (expr.atMs !== undefined || expr.atBound) return "no @ modifiers allowed before range";
  return undefined;
}
