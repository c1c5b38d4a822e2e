import { hostname } from "node:os";
import { NarthexError } from "../base/index.ts";

/** Reads `--web.external-url`: the URL under which others reach a program; this host and its port unless the flag says otherwise. */
export function parseExternalUrl(text: string, listenAddress: string): URL {
  if (/^["']|["']$/.test(text)) throw new NarthexError("bad_data", "URL must not begin or end with quotes");
  const port = listenAddress.slice(listenAddress.lastIndexOf(":") + 1);
  const url = URL.parse(text === "" ? `http://${hostname()}:${port}/` : text);
  if (url === null) throw new NarthexError("bad_data", `invalid external URL ${JSON.stringify(text)}`);
  url.pathname = normalizePrefix(url.pathname);
  return url;
}

/** "" or `/prefix`, without a slash at the end. */
export function normalizePrefix(path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  return trimmed === "" ? "" : `/${trimmed}`;
}
