/** One way to ask the server, and one way to say what went wrong. */
import { basePath } from "../base/page-globals.ts";
import { failureOf, RequestError } from "./failure.ts";

/** What the server answered on success. */
export interface Answer<T> {
  data: T;
  warnings: string[];
  infos: string[];
  /** How long the answer took to arrive and to be read, in milliseconds. */
  tookMs: number;
}

/** Parameters with several values are repeated; undefined ones are left out. */
export type Params = Readonly<Record<string, string | number | readonly string[] | undefined>>;

interface RequestOptions {
  method?: "GET" | "POST" | "DELETE";
  params?: Params;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

/** The raw answer, or a `RequestError`; an abort is thrown on as the DOMException it is. */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = "GET", body, signal } = options;
  const form = encodeParams(options.params);
  const asForm = method === "POST" && body === undefined;
  const target = basePath + path + (asForm || form.size === 0 ? "" : `?${form}`);
  let response: Response;
  try {
    response = await fetch(target, {
      method,
      credentials: "same-origin",
      ...(signal && { signal }),
      ...(asForm && { body: form }),
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new RequestError("unreachable", "network", "The server does not answer.");
  }
  if (!response.ok) {
    const isStopping = response.headers.get("x-prometheus-stopping") === "true";
    throw failureOf(response.status, await response.text().catch(() => ""), isStopping);
  }
  return response;
}

/** `data` of an answer in the envelope of /api/v1. */
export async function requestApi<T>(path: string, options: RequestOptions = {}): Promise<Answer<T>> {
  const startMs = performance.now();
  const response = await request(`/api/v1${path}`, options);
  const envelope = (await readJson(response)) as { data?: T; warnings?: string[]; infos?: string[] };
  return {
    data: envelope.data as T,
    warnings: envelope.warnings ?? [],
    infos: envelope.infos ?? [],
    tookMs: performance.now() - startMs,
  };
}

/** An answer that is bare JSON, as the Alertmanager's API gives. */
export async function requestJson<T>(path: string, options: RequestOptions = {}): Promise<T> {
  return (await readJson(await request(path, options))) as T;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (error instanceof DOMException) throw error;
    throw new RequestError("refused", String(response.status), "The server's answer is not valid JSON.");
  }
}

function encodeParams(params: Params = {}): URLSearchParams {
  const encoded = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const each of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      if (each !== undefined) encoded.append(name, String(each));
    }
  }
  return encoded;
}
