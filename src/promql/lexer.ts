import { quoteGo } from "../model/index.ts";
import { scanDurationTail, scanNumber } from "./number-scan.ts";
import { ParseError } from "./parse-error.ts";
import { quoteCharacter, scanString } from "./string-literal.ts";
import { type Token, type TokenKind, keywordKind } from "./token.ts";

const space = /[ \t\n\r]*/y;
const spaceAndComments = /(?:[ \t\n\r]+|#[^\n\r]*)*/y;
const word = /[A-Za-z_:][A-Za-z0-9_:]*/y;
const labelName = /[A-Za-z_][A-Za-z0-9_]*/y;
const letters = /[A-Za-z_]*/y;
const parenthesisAhead = /[ \t\n\r]*\(/y;

/** Words that a duration inside brackets may use. */
const durationWords = new Set(["step", "range", "max_of", "min_of"]);

/** What `[` opened and `]` has not closed yet. */
interface OpenBracket {
  /** Until the first literal only what a duration may hold is a token. */
  beforeLiteral: boolean;
  hasColon: boolean;
}

/** Cuts a query into tokens, one at a time. Linear in the text: no character is looked at more than a few times. */
export class Lexer {
  readonly #text: string;
  #at = 0;
  #parenDepth = 0;
  #braceOpen = false;
  #bracket: OpenBracket | undefined;
  /** A literal was seen in brackets, in these or, as upstream has it, in others before. */
  #hasDuration = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next token; "end of input" again and again at the end. Throws ParseError on text that is none. */
  next(): Token {
    if (this.#bracket?.beforeLiteral) return this.#nextInDuration(this.#bracket);
    this.#match(spaceAndComments);
    return this.#braceOpen ? this.#nextInBraces() : this.#nextInExpression();
  }

  #nextInExpression(): Token {
    const character = this.#peek();
    switch (character) {
      case "":
        if (this.#parenDepth > 0) this.#fail("unclosed left parenthesis");
        if (this.#bracket) this.#fail("unclosed left bracket");
        return this.#token("end of input", 0);
      case ",":
      case "*":
      case "/":
      case "%":
      case "+":
      case "-":
      case "^":
      case "@":
        return this.#token(character, 1);
      case "=":
        if (this.#peek(1) === "=") return this.#token("==", 2);
        if (this.#peek(1) === "~") this.#fail("unexpected character after '=': '~'");
        return this.#token("=", 1);
      case "!":
        if (this.#peek(1) === "=") return this.#token("!=", 2);
        return this.#fail(`unexpected character after '!': ${quoteCharacter(this.#peek(1))}`);
      case "<":
      case ">": {
        const next = this.#peek(1);
        return next === "=" || next === "/"
          ? this.#token(`${character}${next}`, 2)
          : this.#token(character, 1);
      }
      case '"':
      case "'":
      case "`":
        return this.#string(character);
      case "(":
      case ")":
        return this.#parenthesis(character);
      case "{":
        this.#braceOpen = true;
        return this.#token("{", 1);
      case "[":
        if (this.#bracket) this.#fail("unexpected left bracket '['");
        this.#bracket = { beforeLiteral: true, hasColon: false };
        return this.#token("[", 1);
      case "]":
        if (!this.#bracket) this.#fail("unexpected right bracket ']'");
        this.#bracket = undefined;
        return this.#token("]", 1);
    }
    if (isDigit(character) || (character === "." && isDigit(this.#peek(1)))) return this.#numberOrDuration();
    if (isLetter(character) || character === ":") {
      return this.#bracket ? this.#wordInBrackets(this.#bracket) : this.#word();
    }
    return this.#fail(`unexpected character: ${quoteCharacter(character)}`);
  }

  /** Inside `{…}`: label names, never keywords. */
  #nextInBraces(): Token {
    const character = this.#peek();
    switch (character) {
      case "":
        return this.#fail("unexpected end of input inside braces");
      case ",":
        return this.#token(",", 1);
      case '"':
      case "'":
      case "`":
        return this.#string(character);
      case "=":
        return this.#peek(1) === "~" ? this.#token("=~", 2) : this.#token("=", 1);
      case "!": {
        const next = this.#peek(1);
        if (next === "~" || next === "=") return this.#token(`!${next}`, 2);
        return this.#fail(`unexpected character after '!' inside braces: ${quoteCharacter(next)}`);
      }
      case "{":
        return this.#fail("unexpected left brace '{'");
      case "}":
        this.#braceOpen = false;
        return this.#token("}", 1);
    }
    if (isLetter(character)) return this.#token("identifier", this.#lengthOf(labelName));
    return this.#fail(`unexpected character inside braces: ${quoteCharacter(character)}`);
  }

  /** Inside `[…]` before the first literal. */
  #nextInDuration(bracket: OpenBracket): Token {
    this.#match(space);
    const character = this.#peek();
    switch (character) {
      case "":
        return this.#fail("unexpected end of input in duration expression");
      case "]":
        this.#bracket = undefined;
        return this.#token("]", 1);
      case ":":
        this.#at++;
        if (!this.#hasDuration) this.#fail("unexpected colon before duration in duration expression");
        if (bracket.hasColon) this.#fail("unexpected repeated colon in duration expression");
        this.#at--;
        bracket.hasColon = true;
        return this.#token(":", 1);
      case "(":
      case ")":
        return this.#parenthesis(character);
      case "+":
      case "-":
      case "*":
      case "/":
      case "%":
      case "^":
      case ",":
        return this.#token(character, 1);
    }
    if (isDigit(character) || (character === "." && isDigit(this.#peek(1)))) {
      bracket.beforeLiteral = false;
      this.#hasDuration = true;
      return this.#numberOrDuration();
    }
    const token = this.#durationWord();
    // A word is no duration here: as upstream has it, `[step():1m]` wants a literal before the colon.
    return token ?? this.#fail(`unexpected character in duration expression: ${quoteCharacter(character)}`);
  }

  #parenthesis(character: "(" | ")"): Token {
    const token = this.#token(character, 1);
    this.#parenDepth += character === "(" ? 1 : -1;
    if (this.#parenDepth < 0) this.#fail("unexpected right parenthesis ')'");
    return token;
  }

  #word(): Token {
    const length = this.#lengthOf(word);
    const text = this.#text.slice(this.#at, this.#at + length);
    const lower = text.toLowerCase();
    if (lower === "inf" || lower === "nan") return this.#token("number", length);
    const kind = keywordKind(text);
    if (kind && !(kind.startsWith("fill") && !this.#opensParenthesis(length)))
      return this.#token(kind, length);
    return this.#token(text.includes(":") ? "metric identifier" : "identifier", length);
  }

  /** `fill` and its kin are modifiers only before a parenthesis, so that metrics may bear these names. */
  #opensParenthesis(length: number): boolean {
    parenthesisAhead.lastIndex = this.#at + length;
    return parenthesisAhead.test(this.#text);
  }

  #wordInBrackets(bracket: OpenBracket): Token {
    const character = this.#peek();
    if (character === ":") {
      if (bracket.hasColon) this.#fail("unexpected colon ':'");
      bracket.hasColon = true;
      return this.#token(":", 1);
    }
    const token = this.#durationWord();
    return token ?? this.#fail(`unexpected character: ${quoteCharacter(character)}, expected ':'`);
  }

  #durationWord(): Token | undefined {
    const length = this.#lengthOf(letters);
    const lower = this.#text.slice(this.#at, this.#at + length).toLowerCase();
    return durationWords.has(lower) ? this.#token(keywordKind(lower)!, length) : undefined;
  }

  #numberOrDuration(): Token {
    const number = scanNumber(this.#text, this.#at);
    if (number.isNumber) return this.#token("number", number.end - this.#at);
    const { end, isDuration } = scanDurationTail(this.#text, number.end);
    if (isDuration) return this.#token("duration", end - this.#at);
    return this.#fail(`bad number or duration syntax: ${quoteGo(this.#text.slice(this.#at, end))}`);
  }

  #string(quote: '"' | "'" | "`"): Token {
    const end = scanString(this.#text, this.#at, quote);
    return typeof end === "number" ? this.#token("string", end - this.#at) : this.#fail(end);
  }

  #peek(ahead = 0): string {
    const point = this.#text.codePointAt(this.#at + ahead);
    return point === undefined ? "" : String.fromCodePoint(point);
  }

  #match(pattern: RegExp): void {
    this.#at = endOf(pattern, this.#text, this.#at) ?? this.#at;
  }

  #lengthOf(pattern: RegExp): number {
    return (endOf(pattern, this.#text, this.#at) ?? this.#at) - this.#at;
  }

  #token(kind: TokenKind, length: number): Token {
    const start = this.#at;
    this.#at += length;
    return { kind, text: this.#text.slice(start, this.#at), position: { start, end: this.#at } };
  }

  #fail(reason: string): never {
    throw new ParseError(this.#text, { start: this.#at, end: this.#text.length }, reason);
  }
}

/** Where a match of the sticky `pattern` at `from` ends. */
function endOf(pattern: RegExp, text: string, from: number): number | undefined {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9" && character.length === 1;
}

function isLetter(character: string): boolean {
  return /^[A-Za-z_]$/.test(character);
}
