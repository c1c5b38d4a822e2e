import { hash } from "node:crypto";
import { addressLabel } from "../discovery/index.ts";
import { Labels } from "../model/index.ts";
import { MetadataStore } from "./metadata.ts";
import {
  type HistogramReading,
  metricsPathLabel,
  paramPrefix,
  type PopulatedTarget,
  schemeLabel,
  unixSocketLabel,
} from "./populate.ts";

export type TargetHealth = "unknown" | "up" | "down";

/** Something to scrape, and what became of it the last time. */
export class Target {
  /** The labels that its series get: those that do not begin with `__`. */
  readonly labels: Labels;
  readonly url: string;
  /** Path of the Unix socket to dial instead of the address; "" for none. */
  readonly socketPath: string;
  /** Two targets with the same key are one. */
  readonly key: string;
  readonly metadata = new MetadataStore();
  /** Before relabelling; renewed when discovery says something else of the same target. */
  discovered: Labels;
  intervalMs: number;
  timeoutMs: number;
  histograms: HistogramReading;
  health: TargetHealth = "unknown";
  lastError = "";
  /** Milliseconds since the epoch; 0 = never. */
  lastScrapeMs = 0;
  lastDurationMs = 0;
  #offsetSeed: string | undefined;
  #offsetHash = 0n;

  constructor(
    populated: PopulatedTarget & { labels: Labels },
    params: ReadonlyMap<string, readonly string[]>,
  ) {
    const { labels } = populated;
    const visible = [...labels].filter(([name]) => !name.startsWith("__"));
    this.labels = Labels.fromSortedPairs(visible.flat());
    this.url = targetUrl(labels, params);
    this.socketPath = labels.get(unixSocketLabel);
    this.key = `${this.labels.key()}\xff${this.url}\xff${this.socketPath}`;
    this.discovered = populated.discovered;
    this.intervalMs = populated.intervalMs;
    this.timeoutMs = populated.timeoutMs;
    this.histograms = populated.histograms;
  }

  /** Where in each interval this target is scraped, 0 … intervalMs − 1: the same after a restart, spread over targets and servers. */
  offsetMs(seed: string): number {
    if (seed !== this.#offsetSeed) {
      this.#offsetHash = hash("md5", `${seed}\xff${this.key}`, "buffer").readBigUInt64BE(8);
      this.#offsetSeed = seed;
    }
    return Number(this.#offsetHash % BigInt(this.intervalMs));
  }

  /** Notes the outcome of a scrape; `error` is "" for a good one. */
  report(startMs: number, durationMs: number, error: string): void {
    this.health = error === "" ? "up" : "down";
    this.lastError = error;
    this.lastScrapeMs = startMs;
    this.lastDurationMs = durationMs;
  }
}

/** The configured parameters, the first value of each replaced by its `__param_` label, in Go's order and escaping. */
function targetUrl(labels: Labels, params: ReadonlyMap<string, readonly string[]>): string {
  const all = new Map([...params].map(([name, values]) => [name, [...values]]));
  for (const [name, value] of labels) {
    if (!name.startsWith(paramPrefix)) continue;
    const key = name.slice(paramPrefix.length);
    all.set(key, [value, ...(all.get(key) ?? []).slice(1)]);
  }
  const query = new URLSearchParams();
  for (const name of [...all.keys()].sort()) for (const value of all.get(name)!) query.append(name, value);
  const path = labels.get(metricsPathLabel);
  const search = query.toString();
  return `${labels.get(schemeLabel)}://${labels.get(addressLabel)}${path.startsWith("/") ? "" : "/"}${encodePath(path)}${search && `?${search}`}`;
}

function encodePath(path: string): string {
  return encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23").replaceAll("%25", "%");
}
