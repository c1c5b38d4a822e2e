import { Counter } from "./counter.ts";
import type { MetricFamily, MetricType } from "./family.ts";
import { Gauge } from "./gauge.ts";
import { Histogram, type HistogramOptions } from "./histogram.ts";
import type { MetricOptions } from "./metric.ts";
import { checkLabelNames, checkMetricName, MetricError } from "./name.ts";
import { contentTypeOf, negotiateFormat, type ExpositionFormat } from "./negotiate.ts";
import { encodeOpenMetrics } from "./openmetrics.ts";
import { Summary, type SummaryOptions } from "./summary.ts";
import { encodeText } from "./text.ts";

/** Anything a registry can expose under one name. All four metric classes are of this shape. */
export interface Collectable {
  readonly name: string;
  readonly type: MetricType;
  readonly childrenDropped?: number;
  collect(): MetricFamily;
}

/**
 * Runs at every gather. It may set metrics that are registered elsewhere and return nothing, or return families of its
 * own, whose names nobody else may use.
 */
export type Collector = () => Iterable<MetricFamily> | void;

const DROPPED_NAME = "client_label_sets_dropped_total";

/** The metrics of a program. Names are unique in it: registering one twice is an error. */
export class Registry {
  readonly #metrics = new Map<string, Collectable>();
  /** The names that samples may have, and the metric that writes them: `x_count` belongs to the histogram `x`. */
  readonly #sampleNames = new Map<string, string>();
  readonly #collectors = new Set<Collector>();

  counter<L extends string = never>(options: MetricOptions<L>): Counter<L> {
    return this.register(new Counter(options));
  }

  gauge<L extends string = never>(options: MetricOptions<L>): Gauge<L> {
    return this.register(new Gauge(options));
  }

  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L> {
    return this.register(new Histogram(options));
  }

  summary<L extends string = never>(options: SummaryOptions<L>): Summary<L> {
    return this.register(new Summary(options));
  }

  /** A counter without labels whose value `read` gives at each gather. */
  counterFunction(options: Pick<MetricOptions, "name" | "help" | "unit">, read: () => number): void {
    this.register(functionMetric("counter", options, read));
  }

  /** A gauge without labels whose value `read` gives at each gather. */
  gaugeFunction(options: Pick<MetricOptions, "name" | "help" | "unit">, read: () => number): void {
    this.register(functionMetric("gauge", options, read));
  }

  register<M extends Collectable>(metric: M): M {
    const names = sampleNames(metric.name, metric.type);
    for (const name of names) {
      const owner = this.#sampleNames.get(name);
      if (owner !== undefined) {
        throw new MetricError(
          `cannot register ${metric.type} ${metric.name}: ${name} already belongs to ${owner}`,
        );
      }
    }
    for (const name of names) this.#sampleNames.set(name, metric.name);
    this.#metrics.set(metric.name, metric);
    return metric;
  }

  unregister(metric: Collectable): boolean {
    if (this.#metrics.get(metric.name) !== metric) return false;
    this.#metrics.delete(metric.name);
    for (const name of sampleNames(metric.name, metric.type)) this.#sampleNames.delete(name);
    return true;
  }

  /** Calls `collector` at every gather, until the returned function is called. */
  collector(collector: Collector): () => void {
    this.#collectors.add(collector);
    return () => void this.#collectors.delete(collector);
  }

  /** All families with their present values, sorted by name. */
  gather(): MetricFamily[] {
    const families: MetricFamily[] = [];
    const taken = new Set(this.#sampleNames.keys());
    for (const collect of this.#collectors) {
      for (const family of collect() ?? []) {
        checkFamily(family, taken);
        families.push(family);
      }
    }
    for (const metric of this.#metrics.values()) families.push(metric.collect());
    const dropped = this.#dropped();
    if (dropped.samples.length > 0) families.push(dropped);
    return families.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** The text of a scrape in the given format. */
  expose(format: ExpositionFormat = "text"): string {
    return format === "openmetrics" ? encodeOpenMetrics(this.gather()) : encodeText(this.gather());
  }

  /** The text of a scrape in the format that a request's Accept header asks for, with its content type. */
  exposeFor(accept: string | undefined): { contentType: string; body: string } {
    const format = negotiateFormat(accept);
    return { contentType: contentTypeOf(format), body: this.expose(format) };
  }

  #dropped(): MetricFamily {
    const samples = [...this.#metrics.values()]
      .filter((metric) => (metric.childrenDropped ?? 0) > 0)
      .map((metric) => ({
        name: DROPPED_NAME,
        labels: [["metric", metric.name] as const],
        value: metric.childrenDropped ?? 0,
      }));
    const help = "Uses of label sets that were not kept because their metric had reached its limit.";
    return { name: DROPPED_NAME, type: "counter", help, unit: "", samples };
  }
}

/** Every name a metric of this type writes or claims. */
function sampleNames(name: string, type: MetricType): string[] {
  if (type === "histogram") return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
  if (type === "summary") return [name, `${name}_sum`, `${name}_count`];
  return [name];
}

function checkFamily(family: MetricFamily, taken: Set<string>): void {
  checkMetricName(family.name);
  const names = sampleNames(family.name, family.type);
  for (const name of names) {
    if (taken.has(name))
      throw new MetricError(`two sources expose ${name}, the second as ${family.type} ${family.name}`);
    taken.add(name);
  }
  const seen = new Set<string>();
  for (const sample of family.samples) {
    if (!names.includes(sample.name)) {
      throw new MetricError(`${family.type} ${family.name} cannot have a sample named ${sample.name}`);
    }
    checkLabelNames(
      sample.name,
      sample.labels.map(([name]) => name),
    );
    const series = JSON.stringify([sample.name, sample.labels]);
    if (seen.has(series)) throw new MetricError(`${family.name} has a sample twice: ${series}`);
    seen.add(series);
  }
}

function functionMetric(
  type: "counter" | "gauge",
  { name, help, unit = "" }: Pick<MetricOptions, "name" | "help" | "unit">,
  read: () => number,
): Collectable {
  checkMetricName(name);
  return {
    name,
    type,
    collect: () => ({ name, type, help, unit, samples: [{ name, labels: [], value: read() }] }),
  };
}
