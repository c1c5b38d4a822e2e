/** Go's literals: what quoted strings, character constants and numbers in templates stand for. */
import { parseNumber } from "../model/index.ts";

const ESCAPE = /^\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/;
const SIMPLE: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** The text a quoted or raw string literal stands for; undefined when an escape in it is invalid. */
export function unquote(literal: string): string | undefined {
  if (literal.startsWith("`")) return literal.slice(1, -1).replaceAll("\r", "");
  const quote = literal[0]!;
  const octets: number[] = [];
  for (let rest = literal.slice(1, -1); rest !== "";) {
    const piece = decodePiece(rest, quote);
    if (piece === undefined) return undefined;
    octets.push(...piece.octets);
    rest = rest.slice(piece.length);
  }
  return Buffer.from(octets).toString("utf8");
}

/** The code point of a character constant, or undefined when it is not one character. */
export function unquoteChar(literal: string): number | undefined {
  const text = unquote(literal);
  if (text === undefined || text === "") return undefined;
  const code = text.codePointAt(0)!;
  return String.fromCodePoint(code) === text ? code : undefined;
}

interface Piece {
  /** UTF-8. Escapes like \xff give single octets, so the whole is joined before it is decoded. */
  readonly octets: Iterable<number>;
  readonly length: number;
}

function decodePiece(rest: string, quote: string): Piece | undefined {
  if (rest[0] !== "\\") {
    const rune = String.fromCodePoint(rest.codePointAt(0)!);
    return { octets: Buffer.from(rune), length: rune.length };
  }
  const match = ESCAPE.exec(rest);
  if (match === null) return undefined;
  const [whole, simple, hex, short, long, octal] = match;
  const length = whole.length;
  if (simple !== undefined) {
    if ((simple === "'" || simple === '"') && simple !== quote) return undefined;
    return { octets: [SIMPLE[simple] ?? simple.charCodeAt(0)], length };
  }
  if (hex !== undefined) return { octets: [parseInt(hex, 16)], length };
  if (octal !== undefined) {
    const octet = parseInt(octal, 8);
    return octet > 255 ? undefined : { octets: [octet], length };
  }
  const code = parseInt(short ?? long ?? "", 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { octets: Buffer.from(String.fromCodePoint(code)), length };
}

export interface NumberLiteral {
  readonly int: bigint | undefined;
  readonly float: number;
  readonly isFloat: boolean;
}

const INT64_MAX = 2n ** 63n - 1n;
const INTEGER =
  /^([+-]?)(?:0[xX]_?([0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)|0[bB]_?([01]+(?:_[01]+)*)|0[oO]?_?([0-7]+(?:_[0-7]+)*)|(0|[1-9][0-9]*(?:_[0-9]+)*))$/;

/** Reads a number constant; `illegal` or `overflow` say why it is none. */
export function parseNumberLiteral(text: string): NumberLiteral | "illegal" | "overflow" {
  const whole = INTEGER.exec(text);
  if (whole !== null) {
    const [, sign, hex, binary, octal, decimal] = whole;
    const digits = (hex ?? binary ?? octal ?? decimal ?? "").replaceAll("_", "");
    const prefix = hex !== undefined ? "0x" : binary !== undefined ? "0b" : octal !== undefined ? "0o" : "";
    const magnitude = BigInt(prefix + digits);
    const int = sign === "-" ? -magnitude : magnitude;
    if (int > INT64_MAX || int < -INT64_MAX - 1n) return "overflow";
    return { int, float: Number(int), isFloat: false };
  }
  const float = parseNumber(text.replaceAll("_", ""));
  if (float === undefined || !/[.eEpP]/.test(text)) return "illegal";
  const integral = Number.isInteger(float) && Math.abs(float) < 2 ** 63;
  return { int: integral ? BigInt(float) : undefined, float, isFloat: true };
}
