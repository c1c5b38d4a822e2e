import type { Context } from "hono";
import { NarthexError } from "../../base/index.ts";
import type { Params } from "../../http/index.ts";
import { parseDuration, parseNumber, quoteGo } from "../../model/index.ts";

/** The bounds that upstream takes for "no start" and "no end", and how it writes them. */
export const minTimestampMs = Number.MIN_SAFE_INTEGER;
export const maxTimestampMs = Number.MAX_SAFE_INTEGER;
const minTimeText = "-292273086-05-16T16:47:06Z";
const maxTimeText = "292277025-08-18T07:12:54.999999999Z";

/** The largest form body that is read: a query of 10 MiB is a mistake or an attack. */
const formBytesMax = 10 * 1024 * 1024;

/** The parameters of a request; those of a form body come before those of the URL, as in Go's `r.Form`. Throws `bad_data` when the body is too long. */
export async function readParams(c: Context): Promise<URLSearchParams> {
  const url = urlParams(c);
  if (c.req.method !== "POST" && c.req.method !== "PUT") return url;
  const type = c.req.header("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) return url;
  return formParams(await readForm(c), url);
}

/** The parameters of a form and a URL together. */
export function formParams(form: string, url: URLSearchParams): URLSearchParams {
  const params = new URLSearchParams(form);
  for (const [name, value] of url) params.append(name, value);
  return params;
}

/** A body that comes in chunks does not say how long it is, so it is counted while it is read. */
async function readForm(c: Context): Promise<string> {
  const tooLong = new NarthexError("bad_data", `form body larger than ${formBytesMax} bytes`);
  const length = c.req.header("content-length");
  if (length !== undefined) {
    if (Number(length) > formBytesMax) throw tooLong;
    return c.req.text();
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    bytes += chunk.length;
    if (bytes > formBytesMax) throw tooLong;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The parameters of the URL, without the cost of parsing all of it. */
export function urlParams(c: Context): URLSearchParams {
  const { url } = c.req;
  const at = url.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
}

/** Wraps a parameter's fault as upstream words it. */
export function invalidParameter(name: string, detail: string): NarthexError {
  return new NarthexError("bad_data", `invalid parameter ${quoteGo(name)}: ${detail}`);
}

/** What reads a parameter, at once or later; bad input it finds is that parameter's fault. */
export function asParameter<T>(name: string, work: () => Promise<T> | T): Promise<T> | T {
  const blame = (error: unknown): never => {
    if (error instanceof NarthexError && error.code === "bad_data")
      throw invalidParameter(name, error.message);
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(blame) : result;
  } catch (error) {
    return blame(error);
  }
}

/** Unix seconds, fractions allowed, or RFC 3339; in milliseconds. */
export function parseTime(text: string): number {
  const seconds = parseNumber(text);
  if (seconds !== undefined && Number.isFinite(seconds)) return Math.round(seconds * 1000);
  if (text === minTimeText) return minTimestampMs;
  if (text === maxTimeText) return maxTimestampMs;
  if (/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)) {
    const parsed = Date.parse(text);
    if (!Number.isNaN(parsed)) return parsed;
  }
  throw new NarthexError("bad_data", `cannot parse ${quoteGo(text)} to a valid timestamp`);
}

export function timeParam(params: Params, name: string, defaultMs: number): number {
  const text = params.get(name);
  if (text === null || text === "") return defaultMs;
  return named(name, () => parseTime(text), `invalid time value for '${name}': `);
}

export function requiredTimeParam(params: Params, name: string): number {
  return named(name, () => parseTime(params.get(name) ?? ""));
}

/** Seconds as a number, or a Prometheus duration; in milliseconds. */
export function parseDurationParam(text: string): number {
  const seconds = parseNumber(text);
  if (seconds === undefined) {
    try {
      return parseDuration(text);
    } catch {
      throw new NarthexError("bad_data", `cannot parse ${quoteGo(text)} to a valid duration`);
    }
  }
  const milliseconds = seconds * 1000;
  if (!(Math.abs(milliseconds) <= maxTimestampMs)) {
    throw new NarthexError(
      "bad_data",
      `cannot parse ${quoteGo(text)} to a valid duration. It overflows int64`,
    );
  }
  return milliseconds;
}

export function durationParam(params: Params, name: string): number | undefined {
  const text = params.get(name);
  return text === null || text === "" ? undefined : named(name, () => parseDurationParam(text));
}

/** A whole number ≥ 0; 0 means no limit. */
export function limitParam(params: Params, name = "limit"): number {
  const text = params.get(name);
  if (text === null || text === "") return 0;
  if (!/^[+-]?\d+$/.test(text)) {
    throw invalidParameter(name, `strconv.Atoi: parsing ${quoteGo(text)}: invalid syntax`);
  }
  const limit = Number(text);
  if (limit < 0) throw invalidParameter(name, "limit must be non-negative");
  return limit;
}

const trueTexts = ["1", "t", "T", "TRUE", "true", "True"];
const falseTexts = ["0", "f", "F", "FALSE", "false", "False"];

/** False unless given. `failure` is how the error begins. */
export function boolParam(
  params: URLSearchParams,
  name: string,
  failure = "unable to parse boolean",
): boolean {
  const text = params.get(name) ?? "";
  if (trueTexts.includes(text)) return true;
  if (text === "" || falseTexts.includes(text)) return false;
  const detail = `strconv.ParseBool: parsing ${quoteGo(text)}: invalid syntax`;
  throw invalidParameter(name, `${failure}: ${detail}`);
}

function named<T>(name: string, parse: () => T, prefix = ""): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof NarthexError) throw invalidParameter(name, prefix + error.message);
    throw error;
  }
}
