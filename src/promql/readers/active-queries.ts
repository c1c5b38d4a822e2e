import { type Clock, NarthexError, type Timer } from "../../base/index.ts";
import type { ActiveFile } from "./active-file.ts";
import type { Answer, ReaderRequest } from "./messages.ts";
import type { ReaderPool, Running, Share } from "./pool.ts";
import type { QueryOptions } from "./query.ts";
import type { QueryOrigin } from "./query-log.ts";
import { Turns } from "./turns.ts";

/** A query that runs or waits. */
export interface ActiveQuery {
  id: number;
  text: string;
  user: string | undefined;
  origin: QueryOrigin | undefined;
  startedMs: number;
  ageMs: number;
  state: "waiting" | "running";
  /** Samples loaded so far. */
  samples: number;
  /** Shared memory in use, over all threads. */
  memoryBytes: number;
}

/** Who asks. */
export type Asker = Pick<QueryOptions, "origin" | "user" | "signal">;

export interface ReaderQuery {
  request: ReaderRequest;
  /** What lists show. */
  text: string;
  asker: Asker;
  share: Share;
  deadlineMs: number;
}

export interface ActiveQueriesOptions {
  pool: ReaderPool;
  clock: Clock;
  /** Queries that run at once; the others wait. */
  concurrencyMax: number;
  /** Where running queries are noted. */
  file: ActiveFile | undefined;
}

/** A query that is past its deadline and has not said so by itself fails after so long. */
const overdueMs = 1000;

interface Active {
  id: number;
  text: string;
  user: string | undefined;
  origin: QueryOrigin | undefined;
  startedMs: number;
  abort: AbortController;
  running: Running | undefined;
}

/** The queries that are with the readers, from their arrival to their end: they wait for their turn, are listed, and can be ended. */
export class ActiveQueries {
  readonly #options: ActiveQueriesOptions;
  readonly #turns: Turns;
  readonly #active = new Map<number, Active>();
  #nextId = 1;

  constructor(options: ActiveQueriesOptions) {
    this.#options = options;
    this.#turns = new Turns(options.concurrencyMax, options.clock);
  }

  get count(): number {
    return this.#active.size;
  }

  /** Oldest first. */
  list(): ActiveQuery[] {
    const nowMs = this.#options.clock.nowMs();
    return [...this.#active.values()].map(({ id, text, user, origin, startedMs, running }) => ({
      id,
      text,
      user,
      origin,
      startedMs,
      ageMs: nowMs - startedMs,
      state: running === undefined ? "waiting" : "running",
      ...(running?.progress() ?? { samples: 0, memoryBytes: 0 }),
    }));
  }

  /** Ends a query, whose client gets `canceled`; false when there is none with this id. */
  kill(id: number): boolean {
    this.#active.get(id)?.abort.abort();
    return this.#active.has(id);
  }

  /** Runs a query on the readers when it is its turn. Rejects with what became of it. */
  async run(query: ReaderQuery): Promise<Answer> {
    const { request, text, asker, deadlineMs } = query;
    const { clock } = this.#options;
    const abort = new AbortController();
    const startedMs = clock.nowMs();
    const [user, origin] = [asker.user?.(), asker.origin?.()];
    const active: Active = { id: this.#nextId++, text, user, origin, startedMs, abort, running: undefined };
    this.#active.set(active.id, active);
    const forward = (): void => abort.abort();
    const signal = asker.signal?.();
    if (signal?.aborted === true) abort.abort();
    signal?.addEventListener("abort", forward, { once: true });
    try {
      try {
        await this.#turns.take(deadlineMs, abort.signal);
      } finally {
        if ("options" in request) request.options.queuedMs = clock.nowMs() - startedMs;
      }
      try {
        return await this.#start(active, query);
      } finally {
        this.#turns.end();
      }
    } finally {
      signal?.removeEventListener("abort", forward);
      this.#active.delete(active.id);
    }
  }

  async #start(active: Active, { request, share, deadlineMs }: ReaderQuery): Promise<Answer> {
    const { clock, pool, file } = this.#options;
    const leaveFile = file?.enter(active.text, clock.nowMs());
    let timer: Timer | undefined;
    try {
      const running = pool.start(request, share);
      active.running = running;
      active.abort.signal.addEventListener("abort", () =>
        running.fail(new NarthexError("canceled", "query was canceled in expression evaluation")),
      );
      // Readers look at the clock themselves; a query that still waits behind another in a reader cannot.
      timer = clock.after(Math.max(0, deadlineMs - clock.nowMs()) + overdueMs, () =>
        running.fail(new NarthexError("timeout", "query timed out in expression evaluation")),
      );
      return await running.answer;
    } finally {
      timer?.cancel();
      leaveFile?.();
    }
  }
}
