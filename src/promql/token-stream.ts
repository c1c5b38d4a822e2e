import type { PositionRange } from "./ast.ts";
import { Lexer } from "./lexer.ts";
import { ParseError } from "./parse-error.ts";
import { type Token, type TokenKind, describeToken } from "./token.ts";

/** What is being parsed and what could follow, for the message about a token that fits nowhere. */
interface Context {
  name: string;
  expected?: string;
}

/** The tokens of one query with one of lookahead, and the errors about them. */
export class TokenStream {
  readonly text: string;
  readonly #lexer: Lexer;
  #peeked: Token | undefined;
  #lastEnd = 0;
  readonly #contexts: Context[] = [];

  constructor(text: string) {
    this.text = text;
    this.#lexer = new Lexer(text);
  }

  /** Reads no further than asked, so that a fault in the text is found after those that precede it. */
  peek(): Token {
    return (this.#peeked ??= this.#lexer.next());
  }

  take(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    this.#lastEnd = token.position.end;
    return token;
  }

  /** Takes the next token when it is of this kind. */
  accept(kind: TokenKind): Token | undefined {
    return this.peek().kind === kind ? this.take() : undefined;
  }

  expect(kind: TokenKind, context?: string, expected?: string): Token {
    return this.accept(kind) ?? this.failUnexpected(context, expected);
  }

  /** From `start` to the end of the last token taken. */
  rangeFrom(start: number): PositionRange {
    return { start, end: this.#lastEnd };
  }

  /** Runs `parse`; tokens it finds unexpected, and has no better word for, are reported as "in `name`". */
  within<T>(name: string, expected: string | undefined, parse: () => T): T {
    this.#contexts.push(expected === undefined ? { name } : { name, expected });
    const result = parse();
    this.#contexts.pop();
    return result;
  }

  fail(position: PositionRange, reason: string): never {
    throw new ParseError(this.text, position, reason);
  }

  failUnexpected(context?: string, expected?: string): never {
    const token = this.peek();
    const place = context === undefined ? this.#contexts.at(-1) : { name: context, expected };
    let reason = `unexpected ${describeToken(token)}`;
    if (place) reason += ` in ${place.name}`;
    if (place?.expected !== undefined) reason += `, expected ${place.expected}`;
    return this.fail(token.position, reason);
  }
}
