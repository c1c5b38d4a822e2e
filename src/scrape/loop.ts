import { type Clock, errorMessage, type Logger, NarthexError, sleep, type Timer } from "../base/index.ts";
import { type BodyFormat, type ScrapeProtocol, selectFormat } from "../exposition/index.ts";
import type { DialMetrics } from "../http/index.ts";
import type { ByteBuffer, Kernel } from "../kernel/index.ts";
import { formatDuration, type NameValidationScheme } from "../model/index.ts";
import type { Appendable, Appender, AppendResult } from "../storage/index.ts";
import { BodyReader } from "./body-reader.ts";
import type { BufferPool } from "./buffers.ts";
import type { ScrapeConfig } from "./config.ts";
import type { FailureLogs } from "./failure-log.ts";
import { BodySizeLimitError, type Fetcher } from "./fetcher.ts";
import type { ScrapeMetrics } from "./metrics.ts";
import { type ReadCounts, type ReadRules, SampleLimitError } from "./reading.ts";
import { ReportSeries } from "./report.ts";
import { BucketLimitError, schemaForFactor } from "./histogram-limits.ts";
import { LabelLimitError } from "./sample-labels.ts";
import type { Target } from "./target.ts";

/** What all loops share. */
export interface ScrapeContext {
  readonly appendable: Appendable;
  readonly kernel: Kernel;
  readonly buffers: BufferPool;
  readonly metrics: ScrapeMetrics;
  readonly dials: DialMetrics | undefined;
  readonly failureLogs: FailureLogs;
  readonly clock: Clock;
  /** Aborts at shutdown: ends scrapes under way, and no end-of-run markers are written after. */
  readonly shutdown: AbortSignal;
  /** A scrape that starts within this of its ideal time (and within 1 % of its interval) gets the ideal timestamp, which compresses far better. */
  readonly timestampToleranceMs: number;
  /** Whether it is read since when samples count, where targets tell. */
  readonly readsStarts: boolean;
  /** Spreads the scrapes of several servers; from host name and external labels. */
  offsetSeed: string;
}

/** Scrapes one target at its interval until it is stopped. */
export class ScrapeLoop {
  readonly target: Target;
  readonly #context: ScrapeContext;
  readonly #logger: Logger;
  readonly #reader: BodyReader;
  readonly #report: ReportSeries;
  #config: ScrapeConfig;
  #fetcher: Fetcher;
  /** Set while the pool has too many targets: nothing is fetched. */
  forcedError = "";
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #lastStartMs = 0;
  #lastIdealMs = -Infinity;
  /** A target says the same each time: its type is read once. */
  #lastContentType: string | undefined;
  #lastFormat: BodyFormat = "text";

  constructor(
    target: Target,
    config: ScrapeConfig,
    fetcher: Fetcher,
    context: ScrapeContext,
    logger: Logger,
  ) {
    this.target = target;
    this.#config = config;
    this.#fetcher = fetcher;
    this.#context = context;
    this.#logger = logger.with({ target: target.url });
    const { cacheFlushes } = context.metrics;
    this.#reader = new BodyReader(target, context.kernel, readRules(config, context), () =>
      cacheFlushes.inc(),
    );
    this.#report = new ReportSeries(target, this.#logger);
  }

  start(): void {
    this.#schedule();
  }

  /**
   * Goes on under another configuration, with the same lines known unless its rules lead to other labels. A scrape under way ends as
   * it began; resolves when it has.
   */
  async reconfigure(config: ScrapeConfig, fetcher: Fetcher, relabels: boolean): Promise<void> {
    const old = this.#fetcher;
    this.#config = config;
    this.#lastContentType = undefined;
    this.#fetcher = fetcher;
    if (relabels) this.#reader.setRules(readRules(config, this.#context));
    this.#timer?.cancel();
    if (this.#running) await this.#running;
    else this.#schedule();
    old.close();
  }

  /** Ends when the scrape under way has ended. With `markStale`, the target's series end two intervals later unless another loop goes on with them. */
  async stop(markStale: boolean): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
    this.#fetcher.close();
    if (markStale && this.#lastStartMs > 0) this.#endOfRun().catch((error: unknown) => this.#logStale(error));
    else this.#reader.close();
  }

  #schedule(): void {
    const { clock, offsetSeed } = this.#context;
    const { intervalMs } = this.target;
    const nowMs = clock.nowMs();
    const offsetMs = this.target.offsetMs(offsetSeed);
    let idealMs = Math.floor((nowMs - offsetMs) / intervalMs + 1) * intervalMs + offsetMs;
    // A timer may fire a little early; the tick it was for must not come again.
    if (Math.abs(idealMs - this.#lastIdealMs) < intervalMs / 2) idealMs += intervalMs;
    this.#timer = clock.after(idealMs - nowMs, () => {
      this.#lastIdealMs = idealMs;
      this.#running = this.#tick(idealMs);
    });
  }

  async #tick(idealMs: number): Promise<void> {
    try {
      await this.#scrape(idealMs);
    } catch (error) {
      // A defect of ours must not end the loop.
      this.#logger.error("Scrape failed unexpectedly", { err: errorMessage(error) });
    }
    this.#running = undefined;
    if (!this.#stopped) this.#schedule();
  }

  async #scrape(idealMs: number): Promise<void> {
    const { clock, buffers, metrics, shutdown } = this.#context;
    const startMs = clock.nowMs();
    const monotonicMs = clock.monotonicMs();
    const toleranceMs = Math.min(this.target.intervalMs / 100, this.#context.timestampToleranceMs);
    const timestampMs = Math.abs(startMs - idealMs) <= toleranceMs ? idealMs : Math.floor(startMs);
    if (this.#lastStartMs > 0) {
      const interval = formatDuration(this.target.intervalMs);
      const seconds = (startMs - this.#lastStartMs) / 1000;
      metrics.intervalLength.labels({ interval }).observe(seconds);
      metrics.intervalLengthHistogram.labels({ interval }).observe(seconds);
    }
    this.#lastStartMs = startMs;
    const body = buffers.take();
    try {
      const fetched = await this.#fetch(body, shutdown);
      if (shutdown.aborted) return;
      this.#store(body, fetched, timestampMs, startMs, () => clock.monotonicMs() - monotonicMs);
    } finally {
      buffers.give(body);
    }
  }

  async #fetch(body: ByteBuffer, signal: AbortSignal): Promise<{ format: BodyFormat } | { error: unknown }> {
    if (this.forcedError !== "") return { error: new NarthexError("bad_data", this.forcedError) };
    try {
      const contentType = await this.#fetcher.fetch(body, this.target.timeoutMs, signal);
      // Nothing has no format, and is no error.
      return { format: body.bytes === 0 ? "text" : this.#format(contentType) };
    } catch (error) {
      return { error };
    }
  }

  #format(contentType: string | undefined): BodyFormat {
    if (contentType !== undefined && contentType === this.#lastContentType) return this.#lastFormat;
    const fallback = (this.#config.fallbackScrapeProtocol || undefined) as ScrapeProtocol | undefined;
    const { format, warning } = selectFormat(contentType, fallback);
    if (warning !== undefined)
      this.#logger.debug("Invalid content type on scrape, using fallback setting.", { err: warning });
    this.#lastContentType = warning === undefined ? contentType : undefined;
    this.#lastFormat = format;
    return format;
  }

  /** Parses and appends; from here on nothing waits, so that scrapes cannot get into each other's batches. */
  #store(
    body: ByteBuffer,
    fetched: { format: BodyFormat } | { error: unknown },
    timestampMs: number,
    startMs: number,
    elapsedMs: () => number,
  ): void {
    const reader = this.#reader;
    let appender = this.#context.appendable.appender();
    let error = "error" in fetched ? fetched.error : undefined;
    const bodyBytes = error instanceof BodySizeLimitError ? -1 : body.bytes;
    if (error === undefined) {
      try {
        reader.read(body, (fetched as { format: BodyFormat }).format, appender, timestampMs, (result) =>
          this.#tally(result),
        );
      } catch (thrown) {
        error = thrown ?? new Error("unknown");
        appender.rollback();
        appender = this.#context.appendable.appender();
      }
    } else {
      reader.resetCounts();
    }
    if (error !== undefined) {
      this.#count(error);
      reader.fail(appender, timestampMs);
    }
    const { metrics } = this.#context;
    this.#reportLosses(reader.counts);
    const durationMs = elapsedMs();
    const values = {
      up: error === undefined,
      durationSeconds: toSeconds(durationMs),
      bodyBytes,
      ...reader.counts,
    };
    const extra = this.#config.extraScrapeMetrics ? { sampleLimit: this.#config.sampleLimit } : undefined;
    this.#report.append(appender, timestampMs, values, extra);
    this.#commit(appender);
    metrics.duration.observe(elapsedMs() / 1000);
    this.target.report(startMs, elapsedMs(), error === undefined ? "" : errorMessage(error));
    if (error !== undefined) this.#logFailure(errorMessage(error));
  }

  #reportLosses({ seriesRefused, exemplarsOutOfOrder }: ReadCounts): void {
    const { metrics } = this.#context;
    if (seriesRefused > 0) {
      metrics.seriesRefused.inc(seriesRefused);
      this.#logger.warn("New series were refused: the storage is full", { num_dropped: seriesRefused });
    }
    if (exemplarsOutOfOrder > 0) {
      metrics.exemplarsOutOfOrder.inc(exemplarsOutOfOrder);
      this.#logger.warn("Error on ingesting out-of-order exemplars", { num_dropped: exemplarsOutOfOrder });
    }
  }

  #logFailure(message: string): void {
    this.#logger.debug("Scrape failed", { err: message });
    const { scrapeFailureLogFile, jobName } = this.#config;
    this.#context.failureLogs.write(scrapeFailureLogFile, jobName, this.target.url, message);
  }

  #commit(appender: Appender): void {
    try {
      this.#tally(appender.commit());
    } catch (error) {
      this.#logger.error("Scrape commit failed", { err: errorMessage(error) });
    }
  }

  #count(error: unknown): void {
    const { metrics } = this.#context;
    if (error instanceof SampleLimitError) metrics.exceededSampleLimit.inc();
    else if (error instanceof BucketLimitError) metrics.exceededBucketLimit.inc();
    else if (error instanceof LabelLimitError) metrics.exceededLabelLimits.inc();
    else if (error instanceof BodySizeLimitError) metrics.exceededBodySizeLimit.inc();
  }

  #tally(result: AppendResult): void {
    const { metrics } = this.#context;
    const warn = (message: string, dropped: number): void => {
      this.#logger.warn(message, { num_dropped: dropped });
    };
    if (result.outOfOrder > 0) {
      metrics.outOfOrder.inc(result.outOfOrder);
      warn("Error on ingesting out-of-order samples", result.outOfOrder);
    }
    if (result.duplicate > 0) {
      metrics.duplicates.inc(result.duplicate);
      warn("Error on ingesting samples with different value but same timestamp", result.duplicate);
    }
    const { outOfBounds, tooFarInFuture, tooOld } = result;
    const outside = outOfBounds + tooFarInFuture + tooOld;
    if (outside > 0) {
      metrics.outOfBounds.inc(outside);
      warn("Error on ingesting samples that are too old or are too far into the future", outside);
    }
    // The time of a series that was removed is out of bounds.
    if (outOfBounds + tooFarInFuture > 0) {
      this.#reader.distrustRefs();
      this.#report.forgetRefs();
    }
    if (result.memoryFull > 0) warn("Samples were not stored: the memory is full", result.memoryFull);
  }

  /**
   * The series end at the time of the first scrape that does not come; they are told so only when the next one, and a tenth of
   * an interval, have passed as well. If somebody else scrapes the target by then, the markers are out of order and vanish.
   */
  async #endOfRun(): Promise<void> {
    const { clock, shutdown, appendable } = this.#context;
    const { intervalMs } = this.target;
    await sleep(clock, Math.max(0, this.#lastStartMs + intervalMs - clock.nowMs()), shutdown);
    const staleMs = Math.floor(clock.nowMs());
    await sleep(clock, intervalMs * 1.1, shutdown);
    try {
      if (shutdown.aborted) return;
      const appender = appendable.appender();
      this.#reader.fail(appender, staleMs);
      this.#report.appendStale(appender, staleMs);
      appender.commit();
    } finally {
      this.#reader.close();
    }
  }

  #logStale(error: unknown): void {
    this.#logger.warn("Stale commit failed", { err: errorMessage(error) });
  }
}

/** Rounded to nanoseconds: further digits are noise that costs disk. */
function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6) / 1e9;
}

function readRules(config: ScrapeConfig, { readsStarts }: ScrapeContext): ReadRules {
  return {
    honorLabels: config.honorLabels,
    metricRelabelConfigs: config.metricRelabelConfigs,
    scheme: config.metricNameValidationScheme as NameValidationScheme,
    labelLimit: config.labelLimit,
    labelNameLengthLimit: config.labelNameLengthLimit,
    labelValueLengthLimit: config.labelValueLengthLimit,
    honorTimestamps: config.honorTimestamps,
    trackTimestampsStaleness: config.trackTimestampsStaleness,
    sampleLimit: config.sampleLimit,
    bucketLimit: config.nativeHistogramBucketLimit,
    schemaMax: schemaForFactor(config.nativeHistogramMinBucketFactor),
    readsStarts,
  };
}
