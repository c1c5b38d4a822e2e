import { isUtf8 } from "node:buffer";
import { formatFloatCanonical } from "@narthex/client";
import {
  compareStrings,
  Labels,
  metricNameLabel,
  type MetricType,
  parseNumber,
  quoteGo,
} from "../model/index.ts";
import { errorAt, type ExpositionError, foundAt } from "./error.ts";

/** What `next()` found. `end` is final. */
export type EntryKind = "series" | "type" | "help" | "unit" | "comment" | "end";

export interface ParsedExemplar {
  readonly labels: Labels;
  readonly value: number;
  readonly timestampMs: number | undefined;
}

export interface ParserOptions {
  /** The part of the bytes to read; all by default. */
  readonly start?: number;
  readonly end?: number;
  /** The number of the first line there, for error messages; 1 by default. */
  readonly firstLine?: number;
  /** The type that the lines before have declared; `unknown` by default. */
  readonly type?: MetricType;
  /** The part is one line without its line break, and needs no `# EOF`. */
  readonly singleLine?: boolean;
  /** Leave the bounds of buckets and quantiles as they are written, for writing them again. */
  readonly boundsAsWritten?: boolean;
}

export const newline = 0x0a;
export const space = 0x20;
export const hash = 0x23;
const tab = 0x09;
const doubleQuote = 0x22;
const comma = 0x2c;
const equalSign = 0x3d;
const backslash = 0x5c;
const braceOpen = 0x7b;
const braceClose = 0x7d;

/** What a byte may be part of. */
const nameStart = 1;
const nameRest = 2;
const labelStart = 4;
const labelRest = 8;
const classes = characterClasses();

/**
 * Reads a scraped text entry by entry. After `next()` the fields of that kind of entry are valid, until the next call.
 * Nothing is made per line but what is asked for: labels and texts stay byte ranges until then.
 *
 * The bytes are not copied (they may lie in shared memory) and must not change meanwhile.
 */
export abstract class ExpositionParser {
  protected readonly bytes: Buffer;
  protected readonly end: number;
  protected readonly singleLine: boolean;
  protected at: number;
  readonly #boundsAsWritten: boolean;
  readonly #start: number;
  readonly #firstLine: number;

  /** Where the current entry's line starts. */
  protected lineStart: number;

  /** The type last declared, which holds for the series after it. */
  type: MetricType;
  /** Of a series: the bytes `[seriesStart, seriesEnd)` are its name and labels as written. */
  seriesStart = 0;
  seriesEnd = 0;
  value = 0;
  timestampMs: number | undefined;

  /** Byte ranges inside the quotes; -1 while there is no name. */
  #nameStart = -1;
  #nameEnd = -1;
  protected readonly labelRanges = new Ranges();
  protected readonly exemplarRanges = new Ranges();
  protected hasExemplar = false;
  protected exemplarValue = 0;
  protected exemplarTimestampMs: number | undefined;
  /** Of a metadata entry or comment. */
  protected textStart = 0;
  protected textEnd = 0;

  constructor(bytes: Uint8Array, options: ParserOptions = {}) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = options.start ?? 0;
    this.#firstLine = options.firstLine ?? 1;
    this.end = options.end ?? bytes.byteLength;
    this.singleLine = options.singleLine ?? false;
    this.#boundsAsWritten = options.boundsAsWritten ?? false;
    this.type = options.type ?? "unknown";
    this.at = this.#start;
    this.lineStart = this.#start;
  }

  /** Moves to the next entry. Throws {@link ExpositionError}, after which the parser is of no further use. */
  abstract next(): EntryKind;

  /** The name in the current metadata entry or series. */
  metricName(): string {
    return this.#unescaped(this.#nameStart, this.#nameEnd);
  }

  /** The help text or unit in the current metadata entry, or the current comment. */
  text(): string {
    return this.unescapeText(this.bytes.toString("utf8", this.textStart, this.textEnd));
  }

  /**
   * The current series' labels, `__name__` among them; bounds (`le` of histograms, `quantile` of summaries) in the form
   * `1.0` that storage has. Throws when a label comes twice.
   */
  labels(): Labels {
    const pairs = [metricNameLabel, this.metricName()];
    for (let i = 0; i < this.labelRanges.count; i++) {
      const name = this.#unescaped(...this.labelRanges.name(i));
      const value = this.#unescaped(...this.labelRanges.value(i));
      const canonical = !this.#boundsAsWritten && isBound(this.type, name);
      pairs.push(name, canonical ? canonicalBound(value) : value);
    }
    return this.#toLabels(pairs);
  }

  /** The current series' exemplar, if it has one. Of a label that comes twice the last value holds: no reason to refuse the sample. */
  exemplar(): ParsedExemplar | undefined {
    if (!this.hasExemplar) return undefined;
    const pairs: [name: string, value: string][] = [];
    for (let i = 0; i < this.exemplarRanges.count; i++) {
      pairs.push([
        this.#unescaped(...this.exemplarRanges.name(i)),
        this.#unescaped(...this.exemplarRanges.value(i)),
      ]);
    }
    return {
      labels: Labels.from(pairs),
      value: this.exemplarValue,
      timestampMs: this.exemplarTimestampMs,
    };
  }

  /** Passes over what may stand between the parts of a series. */
  protected abstract skipSpace(): void;
  /** Whether labels may follow each other without a comma. */
  protected abstract readonly commaOptional: boolean;
  /** Whether a quoted label value may hold a line break as it is. */
  protected abstract readonly lineBreakInValue: boolean;

  /** Undoes the escapes that this format has in help texts. */
  protected abstract unescapeText(text: string): string;

  /** Reads `name`, `name{…}` or `{"name",…}`. */
  protected readSeries(): void {
    this.seriesStart = this.at;
    this.hasExemplar = false;
    this.timestampMs = undefined;
    this.labelRanges.clear();
    this.#nameStart = -1;
    const first = this.bytes[this.at]!;
    if (first !== braceOpen) {
      if ((classes[first]! & nameStart) === 0) throw this.unexpected("a valid start token");
      this.#nameStart = this.at;
      this.skipClass(nameRest);
      this.#nameEnd = this.at;
      this.seriesEnd = this.at;
      this.skipSpace();
    }
    if (this.peek() === braceOpen) {
      this.at++;
      this.readLabels(this.labelRanges, true);
      this.seriesEnd = this.at;
    }
    if (this.#nameStart < 0) throw this.error(this.seriesStart, "metric name not set");
  }

  /** Reads up to and with the closing brace; the opening one is behind us. */
  protected readLabels(ranges: Ranges, mayHoldMetricName: boolean): void {
    ranges.clear();
    this.skipSpace();
    while (this.peek() !== braceClose) {
      const tokenStart = this.at;
      const quoted = this.peek() === doubleQuote;
      const start = quoted ? this.at + 1 : this.at;
      if (quoted) this.#readQuoted("label name", true);
      else this.#readPlainLabelName();
      const end = quoted ? this.at - 1 : this.at;
      this.skipSpace();
      const after = this.peek();
      if (quoted && mayHoldMetricName && (after === comma || after === braceClose)) {
        if (this.#nameStart >= 0) throw this.error(tokenStart, "metric name already set");
        if (start === end) throw this.error(tokenStart, "expected a metric name that is not empty");
        this.#nameStart = start;
        this.#nameEnd = end;
        if (after === comma) this.#skipComma();
        continue;
      }
      this.#readLabelValue(ranges, start, end);
    }
    this.at++;
  }

  #readLabelValue(ranges: Ranges, nameStart: number, nameEnd: number): void {
    if (this.peek() !== equalSign) throw this.unexpected("equal");
    this.at++;
    this.skipSpace();
    if (this.peek() !== doubleQuote) throw this.unexpected("label value");
    const start = this.at + 1;
    this.#readQuoted("label value", this.lineBreakInValue);
    ranges.push(nameStart, nameEnd, start, this.at - 1);
    this.skipSpace();
    if (this.peek() === comma) this.#skipComma();
    else if (this.peek() !== braceClose && !this.commaOptional) throw this.unexpected("comma or brace close");
  }

  #skipComma(): void {
    this.at++;
    this.skipSpace();
  }

  #readPlainLabelName(): void {
    if (this.at >= this.end || (classes[this.bytes[this.at]!]! & labelStart) === 0)
      throw this.unexpected("label name");
    this.skipClass(labelRest);
  }

  /** Reads a string in double quotes, both of them included, and checks that it is UTF-8. */
  #readQuoted(what: string, lineBreakAllowed: boolean): void {
    const { bytes, end } = this;
    const start = this.at;
    let seen = 0;
    for (let i = start + 1; i < end; i++) {
      const byte = bytes[i]!;
      seen |= byte;
      if (byte === doubleQuote) {
        this.at = i + 1;
        if (seen >= 0x80 && !isUtf8(bytes.subarray(start, i)))
          throw this.error(start, `invalid UTF-8 ${what}`);
        return;
      }
      if (byte === backslash) {
        i++;
        if (bytes[i] === newline) break;
      } else if (byte === newline && !lineBreakAllowed) {
        break;
      }
    }
    throw this.unexpected(`${what} with a closing quote`);
  }

  /** Reads the metric name of a `# HELP`, `# TYPE` or `# UNIT` line. */
  protected readMetadataName(keyword: string): void {
    const quoted = this.peek() === doubleQuote;
    const start = quoted ? this.at + 1 : this.at;
    if (quoted) this.#readQuoted("metric name", false);
    else if (this.at < this.end && (classes[this.bytes[this.at]!]! & nameStart) !== 0)
      this.skipClass(nameRest);
    else throw this.unexpected(`metric name after ${keyword}`);
    this.#nameStart = start;
    this.#nameEnd = quoted ? this.at - 1 : this.at;
  }

  /** The type that the text of a `# TYPE` line names. */
  protected readType(types: ReadonlyMap<string, MetricType>): MetricType {
    const text = this.bytes.toString("utf8", this.textStart, this.textEnd);
    const type = types.get(text);
    if (type === undefined)
      throw this.error(this.textStart, `invalid metric type ${quoteGo(text.slice(0, 64))}`);
    return type;
  }

  protected checkText(what: string): void {
    if (!isUtf8(this.bytes.subarray(this.textStart, this.textEnd))) {
      throw this.error(this.textStart, `${what} is not a valid utf8 string`);
    }
  }

  /** The byte here, or -1 at the end. */
  protected peek(): number {
    return this.at < this.end ? this.bytes[this.at]! : -1;
  }

  protected skipClass(mask: number): void {
    while (this.at < this.end && (classes[this.bytes[this.at]!]! & mask) !== 0) this.at++;
  }

  protected skipBlanks(): void {
    while (this.at < this.end && (this.bytes[this.at] === space || this.bytes[this.at] === tab)) this.at++;
  }

  protected skipToLineBreak(): void {
    const found = this.bytes.indexOf(newline, this.at);
    this.at = found < 0 || found > this.end ? this.end : found;
  }

  protected startsWith(text: string): boolean {
    if (this.at + text.length > this.end) return false;
    for (let i = 0; i < text.length; i++) if (this.bytes[this.at + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** The error that something else stands here than what was expected. */
  protected unexpected(expected: string): ExpositionError {
    return this.error(this.at, `expected ${expected}, got ${foundAt(this.bytes, this.at, this.end)}`);
  }

  protected error(at: number, reason: string): ExpositionError {
    return errorAt(this.bytes, { start: this.#start, end: this.end, firstLine: this.#firstLine }, at, reason);
  }

  /** A quoted or plain name, or a label value. */
  #unescaped(start: number, end: number): string {
    return unescapeLabelValue(this.bytes.toString("utf8", start, end));
  }

  /** Sorts `pairs` by name, leaves out those with an empty value, and refuses a name that comes twice. */
  #toLabels(pairs: readonly string[]): Labels {
    const order: number[] = [];
    for (let i = 0; i < pairs.length; i += 2) order.push(i);
    order.sort((a, b) => compareStrings(pairs[a]!, pairs[b]!));
    const sorted: string[] = [];
    for (const [position, i] of order.entries()) {
      const name = pairs[i]!;
      if (position > 0 && name === pairs[order[position - 1]!]) {
        throw this.error(this.seriesStart, `label name ${quoteGo(name)} is not unique`);
      }
      if (pairs[i + 1] !== "") sorted.push(name, pairs[i + 1]!);
    }
    return Labels.fromSortedPairs(sorted);
  }
}

/** Byte ranges of names and values, reused from line to line. */
class Ranges {
  count = 0;
  readonly #offsets: number[] = [];

  clear(): void {
    this.count = 0;
  }

  push(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const base = this.count++ * 4;
    this.#offsets[base] = nameStart;
    this.#offsets[base + 1] = nameEnd;
    this.#offsets[base + 2] = valueStart;
    this.#offsets[base + 3] = valueEnd;
  }

  name(index: number): [start: number, end: number] {
    return [this.#offsets[index * 4]!, this.#offsets[index * 4 + 1]!];
  }

  value(index: number): [start: number, end: number] {
    return [this.#offsets[index * 4 + 2]!, this.#offsets[index * 4 + 3]!];
  }
}

/** `\"`, `\\` and `\n`; any other backslash stands for itself. */
export function unescapeLabelValue(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
}

function isBound(type: MetricType, label: string): boolean {
  return (type === "histogram" && label === "le") || (type === "summary" && label === "quantile");
}

function canonicalBound(text: string): string {
  const bound = parseNumber(text);
  return bound === undefined ? text : formatFloatCanonical(bound);
}

function characterClasses(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 128; byte++) {
    const character = String.fromCharCode(byte);
    if (/[a-zA-Z_]/.test(character)) table[byte] = nameStart | nameRest | labelStart | labelRest;
    else if (character === ":") table[byte] = nameStart | nameRest;
    else if (/[0-9]/.test(character)) table[byte] = nameRest | labelRest;
  }
  return table;
}
