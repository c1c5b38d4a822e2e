import { errorMessage, type Logger } from "../base/index.ts";
import type { Appender } from "../storage/index.ts";
import { reportLabels } from "./sample-labels.ts";
import type { Target } from "./target.ts";

/** What is stored about a scrape, as series of the target. */
export interface ReportValues {
  up: boolean;
  durationSeconds: number;
  scraped: number;
  added: number;
  seriesAdded: number;
  /** −1 when the body was too large. */
  bodyBytes: number;
}

const metrics = [
  "up",
  "scrape_duration_seconds",
  "scrape_samples_scraped",
  "scrape_samples_post_metric_relabeling",
  "scrape_series_added",
] as const;
const extraMetrics = ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"] as const;

/** The series that every scrape adds about itself. Relabelling of metrics and limits do not touch them. */
export class ReportSeries {
  readonly #target: Target;
  readonly #logger: Logger;
  readonly #refs = new Map<string, number>();

  constructor(target: Target, logger: Logger) {
    this.#target = target;
    this.#logger = logger;
  }

  append(
    appender: Appender,
    timestampMs: number,
    values: ReportValues,
    extra: { sampleLimit: number } | undefined,
  ): void {
    const { durationSeconds, scraped, added, seriesAdded } = values;
    const all = [values.up ? 1 : 0, durationSeconds, scraped, added, seriesAdded];
    metrics.forEach((metric, i) => this.#append(appender, metric, timestampMs, all[i]!));
    if (!extra) return;
    const more = [this.#target.timeoutMs / 1000, extra.sampleLimit, values.bodyBytes];
    extraMetrics.forEach((metric, i) => this.#append(appender, metric, timestampMs, more[i]!));
  }

  /** Ends those series that were ever written. */
  appendStale(appender: Appender, timestampMs: number): void {
    for (const ref of this.#refs.values()) appender.appendStale(ref, timestampMs);
  }

  /** The refs may no longer be those of these series: they are asked for again. */
  forgetRefs(): void {
    this.#refs.clear();
  }

  #append(appender: Appender, metric: string, timestampMs: number, value: number): void {
    let ref = this.#refs.get(metric);
    if (ref === undefined) {
      try {
        ref = appender.reference(reportLabels(metric, this.#target.labels));
      } catch (error) {
        this.#logger.warn("Appending scrape report failed", { err: errorMessage(error) });
        return;
      }
      this.#refs.set(metric, ref);
    }
    appender.append(ref, timestampMs, value);
  }
}
