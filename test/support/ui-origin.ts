/**
 * One origin for the built UI and for programs that know nothing of it: serves `ui/dist` as the server does (every
 * page path answers index.html with its placeholders filled) and passes `/api`, `/-` and `/metrics` on to a
 * Prometheus, `/alertmanager/api` on to an Alertmanager.
 */
import { readFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

export interface UiOriginOptions {
  /** Directory with the built UI. */
  distDir: string;
  /** Base URL of the Prometheus behind `/api/v1`, without a trailing slash. */
  prometheusUrl: string;
  /** Base URL of the program that serves `/alertmanager/api/v2`; without it those paths answer 404. */
  alertmanagerUrl?: string;
  /** 0, the default, takes any free port. */
  port?: number;
  /** Where the whole origin is mounted, "" or "/prefix". */
  routePrefix?: string;
}

export interface UiOrigin {
  url: string;
  close(): Promise<void>;
}

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

/** The policy the UI is built for: no inline scripts, nothing from elsewhere. */
const contentSecurityPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'self'; frame-ancestors 'none'";

/** Starts the origin on 127.0.0.1; the caller closes it. */
export async function startUiOrigin(options: UiOriginOptions): Promise<UiOrigin> {
  const prefix = options.routePrefix ?? "";
  const server = http.createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end(String(error));
    });
  });

  async function handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://origin");
    if (!url.pathname.startsWith(prefix))
      return answer(response, 404, "text/plain", "outside the route prefix");
    const pathname = url.pathname.slice(prefix.length) || "/";
    if (pathname.startsWith("/alertmanager/api/")) {
      if (options.alertmanagerUrl === undefined)
        return answer(response, 404, "text/plain", "404 page not found");
      return pass(request, response, options.alertmanagerUrl + pathname + url.search);
    }
    if (/^\/(api\/|-\/|metrics$)/.test(pathname)) {
      return pass(request, response, options.prometheusUrl + pathname + url.search);
    }
    if (/^\/(assets\/[\w.-]+|favicon\.svg|scheme\.js)$/.test(pathname)) {
      const type = contentTypes[path.extname(pathname)] ?? "application/octet-stream";
      return answer(response, 200, type, await readFile(path.join(options.distDir, pathname)));
    }
    const index = await readFile(path.join(options.distDir, "index.html"), "utf8");
    answer(response, 200, "text/html; charset=utf-8", fillPlaceholders(index, pathname), {
      "content-security-policy": contentSecurityPolicy,
    });
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** `pathname` is the page's path below the route prefix; the base leads from there back to the prefix. */
function fillPlaceholders(index: string, pathname: string): string {
  const depth = pathname.split("/").length - 2;
  return index
    .replaceAll("BASE_PATH_PLACEHOLDER", depth === 0 ? "./" : "../".repeat(depth))
    .replaceAll("TITLE_PLACEHOLDER", "Narthex")
    .replaceAll("READY_PLACEHOLDER", "true")
    .replaceAll("LOOKBACKDELTA_PLACEHOLDER", "5m")
    .replaceAll("AGENT_MODE_PLACEHOLDER", "false");
}

function answer(
  response: http.ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-cache", ...headers });
  response.end(body);
}

/** Forwards one request; a peer that does not answer becomes 502, as a reverse proxy would say it. */
function pass(request: http.IncomingMessage, response: http.ServerResponse, target: string): Promise<void> {
  return new Promise((resolve) => {
    const onward = http.request(
      target,
      { method: request.method, headers: { ...request.headers, host: new URL(target).host } },
      (answered) => {
        response.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.pipe(response);
        answered.on("error", () => response.destroy());
      },
    );
    onward.on("error", () => {
      if (response.headersSent) response.destroy();
      else answer(response, 502, "text/plain", "the server behind this address does not answer");
    });
    response.on("close", () => {
      onward.destroy();
      resolve();
    });
    request.pipe(onward);
  });
}
