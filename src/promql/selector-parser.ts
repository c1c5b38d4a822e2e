import { errorMessage } from "../base/index.ts";
import { type Labels, LabelsBuilder, Matcher, metricNameLabel } from "../model/index.ts";
import type { VectorSelector } from "./ast.ts";
import { unquote } from "./string-literal.ts";
import { isKeyword, type Token, type TokenKind } from "./token.ts";
import type { TokenStream } from "./token-stream.ts";

/** Keywords that can be neither a metric's name nor start an expression. */
const reservedWords = new Set<TokenKind>(["atan2", "bool", "group_left", "group_right", "ignoring", "on"]);
const matchOperators = new Set<TokenKind>(["=", "!=", "=~", "!~"]);

/** Whether a token can be a metric's name in front of braces; every function and aggregation begins as one, too. */
export function isMetricName(kind: TokenKind): boolean {
  if (kind === "identifier" || kind === "metric identifier") return true;
  return isKeyword(kind) && !reservedWords.has(kind);
}

const expressionStarts: ReadonlySet<TokenKind> = new Set([
  "number",
  "duration",
  "string",
  "(",
  "{",
  "+",
  "-",
]);

/** Whether an expression can begin with such a token. */
export function startsExpression(kind: TokenKind): boolean {
  return expressionStarts.has(kind) || isMetricName(kind);
}

/** Reads what selects series: a name, and matchers in braces. */
export class SelectorParser {
  readonly #tokens: TokenStream;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  /** With or without a name in front. */
  parseVectorSelector(): VectorSelector {
    const { kind } = this.#tokens.peek();
    if (kind === "{") return this.parseNamed();
    return isMetricName(kind) ? this.parseNamed(this.#tokens.take()) : this.#tokens.failUnexpected();
  }

  /** What follows a name that was taken already; without one, braces must follow. */
  parseNamed(name?: Token): VectorSelector {
    const start = name?.position.start ?? this.#tokens.peek().position.start;
    const matchers = this.#tokens.peek().kind === "{" ? this.#matchers() : [];
    if (name) matchers.push(new Matcher("=", metricNameLabel, name.text));
    return {
      kind: "vectorSelector",
      name: name?.text ?? "",
      matchers,
      anchored: false,
      smoothed: false,
      offsetMs: 0,
      position: this.#tokens.rangeFrom(start),
    };
  }

  /** The labels of one series and where they end. */
  parseSeriesLabels(): { labels: Labels; end: number } {
    const builder = new LabelsBuilder();
    let end = 0;
    const { kind } = this.#tokens.peek();
    if (isMetricName(kind)) {
      const name = this.#tokens.take();
      end = name.position.end;
      builder.set(metricNameLabel, name.text);
    } else if (kind !== "{") {
      this.#tokens.failUnexpected();
    }
    if (this.#tokens.text[end] === "{") {
      this.#labelSet(builder);
      end = this.#tokens.rangeFrom(0).end;
    }
    return { labels: builder.labels(), end };
  }

  #labelSet(builder: LabelsBuilder): void {
    this.#tokens.expect("{");
    while (!this.#tokens.accept("}")) {
      const { kind } = this.#tokens.peek();
      if (kind !== "identifier" && kind !== "string") {
        this.#tokens.failUnexpected("label set", 'identifier or "}"');
      }
      const name = this.#tokens.take();
      const nameText = kind === "string" ? unquote(name.text) : name.text;
      if (kind === "string" && this.#tokens.peek().kind !== "=") {
        builder.set(metricNameLabel, nameText);
      } else {
        this.#tokens.expect("=", "label set", '"="');
        builder.set(nameText, unquote(this.#tokens.expect("string", "label set", "string").text));
      }
      if (this.#tokens.accept(",")) continue;
      this.#tokens.expect("}", "label set", '"," or "}"');
      break;
    }
  }

  #matchers(): Matcher[] {
    this.#tokens.expect("{");
    const matchers: Matcher[] = [];
    while (!this.#tokens.accept("}")) {
      matchers.push(this.#matcher());
      if (this.#tokens.accept(",")) continue;
      this.#tokens.expect("}", "label matching", '"," or "}"');
      break;
    }
    return matchers;
  }

  #matcher(): Matcher {
    const { kind } = this.#tokens.peek();
    if (kind !== "identifier" && kind !== "string") {
      this.#tokens.failUnexpected("label matching", 'identifier or "}"');
    }
    const name = this.#tokens.take();
    const nameText = kind === "string" ? unquote(name.text) : name.text;
    const operator = this.#tokens.peek().kind;
    if (!matchOperators.has(operator)) {
      if (kind === "string") return new Matcher("=", metricNameLabel, nameText);
      this.#tokens.failUnexpected("label matching", "label matching operator");
    }
    this.#tokens.take();
    const value = this.#tokens.expect("string", "label matching", "string");
    try {
      return new Matcher(operator as Matcher["type"], nameText, unquote(value.text));
    } catch (error) {
      return this.#tokens.fail(this.#tokens.rangeFrom(name.position.start), errorMessage(error));
    }
  }
}
