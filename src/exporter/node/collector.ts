import type { Clock, Logger } from "../../base/index.ts";
import type { FileTree } from "./files.ts";
import type { NodeExporterOptions } from "./options.ts";
import type { MetricSink } from "./sink.ts";

/** One part of the node exporter, such as `cpu`. */
export interface Collector {
  /**
   * Adds the present values to `sink`. What was added before an error is exposed nevertheless. Throws {@link NoDataError}
   * when the machine has nothing of the kind.
   */
  collect(sink: MetricSink): void | Promise<void>;
}

/** What collectors are made from. */
export interface CollectorContext {
  readonly options: NodeExporterOptions;
  readonly proc: FileTree;
  readonly sys: FileTree;
  readonly udev: FileTree;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Not a fault: the machine lacks what a collector reads. The collector counts as unsuccessful, as it does upstream. */
export class NoDataError extends Error {
  override name = "NoDataError";

  constructor() {
    super("collector returned no data");
  }
}
