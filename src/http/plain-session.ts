import { releaseBytes } from "../base/index.ts";
import type { Socket } from "node:net";
import { compressedBytesMin, gzipBytes, isCompressible } from "./compress.ts";
import { http } from "./node-http.ts";
import { type PlainRequest, PlainRequestReader } from "./plain-request.ts";

/** What a plain route is asked. */
export interface PlainCall {
  request: PlainRequest;
  /** "" when the client has gone. */
  readonly remoteAddress: () => string;
  /** Aborts when the client goes away. */
  readonly signal: () => AbortSignal;
}

/** A whole answer. */
export interface PlainAnswer {
  status: number;
  contentType: string;
  /** Further header lines, each with its end of line. */
  headerLines: string;
  /** Its memory is given back when it is sent. */
  body: Uint8Array;
  /** Told how many bytes were sent, head and body. */
  sent?: (bytes: number) => void;
}

/**
 * Answers plain requests of one path, at once or later; undefined when this one is not for it. It does not throw, nor does what it promises
 * reject.
 */
export type PlainRoute = (call: PlainCall) => PlainAnswer | Promise<PlainAnswer> | undefined;

/** By path, without the query. */
export type PlainRoutes = ReadonlyMap<string, PlainRoute>;

export interface PlainSessionOptions {
  routes: PlainRoutes;
  /** Connections that ask for nothing are closed after so long. */
  idleMsMax: number;
  /** Serves the connection from here on; what was read of it comes again. */
  handOver: (socket: Socket) => void;
}

/** A client that sends more than this ahead of its answers is not read any further until it has them. */
const aheadBytesMax = 64 * 1024;

/**
 * The plain requests of one connection: each is read whole, answered with one write, and only then the next. The first one that is
 * not plain, or not for these routes, takes the connection to where all of HTTP is spoken, for good.
 */
export class PlainSession {
  readonly #socket: Socket;
  readonly #options: PlainSessionOptions;
  readonly #reader = new PlainRequestReader();
  readonly #keepAlive: string;
  readonly #onEnd: () => void;
  #state: "idle" | "answering" | "draining" = "idle";
  #isClosing = false;
  /** What came before the answer to what came before it was written. */
  #ahead: Buffer | undefined;
  #abort: AbortController | undefined;

  /** `onEnd` is called once, when the connection has ended or is handed over. */
  constructor(socket: Socket, options: PlainSessionOptions, onEnd: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(options.idleMsMax / 1000)}\r\n`;
    socket.setTimeout(options.idleMsMax);
    socket.on("data", this.#data).on("drain", this.#drained).on("timeout", this.#timeout);
    socket.on("end", this.#ended).on("error", this.#failed).on("close", this.#closed);
  }

  /** Closes the connection once its answer is written. */
  close(): void {
    this.#isClosing = true;
    if (this.#state !== "answering") this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #data = (bytes: Buffer): void => {
    if (this.#state === "idle") {
      this.#take(bytes);
      this.#goOn();
      return;
    }
    this.#ahead = this.#ahead === undefined ? bytes : Buffer.concat([this.#ahead, bytes]);
    if (this.#ahead.length > aheadBytesMax) this.#socket.pause();
  };

  #take(bytes: Buffer): void {
    const request = this.#reader.read(bytes);
    const call = request && {
      request,
      remoteAddress: this.#remoteAddress,
      signal: this.#signal,
    };
    const answer = call && this.#options.routes.get(request.path)?.(call);
    if (answer === undefined) {
      this.#handOver(bytes);
      return;
    }
    this.#state = "answering";
    if (request!.headers.isLast) this.#isClosing = true;
    if (bytes.length > request!.length) this.#ahead = bytes.subarray(request!.length);
    if (answer instanceof Promise) void answer.then((whole) => this.#answerLater(request!, whole));
    else this.#write(request!, answer);
  }

  #answerLater(request: PlainRequest, answer: PlainAnswer): void {
    this.#write(request, answer);
    this.#goOn();
  }

  #write(request: PlainRequest, answer: PlainAnswer): void {
    const { contentType, body } = answer;
    const isSmall = body.length < compressedBytesMin;
    if (isSmall || !request.headers.acceptsGzip || !isCompressible(contentType)) {
      this.#send(answer);
      return;
    }
    this.#sendCompressed(answer).catch(() => this.#socket.destroy());
  }

  async #sendCompressed(answer: PlainAnswer): Promise<void> {
    const headerLines = `${answer.headerLines}vary: Accept-Encoding\r\ncontent-encoding: gzip\r\n`;
    const body = await gzipBytes(answer.body);
    releaseBytes(answer.body);
    this.#send({ ...answer, headerLines, body });
    this.#goOn();
  }

  #send({ status, contentType, headerLines, body, sent }: PlainAnswer): void {
    if (this.#socket.destroyed) return;
    const head = headBefore(status, contentType, headerLines, this.#connection());
    const length = `${body.length}\r\n\r\n`;
    const headBytes = head.length + length.length;
    sent?.(headBytes + body.length);
    this.#abort = undefined;
    // Head and body go out in one write, which for a small body means a copy.
    const isCopied = body.length <= copiedBytesMax;
    const bytes = Buffer.allocUnsafe(isCopied ? headBytes + body.length : headBytes);
    bytes.set(head);
    bytes.write(length, head.length, "latin1");
    if (isCopied) bytes.set(body, headBytes);
    const hasRoom = isCopied ? this.#socket.write(bytes) : this.#writeBoth(bytes, body);
    this.#state = hasRoom ? "idle" : "draining";
  }

  #connection(): string {
    return this.#isClosing ? "Connection: close\r\n" : this.#keepAlive;
  }

  #writeBoth(head: Uint8Array, body: Uint8Array): boolean {
    this.#socket.cork();
    this.#socket.write(head);
    const hasRoom = this.#socket.write(body, () => releaseBytes(body));
    this.#socket.uncork();
    return hasRoom;
  }

  readonly #drained = (): void => {
    this.#state = "idle";
    this.#goOn();
  };

  /** What comes after an answer that is written and that the client has taken. In a loop, as answers may be there at once. */
  #goOn(): void {
    while (this.#state === "idle") {
      if (this.#isClosing) {
        this.#socket.destroySoon();
        return;
      }
      const ahead = this.#ahead;
      if (ahead === undefined) return;
      this.#ahead = undefined;
      this.#socket.resume();
      this.#take(ahead);
    }
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    socket.setTimeout(0);
    socket.off("data", this.#data).off("drain", this.#drained).off("timeout", this.#timeout);
    socket.off("end", this.#ended).off("error", this.#failed).off("close", this.#closed);
    this.#onEnd();
    this.#options.handOver(socket);
    socket.unshift(bytes);
  }

  readonly #remoteAddress = (): string => this.#socket.remoteAddress ?? "";

  readonly #signal = (): AbortSignal => (this.#abort ??= new AbortController()).signal;

  /** A query may take long; a client that neither asks nor reads may not. */
  readonly #timeout = (): void => {
    if (this.#state !== "answering") this.#socket.destroy();
  };

  /** The client has gone; what it still waited for ends, too. */
  readonly #ended = (): void => {
    if (this.#state === "answering") this.#socket.destroy();
    else this.#socket.destroySoon();
  };

  readonly #failed = (): void => void this.#socket.destroy();

  readonly #closed = (): void => {
    this.#abort?.abort();
    this.#onEnd();
  };
}

/** Up to here copying a body behind its head costs less than writing two pieces. */
const copiedBytesMax = 16 * 1024;

/** The head that was written last: within a second most answers have the same, but for their length. */
const lastHead = {
  status: 0,
  contentType: "",
  headerLines: "",
  connection: "",
  second: 0,
  bytes: Buffer.alloc(0),
};

/** The head of an answer up to the length of its body. */
function headBefore(status: number, contentType: string, headerLines: string, connection: string): Buffer {
  const second = Math.floor(Date.now() / 1000);
  const last = lastHead;
  const isSame =
    last.second === second &&
    last.status === status &&
    last.contentType === contentType &&
    last.headerLines === headerLines &&
    last.connection === connection;
  if (!isSame) {
    const date = new Date(second * 1000).toUTCString();
    const text = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nDate: ${date}\r\ncontent-type: ${contentType}\r\n${headerLines}${connection}Content-Length: `;
    const bytes = Buffer.from(text, "latin1");
    Object.assign(last, { status, contentType, headerLines, connection, second, bytes });
  }
  return last.bytes;
}
