import { type MetricType, quoteGo } from "../model/index.ts";
import { readFloat } from "./number.ts";
import {
  type EntryKind,
  ExpositionParser,
  newline,
  type ParsedExemplar,
  space,
  unescapeLabelValue,
} from "./parser.ts";

const types: ReadonlyMap<string, MetricType> = new Map(
  (
    ["counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"] as const
  ).map((type) => [type, type]),
);

/** OpenMetrics 1.0 text. Strict about white space, and about the `# EOF` that proves the text whole. */
export class OpenMetricsParser extends ExpositionParser {
  protected override readonly commaOptional = false;
  protected override readonly lineBreakInValue = false;

  override next(): EntryKind {
    this.lineStart = this.at;
    if (this.at >= this.end) {
      if (this.singleLine) return "end";
      throw this.error(this.at, "data does not end with # EOF");
    }
    if (!this.startsWith("# ")) return this.#readSample();
    this.at += 2;
    if (this.startsWith("EOF")) return this.#readEnd();
    for (const keyword of ["HELP", "TYPE", "UNIT"] as const) {
      if (this.startsWith(`${keyword} `)) return this.#readMetadata(keyword);
    }
    this.at = this.lineStart;
    throw this.unexpected("a valid start token");
  }

  /** Reads what stands behind a sample, from the blank before `# {` on, instead of a line. */
  readExemplarAlone(): ParsedExemplar {
    if (!this.startsWith(" # {")) throw this.unexpected("an exemplar");
    this.#readExemplar();
    return this.exemplar()!;
  }

  protected override skipSpace(): void {
    // There is no white space between the parts of a series in this format.
  }

  protected override unescapeText(text: string): string {
    return unescapeLabelValue(text);
  }

  #readEnd(): EntryKind {
    this.at += "EOF".length;
    if (this.peek() === newline) this.at++;
    if (this.at < this.end) throw this.error(this.at, "unexpected data after # EOF");
    return "end";
  }

  #readMetadata(keyword: "HELP" | "TYPE" | "UNIT"): EntryKind {
    this.at += keyword.length + 1;
    this.readMetadataName(keyword);
    if (this.peek() !== space) throw this.unexpected(`text in ${keyword}`);
    this.textStart = ++this.at;
    this.skipToLineBreak();
    this.textEnd = this.at;
    if (keyword === "TYPE") this.type = this.readType(types);
    else this.checkText(keyword === "HELP" ? "help text" : "unit");
    if (keyword === "UNIT") this.#checkUnit();
    this.#expectLineBreak(`text in ${keyword}`);
    return keyword === "TYPE" ? "type" : keyword === "HELP" ? "help" : "unit";
  }

  #checkUnit(): void {
    const unit = this.text();
    const name = this.metricName();
    if (unit !== "" && !name.endsWith(`_${unit}`)) {
      throw this.error(this.textStart, `unit ${quoteGo(unit)} not a suffix of metric ${quoteGo(name)}`);
    }
  }

  #readSample(): EntryKind {
    this.readSeries();
    this.value = this.#readNumber("value after metric");
    if (this.peek() === space && !this.startsWith(" # {")) {
      this.timestampMs = this.#readSeconds("timestamp");
      if (this.peek() !== newline && !this.startsWith(" # {") && this.at < this.end) {
        throw this.unexpected("next entry after timestamp");
      }
    }
    if (this.startsWith(" # {")) this.#readExemplar();
    this.#expectLineBreak("timestamp or new record");
    return "series";
  }

  #readExemplar(): void {
    this.at += " # {".length;
    this.readLabels(this.exemplarRanges, false);
    this.exemplarValue = this.#readNumber("value after exemplar labels");
    this.exemplarTimestampMs = this.peek() === space ? this.#readSeconds("exemplar timestamp") : undefined;
    this.hasExemplar = true;
    if (this.at < this.end && this.peek() !== newline) throw this.unexpected("next entry after exemplar");
  }

  /** One space, then a number up to the next space or line break. */
  #readNumber(expected: string): number {
    if (this.peek() !== space) throw this.unexpected(expected);
    const start = ++this.at;
    while (this.at < this.end && this.bytes[this.at] !== space && this.bytes[this.at] !== newline) this.at++;
    if (this.at === start) throw this.unexpected(expected);
    const value = readFloat(this.bytes, start, this.at);
    if (value !== undefined) return value;
    this.at = start;
    throw this.unexpected(`a number as ${expected}`);
  }

  /** Seconds as written, milliseconds as returned. */
  #readSeconds(what: string): number {
    const start = this.at;
    const seconds = this.#readNumber(what);
    if (!Number.isFinite(seconds)) throw this.error(start + 1, `invalid ${what} ${seconds}`);
    return toMilliseconds(seconds);
  }

  #expectLineBreak(what: string): void {
    if (this.peek() === newline) this.at++;
    else if (this.at < this.end) throw this.unexpected(what);
    else if (!this.singleLine) throw this.error(this.at, "data does not end with # EOF");
  }
}

/** Cuts off what is less than a millisecond, but not the last one just because 524755.7 × 1000 is 524755699.9999999. */
function toMilliseconds(seconds: number): number {
  const exactMs = seconds * 1000;
  const nearestMs = Math.round(exactMs);
  const timestampMs = Math.abs(exactMs - nearestMs) < 1e-3 ? nearestMs : Math.trunc(exactMs);
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(-Number.MAX_SAFE_INTEGER, timestampMs));
}
