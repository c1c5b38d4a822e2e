import { type Clock, NarthexError, type Timer } from "../../base/index.ts";

/** Lets at most so many queries run at once; the others wait in the order in which they came. */
export class Turns {
  readonly #max: number;
  readonly #clock: Clock;
  /** What lets a waiting query run. */
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(max: number, clock: Clock) {
    this.#max = max;
    this.#clock = clock;
  }

  /** Resolves when the query may run; `end` must follow. Rejects with `timeout` at the deadline and with `canceled` when `signal` aborts. */
  take(deadlineMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(canceled());
    if (this.#running < this.#max) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const leave = (): void => {
        this.#waiting.delete(run);
        timer?.cancel();
        signal.removeEventListener("abort", abort);
      };
      const run = (): void => {
        leave();
        this.#running++;
        resolve();
      };
      const abort = (): void => {
        leave();
        reject(canceled());
      };
      timer = this.#clock.after(Math.max(0, deadlineMs - this.#clock.nowMs()), () => {
        leave();
        reject(new NarthexError("timeout", "query timed out in query queue"));
      });
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.add(run);
    });
  }

  end(): void {
    this.#running--;
    const [next] = this.#waiting;
    next?.();
  }
}

function canceled(): NarthexError {
  return new NarthexError("canceled", "query was canceled in query queue");
}
