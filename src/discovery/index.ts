/** Finding targets: the mechanisms, their configuration, and the manager that runs them. */
export {
  checkStaticTargets,
  type DiscoveryConfig,
  type DnsConfig,
  type HttpConfig,
  discoveryConfigs,
  type FileConfig,
  type StaticConfig,
  type UnsupportedConfig,
} from "./config.ts";
export type { Discoverer, Publish } from "./discoverer.ts";
export { DiscoveryManager, type DiscoveryManagerOptions, type TargetGroups } from "./manager.ts";
export { createDiscoveryMetrics, type DiscoveryMetrics } from "./metrics.ts";
export { addressLabel, type TargetGroup, targetGroup } from "./target-group.ts";
