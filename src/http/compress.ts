import { promisify } from "node:util";
import zlib from "node:zlib";
import type { FetchHandler } from "./fetch-handler.ts";

const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);
/** Below this a packet is a packet. */
export const compressedBytesMin = 1400;
/** Answers are compressed once and read once: speed before size. */
const gzipLevel = 1;
const compressible = /^(?:text\/|application\/(?:json|javascript|openmetrics-text|x-ndjson|yaml)|image\/svg)/;

/** Whether content of this type becomes smaller. Streams of events pass as they are. */
export function isCompressible(contentType: string): boolean {
  return compressible.test(contentType) && !contentType.startsWith("text/event-stream");
}

/** Off this thread. */
export function gzipBytes(bytes: Uint8Array): Promise<Buffer> {
  return gzip(bytes, { level: gzipLevel });
}

/** What an `Accept-Encoding` header says. */
export function acceptsGzip(header: string): boolean {
  return header.split(",").some((entry) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(entry));
}

/** Compresses what a handler answers for those who accept gzip. */
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
  const isSmall = length !== null && Number(length) < compressedBytesMin;
  if (headers.has("content-encoding") || !isCompressible(type) || response.body === null || isSmall)
    return response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  const copy = new Headers(headers);
  copy.append("vary", "Accept-Encoding");
  const init = { status: response.status, statusText: response.statusText, headers: copy };
  if (bytes.length < compressedBytesMin) return new Response(bytes, init);
  copy.set("content-encoding", "gzip");
  copy.delete("content-length");
  return new Response((await gzipBytes(bytes)) as Uint8Array<ArrayBuffer>, init);
}
