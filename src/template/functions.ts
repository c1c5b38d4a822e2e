/** Functions that Prometheus' and Alertmanager's templates share. */
import { NarthexError } from "../base/index.ts";
import { parseNumber, quoteGo, Regexp } from "../model/index.ts";
import { formatFloat } from "./decimal.ts";
import { DurationValue } from "./time.ts";
import {
  SafeText,
  type TemplateFunction,
  templateFunction,
  TypedValue,
  typeName,
  types,
  type Value,
} from "./value.ts";

const { any, string } = types;

/** Any number, a numeric string or a duration (in seconds) as a float. */
export function toFloat(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof DurationValue) return Number(value.nanoseconds) / 1e9;
  if (typeof value === "string") {
    const number = parseNumber(value);
    if (number !== undefined) return number;
    throw new NarthexError("execution", `strconv.ParseFloat: parsing ${quoteGo(value)}: invalid syntax`);
  }
  const type = value === null || value === undefined ? "<nil>" : typeName(value);
  throw new NarthexError("execution", `can't convert ${type} to float`);
}

/** `%.4g`. */
export function fourDigits(value: number): string {
  return formatFloat(value, "g", 4);
}

const SMALL_PREFIXES = ["m", "u", "n", "p", "f", "a", "z", "y"];

/** Scales a magnitude below 1 up by thousands until it is at least 1. */
export function withSmallPrefix(value: number): string {
  let scaled = value;
  let prefix = "";
  for (const candidate of SMALL_PREFIXES) {
    if (Math.abs(scaled) >= 1) break;
    prefix = candidate;
    scaled *= 1000;
  }
  return fourDigits(scaled) + prefix;
}

/** Seconds as `1d 2h 3m 4s`; below one second `5ms` and so on. */
export function humanizeDuration(value: Value): string {
  const seconds = toFloat(value);
  if (!Number.isFinite(seconds)) return fourDigits(seconds);
  if (seconds === 0) return `${fourDigits(seconds)}s`;
  const size = Math.abs(seconds);
  if (size < 1) return `${withSmallPrefix(seconds)}s`;
  const sign = seconds < 0 ? "-" : "";
  const whole = Math.trunc(size);
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count !== 0);
  if (first === 3) return `${sign}${fourDigits(size)}s`;
  const shown = parts.slice(first).map(([count, unit]) => `${count}${unit}`);
  return sign + shown.join(" ");
}

/** Compiles as Go does, where `.` does not match a newline. */
function compile(pattern: string): Regexp {
  try {
    Regexp.compile(pattern);
    return Regexp.compile(`(?-s:${pattern})`);
  } catch (error) {
    if (!(error instanceof NarthexError)) throw error;
    throw new NarthexError("execution", error.message);
  }
}

const words = new Intl.Segmenter("en-US", { granularity: "word" });

/** Each word's first letter in title case; `lowerRest` puts the others in lower case. */
export function titleCase(text: string, lowerRest: boolean): string {
  let out = "";
  for (const { segment } of words.segment(text)) {
    const at = segment.search(/\p{Cased}/u);
    if (at < 0) {
      out += segment;
      continue;
    }
    const letter = String.fromCodePoint(segment.codePointAt(at)!);
    const rest = segment.slice(at + letter.length);
    out += segment.slice(0, at) + letter.toUpperCase() + (lowerRest ? rest.toLowerCase() : rest);
  }
  return out;
}

/** Names and meanings that both sets have in common. */
export const sharedFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["toUpper", templateFunction([string], (text: string) => text.toUpperCase())],
  ["toLower", templateFunction([string], (text: string) => text.toLowerCase())],
  ["safeHtml", templateFunction([string], (text: string) => new SafeText("HTML", text))],
  [
    "match",
    templateFunction([string, string], (pattern: string, text: string) => compile(pattern).test(text)),
  ],
  [
    "reReplaceAll",
    templateFunction([string, string, string], (pattern: string, replacement: string, text: string) =>
      compile(pattern).replaceAll(text, replacement),
    ),
  ],
  ["humanizeDuration", templateFunction([any], (value: TypedValue | Value) => humanizeDuration(value))],
];
