/**
 * What went wrong, in the words of the HTTP API's `errorType`. The one place that turns a code into a status is
 * `src/http`; everything below throws codes and never statuses.
 */
export type ErrorCode =
  | "bad_data"
  | "execution"
  | "canceled"
  | "timeout"
  | "internal"
  | "unavailable"
  | "not_found"
  | "not_acceptable";

/** An expected failure: bad input, a limit reached, a peer that is away. Its message is shown to users as it is. */
export class NarthexError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NarthexError";
    this.code = code;
  }
}

/** What anything thrown is to the API: a NarthexError speaks for itself, the rest is our own fault. */
export function errorCode(error: unknown): ErrorCode {
  return error instanceof NarthexError ? error.code : "internal";
}

/** States an invariant of our own. A failure is a defect in Narthex, never the user's doing. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** The text of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
