import { isLabelName, quoteGo } from "../model/index.ts";
import type { VectorMatching } from "./ast.ts";
import { literalSeconds } from "./duration-parser.ts";
import { unquote } from "./string-literal.ts";
import { startsExpression } from "./selector-parser.ts";
import { isKeyword, type TokenKind } from "./token.ts";
import type { TokenStream } from "./token-stream.ts";

/** Keywords that label lists do not take unquoted; upstream forgot it. */
const refusedAsLabel: TokenKind = "without";
const fillModifiers: ReadonlySet<TokenKind> = new Set(["fill", "fill_left", "fill_right"]);

/** Reads lists of labels, and what says how the two sides of an operator find each other. */
export class MatchingParser {
  readonly #tokens: TokenStream;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  /** `on (…) group_left (…) fill (0)`; all of it may be missing. */
  parseMatching(): VectorMatching {
    const matching: VectorMatching = { card: "one-to-one", labels: [], on: false, include: [] };
    const onOrIgnoring = this.#tokens.accept("on") ?? this.#tokens.accept("ignoring");
    if (onOrIgnoring) {
      matching.on = onOrIgnoring.kind === "on";
      matching.labels = this.parseLabels();
      const group = this.#tokens.accept("group_left") ?? this.#tokens.accept("group_right");
      if (group) {
        matching.card = group.kind === "group_left" ? "many-to-one" : "one-to-many";
        if (!this.#isOperandNext()) matching.include = this.parseLabels();
      }
    }
    if (this.#tokens.accept("fill")) {
      matching.fillLeft = matching.fillRight = this.#fillValue();
    } else if (this.#tokens.accept("fill_left")) {
      matching.fillLeft = this.#fillValue();
      if (this.#tokens.accept("fill_right")) matching.fillRight = this.#fillValue();
    } else if (this.#tokens.accept("fill_right")) {
      matching.fillRight = this.#fillValue();
      if (this.#tokens.accept("fill_left")) matching.fillLeft = this.#fillValue();
    }
    return matching;
  }

  /** Whether what comes is the right side, or how it is filled, but no list of labels. */
  #isOperandNext(): boolean {
    const { kind } = this.#tokens.peek();
    return kind !== "(" && (startsExpression(kind) || fillModifiers.has(kind));
  }

  #fillValue(): number {
    this.#tokens.expect("(");
    const value = this.parseSignedNumber();
    this.#tokens.expect(")");
    return value;
  }

  /** A number or duration with or without a sign. */
  parseSignedNumber(): number {
    const sign = this.#tokens.accept("+") ?? this.#tokens.accept("-");
    const { kind } = this.#tokens.peek();
    if (kind !== "number" && kind !== "duration") this.#tokens.failUnexpected();
    const value = literalSeconds(this.#tokens, this.#tokens.take());
    return sign?.kind === "-" ? -value : value;
  }

  /** A list of labels in parentheses. */
  parseLabels(): string[] {
    this.#tokens.expect("(", "grouping opts", '"("');
    const labels: string[] = [];
    while (!this.#tokens.accept(")")) {
      labels.push(this.#label());
      if (this.#tokens.accept(",")) continue;
      this.#tokens.expect(")", "grouping opts", '"," or ")"');
      break;
    }
    return labels;
  }

  #label(): string {
    const { kind } = this.#tokens.peek();
    const named = kind === "identifier" || kind === "metric identifier" || isKeyword(kind);
    if (kind !== "string" && (!named || kind === refusedAsLabel)) {
      this.#tokens.failUnexpected("grouping opts", "label");
    }
    const token = this.#tokens.take();
    const label = kind === "string" ? unquote(token.text) : token.text;
    if (!isLabelName(label))
      this.#tokens.fail(token.position, `invalid label name for grouping: ${quoteGo(label)}`);
    return label;
  }
}
