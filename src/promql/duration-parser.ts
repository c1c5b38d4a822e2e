import { errorMessage } from "../base/index.ts";
import { parseDuration } from "../model/index.ts";
import type { DurationExpr, PositionRange } from "./ast.ts";
import { numberValue } from "./number-literal.ts";
import type { Token, TokenKind } from "./token.ts";
import type { TokenStream } from "./token-stream.ts";

/** A duration as written: what it comes to when it is a literal, else how to compute it. */
export type Duration = { ms: number; expr?: undefined } | { ms: 0; expr: DurationExpr };

type BinaryDurationOperator = "+" | "-" | "*" | "/" | "%" | "^";

const precedences: Partial<Record<TokenKind, number>> = { "+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3 };
const signPrecedence = 3;
/** Upstream's durations are int64 nanoseconds. */
const secondsMax = 2 ** 63 / 1e9;
const nestingMax = 500;

/** Reads durations and their arithmetic, in brackets and after `offset`. */
export class DurationParser {
  readonly #tokens: TokenStream;
  #nesting = 0;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  /** A range or a step: any expression; a literal must be positive. */
  parsePositive(): Duration {
    const expr = this.#expression(1);
    if (expr.op === "number" && expr.value! <= 0) {
      this.#tokens.fail(expr.position, "duration must be greater than 0");
    }
    return toDuration(expr);
  }

  /** What follows `offset`: a sign binds a single operand, arithmetic must start with a parenthesis. */
  parseOffset(): Duration {
    const sign = this.#tokens.peek();
    if (sign.kind !== "+" && sign.kind !== "-") {
      return toDuration(this.#tokens.peek().kind === "(" ? this.#expression(1) : this.#operand());
    }
    this.#tokens.take();
    const next = this.#tokens.peek().kind;
    if (next === "+" || next === "-") {
      const operand = this.#expression(signPrecedence);
      return toDuration(this.#continue(this.#signed(sign, operand), 1));
    }
    return toDuration(this.#signedOffset(sign, this.#operand()));
  }

  /** In front of a function `+` stays in the tree, here alone. */
  #signedOffset(sign: Token, operand: DurationExpr): DurationExpr {
    if (sign.kind === "-" || operand.op === "number" || operand.wrapped) return this.#signed(sign, operand);
    const position = { start: sign.position.start, end: operand.position.end };
    return { kind: "durationExpr", op: "+", rhs: operand, wrapped: false, position };
  }

  #expression(precedenceMin: number): DurationExpr {
    if (++this.#nesting > nestingMax) {
      this.#tokens.fail(
        this.#tokens.peek().position,
        `duration expression nested deeper than ${nestingMax} levels`,
      );
    }
    const sign = this.#tokens.accept("+") ?? this.#tokens.accept("-");
    const first = sign ? this.#signed(sign, this.#expression(signPrecedence)) : this.#operand();
    const expr = this.#continue(first, precedenceMin);
    this.#nesting--;
    return expr;
  }

  /** Extends `lhs` by the operators that follow and bind at least as strongly as `precedenceMin`. */
  #continue(lhs: DurationExpr, precedenceMin: number): DurationExpr {
    for (;;) {
      const { kind, position } = this.#tokens.peek();
      const precedence = precedences[kind];
      if (precedence === undefined || precedence < precedenceMin) return lhs;
      this.#tokens.take();
      const rhs = this.#expression(kind === "^" ? precedence : precedence + 1);
      if (rhs.op === "number" && rhs.value === 0) {
        if (kind === "/") this.#tokens.fail(position, "division by zero");
        if (kind === "%") this.#tokens.fail(position, "modulo by zero");
      }
      lhs = {
        kind: "durationExpr",
        op: kind as BinaryDurationOperator,
        lhs,
        rhs,
        wrapped: false,
        position: { start: lhs.position.start, end: rhs.position.end },
      };
    }
  }

  #operand(): DurationExpr {
    const { kind, position } = this.#tokens.peek();
    switch (kind) {
      case "number":
      case "duration":
        return this.#literal();
      case "(":
        return this.#parenthesised();
      case "step":
      case "range":
        this.#tokens.take();
        this.#tokens.expect("(");
        this.#tokens.expect(")");
        return {
          kind: "durationExpr",
          op: kind,
          wrapped: false,
          position: this.#tokens.rangeFrom(position.start),
        };
      case "min_of":
      case "max_of": {
        this.#tokens.take();
        this.#tokens.expect("(");
        const lhs = this.#expression(1);
        this.#tokens.expect(",");
        const rhs = this.#expression(1);
        this.#tokens.expect(")");
        // As upstream has it, the place is that of the arguments.
        const args = { start: lhs.position.start, end: rhs.position.end };
        return { kind: "durationExpr", op: kind, lhs, rhs, wrapped: false, position: args };
      }
      default:
        return this.#tokens.failUnexpected();
    }
  }

  #parenthesised(): DurationExpr {
    const { start } = this.#tokens.expect("(").position;
    const inner = this.#expression(1);
    this.#tokens.expect(")");
    if (inner.op !== "number") return { ...inner, wrapped: true };
    const position = this.#tokens.rangeFrom(start);
    return { kind: "durationExpr", op: "+", rhs: inner, wrapped: true, position };
  }

  #literal(): DurationExpr {
    const token = this.#tokens.take();
    const value = literalSeconds(this.#tokens, token);
    this.#checkRange(value, token.position);
    const duration = token.kind === "duration";
    return { kind: "durationExpr", op: "number", value, duration, wrapped: false, position: token.position };
  }

  #signed(sign: Token, operand: DurationExpr): DurationExpr {
    const position = { start: sign.position.start, end: operand.position.end };
    if (operand.op === "number") {
      const value = sign.kind === "-" ? -operand.value! : operand.value!;
      this.#checkRange(value, sign.position);
      return { ...operand, value, position };
    }
    if (sign.kind === "+") return operand;
    return { kind: "durationExpr", op: "-", rhs: operand, wrapped: false, position };
  }

  #checkRange(seconds: number, position: PositionRange): void {
    if (Math.abs(seconds) > secondsMax) this.#tokens.fail(position, "duration out of range");
  }
}

/** The value of a number or duration token: a duration counts in seconds. */
export function literalSeconds(tokens: TokenStream, token: Token): number {
  if (token.kind === "duration") {
    try {
      return parseDuration(token.text) / 1000;
    } catch (error) {
      tokens.fail(token.position, errorMessage(error));
    }
  }
  const value = numberValue(token.text);
  return typeof value === "number"
    ? value
    : tokens.fail(token.position, `error parsing number: ${value.reason}`);
}

/** Literals are whole milliseconds from here on: what is finer than that, upstream's evaluation drops as well. */
function toDuration(expr: DurationExpr): Duration {
  if (expr.op !== "number") return { ms: 0, expr };
  return { ms: Math.trunc(Math.round(expr.value! * 1e9) / 1e6) + 0 };
}
