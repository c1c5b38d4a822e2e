/** One way to ask the server, and one way to say what went wrong. */
import { basePath } from "../base/page-globals.ts";

/** What the server answered on success. */
export interface Answer<T> {
  data: T;
  warnings: string[];
  infos: string[];
  /** How long the answer took to arrive and to be read, in milliseconds. */
  tookMs: number;
}

export type FailureKind =
  /** No answer at all, or only one from a proxy in front of the server. */
  | "unreachable"
  /** The server answers that it is starting or stopping. */
  | "not ready"
  /** The address does not exist on this server. */
  | "missing"
  /** The server answered with an error of its own. */
  | "refused";

export class RequestError extends Error {
  readonly kind: FailureKind;
  /** The API's `errorType`, or the HTTP status. */
  readonly code: string;
  /** With "not ready": the server is on its way down, not up. */
  readonly stopping: boolean;

  constructor(kind: FailureKind, code: string, message: string, stopping = false) {
    super(message);
    this.name = "RequestError";
    this.kind = kind;
    this.code = code;
    this.stopping = stopping;
  }
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

/** How much of a plain-text error is shown, in characters. */
const plainErrorCharsMax = 500;

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
  if (!response.ok) throw await failure(response);
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

async function failure(response: Response): Promise<RequestError> {
  const text = await response.text().catch(() => "");
  const parsed = parseError(text);
  const message =
    parsed?.message ?? (text.trim().slice(0, plainErrorCharsMax) || response.statusText || "no further word");
  const code = parsed?.errorType ?? `HTTP ${response.status}`;
  if (response.status === 502 || response.status === 504) {
    return new RequestError("unreachable", code, "The server behind this address does not answer.");
  }
  // A query that ran out of time answers 503 as well, but inside the API's envelope.
  if (response.status === 503 && parsed === undefined) {
    return new RequestError(
      "not ready",
      code,
      message,
      response.headers.get("x-prometheus-stopping") === "true",
    );
  }
  return new RequestError(
    response.status === 404 && parsed === undefined ? "missing" : "refused",
    code,
    message,
  );
}

/** Knows the envelope of /api/v1, the Alertmanager's bare string and its `{code, message}`. */
function parseError(text: string): { errorType?: string; message: string } | undefined {
  try {
    const body = JSON.parse(text) as unknown;
    if (typeof body === "string") return { message: body };
    const { error, errorType, message } = body as { error?: string; errorType?: string; message?: string };
    const said = error ?? message;
    return said === undefined ? undefined : { message: said, ...(errorType !== undefined && { errorType }) };
  } catch {
    return undefined;
  }
}
