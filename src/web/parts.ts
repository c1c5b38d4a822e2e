import type { Registry } from "@narthex/client";
import type { Hono } from "hono";
import type { Logger } from "../base/index.ts";
import type { Notifier } from "../notifier/index.ts";
import type { QueryService } from "../promql/index.ts";
import type { RuleManager } from "../rules/index.ts";
import type { ScrapeView } from "../scrape/index.ts";
import type { BlockMeta, HeadStats, Tsdb } from "../tsdb/index.ts";

export interface StatusView {
  configYaml(): string;
  flags(): Record<string, string>;
  /** What the server can do, by category and name. */
  features(): Record<string, Record<string, boolean>>;
  /** In the order of their times. Throws the disk's error. */
  blocks(): BlockMeta[];
  build(): BuildInfo;
  runtime(): Record<string, unknown>;
  /** The `limit` largest cardinalities of each kind. */
  tsdb(limit: number): HeadStats & { chunkCount: number };
  /** When a reload was refused, if none has succeeded since; Unix milliseconds. */
  refusedConfigMs(): number | undefined;
  walReplay(): { min: number; max: number; current: number };
}

export interface BuildInfo {
  version: string;
  revision: string;
  branch: string;
  buildUser: string;
  buildDate: string;
  goVersion: string;
}

export interface Lifecycle {
  /** Whether `/-/reload` and `/-/quit` may be used (`--web.enable-lifecycle`). */
  enabled: boolean;
  isReady: () => boolean;
  isStopping: () => boolean;
  /** Throws with the reason when the new configuration was refused; the old one stays in force. */
  reload(): Promise<void>;
  quit(): void;
}

export interface UiOptions {
  /** The folder of built files. */
  directory: string;
  title: string;
  lookbackDelta: string;
}

/** Everything the web front shows or steers. It owns none of it. */
export interface WebParts {
  queries: QueryService;
  scrape: ScrapeView;
  rules: RuleManager;
  notifier: Notifier;
  status: StatusView;
  storage: Pick<Tsdb, "deleteSeries" | "cleanTombstones" | "exemplars" | "snapshot">;
  lifecycle: Lifecycle;
  registry: Registry;
  ui: UiOptions;
  /** Whether the API may be used to change and end things (`--web.enable-admin-api`). */
  adminEnabled: boolean;
  /** `--enable-feature=search-api` and `--web.search.max-limit`, 0 for no bound. */
  search: { isEnabled: boolean; limitMax: number };
  /** Most who may listen to notifications at a time (`--web.max-notifications-subscribers`). */
  notificationSubscribersMax: number;
  /** Anchored regular expression of allowed origins (`--web.cors.origin`). */
  corsOrigin: string;
  /** "" or `/prefix`. */
  routePrefix: string;
  logger: Logger;
  /** Adds routes of programs that share this front, before its own. */
  addRoutes?: (app: Hono) => void;
  nowMs: () => number;
}
