import { type Clock, NarthexError } from "../base/index.ts";

/** The request's time is over. */
export function timedOut(): NarthexError {
  return new NarthexError("timeout", "context deadline exceeded");
}

/** Whoever asked wants no answer any more. */
export function canceled(): NarthexError {
  return new NarthexError("canceled", "context canceled");
}

/**
 * What `work` resolves to, unless `deadlineMs` (in the clock's monotonic time) or the signal comes first: then rejects as above, and the work
 * goes on for others who wait for it.
 */
export function inTime<T>(
  work: Promise<T>,
  clock: Clock,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(deadlineMs - clock.monotonicMs(), () => end(timedOut()));
    const abort = (): void => end(canceled());
    const end = (error?: NarthexError): void => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
      if (error) reject(error);
    };
    signal?.addEventListener("abort", abort);
    work.then(resolve, reject).finally(end);
  });
}
