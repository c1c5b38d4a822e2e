import { type ErrorCode, errorCode, errorMessage } from "../base/index.ts";

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

/** `{"status":"success","data":…}`; without data an empty 204, as upstream answers deletions. */
export function successResponse(data: unknown): Response {
  if (data === undefined || data === null) return new Response(null, { status: 204 });
  return jsonResponse({ status: "success", data }, 200);
}

/** `{"status":"error","errorType":…,"error":…}` with the status of the error's code. */
export function errorResponse(error: unknown, data?: unknown): Response {
  const { status, body } = errorEnvelope(error, data);
  return jsonResponse(body, status);
}

export function errorEnvelope(error: unknown, data?: unknown): { status: number; body: unknown } {
  const errorType = errorCode(error);
  const body = {
    status: "error",
    ...(data !== undefined && { data }),
    errorType,
    error: errorMessage(error),
  };
  return { status: httpStatus(errorType), body };
}

function jsonResponse(body: unknown, status: number): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}
