import type { Registry } from "@narthex/client";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import {
  type Clock,
  type Disk,
  errorMessage,
  type Logger,
  NarthexError,
  silentLogger,
  systemClock,
  systemDisk,
  type Timer,
} from "../base/index.ts";
import { withGzip } from "./compress.ts";
import type { FetchHandler } from "./fetch-handler.ts";
import type { FetchListener } from "./fetch-listener.ts";
import { PasswordGate, RateLimiter } from "./gate.ts";
import { http } from "./node-http.ts";
import { type PlainRoutes, PlainSession } from "./plain-session.ts";
import { tlsEnabled, type WebConfig } from "./web-config.ts";
import { WebConfigSource } from "./web-config-source.ts";

export interface ServerOptions {
  fetch: FetchHandler;
  /** Paths whose plain requests are answered by the shortest way. Not used with a web config file. */
  plainRoutes?: PlainRoutes;
  /** `host:port`, `:port` (every interface), `[::1]:port`; port 0 picks a free one. */
  listenAddresses: readonly string[];
  /** Upstream's `--web.config.file`, none when empty: TLS, users, headers. Read again when it or a certificate changes. */
  webConfigFile?: string;
  /** Connections beyond this are refused. Default 512. */
  maxConnections?: number;
  /** For reading a request whole, and for idle connections. Default 5 min. */
  readTimeoutMs?: number;
  /** Where connections are counted. */
  registry?: Registry;
  logger?: Logger;
  clock?: Clock;
  disk?: Disk;
}

export interface HttpServer {
  /** Where it listens, in the order of `listenAddresses`: `http://127.0.0.1:9090`. */
  readonly urls: readonly string[];
  /** Open connections. */
  connectionCount(): Promise<number>;
  /** Stops listening, lets running requests end for `graceMs` (default 5 s), then cuts them. */
  close(graceMs?: number): Promise<void>;
}

/** How often a server that closes looks for connections that have become idle. */
const sweepMs = 20;

/** Listens on all addresses or on none. Throws `unavailable` when an address is taken, `bad_data` for a bad web config. */
export async function createServer(options: ServerOptions): Promise<HttpServer> {
  const clock = options.clock ?? systemClock;
  const disk = options.disk ?? systemDisk;
  const logger = options.logger ?? silentLogger;
  const web = new WebConfigSource(options.webConfigFile || undefined, disk, clock);
  const secure = tlsEnabled(web.initial);
  const listener = createListener(withGzip(options.fetch), web, clock, logger);
  const follow = options.registry && countConnectionsIn(options.registry);
  const servers: (Server | HttpsServer)[] = [];
  const sessions = new Set<PlainSession>();
  try {
    for (const address of options.listenAddresses) {
      const server = secure
        ? (await import("./secure-server.ts")).createSecureServer(web, disk, listener, logger)
        : http.createServer(listener);
      server.maxConnections = options.maxConnections ?? 512;
      server.requestTimeout = options.readTimeoutMs ?? 300_000;
      server.keepAliveTimeout = server.requestTimeout;
      server.on("clientError", refuseClient);
      if (options.plainRoutes !== undefined && !options.webConfigFile)
        servePlain(server, options.plainRoutes, sessions);
      if (follow) server.on("connection", follow);
      servers.push(server);
      await listen(server, address);
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    urls: servers.map((server) => urlOf(server.address() as AddressInfo, secure)),
    connectionCount: async () => {
      const counts = await Promise.all(servers.map(countConnections));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    close: async (graceMs = 5000) => {
      for (const session of sessions) session.close();
      await Promise.all(servers.map((server) => closeServer(server, sessions, clock, graceMs)));
    },
  };
}

/** Puts plain sessions before the server's own way of serving connections. They stay connections of that server. */
function servePlain(server: Server, routes: PlainRoutes, sessions: Set<PlainSession>): void {
  const serveAll = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  const options = {
    routes,
    idleMsMax: server.keepAliveTimeout,
    handOver: (socket: Socket): void => {
      for (const serve of serveAll) serve.call(server, socket);
    },
  };
  server.on("connection", (socket) => {
    const session: PlainSession = new PlainSession(socket, options, () => sessions.delete(session));
    sessions.add(session);
  });
}

/** Counts accepted and closed connections by upstream's names; the function is told of each new one. */
function countConnectionsIn(registry: Registry): (socket: Socket) => void {
  const counter = (event: string, help: string) =>
    registry
      .counter({ name: `net_conntrack_listener_conn_${event}_total`, help, labelNames: ["listener_name"] })
      .labels({ listener_name: "http" });
  const accepted = counter("accepted", "Connections that were accepted.");
  const closed = counter("closed", "Accepted connections that were closed.");
  return (socket) => {
    accepted.inc();
    socket.once("close", () => closed.inc());
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function createListener(fetch: FetchHandler, web: WebConfigSource, clock: Clock, logger: Logger): Listener {
  let loading: Promise<FetchListener> | undefined;
  const answer: FetchListener = async (request, response) => {
    loading ??= import("./fetch-listener.ts").then((module) => module.createFetchListener(fetch, logger));
    const listen = await loading;
    await listen(request, response);
  };
  const gate = new PasswordGate();
  const limiter = new RateLimiter(clock);
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      logger.error("request failed", { err: errorMessage(error) });
      response.destroy();
    });
  };
  return (request, response) => {
    let config: WebConfig;
    try {
      config = web.current();
    } catch (error) {
      logger.error("Unable to parse configuration", { err: errorMessage(error) });
      return refuse(response, 500);
    }
    if (!limiter.admits(config.rateLimit)) return refuse(response, 429);
    for (const [name, value] of config.http.headers) response.setHeader(name, value);
    if (config.users.size === 0) return serve(request, response);
    const admit = async (): Promise<void> => {
      if (await gate.admits(request.headers.authorization, config.users)) return serve(request, response);
      response.setHeader("www-authenticate", "Basic");
      refuse(response, 401);
    };
    admit().catch((error: unknown) => {
      logger.error("password check failed", { err: errorMessage(error) });
      refuse(response, 500);
    });
  };
}

function refuse(response: ServerResponse, status: number): void {
  const reason = `${http.STATUS_CODES[status]}\n`;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": reason.length,
  });
  response.end(reason);
}

function refuseClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const status =
    error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
  );
}

function listen(server: Server | HttpsServer, address: string): Promise<void> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535)
    throw new NarthexError(
      "bad_data",
      `listen address ${JSON.stringify(address)} is not of the form host:port`,
    );
  const host = match[1] ?? match[2];
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "bind: address already in use" : error.message;
      reject(new NarthexError("unavailable", `listen tcp ${address}: ${reason}`, { cause: error }));
    });
    server.listen({ port, ...(host && { host }) }, resolve);
  });
}

function urlOf(address: AddressInfo, secure: boolean): string {
  const host = address.address === "::" || address.address === "0.0.0.0" ? "localhost" : address.address;
  return `${secure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

function countConnections(server: Server | HttpsServer): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)));
}

async function closeServer(
  server: Server | HttpsServer,
  sessions: ReadonlySet<PlainSession>,
  clock: Clock,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  let sweep: Timer;
  // A connection whose request is still being answered becomes idle only then, and nothing else would close it.
  const closeIdle = (): void => {
    server.closeIdleConnections();
    sweep = clock.after(sweepMs, closeIdle);
  };
  closeIdle();
  const timer = clock.after(graceMs, () => {
    server.closeAllConnections();
    for (const session of sessions) session.destroy();
  });
  await closed;
  timer.cancel();
  sweep!.cancel();
}
