import { promisify } from "node:util";
import zlib from "node:zlib";
import type { FetchHandler } from "./server.ts";

const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);
/** Below this a packet is a packet. */
const gzipBytesMin = 1400;
/** Answers are compressed once and read once: speed before size. */
const gzipLevel = 1;
const compressible = /^(?:text\/|application\/(?:json|javascript|openmetrics-text|x-ndjson|yaml)|image\/svg)/;

/** Compresses what a handler answers for those who accept gzip, off this thread; streams of events pass as they are. */
export function withGzip(fetch: FetchHandler): FetchHandler {
  return (request, bindings) => {
    const response = fetch(request, bindings);
    const accepted = bindings.incoming.headers["accept-encoding"] as string | undefined;
    if (accepted === undefined || !acceptsGzip(accepted)) return response;
    return response instanceof Promise ? response.then(compress) : compress(response);
  };
}

async function compress(response: Response): Promise<Response> {
  const { headers } = response;
  const type = headers.get("content-type") ?? "";
  const length = headers.get("content-length");
  const unfit =
    headers.has("content-encoding") || !compressible.test(type) || type.startsWith("text/event-stream");
  if (unfit || response.body === null || (length !== null && Number(length) < gzipBytesMin)) return response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  const copy = new Headers(headers);
  copy.append("vary", "Accept-Encoding");
  const init = { status: response.status, statusText: response.statusText, headers: copy };
  if (bytes.length < gzipBytesMin) return new Response(bytes, init);
  copy.set("content-encoding", "gzip");
  copy.delete("content-length");
  return new Response(await gzip(bytes, { level: gzipLevel }), init);
}

function acceptsGzip(header: string): boolean {
  return header.split(",").some((entry) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(entry));
}
