import { NarthexError } from "../base/index.ts";
import { quoteGo } from "../model/index.ts";

/** How much of the offending line and token an error quotes, in characters. */
const excerptCharactersMax = 160;

/** A text that is not in its format. The message names line and column and what stood there instead of what. */
export class ExpositionError extends NarthexError {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in characters. */
  readonly column: number;
  /** The complaint alone, without the place. */
  readonly reason: string;

  constructor(line: number, column: number, reason: string) {
    super("bad_data", `line ${line}, column ${column}: ${reason}`);
    this.name = "ExpositionError";
    this.line = line;
    this.column = column;
    this.reason = reason;
  }
}

const newline = 0x0a;

/**
 * The error for position `at` of `bytes`, of which `[start, end)` is the text and `firstLine` the number of its first
 * line. Lines are counted only now, so that good input pays nothing for it.
 */
export function errorAt(
  bytes: Buffer,
  range: { start: number; end: number; firstLine: number },
  at: number,
  reason: string,
): ExpositionError {
  let line = range.firstLine;
  let lineStart = range.start;
  for (let i = bytes.indexOf(newline, range.start); i >= 0 && i < at; i = bytes.indexOf(newline, i + 1)) {
    line++;
    lineStart = i + 1;
  }
  const before = bytes.toString("utf8", lineStart, at);
  const lineEnd = endOfLine(bytes, at, range.end);
  const text = bytes.toString("utf8", Math.max(lineStart, at - excerptCharactersMax), lineEnd);
  return new ExpositionError(
    line,
    Array.from(before).length + 1,
    `${reason} while parsing: ${quoteGo(excerpt(text))}`,
  );
}

/** What stands at `at`, quoted: the characters up to the next white space, or the white space itself. */
export function foundAt(bytes: Buffer, at: number, end: number): string {
  if (at >= end) return "end of data";
  const [token = ""] =
    /^(?:\s|[^\s]+)/.exec(bytes.toString("utf8", at, Math.min(end, at + excerptCharactersMax))) ?? [];
  return quoteGo(token);
}

function endOfLine(bytes: Buffer, at: number, end: number): number {
  const found = bytes.indexOf(newline, at);
  return found < 0 || found > end ? end : found;
}

function excerpt(text: string): string {
  return text.length > excerptCharactersMax * 2 ? `${text.slice(0, excerptCharactersMax * 2)}…` : text;
}
