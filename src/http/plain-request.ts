import { acceptsGzip } from "./compress.ts";

/** A request that came whole and says nothing unusual. */
export interface PlainRequest {
  method: "GET" | "POST";
  /** As it was sent, without the query. */
  path: string;
  /** What follows the `?`, as it was sent. */
  query: string;
  /** The form of a POST; "" when there is none. */
  form: string;
  headers: PlainHeaders;
  /** Bytes that the request took; what follows is the next one. */
  length: number;
}

/** What the headers of a plain request say. */
export interface PlainHeaders {
  authorization: string | undefined;
  accept: string | undefined;
  acceptsGzip: boolean;
  /** Whether this request is the connection's last. */
  isLast: boolean;
  /** 0 without a body. */
  contentLength: number;
  isForm: boolean;
}

/** Longer heads are left to others. */
const headBytesMax = 8192;

const requestLine = /^(?:GET|POST) \/[!-"$->@-~]*(?:\?[!-"$-~]*)? HTTP\/1\.1$/;
const version = " HTTP/1.1";
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const host = /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;
const unprintable = /[^\t\x20-\x7e]/;

/** Headers that plain requests may have once only; an answer depends on those. */
const single = new Set([
  "host",
  "authorization",
  "accept",
  "accept-encoding",
  "content-length",
  "content-type",
  "connection",
]);
/** Headers that change how a request is read or answered, in ways that are not plain. */
const unusual = new Set([
  "transfer-encoding",
  "content-encoding",
  "expect",
  "upgrade",
  "trailer",
  "te",
  "origin",
]);

/**
 * Reads plain HTTP/1.1 requests of one connection. It takes nothing that could be read in two ways: whatever is unusual, incomplete or wrong is
 * not plain, and whoever reads HTTP in full sees to it.
 */
export class PlainRequestReader {
  /** A client sends the same headers again and again. */
  #lastLines = "";
  #lastHeaders: PlainHeaders | undefined;

  /** The request at the beginning of `bytes`; undefined when it is not plain. */
  read(bytes: Buffer): PlainRequest | undefined {
    const text = bytes.toString("latin1", 0, headBytesMax);
    const lineEnd = text.indexOf("\r\n");
    const headEnd = text.indexOf("\r\n\r\n", lineEnd);
    if (lineEnd < 0 || headEnd < 0) return undefined;
    const line = text.slice(0, lineEnd);
    const headers = this.#headers(text.slice(lineEnd + 2, headEnd));
    if (headers === undefined || !requestLine.test(line)) return undefined;
    const method = line.startsWith("GET") ? "GET" : "POST";
    const target = line.slice(method.length + 1, -version.length);
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    const query = mark < 0 ? "" : target.slice(mark + 1);
    const bodyStart = headEnd + 4;
    const length = bodyStart + headers.contentLength;
    const hasBody = headers.contentLength > 0;
    if (length > bytes.length || (hasBody && (method === "GET" || !headers.isForm))) return undefined;
    const form = hasBody ? bytes.toString("utf8", bodyStart, length) : "";
    return { method, path, query, form, headers, length };
  }

  #headers(lines: string): PlainHeaders | undefined {
    if (lines !== this.#lastLines) {
      this.#lastLines = lines;
      this.#lastHeaders = readHeaders(lines);
    }
    return this.#lastHeaders;
  }
}

function readHeaders(lines: string): PlainHeaders | undefined {
  const known = new Map<string, string>();
  for (const line of lines.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!token.test(name) || unprintable.test(line) || unusual.has(name)) return undefined;
    if (!single.has(name)) continue;
    if (known.has(name)) return undefined;
    known.set(name, line.slice(colon + 1).trim());
  }
  const contentLength = known.get("content-length") ?? "0";
  const connection = (known.get("connection") ?? "keep-alive").toLowerCase();
  if (!host.test(known.get("host") ?? "") || !/^\d{1,6}$/.test(contentLength)) return undefined;
  if (connection !== "keep-alive" && connection !== "close") return undefined;
  return {
    authorization: known.get("authorization"),
    accept: known.get("accept"),
    isLast: connection === "close",
    acceptsGzip: acceptsGzip(known.get("accept-encoding") ?? ""),
    contentLength: Number(contentLength),
    isForm: known.get("content-type")?.startsWith("application/x-www-form-urlencoded") === true,
  };
}
