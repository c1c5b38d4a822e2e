import {
  contentTypeOf,
  encodeText,
  type LabelPair,
  MetricError,
  type MetricFamily,
  Registry,
  startProcessMetrics,
} from "@narthex/client";
import { type Clock, type Logger, NarthexError, silentLogger, systemClock } from "../../base/index.ts";
import { type Collector, type CollectorContext, NoDataError } from "./collector.ts";
import { collectorFactories } from "./collectors.ts";
import { FileTree } from "./files.ts";
import { defaultNodeExporterOptions } from "./flags.ts";
import type { NodeExporterOptions } from "./options.ts";
import { MetricSink } from "./sink.ts";

/** Restricts a scrape to some collectors; at most one of the two. */
export interface CollectorSelection {
  readonly collect?: readonly string[];
  readonly exclude?: readonly string[];
}

export interface NodeExporterParts {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Labels of `node_exporter_build_info`. */
  readonly build?: { readonly version: string; readonly revision: string; readonly branch: string };
}

export interface NodeExporterResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface NodeExporter {
  /** Metrics about the exporter itself; a program may add its own. */
  readonly registry: Registry;
  /** The text (0.0.4) of one scrape, its lines in the same order every time. Throws `bad_data` when the selection makes no sense. */
  collect(selection?: CollectorSelection): Promise<string>;
  /** Answers a request for the telemetry path; its parameters are `collect[]` and `exclude[]`. */
  handle(query: URLSearchParams): Promise<NodeExporterResponse>;
  /** Gives back what scrapes keep open. */
  close(): void;
}

const plainText = "text/plain; charset=utf-8";

/** Throws `bad_data` when a pattern is malformed or a collector unknown. */
export function createNodeExporter(
  options: Partial<NodeExporterOptions> = {},
  parts: NodeExporterParts = {},
): NodeExporter {
  return new Exporter({ ...defaultNodeExporterOptions, ...options }, parts);
}

class Exporter implements NodeExporter {
  readonly registry = new Registry();
  readonly #collectors = new Map<string, Collector>();
  readonly #trees: readonly FileTree[];
  readonly #requestsMax: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #buildInfo: MetricFamily;
  readonly #requests: (code: string) => void;
  readonly #processMetrics: { close(): void } | undefined;
  #requestsInFlight = 0;

  constructor(options: NodeExporterOptions, parts: NodeExporterParts) {
    this.#clock = parts.clock ?? systemClock;
    this.#log = parts.log ?? silentLogger;
    this.#requestsMax = options.requestsMax;
    this.#buildInfo = buildInfo(parts.build ?? { version: "", revision: "", branch: "" });
    const [proc, sys, udev] = [options.procPath, options.sysPath, options.udevDataPath].map(
      (path) => new FileTree(path),
    ) as [FileTree, FileTree, FileTree];
    this.#trees = [proc, sys, udev];
    const context: Omit<CollectorContext, "log"> = { options, proc, sys, udev, clock: this.#clock };
    for (const name of options.collectors) {
      const create = collectorFactories.get(name);
      if (create === undefined) throw new NarthexError("bad_data", `missing collector: ${name}`);
      this.#collectors.set(name, create({ ...context, log: this.#log.with({ collector: name }) }));
    }
    this.#processMetrics = options.disableExporterMetrics ? undefined : startProcessMetrics(this.registry);
    this.#requests = options.disableExporterMetrics ? () => {} : this.#registerRequests();
  }

  async collect(selection: CollectorSelection = {}): Promise<string> {
    const names = this.#select(selection);
    const sink = new MetricSink();
    sink.addFamily(this.#buildInfo);
    this.#addOwn(sink);
    // What users write comes last, so that it cannot take the name of what the exporter knows itself.
    const ours = names.filter((name) => name !== "textfile");
    const outcomes = await Promise.all(ours.map((name) => this.#run(name, sink)));
    if (names.includes("textfile")) outcomes.push(await this.#run("textfile", sink));
    addOutcomes(sink, outcomes);
    return encodeText(sink.families());
  }

  async handle(query: URLSearchParams): Promise<NodeExporterResponse> {
    if (this.#requestsMax > 0 && this.#requestsInFlight >= this.#requestsMax) {
      this.#requests("503");
      const body = `Limit of concurrent requests reached (${this.#requestsMax}), try again later.\n`;
      return { status: 503, contentType: plainText, body };
    }
    this.#requestsInFlight++;
    try {
      const body = await this.collect({
        collect: query.getAll("collect[]"),
        exclude: query.getAll("exclude[]"),
      });
      this.#requests("200");
      return { status: 200, contentType: contentTypeOf("text"), body };
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      return { status: 400, contentType: plainText, body: error.message };
    } finally {
      this.#requestsInFlight--;
    }
  }

  close(): void {
    this.#processMetrics?.close();
    for (const tree of this.#trees) tree.close();
  }

  #select({ collect = [], exclude = [] }: CollectorSelection): string[] {
    if (collect.length > 0 && exclude.length > 0) {
      throw new NarthexError("bad_data", "Combined collect and exclude queries are not allowed.");
    }
    for (const name of collect) {
      if (this.#collectors.has(name)) continue;
      const fault = collectorFactories.has(name) ? "disabled" : "missing";
      throw new NarthexError(
        "bad_data",
        `Couldn't create filtered metrics handler: couldn't create collector: ${fault} collector: ${name}`,
      );
    }
    const enabled = [...this.#collectors.keys()];
    if (collect.length > 0) return enabled.filter((name) => collect.includes(name));
    return enabled.filter((name) => !exclude.includes(name));
  }

  async #run(collector: string, sink: MetricSink): Promise<Outcome> {
    const startMs = this.#clock.monotonicMs();
    let success = true;
    try {
      await this.#collectors.get(collector)!.collect(sink);
    } catch (error) {
      success = false;
      if (error instanceof NoDataError) this.#log.debug("collector returned no data", { name: collector });
      else this.#log.error("collector failed", { name: collector, err: error });
    }
    return { collector, seconds: (this.#clock.monotonicMs() - startMs) / 1000, success };
  }

  /** Metrics about the exporter; a fault in one that a program added must not hide the machine's. */
  #addOwn(sink: MetricSink): void {
    try {
      for (const family of this.registry.gather()) sink.addFamily(family);
    } catch (error) {
      if (!(error instanceof MetricError)) throw error;
      this.#log.error("gathering metrics about the exporter failed", { err: error });
    }
  }

  #registerRequests(): (code: string) => void {
    const requests = this.registry.counter({
      name: "promhttp_metric_handler_requests_total",
      help: "Total number of scrapes by HTTP status code.",
      labelNames: ["code"],
    });
    for (const code of ["200", "500", "503"]) requests.labels({ code });
    this.registry.gaugeFunction(
      {
        name: "promhttp_metric_handler_requests_in_flight",
        help: "Current number of scrapes being served.",
      },
      () => this.#requestsInFlight,
    );
    return (code) => requests.labels({ code }).inc();
  }
}

interface Outcome {
  readonly collector: string;
  readonly seconds: number;
  readonly success: boolean;
}

function addOutcomes(sink: MetricSink, outcomes: readonly Outcome[]): void {
  const duration = sink.gauge(
    "node_scrape_collector_duration_seconds",
    "node_exporter: Duration of a collector scrape.",
  );
  const successful = sink.gauge(
    "node_scrape_collector_success",
    "node_exporter: Whether a collector succeeded.",
  );
  for (const { collector, seconds, success } of outcomes) {
    duration.add(seconds, [["collector", collector]]);
    successful.add(success ? 1 : 0, [["collector", collector]]);
  }
}

/** Node's names of machines, in Go's words. */
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
};

function buildInfo({ version, revision, branch }: NonNullable<NodeExporterParts["build"]>): MetricFamily {
  const name = "node_exporter_build_info";
  const labels: LabelPair[] = [
    ["branch", branch],
    ["goarch", architectures[process.arch] ?? process.arch],
    ["goos", process.platform],
    ["goversion", `node${process.version}`],
    ["revision", revision],
    ["tags", ""],
    ["version", version],
  ];
  const help =
    "A metric with a constant '1' value labeled by version, revision, branch, goversion from which node_exporter was built, and the goos and goarch for the build.";
  return { name, type: "gauge", help, unit: "", samples: [{ name, labels, value: 1 }] };
}
