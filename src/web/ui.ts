import type { Context, Hono } from "hono";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";
import type { UiOptions } from "./parts.ts";

/** Paths that show the single page; which view it draws is the page's business. */
const pagePaths = [
  "/",
  "/query",
  "/alerts",
  "/rules",
  "/targets",
  "/service-discovery",
  "/alertmanager-discovery",
  "/status",
  "/tsdb-status",
  "/flags",
  "/config",
  "/alertmanager/alerts",
  "/alertmanager/silences",
];

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".woff2": "font/woff2",
  ".png": "image/png",
  ".ico": "image/x-icon",
};

/**
 * Scripts come only from this server. Styles may be inline, because the component library sets them on elements; markup
 * never comes from data, so there is nothing for an injected style to hang on.
 */
const contentSecurityPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'self'; form-action 'self'";

/** A file that is read when it is first asked for, and then kept. */
class StaticFile {
  readonly type: string;
  /** Files under assets/ carry a hash of their content in their name. */
  readonly immutable: boolean;
  readonly #path: string;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #gzipped: Promise<Uint8Array<ArrayBuffer>> | undefined;

  constructor(path: string, type: string, immutable: boolean) {
    this.#path = path;
    this.type = type;
    this.immutable = immutable;
  }

  /** Throws the disk's error. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return (this.#bytes ??= Uint8Array.from(readFileSync(this.#path)));
  }

  get isCompressible(): boolean {
    return !this.type.startsWith("font/") && this.type !== "image/png";
  }

  /** Compressed once, off this thread. */
  gzipped(): Promise<Uint8Array<ArrayBuffer>> {
    return (this.#gzipped ??= gzip(this.bytes, { level: 9 }).then((bytes) => Uint8Array.from(bytes)));
  }
}

const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);

/**
 * Serves the built web UI. The names of all files are read at start into a table by URL path, so a request's path is looked up and
 * never joined to a folder.
 */
export function addUiRoutes(app: Hono, options: UiOptions, isReady: () => boolean): void {
  const files = listFiles(options.directory);
  const page = files.get("/index.html");
  for (const path of pagePaths) {
    app.get(path, (c) => {
      const template = page ? new TextDecoder().decode(page.bytes) : missingPage;
      const html = renderPage(template, path, options, isReady());
      return c.html(html, 200, {
        "content-security-policy": contentSecurityPolicy,
        "cache-control": "no-cache",
      });
    });
  }
  app.get("/graph", (c) => c.redirect(`query${new URL(c.req.url).search}`));
  // One route for all of them: each route is a label value of the request metrics.
  app.get("/assets/:name", async (c) => {
    const file = files.get(`/assets/${c.req.param("name")}`);
    return file === undefined ? c.text("404 page not found\n", 404) : sendFile(c, file);
  });
  for (const [path, file] of files) {
    if (path !== "/index.html" && !path.startsWith("/assets/")) app.get(path, (c) => sendFile(c, file));
  }
}

async function sendFile(c: Context, file: StaticFile): Promise<Response> {
  const isZipped = file.isCompressible && /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
  return c.body(isZipped ? await file.gzipped() : file.bytes, 200, {
    "content-type": file.type,
    "cache-control": file.immutable ? "public, max-age=31536000, immutable" : "no-cache",
    vary: "Accept-Encoding",
    ...(isZipped ? { "content-encoding": "gzip" } : {}),
  });
}

const missingPage =
  "<!doctype html><title>TITLE_PLACEHOLDER</title><p>The web UI has not been built. The HTTP API under api/v1 works without it.</p>";

function listFiles(directory: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch {
    return files;
  }
  for (const name of names) {
    const type = contentTypes[extname(name)];
    if (type === undefined) continue;
    const file = new StaticFile(join(directory, name), type, name.startsWith("assets/"));
    files.set(`/${relative(".", name)}`, file);
  }
  return files;
}

function renderPage(template: string, path: string, options: UiOptions, ready: boolean): string {
  const values: Record<string, string> = {
    BASE_PATH_PLACEHOLDER: "../".repeat(path.split("/").length - 2) || "./",
    TITLE_PLACEHOLDER: options.title,
    READY_PLACEHOLDER: String(ready),
    LOOKBACKDELTA_PLACEHOLDER: options.lookbackDelta,
    AGENT_MODE_PLACEHOLDER: "false",
  };
  return template.replace(/[A-Z_]+_PLACEHOLDER/g, (name) => escapeHtml(values[name] ?? ""));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
