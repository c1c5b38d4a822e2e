import { Registry } from "@narthex/client";
import { createLogger, NarthexError, SimulatedClock } from "../base/index.ts";
import { createKernel, type Kernel, type SampleBatch, staleMarkerBits } from "../kernel/index.ts";
import type { Histogram, Labels, MetricMetadata } from "../model/index.ts";
import { Place } from "../codec/index.ts";
import {
  type Appendable,
  type Appender,
  type AppendResult,
  emptyAppendResult,
  type Exemplar,
} from "../storage/index.ts";
import {
  completeScrapeConfig,
  type CreateFetcher,
  type ScrapeConfig,
  scrapeConfig,
  scrapeDefaults,
  ScrapeManager,
} from "./index.ts";

export const startMs = 1_700_000_000_000;

/** `stale` stands for the marker. */
export type Stored = [timestampMs: number, value: number | Histogram | "stale"];

/** A storage that remembers samples by series and refuses what a real one refuses. */
export class MemoryStorage implements Appendable {
  readonly batchSamples: number;
  readonly kernel: Kernel;
  readonly series = new Map<string, Stored[]>();
  /** Since when the newest sample of a series counts, as far as samples come one by one. */
  readonly starts = new Map<string, number>();
  readonly #refs: string[] = [""];
  readonly #byKey = new Map<string, number>();
  seriesMax = Infinity;
  /** Whether it takes exemplars, negative ones of which it refuses, and metadata; each with its series. */
  keepsNotes = false;
  readonly exemplars: [series: string, exemplar: Exemplar][] = [];
  readonly metadata: [series: string, metadata: MetricMetadata][] = [];
  /** Calls of `reference`: none in the steady state. */
  referenceCalls = 0;
  #batch: SampleBatch | undefined;
  readonly #histograms: { ref: number; timestampMs: number; histogram: Histogram }[] = [];

  constructor(kernel: Kernel, batchSamples = 4096) {
    this.batchSamples = batchSamples;
    this.kernel = kernel;
  }

  appender(): Appender {
    const batch = (this.#batch ??= this.kernel.createSampleBatch(this.batchSamples));
    this.#clear(batch);
    return {
      batch,
      reference: (labels) => this.#reference(labels),
      append: (ref, timestampMs, value, startMs = 0) => {
        batch.push(ref, timestampMs, value);
        this.starts.set(this.#refs[ref]!, startMs);
      },
      appendStale: (ref, timestampMs) => void batch.pushBits(ref, timestampMs, staleMarkerBits),
      appendHistogram: (ref, timestampMs, histogram, _kind, startMs = 0) => {
        this.#histograms.push({ ref, timestampMs, histogram });
        this.starts.set(this.#refs[ref]!, startMs);
      },
      keepsExemplars: this.keepsNotes,
      keepsMetadata: this.keepsNotes,
      appendExemplar: (ref, exemplar) => {
        this.exemplars.push([this.#refs[ref]!, exemplar]);
        return exemplar.value < 0 ? "outOfOrder" : "queued";
      },
      appendMetadata: (ref, metadata) => void this.metadata.push([this.#refs[ref]!, metadata]),
      commit: () => this.#commit(batch),
      commitPart: () => this.#commit(batch),
      rollback: () => this.#clear(batch),
    };
  }

  close(): void {
    this.#batch?.close();
  }

  /** The samples of a series by its metric notation. */
  get(series: string): Stored[] {
    return this.series.get(series) ?? [];
  }

  #reference(labels: Labels): number {
    this.referenceCalls++;
    const key = labels.toMetricString();
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= this.seriesMax) throw new NarthexError("unavailable", "series limit reached");
    this.#byKey.set(key, this.#refs.length);
    this.#refs.push(key);
    return this.#refs.length - 1;
  }

  #commit(batch: SampleBatch): AppendResult {
    const result: AppendResult = emptyAppendResult();
    for (let i = 0; i < batch.count; i++) {
      const value = batch.valueBits[i] === staleMarkerBits ? "stale" : batch.values[i]!;
      this.#store(batch.refs[i]!, batch.timestamps[i]!, value, result);
    }
    for (const { ref, timestampMs, histogram } of this.#histograms)
      this.#store(ref, timestampMs, histogram.isStale ? "stale" : histogram, result);
    result.appended = batch.count + this.#histograms.length;
    this.#clear(batch);
    return result;
  }

  #store(ref: number, timestampMs: number, value: Stored[1], result: AppendResult): void {
    const key = this.#refs[ref]!;
    const samples = this.series.get(key) ?? [];
    this.series.set(key, samples);
    const [lastMs, last] = samples.at(-1) ?? [-Infinity, 0];
    if (timestampMs < lastMs) result.outOfOrder++;
    else if (timestampMs === lastMs) result.duplicate += Object.is(last, value) ? 0 : 1;
    else samples.push([timestampMs, value]);
  }

  #clear(batch: SampleBatch): void {
    batch.clear();
    this.#histograms.length = 0;
  }
}

/** What a fake target answers next. */
export interface Answer {
  body?: string | Uint8Array;
  contentType?: string;
  error?: Error;
  /** How long the answer takes. */
  delayMs?: number;
}

export interface Bench {
  clock: SimulatedClock;
  storage: MemoryStorage;
  manager: ScrapeManager;
  registry: Registry;
  lines: string[];
  /** By address; called at every scrape with the time since the start. */
  targets: Map<string, (elapsedMs: number) => Answer>;
  apply(yaml: string): void;
}

export function configs(yaml: string): ScrapeConfig[] {
  const defaults = scrapeDefaults.default();
  return (Place.parse(yaml, "scrape.yml").items() ?? []).map((at) => {
    const config = scrapeConfig.decode(at);
    completeScrapeConfig(config, defaults);
    return config;
  });
}

/** A scrape manager under a simulated clock whose targets are functions. */
export function createBench(noLabels: Labels, readsStarts = false): Bench {
  const clock = new SimulatedClock(startMs);
  const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
  const storage = new MemoryStorage(kernel);
  const registry = new Registry();
  const lines: string[] = [];
  const targets: Bench["targets"] = new Map();
  const createFetcher: CreateFetcher = (target) => ({
    async fetch(body) {
      const answer = targets.get(target.url.split("/")[2]!)?.(clock.nowMs() - startMs) ?? {};
      if (answer.delayMs) await new Promise<void>((resolve) => clock.after(answer.delayMs!, resolve));
      if (answer.error) throw answer.error;
      body.append(Buffer.from(answer.body ?? ""));
      return answer.contentType ?? "text/plain; version=0.0.4";
    },
    close() {},
  });
  const manager = new ScrapeManager({
    kernel,
    appendable: storage,
    registry,
    clock,
    userAgent: "Narthex/test",
    logger: createLogger({ write: (line) => void lines.push(line), nowMs: () => clock.nowMs() }),
    createFetcher,
    readsStarts,
  });
  return {
    clock,
    storage,
    manager,
    registry,
    lines,
    targets,
    apply: (yaml) => manager.apply(configs(yaml), noLabels),
  };
}
