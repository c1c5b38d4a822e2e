/** The node exporter: what Linux tells about this machine, in upstream's metrics. */
export {
  type CollectorSelection,
  createNodeExporter,
  type NodeExporter,
  type NodeExporterParts,
  type NodeExporterResponse,
} from "./exporter.ts";
export { type NodeExporterCommand, nodeExporterFlags, parseNodeExporterFlags } from "./flags.ts";
export type { NodeExporterOptions } from "./options.ts";
