import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { Clock, Timer } from "../base/index.ts";
import { canceled, timedOut } from "./deadline.ts";

/** Takes a response as it comes. What either method throws ends the exchange and is what `send` rejects with. */
export interface ResponseSink {
  /** Header names are in lower case. Called once, for the response that is not a followed redirect. */
  head(status: number, statusText: string, headers: IncomingHttpHeaders): void;
  /** Bytes of the body as the network has them, still compressed; valid only during the call. */
  body(chunk: Uint8Array): void;
}

export interface ExchangeOptions {
  origin: string;
  path: string;
  method: string;
  headers: string[];
  body: Uint8Array | string | undefined;
  /** When the exchange must have ended, in the clock's monotonic time. */
  deadlineMs: number;
  signal: AbortSignal | undefined;
}

/** Carries what a sink threw past the wording that network errors get. */
export class SinkRefusal extends Error {}

/** Carries out one request: over undici or on a connection of our own. */
export type Exchanger = (
  options: ExchangeOptions,
  sink: ResponseSink,
  redirects: boolean,
  clock: Clock,
) => Promise<Redirect | undefined>;

/** A response that says "elsewhere". */
export interface Redirect {
  status: number;
  location: string;
}

/**
 * Exchanges on an undici dispatcher. Resolves when the body is complete, with the redirect if it was one (`redirects` true, its body
 * skipped). Rejects with Node's or undici's error, with a NarthexError `timeout` or `canceled`, or a SinkRefusal whose cause the
 * sink threw.
 */
export function exchangerOn(dispatcher: Dispatcher): Exchanger {
  return (options, sink, redirects, clock) =>
    new Promise(
      (resolve, reject) => new Exchange(dispatcher, options, sink, redirects, clock, resolve, reject),
    );
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #sink: ResponseSink;
  readonly #redirects: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: Timer;
  readonly #resolve: (redirect: Redirect | undefined) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #redirect: Redirect | undefined;
  #over = false;
  #cause: unknown;

  constructor(
    dispatcher: Dispatcher,
    options: ExchangeOptions,
    sink: ResponseSink,
    redirects: boolean,
    clock: Clock,
    resolve: (redirect: Redirect | undefined) => void,
    reject: (error: unknown) => void,
  ) {
    this.#sink = sink;
    this.#redirects = redirects;
    this.#signal = options.signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = clock.after(options.deadlineMs - clock.monotonicMs(), () => {
      this.#stop(timedOut());
    });
    if (options.signal?.aborted) {
      this.#abort();
      return;
    }
    options.signal?.addEventListener("abort", this.#abort);
    const { origin, path, headers } = options;
    // undici's own two timeouts are off: the deadline covers the whole of it.
    dispatcher.dispatch(
      {
        origin,
        path,
        method: options.method as Dispatcher.HttpMethod,
        headers,
        body: options.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      this,
    );
  }

  readonly #abort = (): void => this.#stop(canceled());

  #stop(cause: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#cause = cause;
    this.#controller?.abort(cause as Error);
    this.#reject(cause);
  }

  #end(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The request was still waiting for a connection when it was given up.
    if (this.#over) controller.abort(this.#cause as Error);
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusText = "",
  ): void {
    if (status < 200 || this.#over) return;
    if (this.#redirects && isRedirect(status) && headers.location !== undefined) {
      this.#redirect = { status, location: headers.location };
      return;
    }
    try {
      this.#sink.head(status, statusText, headers);
    } catch (error) {
      this.#stop(new SinkRefusal("refused", { cause: error }));
    }
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over || this.#redirect) return;
    try {
      this.#sink.body(chunk);
    } catch (error) {
      this.#stop(new SinkRefusal("refused", { cause: error }));
    }
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#end();
    this.#resolve(this.#redirect);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#end();
    this.#reject(error);
  }
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}
