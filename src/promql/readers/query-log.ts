import { type Disk, type Logger, errorMessage } from "../../base/index.ts";
import type { QueryMetrics } from "./metrics.ts";
import type { QueryStats } from "./stats.ts";

/** Who asked. */
export type QueryOrigin =
  | { httpRequest: { clientIP: string; method: string; path: string } }
  | { ruleGroup: { file: string; name: string } };

/** A query that has ended. Times in milliseconds. */
export interface LoggedQuery {
  text: string;
  startMs: number;
  endMs: number;
  /** 0 for instant queries. */
  stepMs: number;
  stats: QueryStats;
  error?: string;
  origin?: QueryOrigin | undefined;
}

/** The query log: one JSON object per line and query, as upstream writes it. That a line cannot be written harms no query. */
export class QueryLog {
  readonly #disk: Disk;
  readonly #logger: Logger;
  readonly #metrics: QueryMetrics;
  #path = "";
  #fd: number | undefined;
  /** The failure was logged; it is again after a line could be written. */
  #isFailing = false;

  constructor(disk: Disk, logger: Logger, metrics: QueryMetrics) {
    this.#disk = disk;
    this.#logger = logger;
    this.#metrics = metrics;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  /** Opens the file anew, also when it is the same: somebody may have moved it away. "" ends the log. Throws when it cannot be opened, and goes on as before. */
  open(path: string): void {
    const fd = path === "" ? undefined : this.#disk.open(path, "a");
    this.close();
    this.#path = path;
    this.#fd = fd;
    this.#isFailing = false;
    this.#metrics.logEnabled.set(Number(fd !== undefined));
  }

  write(query: LoggedQuery, nowMs: number): void {
    if (this.#fd === undefined) return;
    try {
      this.#disk.write(this.#fd, Buffer.from(`${JSON.stringify(encodeEntry(query, nowMs))}\n`));
      this.#isFailing = false;
    } catch (error) {
      this.#metrics.logFailures.inc();
      if (this.#isFailing) return;
      this.#isFailing = true;
      this.#logger.error("Writing the query log failed", { file: this.#path, err: errorMessage(error) });
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    this.#disk.close(this.#fd);
    this.#fd = undefined;
    this.#metrics.logEnabled.set(0);
  }
}

function encodeEntry(query: LoggedQuery, nowMs: number): unknown {
  const { text, startMs, endMs, stepMs, stats, error, origin } = query;
  return {
    time: encodeTime(nowMs),
    level: "INFO",
    msg: "promql query logged",
    params: {
      end: encodeTime(endMs),
      query: text,
      start: encodeTime(startMs),
      step: Math.trunc(stepMs / 1000),
    },
    ...(error !== undefined && { error }),
    stats,
    ...origin,
  };
}

/** A time that no calendar has is written as its milliseconds. */
function encodeTime(timestampMs: number): string {
  const date = new Date(Math.round(timestampMs));
  return Number.isNaN(date.getTime()) ? String(timestampMs) : date.toISOString();
}
