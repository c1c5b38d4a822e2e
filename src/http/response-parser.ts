import type { IncomingHttpHeaders } from "node:http";

/** Bytes of a status line and headers; more is no honest answer. */
const headBytesMax = 64 * 1024;
const chunkLineBytesMax = 1024;
const newline = 0x0a;
const carriageReturn = 0x0d;

/** Takes what a response consists of. */
export interface ResponseHandler {
  head(status: number, statusText: string, headers: IncomingHttpHeaders): void;
  /** Valid only during the call. */
  body(bytes: Uint8Array): void;
}

/** A peer that does not speak HTTP/1.1, or stopped in the middle of it. */
export class ResponseError extends Error {
  readonly code = "ERR_HTTP_RESPONSE";
}

type State = "head" | "length" | "untilClose" | "chunkSize" | "chunkData" | "chunkEnd" | "trailers" | "done";

/** Reads one HTTP/1.x response, fed as it comes. Throws ResponseError, and what the handler throws. */
export class ResponseParser {
  readonly #handler: ResponseHandler;
  #state: State = "head";
  /** An unfinished line or head from earlier feeds. */
  #pending: Buffer | undefined;
  /** Bytes of the body or chunk that are still to come. */
  #left = 0;
  /** Whether the connection may be used again. */
  keepAlive = false;
  /** Whether anything has come. */
  started = false;

  constructor(handler: ResponseHandler) {
    this.#handler = handler;
  }

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Reads on. Bytes beyond the response's end make the connection unusable, not the response. */
  feed(fresh: Buffer): void {
    this.started = true;
    let bytes = fresh;
    if (this.#pending) {
      bytes = Buffer.concat([this.#pending, fresh]);
      this.#pending = undefined;
    }
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      const next = this.#step(bytes, at);
      if (next < 0) {
        // The reading buffer is used again, so what is kept is copied.
        this.#pending = Buffer.from(bytes.subarray(at));
        return;
      }
      at = next;
    }
    if (at < bytes.length) this.keepAlive = false;
  }

  /** The peer has closed. Throws unless the response may end so. */
  end(): void {
    if (this.#state === "untilClose") this.#state = "done";
    else if (this.#state !== "done") throw new ResponseError("unexpected EOF");
  }

  /** Where to go on, or −1 when more bytes are needed. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes, at);
      case "length":
      case "chunkData": {
        const end = Math.min(bytes.length, at + this.#left);
        this.#handler.body(bytes.subarray(at, end));
        this.#left -= end - at;
        if (this.#left === 0) this.#state = this.#state === "length" ? "done" : "chunkEnd";
        return end;
      }
      case "untilClose":
        this.#handler.body(bytes.subarray(at));
        return bytes.length;
      default:
        return this.#readChunkLine(bytes, at);
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    const end = headEnd(bytes, at);
    if (end < 0) {
      if (bytes.length - at > headBytesMax)
        throw new ResponseError("server response headers exceeded 65536 bytes; aborted");
      return -1;
    }
    const lines = bytes.toString("latin1", at, end).split(/\r?\n/);
    const match = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(lines[0]!);
    if (!match) throw new ResponseError(`malformed HTTP response ${JSON.stringify(lines[0]!.slice(0, 100))}`);
    const status = Number(match[2]);
    const headers = parseHeaders(lines);
    // Informational answers precede the real one.
    if (status < 200) return end;
    this.#frame(status, match[1] === "1", headers);
    this.#handler.head(status, match[3] ?? "", headers);
    return end;
  }

  #frame(status: number, isHttp11: boolean, headers: IncomingHttpHeaders): void {
    const connection = (headers.connection ?? "").toLowerCase();
    this.keepAlive = isHttp11 ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
    const encoding = headers["transfer-encoding"];
    const length = headers["content-length"];
    if (status === 204 || status === 304) {
      this.#state = "done";
    } else if (encoding !== undefined) {
      if (encoding.toLowerCase() !== "chunked")
        throw new ResponseError(`unsupported transfer encoding ${JSON.stringify(encoding)}`);
      this.#state = "chunkSize";
      // A length beside it is a contradiction, which a shared connection must not survive.
      if (length !== undefined) this.keepAlive = false;
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw new ResponseError(`bad Content-Length ${JSON.stringify(length)}`);
      this.#left = Number(length);
      this.#state = this.#left === 0 ? "done" : "length";
    } else {
      this.keepAlive = false;
      this.#state = "untilClose";
    }
  }

  #readChunkLine(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(newline, at);
    if (lineEnd < 0) {
      if (bytes.length - at > chunkLineBytesMax) throw new ResponseError("malformed chunked encoding");
      return -1;
    }
    const line = bytes.toString(
      "latin1",
      at,
      lineEnd > at && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd,
    );
    if (this.#state === "chunkEnd") {
      if (line !== "") throw new ResponseError("malformed chunked encoding");
      this.#state = "chunkSize";
    } else if (this.#state === "trailers") {
      if (line === "") this.#state = "done";
    } else {
      const size = /^([\da-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line);
      if (!size) throw new ResponseError("invalid byte in chunk length");
      this.#left = Number.parseInt(size[1]!, 16);
      this.#state = this.#left === 0 ? "trailers" : "chunkData";
    }
    return lineEnd + 1;
  }
}

/** The index after the empty line that ends a head, or −1. Lines may end without a carriage return, as in Go. */
function headEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(newline, from); at >= 0; at = bytes.indexOf(newline, at + 1)) {
    if (bytes[at + 1] === newline) return at + 2;
    if (bytes[at + 1] === carriageReturn && bytes[at + 2] === newline) return at + 3;
  }
  return -1;
}

/** The value's blanks are cut off apart: a pattern for them would try each of thousands of blanks in the middle of a value. */
const headerLine = /^([!#$%&'*+.^_`|~\dA-Za-z-]+):(.*)$/s;

function parseHeaders(lines: readonly string[]): IncomingHttpHeaders {
  const headers = Object.create(null) as Record<string, string>;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === "") continue;
    const match = headerLine.exec(line);
    if (!match) throw new ResponseError(`malformed MIME header line: ${line.slice(0, 100)}`);
    const name = match[1]!.toLowerCase();
    const value = match[2]!.trim();
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (name !== "content-length") headers[name] = `${before}, ${value}`;
    else if (before !== value)
      throw new ResponseError("http: message cannot contain multiple Content-Length headers");
  }
  return headers;
}
