import { type ErrorCode, NarthexError, errorMessage } from "../base/index.ts";

/** The one table from what went wrong to what HTTP says about it; upstream's, `unavailable` included. */
const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  unavailable: 500,
  not_found: 404,
  not_acceptable: 406,
};

export function httpStatus(code: ErrorCode): number {
  return statusOfCode[code];
}

/** What anything thrown is to the API: a NarthexError speaks for itself, the rest is our own fault. */
export function errorCode(error: unknown): ErrorCode {
  return error instanceof NarthexError ? error.code : "internal";
}

/** Beyond these many, a count stands for the rest. */
const annotationsMax = 10;

export interface Annotations {
  warnings?: readonly string[];
  infos?: readonly string[];
}

/** The fields that follow `data` in an answer: `warnings` and `infos`, absent when empty. */
export function annotationFields({ warnings = [], infos = [] }: Annotations): {
  warnings?: string[];
  infos?: string[];
} {
  return {
    ...(warnings.length > 0 && { warnings: cut(warnings, "warning") }),
    ...(infos.length > 0 && { infos: cut(infos, "info") }),
  };
}

function cut(all: readonly string[], kind: string): string[] {
  if (all.length <= annotationsMax) return [...all];
  return [...all.slice(0, annotationsMax), `${all.length - annotationsMax} more ${kind} annotations omitted`];
}

/** `{"status":"success","data":…}`; without data an empty 204, as upstream answers deletions. */
export function successResponse(data: unknown, annotations: Annotations = {}): Response {
  if (data === undefined || data === null) return new Response(null, { status: 204 });
  return jsonResponse({ status: "success", data, ...annotationFields(annotations) }, 200);
}

/** `{"status":"error","errorType":…,"error":…}` with the status of the error's code. */
export function errorResponse(error: unknown, data?: unknown): Response {
  const errorType = errorCode(error);
  const body = {
    status: "error",
    ...(data !== undefined && { data }),
    errorType,
    error: errorMessage(error),
  };
  return jsonResponse(body, httpStatus(errorType));
}

function jsonResponse(body: unknown, status: number): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}
