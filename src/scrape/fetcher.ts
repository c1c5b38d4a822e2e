import type { IncomingHttpHeaders } from "node:http";
import { NarthexError } from "../base/index.ts";
import { acceptHeader, type EscapingScheme, type ScrapeProtocol } from "../exposition/index.ts";
import {
  BodyTooLargeError,
  type ContentEncoding,
  decompress,
  type HttpClient,
  type HttpSession,
  parseContentEncoding,
  type ResponseSink,
} from "../http/index.ts";
import type { ByteBuffer } from "../kernel/index.ts";
import type { ScrapeConfig } from "./config.ts";
import type { Target } from "./target.ts";

/** Brings the body of one target. What tests replace. */
export interface Fetcher {
  /** Fills `body` (empty, decompressed when it returns) and returns the Content-Type. Rejects with why there is no good body. */
  fetch(body: ByteBuffer, timeoutMs: number, signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

/** The body is larger than `body_size_limit`. */
export class BodySizeLimitError extends NarthexError {
  constructor() {
    super("bad_data", "body size limit exceeded");
  }
}

/** Fetches over HTTP on a connection that is kept for this target alone. */
export function createHttpFetcher(target: Target, config: ScrapeConfig, client: HttpClient): Fetcher {
  return new HttpFetcher(target, config, client);
}

class HttpFetcher implements Fetcher {
  readonly #session: HttpSession;
  readonly #url: URL;
  readonly #headers: string[];
  readonly #bodyBytesMax: number;

  constructor(target: Target, config: ScrapeConfig, client: HttpClient) {
    const url = URL.parse(target.url);
    if (!url) throw new NarthexError("bad_data", `invalid scrape URL ${JSON.stringify(target.url)}`);
    this.#url = url;
    this.#session = client.openSession(url.origin, target.socketPath || undefined);
    this.#headers = [
      "accept",
      acceptHeader(
        config.scrapeProtocols as ScrapeProtocol[],
        config.metricNameEscapingScheme as EscapingScheme,
      ),
      "accept-encoding",
      config.enableCompression ? "gzip" : "identity",
      "x-prometheus-scrape-timeout-seconds",
      String(target.timeoutMs / 1000),
    ];
    this.#bodyBytesMax = config.bodySizeLimitBytes > 0 ? config.bodySizeLimitBytes : Infinity;
  }

  async fetch(body: ByteBuffer, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    const sink = new BodySink(body, this.#bodyBytesMax);
    await this.#session.send({ url: this.#url, headers: this.#headers, timeoutMs, signal }, sink);
    await sink.finish();
    return sink.contentType;
  }

  close(): void {
    this.#session.close();
  }
}

/** Copies a plain body straight into the shared memory; a compressed one is gathered, and unpacked at the end. */
class BodySink implements ResponseSink {
  readonly #body: ByteBuffer;
  readonly #bytesMax: number;
  #encoding: ContentEncoding = "identity";
  #packed: Uint8Array[] = [];
  #packedBytes = 0;
  contentType: string | undefined;

  constructor(body: ByteBuffer, bytesMax: number) {
    this.#body = body;
    this.#bytesMax = bytesMax;
  }

  head(status: number, statusText: string, headers: IncomingHttpHeaders): void {
    if (status !== 200) {
      throw new NarthexError(
        "unavailable",
        `server returned HTTP status ${status}${statusText && ` ${statusText}`}`,
      );
    }
    this.contentType = headers["content-type"];
    this.#encoding = parseContentEncoding(headers["content-encoding"]);
    const length = Number(headers["content-length"] ?? 0);
    if (length >= this.#bytesMax) throw new BodySizeLimitError();
    if (this.#encoding === "identity" && length > 0 && length <= this.#body.bytesMax)
      this.#body.reserve(length);
  }

  body(chunk: Uint8Array): void {
    if (this.#encoding === "identity") {
      if (this.#body.bytes + chunk.length >= this.#bytesMax) throw new BodySizeLimitError();
      this.#body.append(chunk);
      return;
    }
    this.#packedBytes += chunk.length;
    if (this.#packedBytes >= Math.min(this.#bytesMax, this.#body.bytesMax)) throw new BodySizeLimitError();
    // What comes is valid only now.
    this.#packed.push(Buffer.from(chunk));
  }

  async finish(): Promise<void> {
    if (this.#encoding === "identity") return;
    const packed = this.#packed.length === 1 ? this.#packed[0]! : Buffer.concat(this.#packed);
    let plain: Uint8Array;
    try {
      plain = await decompress(this.#encoding, packed, Math.min(this.#bytesMax, this.#body.bytesMax));
    } catch (error) {
      throw error instanceof BodyTooLargeError ? new BodySizeLimitError() : error;
    }
    if (plain.length >= this.#bytesMax) throw new BodySizeLimitError();
    this.#body.append(plain);
  }
}
