import type { IncomingHttpHeaders } from "node:http";
import { NarthexError } from "../base/index.ts";
import type { ResponseSink } from "./exchange.ts";

/** Keeps a response in memory, up to a limit. */
export class BufferSink implements ResponseSink {
  status = 0;
  statusText = "";
  headers: IncomingHttpHeaders = {};
  readonly chunks: Uint8Array[] = [];
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  head(status: number, statusText: string, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.statusText = statusText;
    this.headers = headers;
  }

  body(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax)
      throw new NarthexError("bad_data", `response body exceeds the limit of ${this.#bytesMax} bytes`);
    // What comes is valid only now.
    this.chunks.push(Buffer.from(chunk));
  }
}
