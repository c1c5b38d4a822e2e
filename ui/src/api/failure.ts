/** What can go wrong with a request, told apart by what a page has to say about it. */

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

/** How much of a plain-text error is shown, in characters. */
const plainErrorCharsMax = 500;

/** What an answer other than success means. `isStopping` is the server's own word in a header of a 503. */
export function failureOf(status: number, body: string, isStopping: boolean): RequestError {
  const parsed = parseError(body);
  const message =
    parsed?.message ?? (body.trim().slice(0, plainErrorCharsMax) || "The server gave no reason.");
  const code = parsed?.errorType ?? `HTTP ${status}`;
  if (status === 502 || status === 504) {
    return new RequestError("unreachable", code, "The server behind this address does not answer.");
  }
  // A query that ran out of time answers 503 as well, but inside the API's envelope.
  if (status === 503 && parsed === undefined) return new RequestError("not ready", code, message, isStopping);
  return new RequestError(status === 404 && parsed === undefined ? "missing" : "refused", code, message);
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
