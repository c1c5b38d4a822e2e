import net from "node:net";
import { type Clock, NarthexError, type Timer } from "../base/index.ts";
import { canceled, timedOut } from "./deadline.ts";
import type { Dialer } from "./dials.ts";
import {
  type ExchangeOptions,
  isRedirect,
  type Redirect,
  type ResponseSink,
  SinkRefusal,
} from "./exchange.ts";
import { ResponseParser } from "./response-parser.ts";

/**
 * Where all connections read to. The event loop reads and hands over one piece at a time, so one buffer does for all, and nothing
 * is allocated per response: with thousands of them a second that is most of the work there would be.
 */
const readBuffer = Buffer.alloc(256 * 1024);

/** Whether this platform reads into a buffer only when there is something to read. */
export const plainConnectionsWork = process.platform !== "win32";

interface Running {
  readonly parser: ResponseParser;
  readonly timer: Timer;
  readonly signal: AbortSignal | undefined;
  redirect: Redirect | undefined;
  resolve: (redirect: Redirect | undefined) => void;
  reject: (error: unknown) => void;
}

/** One kept HTTP/1.1 connection without TLS, for GET requests one after the other. */
export class PlainConnection {
  readonly #host: string;
  readonly #address: net.NetConnectOpts;
  readonly #dialer: Dialer | undefined;
  #socket: net.Socket | undefined;
  #running: Running | undefined;

  constructor(origin: URL, socketPath: string | undefined, dialer?: Dialer) {
    this.#dialer = dialer;
    this.#host = origin.host;
    const host = origin.hostname.replace(/^\[|\]$/g, "");
    this.#address =
      socketPath === undefined ? { host, port: Number(origin.port || 80) } : { path: socketPath };
  }

  /** As the `exchange` over undici; only one at a time. */
  exchange(
    options: ExchangeOptions,
    sink: ResponseSink,
    redirects: boolean,
    clock: Clock,
  ): Promise<Redirect | undefined> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) return reject(canceled());
      if (this.#running) return reject(new Error("assertion failed: one exchange at a time"));
      const parser = new ResponseParser({
        head: (status, statusText, headers) => {
          if (redirects && isRedirect(status) && headers.location !== undefined) {
            running.redirect = { status, location: headers.location };
          } else refusable(() => sink.head(status, statusText, headers));
        },
        body: (bytes) => {
          if (!running.redirect) refusable(() => sink.body(bytes));
        },
      });
      const timer = clock.after(options.deadlineMs - clock.monotonicMs(), () => {
        this.#fail(timedOut());
      });
      const running: Running = { parser, timer, signal, redirect: undefined, resolve, reject };
      this.#running = running;
      signal?.addEventListener("abort", this.#abort);
      try {
        this.#connected().write(requestText(this.#host, options), "latin1");
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  close(): void {
    this.#fail(canceled());
    this.#drop();
  }

  #connected(): net.Socket {
    if (this.#socket) return this.#socket;
    const socket = net.connect({
      ...this.#address,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (bytes) => {
          if (this.#socket === socket) this.#receive(bytes);
          return true;
        },
      },
    });
    this.#socket = socket;
    this.#dialer?.follow(socket);
    socket.on("error", (error) => this.#lost(socket, error));
    socket.on("end", () => this.#lost(socket, undefined));
    socket.on("close", () => this.#lost(socket, undefined));
    return socket;
  }

  #receive(bytes: number): void {
    const running = this.#running;
    // Nobody asked.
    if (!running) return this.#drop();
    try {
      running.parser.feed(readBuffer.subarray(0, bytes));
    } catch (error) {
      return this.#fail(error);
    }
    if (running.parser.isDone) this.#finish(running);
  }

  #lost(socket: net.Socket, error: Error | undefined): void {
    if (this.#socket !== socket) return;
    const running = this.#running;
    this.#drop();
    if (!running) return;
    if (error) return this.#fail(error);
    if (!running.parser.started) return this.#fail(Object.assign(new Error("EOF"), { code: "ECONNRESET" }));
    try {
      running.parser.end();
      this.#finish(running);
    } catch (fault) {
      this.#fail(fault);
    }
  }

  readonly #abort = (): void => this.#fail(canceled());

  #finish(running: Running): void {
    this.#release(running);
    if (!running.parser.keepAlive) this.#drop();
    running.resolve(running.redirect);
  }

  #fail(error: unknown): void {
    const running = this.#running;
    if (!running) return;
    this.#release(running);
    this.#drop();
    running.reject(error);
  }

  #release(running: Running): void {
    this.#running = undefined;
    running.timer.cancel();
    running.signal?.removeEventListener("abort", this.#abort);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

function refusable(action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new SinkRefusal("refused", { cause: error });
  }
}

/** Throws when a header could be mistaken for several. */
function requestText(host: string, { method, path, headers }: ExchangeOptions): string {
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (/[\r\n\0]|[^\0-\xff]/.test(headers[i]! + headers[i + 1]!)) {
      throw new NarthexError("bad_data", "a request header holds a character that headers cannot have");
    }
    text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  }
  return `${text}\r\n`;
}
