import type { MetricType } from "../model/index.ts";
import { readFloat, readTimestampMs } from "./number.ts";
import { type EntryKind, ExpositionParser, hash, newline, space } from "./parser.ts";

const tab = 0x09;
const braceOpen = 0x7b;

const types: ReadonlyMap<string, MetricType> = new Map([
  ["counter", "counter"],
  ["gauge", "gauge"],
  ["histogram", "histogram"],
  ["summary", "summary"],
  ["untyped", "unknown"],
]);

/**
 * The text format 0.0.4, and 1.0.0 with its quoted names. As tolerant as upstream: blanks between all parts, blank lines, a
 * missing last line break, missing commas between labels.
 */
export class TextParser extends ExpositionParser {
  protected override readonly commaOptional = true;
  protected override readonly lineBreakInValue = true;

  override next(): EntryKind {
    for (;;) {
      this.skipBlanks();
      this.lineStart = this.at;
      const first = this.peek();
      if (first < 0) return "end";
      if (first === hash) return this.#readComment();
      if (first !== newline) return this.#readSample();
      this.at++;
    }
  }

  protected override skipSpace(): void {
    this.skipBlanks();
  }

  protected override unescapeText(text: string): string {
    if (!text.includes("\\")) return text;
    return text.replace(/\\([\\n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
  }

  #readSample(): EntryKind {
    this.readSeries();
    this.skipBlanks();
    const start = this.at;
    this.#skipWord();
    if (this.at === start) throw this.unexpected("value after metric");
    const value = readFloat(this.bytes, start, this.at);
    if (value === undefined) {
      this.at = start;
      throw this.unexpected("a number as value");
    }
    this.value = value;
    this.skipBlanks();
    this.#readTimestamp();
    return "series";
  }

  #readTimestamp(): void {
    const start = this.at;
    while (this.peek() >= 0x30 && this.peek() <= 0x39) this.at++;
    if (this.at > start) {
      this.timestampMs = readTimestampMs(this.bytes, start, this.at);
      if (this.timestampMs === undefined) throw this.error(start, "expected a timestamp that fits 64 bits");
      this.skipBlanks();
      this.#expectLineBreak("next entry after timestamp");
    } else {
      this.#expectLineBreak("timestamp or new record");
    }
  }

  #readComment(): EntryKind {
    this.at++;
    const blanksStart = this.at;
    this.skipBlanks();
    if (this.at > blanksStart && this.#atKeyword("HELP")) return this.#readMetadata("HELP");
    if (this.at > blanksStart && this.#atKeyword("TYPE")) return this.#readMetadata("TYPE");
    this.textStart = this.at;
    this.skipToLineBreak();
    this.textEnd = this.at;
    this.#expectLineBreak("linebreak after comment");
    return "comment";
  }

  #atKeyword(keyword: string): boolean {
    const after = this.bytes[this.at + keyword.length];
    return (
      this.startsWith(keyword) && this.at + keyword.length < this.end && (after === space || after === tab)
    );
  }

  #readMetadata(keyword: "HELP" | "TYPE"): EntryKind {
    this.at += keyword.length;
    this.skipBlanks();
    this.readMetadataName(keyword);
    if (this.peek() === space || this.peek() === tab) this.at++;
    else if (this.peek() >= 0 && this.peek() !== newline)
      throw this.unexpected(`blank after metric name in ${keyword}`);
    this.textStart = this.at;
    this.skipToLineBreak();
    this.textEnd = this.at;
    if (keyword === "TYPE") this.type = this.readType(types);
    else this.checkText("help text");
    this.#expectLineBreak("linebreak after metadata");
    return keyword === "TYPE" ? "type" : "help";
  }

  /** A value ends where blanks, the line or (upstream's rule) a brace begin. */
  #skipWord(): void {
    for (; this.at < this.end; this.at++) {
      const byte = this.bytes[this.at]!;
      if (byte === space || byte === tab || byte === newline || byte === braceOpen) return;
    }
  }

  #expectLineBreak(what: string): void {
    if (this.at >= this.end) return;
    if (this.peek() !== newline) throw this.unexpected(what);
    this.at++;
  }
}
