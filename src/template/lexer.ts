/** Cuts a template's text into tokens: literal text, and within `{{ }}` the words of an action. */
import { quoteGo } from "../model/index.ts";

export type TokenKind =
  | "text"
  | "leftDelim"
  | "rightDelim"
  | "space"
  | "identifier"
  | "keyword"
  | "bool"
  | "nil"
  | "field"
  | "dot"
  | "variable"
  | "number"
  | "char"
  | "string"
  | "rawString"
  | "assign"
  | "declare"
  | "pipe"
  | "leftParen"
  | "rightParen"
  | "symbol"
  | "error"
  | "eof";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Offset in UTF-16 units from the start of the template. */
  readonly offset: number;
  /** Line of the token's start, counted from 1. */
  readonly line: number;
}

const KEYWORDS = new Set([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "range",
  "template",
  "with",
]);

const SPACES = /[ \t\r\n]+/y;
const NAME = /[\p{L}\p{Nd}_]+/uy;
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*)(?:\.[0-9a-fA-F_]*)?(?:[eE][+-]?[0-9_]+|[pP][+-]?[0-9_]+)?/y;
/** What may follow a name, a field or a variable. */
const TERMINATOR = /$|[ \t\r\n.,|:()]|}}/y;
const PRINTABLE_ASCII = /[!-~]/;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y;
const CHAR = /'(?:[^'\\\n]|\\[^\n])*'/y;

export class Lexer {
  readonly #input: string;
  #offset = 0;
  #line = 1;
  #insideAction = false;
  #parenDepth = 0;

  constructor(input: string) {
    this.#input = input;
  }

  /** The next token; after the end, `eof` again and again; after an `error`, nothing useful. */
  next(): Token {
    return this.#insideAction ? this.#nextInAction() : this.#nextText();
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    return pattern.exec(this.#input)?.[0];
  }

  #startsWith(text: string): boolean {
    return this.#input.startsWith(text, this.#offset);
  }

  /** Makes a token of the next `length` units and moves behind them. */
  #take(kind: TokenKind, length: number): Token {
    const token = {
      kind,
      text: this.#input.slice(this.#offset, this.#offset + length),
      offset: this.#offset,
      line: this.#line,
    };
    this.#skip(length);
    return token;
  }

  #skip(length: number): void {
    for (let i = this.#offset; i < this.#offset + length; i++) if (this.#input[i] === "\n") this.#line++;
    this.#offset += length;
  }

  #error(message: string): Token {
    return { kind: "error", text: message, offset: this.#offset, line: this.#line };
  }

  #nextText(): Token {
    for (;;) {
      const rest = this.#input.length - this.#offset;
      if (rest === 0) return this.#take("eof", 0);
      const brace = this.#input.indexOf("{{", this.#offset);
      const length = brace < 0 ? rest : brace - this.#offset;
      if (length > 0) {
        const trims = brace >= 0 && /^\{\{-[ \t\r\n]/.test(this.#input.slice(brace, brace + 4));
        const text = this.#input.slice(this.#offset, this.#offset + length);
        const kept = trims ? trimRight(text).length : length;
        const token = kept > 0 ? this.#take("text", kept) : undefined;
        this.#skip(length - kept);
        if (token !== undefined) return token;
      }
      const delimiter = this.#leftDelimiter();
      if (delimiter !== undefined) return delimiter;
    }
  }

  /** Reads `{{` or `{{- `; a comment is skipped as a whole and gives undefined. */
  #leftDelimiter(): Token | undefined {
    const marker = /^\{\{-[ \t\r\n]/.test(this.#input.slice(this.#offset, this.#offset + 4)) ? 2 : 0;
    if (this.#input.startsWith("/*", this.#offset + 2 + marker)) {
      const end = this.#input.indexOf("*/", this.#offset + 4 + marker);
      if (end < 0) return this.#error("unclosed comment");
      this.#skip(end + 2 - this.#offset);
      const right = this.#rightDelimiterLength();
      if (right === 0) return this.#error("comment ends before closing delimiter");
      this.#closeAction(right);
      return undefined;
    }
    const token = this.#take("leftDelim", 2);
    this.#skip(marker);
    this.#insideAction = true;
    this.#parenDepth = 0;
    return token;
  }

  /** 2 at `}}`, 4 at ` -}}`, else 0. */
  #rightDelimiterLength(): number {
    if (this.#startsWith("}}")) return 2;
    return /^[ \t\r\n]-\}\}/.test(this.#input.slice(this.#offset, this.#offset + 4)) ? 4 : 0;
  }

  #closeAction(delimiterLength: number): Token {
    this.#skip(delimiterLength - 2);
    const token = this.#take("rightDelim", 2);
    if (delimiterLength === 4) this.#skip(this.#match(SPACES)?.length ?? 0);
    this.#insideAction = false;
    return token;
  }

  #nextInAction(): Token {
    const right = this.#rightDelimiterLength();
    if (right > 0) {
      return this.#parenDepth === 0 ? this.#closeAction(right) : this.#error("unclosed left paren");
    }
    const rune = this.#rune();
    if (rune === undefined) return this.#error("unclosed action");
    if (/[ \t\r\n]/.test(rune)) return this.#spaces();
    switch (rune) {
      case "=":
        return this.#take("assign", 1);
      case ":":
        return this.#startsWith(":=") ? this.#take("declare", 2) : this.#error("expected :=");
      case "|":
        return this.#take("pipe", 1);
      case '"':
        return this.#quoted("string", STRING, "unterminated quoted string");
      case "'":
        return this.#quoted("char", CHAR, "unterminated character constant");
      case "`":
        return this.#rawString();
      case "$":
        return this.#named("variable", 1);
      case "(":
        this.#parenDepth++;
        return this.#take("leftParen", 1);
      case ")":
        if (this.#parenDepth-- === 0) return this.#error("unexpected right paren");
        return this.#take("rightParen", 1);
    }
    const next = this.#input[this.#offset + 1] ?? "";
    if (rune === "." && !/[0-9]/.test(next)) return this.#named("field", 1);
    if (/[0-9+.-]/.test(rune)) return this.#number();
    if (this.#match(NAME) !== undefined) return this.#named("identifier", 0);
    if (PRINTABLE_ASCII.test(rune)) return this.#take("symbol", 1);
    return this.#error(`unrecognized character in action: ${describeRune(rune)}`);
  }

  #rune(): string | undefined {
    const code = this.#input.codePointAt(this.#offset);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  /** A run of spaces, less the one that belongs to a following ` -}}`. */
  #spaces(): Token {
    const length = this.#match(SPACES)?.length ?? 0;
    const marked = this.#input.startsWith("-}}", this.#offset + length);
    return this.#take("space", marked ? length - 1 : length);
  }

  #quoted(kind: TokenKind, pattern: RegExp, unterminated: string): Token {
    const text = this.#match(pattern);
    return text === undefined ? this.#error(unterminated) : this.#take(kind, text.length);
  }

  #rawString(): Token {
    const end = this.#input.indexOf("`", this.#offset + 1);
    if (end < 0) return this.#error("unterminated raw quoted string");
    return this.#take("rawString", end + 1 - this.#offset);
  }

  /** A word, `$variable` or `.field`, whose sigil has `sigilLength` units. */
  #named(kind: "identifier" | "variable" | "field", sigilLength: number): Token {
    NAME.lastIndex = this.#offset + sigilLength;
    const name = NAME.exec(this.#input)?.[0] ?? "";
    const end = this.#offset + sigilLength + name.length;
    TERMINATOR.lastIndex = end;
    const bare = name === "" && kind !== "identifier";
    if (!bare && !TERMINATOR.test(this.#input)) {
      const bad = String.fromCodePoint(this.#input.codePointAt(end) ?? 0);
      return this.#error(`bad character ${describeRune(bad)}`);
    }
    if (kind === "field" && name === "") return this.#take("dot", 1);
    const length = sigilLength + name.length;
    if (kind !== "identifier") return this.#take(kind, length);
    if (KEYWORDS.has(name)) return this.#take("keyword", length);
    if (name === "true" || name === "false") return this.#take("bool", length);
    return this.#take(name === "nil" ? "nil" : "identifier", length);
  }

  #number(): Token {
    const length = this.#match(NUMBER)?.length ?? 0;
    const text = this.#input.slice(this.#offset, this.#offset + length);
    NAME.lastIndex = this.#offset + length;
    const tail = NAME.exec(this.#input)?.[0] ?? "";
    if (tail !== "" || !/[0-9]/.test(text)) {
      const shown = text + (Array.from(tail)[0] ?? "");
      return this.#error(`bad number syntax: ${quoteGo(shown)}`);
    }
    return this.#take("number", length);
  }
}

function trimRight(text: string): string {
  let end = text.length;
  while (end > 0 && " \t\r\n".includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Go's `%#U`: `U+0040 '@'`. */
function describeRune(rune: string): string {
  const code = (rune.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(rune) ? `U+${code} '${rune}'` : `U+${code}`;
}

/** The token as error messages show it. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case "eof":
      return "EOF";
    case "error":
      return token.text;
    case "keyword":
      return `<${token.text}>`;
    case "nil":
      return "<nil>";
    case "dot":
      return "<.>";
  }
  const runes = Array.from(token.text);
  return runes.length > 10 ? `${quoteGo(runes.slice(0, 10).join(""))}...` : quoteGo(token.text);
}
