/** The parser's view of the tokens: some ahead, and errors at the place it has come to. */
import { NarthexError } from "../base/index.ts";
import type { Source } from "./ast.ts";
import { describeToken, Lexer, type Token, type TokenKind } from "./lexer.ts";

export class TokenReader {
  /** Line on which the action being read began, for errors that end on a later one; 0 outside of actions. */
  actionLine = 0;
  readonly #source: Source;
  readonly #lexer: Lexer;
  /** Tokens read ahead, the next one first. */
  readonly #ahead: Token[] = [];
  #last: Token = { kind: "eof", text: "", offset: 0, line: 1 };

  constructor(source: Source) {
    this.#source = source;
    this.#lexer = new Lexer(source.text);
  }

  next(): Token {
    this.#last = this.#ahead.shift() ?? this.#lexer.next();
    return this.#last;
  }

  peek(): Token {
    this.#ahead[0] ??= this.#lexer.next();
    return this.#ahead[0];
  }

  nextNonSpace(): Token {
    let token = this.next();
    while (token.kind === "space") token = this.next();
    return token;
  }

  peekNonSpace(): Token {
    while (this.peek().kind === "space") this.next();
    return this.peek();
  }

  peekKeyword(word: string): boolean {
    const token = this.peekNonSpace();
    return token.kind === "keyword" && token.text === word;
  }

  /** Makes these the next tokens. */
  putBack(...tokens: readonly Token[]): void {
    this.#ahead.unshift(...tokens);
  }

  expect(kinds: readonly TokenKind[], context: string): Token {
    const token = this.nextNonSpace();
    if (!kinds.includes(token.kind)) this.unexpected(token, context);
    return token;
  }

  /** Throws `bad_data` naming the template and the line of the token read last. */
  fail(message: string): never {
    throw new NarthexError("bad_data", `template: ${this.#source.name}:${this.#last.line}: ${message}`);
  }

  unexpected(token: Token, context: string): never {
    if (token.kind !== "error") this.fail(`unexpected ${describeToken(token)} in ${context}`);
    let started = "";
    if (this.actionLine !== 0 && this.actionLine !== token.line) {
      started = ` in action started at ${this.#source.name}:${this.actionLine}`;
      if (token.text.endsWith(" action")) started = started.slice(" in action".length);
    }
    return this.fail(token.text + started);
  }
}
