import type { QueryOrigin } from "./query-log.ts";

export interface QueryOptions {
  timeoutMs?: number;
  lookbackDeltaMs?: number;
  /** Most series in the answer; 0 means all. */
  limit: number;
  /** "" or what `stats=` asked for. */
  stats: string;
  /** Whether the answer shall tell how the query's plan was carried out. */
  explain?: boolean;
  /** Who asks, for lists and logs. Asked for only when one of them wants it. */
  origin?: () => QueryOrigin;
  /** The name under which somebody logged in. */
  user?: () => string | undefined;
  /** Aborts when whoever asked has gone away. Asked for only when the query leaves this thread: making one costs time. */
  signal?: () => AbortSignal;
}

export interface InstantQuery extends QueryOptions {
  text: string;
  timestampMs: number;
}

export interface RangeQuery extends QueryOptions {
  text: string;
  startMs: number;
  endMs: number;
  stepMs: number;
}

export interface SeriesRange {
  /** Each a `match[]`; none means everything where that is allowed. */
  selectors: string[];
  startMs: number;
  endMs: number;
  /** 0 means all. */
  limit: number;
}
