import type { IncomingHttpHeaders } from "node:http";
import { type Clock, type Disk, NarthexError, systemClock, systemDisk } from "../base/index.ts";
import type { HttpClientConfig } from "./config.ts";
import { BufferSink } from "./buffer-sink.ts";
import { Credentials, type HeaderList } from "./credentials.ts";
import { basicCredentials } from "./secrets.ts";
import { inTime } from "./deadline.ts";
import { decompress, parseContentEncoding } from "./decompress.ts";
import type { Dialer } from "./dials.ts";
import { Dispatchers } from "./dispatchers.ts";
import { type Exchanger, type ResponseSink, SinkRefusal } from "./exchange.ts";
import { exchangeAgain } from "./exchange-again.ts";
import { describeNetworkError } from "./network-error.ts";
import { TokenSource } from "./oauth2.ts";

const redirectsMax = 10;
const timeoutMsDefault = 30_000;
const bodyBytesMaxDefault = 64 * 1024 * 1024;

export interface HttpRequest {
  /** Default GET. */
  method?: string;
  /** http or https; a user and password in it are sent as basic authentication if nothing else is. */
  url: string | URL;
  /** name, value, name, value … */
  headers?: HeaderList;
  /** Further headers that no other host may see: redirects leave them behind. */
  credentials?: HeaderList;
  body?: Uint8Array | string;
  /** For everything, redirects and body included. Default 30 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface HttpResponse {
  status: number;
  statusText: string;
  /** Names in lower case. */
  headers: IncomingHttpHeaders;
  /** Decompressed. */
  body: Uint8Array;
}

export interface HttpClientOptions {
  /** Sent as User-Agent unless the request has one. */
  userAgent?: string;
  /** Counts its connections. */
  dialer?: Dialer;
  disk?: Disk;
  clock?: Clock;
}

/** A client with upstream's `http_config`. Connections are kept; `close` ends them all. */
export function createHttpClient(config: HttpClientConfig, options: HttpClientOptions = {}): HttpClient {
  return new HttpClient(config, options);
}

export class HttpClient {
  readonly #config: HttpClientConfig;
  readonly #clock: Clock;
  readonly #userAgent: string | undefined;
  readonly #credentials: Credentials;
  readonly #tokenClient: HttpClient | undefined;
  readonly #dispatchers: Dispatchers;

  constructor(config: HttpClientConfig, options: HttpClientOptions) {
    this.#config = config;
    this.#clock = options.clock ?? systemClock;
    this.#userAgent = options.userAgent;
    const disk = options.disk ?? systemDisk;
    this.#dispatchers = new Dispatchers(
      config.tls,
      config.proxy,
      config.enableHttp2,
      disk,
      this.#clock,
      options.dialer,
    );
    let tokens: TokenSource | undefined;
    if (config.oauth2) {
      const { tls, proxy } = config.oauth2;
      const plain = {
        ...config,
        tls,
        proxy,
        basicAuth: undefined,
        authorization: undefined,
        oauth2: undefined,
        headers: new Map(),
      } satisfies HttpClientConfig;
      const client = new HttpClient(plain, options);
      this.#tokenClient = client;
      tokens = new TokenSource(config.oauth2, disk, this.#clock, (url, form, headers) =>
        client.request({
          method: "POST",
          url,
          headers: [
            "content-type",
            "application/x-www-form-urlencoded",
            "accept",
            "application/json",
            ...headers,
          ],
          body: form.toString(),
        }),
      );
    }
    this.#credentials = new Credentials(config, disk, tokens);
  }

  /**
   * Sends a request and hands its response to `sink` while it comes in. Any status is a response. Rejects with a NarthexError:
   * `timeout`, `canceled`, or `unavailable` with the network's reason, all beginning with `Get "URL": `, or with what the sink threw.
   */
  async send(request: HttpRequest, sink: ResponseSink): Promise<void> {
    const url = typeof request.url === "string" ? parseUrl(request.url) : request.url;
    await this.#send(request, url, sink, (target) => this.#dispatchers.exchanger(target));
  }

  /** As `send`, with the body in memory, decompressed, at most `bodyBytesMax` (default 64 MiB) of it: more is `bad_data`. */
  async request(request: HttpRequest & { bodyBytesMax?: number }): Promise<HttpResponse> {
    const bytesMax = request.bodyBytesMax ?? bodyBytesMaxDefault;
    const sink = new BufferSink(bytesMax);
    const headers = ["accept-encoding", "gzip", ...(request.headers ?? [])];
    await this.send({ ...request, headers }, sink);
    const encoding = parseContentEncoding(sink.headers["content-encoding"]);
    const body = await decompress(encoding, Buffer.concat(sink.chunks), bytesMax);
    return { status: sink.status, statusText: sink.statusText, headers: sink.headers, body };
  }

  /**
   * A connection of its own to one origin (or to a Unix socket that answers for it), for whoever asks the same place again and again with GET
   * requests, one after the other. The caller closes it.
   */
  openSession(origin: string, socketPath?: string): HttpSession {
    const own = this.#dispatchers.openOwn(origin, socketPath);
    const isOwn = (target: URL, { method = "GET" }: HttpRequest): boolean =>
      target.origin === origin && method === "GET";
    return {
      send: (request, sink) => {
        const url = typeof request.url === "string" ? parseUrl(request.url) : request.url;
        return this.#send(request, url, sink, (target) =>
          isOwn(target, request) ? own.exchanger() : this.#dispatchers.exchanger(target),
        );
      },
      close: () => own.close(),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#dispatchers.close(), this.#tokenClient?.close()]);
  }

  async #send(
    request: HttpRequest,
    first: URL,
    sink: ResponseSink,
    exchangerFor: (url: URL) => Exchanger,
  ): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + (request.timeoutMs ?? timeoutMsDefault);
    let method = request.method ?? "GET";
    let { body } = request;
    let url = first;
    let trusted = true;
    try {
      for (let hops = 0; ; hops++) {
        const headers = trusted ? await this.#headers(request, url, deadlineMs) : this.#plainHeaders(request);
        const redirect = await exchangeAgain(
          exchangerFor(url),
          {
            origin: url.origin,
            path: url.pathname + url.search,
            method,
            headers,
            body,
            deadlineMs,
            signal: request.signal,
          },
          sink,
          this.#config.followRedirects,
          this.#clock,
        );
        if (!redirect) return;
        if (hops === redirectsMax)
          throw new NarthexError("unavailable", `stopped after ${redirectsMax} redirects`);
        const next = parseUrl(redirect.location, url);
        // Once away from the first host, credentials stay home, even if a later hop leads back.
        trusted &&= isHome(url, next);
        url = next;
        if (redirect.status < 307 && method !== "GET" && method !== "HEAD") {
          method = "GET";
          body = undefined;
        }
      }
    } catch (error) {
      throw error instanceof SinkRefusal ? error.cause : describeNetworkError(error, method, first);
    }
  }

  async #headers(request: HttpRequest, url: URL, deadlineMs: number): Promise<HeaderList> {
    const found = this.#credentials.headers();
    const secret =
      found instanceof Promise ? await inTime(found, this.#clock, deadlineMs, request.signal) : found;
    const headers = [...this.#plainHeaders(request, true), ...(request.credentials ?? []), ...secret];
    if (
      (url.username || url.password) &&
      !headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === "authorization")
    ) {
      headers.push(
        "authorization",
        basicCredentials(decodeURIComponent(url.username), decodeURIComponent(url.password)),
      );
    }
    return headers;
  }

  /** The request's own headers; away from home without those that may hold secrets. */
  #plainHeaders(request: HttpRequest, trusted = false): HeaderList {
    const own = request.headers ?? [];
    const headers: HeaderList = [];
    let agent = this.#userAgent !== undefined;
    for (let i = 0; i + 1 < own.length; i += 2) {
      const name = own[i]!.toLowerCase();
      if (!trusted && (name === "authorization" || name === "cookie")) continue;
      agent &&= name !== "user-agent";
      headers.push(own[i]!, own[i + 1]!);
    }
    if (agent) headers.push("user-agent", this.#userAgent!);
    return headers;
  }
}

export interface HttpSession {
  send(request: HttpRequest, sink: ResponseSink): Promise<void>;
  close(): void;
}

/** The same origin, or the same host asked over TLS instead. */
export function isHome(from: URL, to: URL): boolean {
  const isUpgrade =
    from.protocol === "http:" && to.protocol === "https:" && from.port === "" && to.port === "";
  return to.origin === from.origin || (isUpgrade && to.hostname === from.hostname);
}

function parseUrl(source: string, base?: URL): URL {
  const url = URL.parse(source, base?.href);
  if (!url) throw new NarthexError("bad_data", `invalid URL ${JSON.stringify(source)}`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new NarthexError("bad_data", `unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  }
  return url;
}
