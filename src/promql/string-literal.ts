import { quoteGo } from "../model/index.ts";

export type Quote = '"' | "'" | "`";

const digitsAndBase: Readonly<Record<string, readonly [digits: number, base: number]>> = {
  x: [2, 16],
  u: [4, 16],
  U: [8, 16],
};
const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};
const octalDigit = /^[0-7]$/;
const codePointMax = 0x10ffff;
/** What bytes that are no UTF-8 were read as. */
const replacementCharacter = 0xfffd;

/** Where the string literal that starts at `start` ends, or what is wrong with it. */
export function scanString(text: string, start: number, quote: Quote): number | string {
  let at = start + 1;
  for (;;) {
    const point = text.codePointAt(at);
    if (point === undefined) return quote === "`" ? "unterminated raw string" : "unterminated quoted string";
    if (isSurrogate(point) || point === replacementCharacter) return "invalid UTF-8 rune";
    const character = String.fromCodePoint(point);
    at += character.length;
    if (character === quote) return at;
    if (quote === "`") continue;
    if (character === "\n") return "unterminated quoted string";
    if (character !== "\\") continue;
    const escape = readEscape(text, at, quote);
    if (typeof escape === "string") return escape;
    at = escape.end;
  }
}

/**
 * The value of a literal that `scanString` accepted. Escaped bytes that are not UTF-8 become lone surrogates, which no valid name
 * contains.
 */
export function unquote(literal: string): string {
  const quote = literal[0] as Quote;
  const body = literal.slice(1, -1);
  if (quote === "`" || !body.includes("\\")) return body;
  let value = "";
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) value += decodeBytes(bytes);
    bytes = [];
  };
  for (let at = 0; at < body.length;) {
    if (body[at] !== "\\") {
      flush();
      value += body[at++]!;
      continue;
    }
    const escape = readEscape(body, at + 1, quote);
    if (typeof escape === "string") throw new Error(`escape was not checked: ${escape}`);
    if (escape.byte !== undefined) {
      bytes.push(escape.byte);
    } else {
      flush();
      value += escape.value;
    }
    at = escape.end;
  }
  flush();
  return value;
}

function decodeBytes(bytes: readonly number[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch {
    return bytes.map((byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join("");
  }
}

interface Escape {
  end: number;
  value: string;
  /** Set for `\x` and octal escapes, which name a byte and not a character. */
  byte?: number;
}

/** Reads what follows a backslash, or says what is wrong with it. */
function readEscape(text: string, at: number, quote: Quote): Escape | string {
  const point = text.codePointAt(at);
  if (point === undefined) return "escape sequence not terminated";
  const letter = String.fromCodePoint(point);
  if (letter === quote) return { end: at + 1, value: quote };
  const simple = simpleEscapes[letter];
  if (simple !== undefined) return { end: at + 1, value: simple };
  const octal = octalDigit.test(letter);
  if (!octal && !Object.hasOwn(digitsAndBase, letter))
    return `unknown escape sequence ${describeCharacter(letter)}`;
  const [digits, base] = octal ? [3, 8] : digitsAndBase[letter]!;
  const from = octal ? at : at + 1;
  let value = 0;
  for (let i = from; i < from + digits; i++) {
    const digitPoint = text.codePointAt(i);
    if (digitPoint === undefined) return "escape sequence not terminated";
    const character = String.fromCodePoint(digitPoint);
    const digit = /^[0-9a-fA-F]$/.test(character) ? parseInt(character, 16) : base;
    if (digit >= base) return `illegal character ${describeCharacter(character)} in escape sequence`;
    value = value * base + digit;
  }
  const isByte = octal || letter === "x";
  if (value > (isByte ? 0xff : codePointMax) || isSurrogate(value)) {
    return "escape sequence is an invalid Unicode code point";
  }
  const escape: Escape = { end: from + digits, value: String.fromCodePoint(value) };
  if (isByte) escape.byte = value;
  return escape;
}

function isSurrogate(point: number): boolean {
  return point >= 0xd800 && point <= 0xdfff;
}

/** A character in single quotes as Go writes it; the empty string, which stands for the end of the text, as U+FFFD. */
export function quoteCharacter(character: string): string {
  if (character === "") return "'\ufffd'";
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  return `'${quoteGo(character).slice(1, -1)}'`;
}

/** `U+0078 'x'`. */
function describeCharacter(character: string): string {
  const hex = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  const quoted = quoteGo(character).slice(1, -1);
  const printable = quoted === character || character === '"' || character === "\\";
  return printable ? `U+${hex} '${character}'` : `U+${hex}`;
}
