import { Registry } from "@narthex/client";
import { NarthexError, silentLogger, SimulatedClock, systemDisk } from "../base/index.ts";
import { formatHistogram, type Histogram, Labels } from "../model/index.ts";
import { type Appendable, type Appender, type AppendResult, emptyAppendResult } from "../storage/index.ts";
import type { OutgoingAlert } from "./alert.ts";
import { RuleManager, type RuleManagerOptions, type RuleSettings } from "./manager.ts";
import type { LastSamplesFunction } from "./restore.ts";
import type { VectorSample } from "./rule.ts";

export interface StoredSample {
  timestampMs: number;
  value: number | Histogram | "stale";
}

/** A storage that keeps samples in arrays and refuses what is not newer. */
export class MemoryStorage implements Appendable {
  readonly series = new Map<string, { labels: Labels; samples: StoredSample[] }>();
  /** Set to make commits fail. */
  failure: Error | undefined;

  appender(): Appender {
    const refs: Labels[] = [];
    const pending: { labels: Labels; sample: StoredSample }[] = [];
    const queue = (ref: number, sample: StoredSample): void =>
      void pending.push({ labels: refs[ref - 1]!, sample });
    return {
      reference: (labels) => refs.push(labels),
      append: (ref, timestampMs, value) => queue(ref, { timestampMs, value }),
      appendStale: (ref, timestampMs) => queue(ref, { timestampMs, value: "stale" }),
      appendHistogram: (ref, timestampMs, value) => queue(ref, { timestampMs, value }),
      keepsExemplars: false,
      keepsMetadata: false,
      appendExemplar: () => "disabled",
      appendMetadata: () => {},
      get batch(): never {
        throw new Error("not used by rules");
      },
      rollback: () => void pending.splice(0),
      commitPart: (): never => {
        throw new Error("not used by rules");
      },
      commit: (): AppendResult => {
        if (this.failure) throw this.failure;
        const result = emptyAppendResult();
        for (const { labels, sample } of pending) this.#store(labels, sample, result);
        return result;
      },
    };
  }

  #store(labels: Labels, sample: StoredSample, result: AppendResult): void {
    const key = labels.toMetricString();
    const series = this.series.get(key) ?? { labels, samples: [] };
    this.series.set(key, series);
    const last = series.samples.at(-1);
    if (last && last.timestampMs > sample.timestampMs) result.outOfOrder++;
    else if (last?.timestampMs === sample.timestampMs) result.duplicate++;
    else {
      series.samples.push(sample);
      result.appended++;
    }
  }

  /** Values of one series as `time-in-seconds:value`. */
  text(series: string): string {
    const samples = this.series.get(series)?.samples ?? [];
    return samples.map(({ timestampMs, value }) => `${timestampMs / 1000}:${valueText(value)}`).join(" ");
  }

  readonly lastSamples: LastSamplesFunction = (matchers, minMs, maxMs) =>
    Promise.resolve(
      [...this.series.values()].flatMap(({ labels, samples }) => {
        const last = samples.findLast(({ timestampMs }) => timestampMs >= minMs && timestampMs <= maxMs);
        if (!last || !matchers.every((matcher) => matcher.matches(labels.get(matcher.name)))) return [];
        const isStale = last.value === "stale";
        const value = typeof last.value === "number" ? last.value : NaN;
        return [{ labels, timestampMs: last.timestampMs, value, isStale }];
      }),
    );
}

function valueText(value: StoredSample["value"]): string {
  return typeof value === "object" ? formatHistogram(value) : String(value);
}

/** A rule manager over simulated time, a storage of arrays and queries that are answered from a table. */
export class RuleBench {
  readonly clock: SimulatedClock;
  readonly storage: MemoryStorage;
  readonly registry = new Registry();
  readonly manager: RuleManager;
  /** What each query yields: label sets with values, or an error. */
  readonly answers = new Map<string, readonly (readonly [Record<string, string>, number])[] | Error>();
  readonly asked: string[] = [];
  readonly sent: OutgoingAlert[] = [];
  readonly files = new Map<string, string>();

  constructor(startMs: number, storage = new MemoryStorage(), options: Partial<RuleManagerOptions> = {}) {
    this.clock = new SimulatedClock(startMs);
    this.storage = storage;
    this.manager = new RuleManager({
      query: (query, timestampMs) => this.#query(query, timestampMs),
      lastSamples: storage.lastSamples,
      appendable: storage,
      notify: (alerts) => void this.sent.push(...alerts),
      disk: { ...systemDisk, readFile: (file) => this.#read(file) },
      clock: this.clock,
      logger: silentLogger,
      registry: this.registry,
      externalUrl: new URL("http://prom.example:9090/"),
      ...options,
    });
  }

  async load(content: string, settings: Partial<RuleSettings> = {}): Promise<void> {
    this.files.set("rules.yml", content);
    await this.manager.update({
      files: [...this.files.keys()],
      evaluationIntervalMs: 60_000,
      queryOffsetMs: 0,
      externalLabels: Labels.from({ cluster: "eu" }),
      ...settings,
    });
  }

  #read(file: string): Uint8Array {
    const content = this.files.get(file);
    if (content === undefined) throw new Error(`ENOENT: no such file or directory, open '${file}'`);
    return new TextEncoder().encode(content);
  }

  #query(query: string, timestampMs: number): Promise<VectorSample[]> {
    this.asked.push(query);
    const answer = this.answers.get(query) ?? [];
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(
      answer.map(([labels, value]) => ({ labels: Labels.from(labels), timestampMs, value })),
    );
  }
}

export function queryFailure(message: string): NarthexError {
  return new NarthexError("execution", message);
}
