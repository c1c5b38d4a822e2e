/** A pending callback; `cancel` is idempotent and safe after it ran. */
export interface Timer {
  cancel(): void;
}

/** The only source of time and delay, so that a test can run a day in a second. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. It may jump. */
  nowMs(): number;
  /** Milliseconds from an arbitrary origin that never jump; for measuring durations. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs`, never earlier. A pending timer does not keep the process alive on its own. */
  after(delayMs: number, callback: () => void): Timer;
}

/** setTimeout overflows beyond 2^31-1 ms and would fire at once; longer delays are walked in hops of this length. */
const hopMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  // Not made from the monotonic clock, which knows nothing of a machine that slept or whose time was set.
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    // setTimeout cuts fractions off and may fire a moment early; what was to happen at a time must find that this time has come.
    const dueMs = performance.now() + delayMs;
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const remainingMs = Math.ceil(dueMs - performance.now());
      handle = setTimeout(fire, Math.min(Math.max(remainingMs, 0), hopMsMax));
      handle.unref();
    };
    const fire = (): void => (performance.now() < dueMs ? arm() : callback());
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `delayMs`, or at once when `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    const abort = (): void => {
      timer.cancel();
      resolve();
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** A clock that moves only when told to. Timers run in the order of their due times, ties in the order they were set. */
export class SimulatedClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #sequence = 0;
  readonly #pending = new Map<number, { dueMs: number; callback: () => void }>();

  constructor(startMs = 0) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const id = this.#sequence++;
    this.#pending.set(id, { dueMs: this.#nowMs + Math.max(delayMs, 0), callback });
    return { cancel: () => void this.#pending.delete(id) };
  }

  /** Moves time forward by `durationMs`, running what falls due, and lets promises settle after each timer. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (let next = this.#nextDue(endMs); next !== undefined; next = this.#nextDue(endMs)) {
      const { dueMs, callback } = this.#pending.get(next)!;
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      callback();
      await settle();
    }
    this.#nowMs = endMs;
  }

  #nextDue(endMs: number): number | undefined {
    let best: number | undefined;
    let bestDueMs = Infinity;
    for (const [id, { dueMs }] of this.#pending) {
      if (dueMs <= endMs && dueMs < bestDueMs) {
        best = id;
        bestDueMs = dueMs;
      }
    }
    return best;
  }
}

/** One turn of the event loop, so that promise chains started by a timer have run before time moves on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
