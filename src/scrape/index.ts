/** Fetching targets and reading what they expose into the storage. */
export {
  completeScrapeConfig,
  defaultScrapeProtocols,
  type ScrapeConfig,
  scrapeConfig,
  scrapeConfigs,
  type ScrapeDefaults,
  scrapeDefaults,
} from "./config.ts";
export { BodySizeLimitError, type Fetcher } from "./fetcher.ts";
export { ScrapeManager, type ScrapeManagerOptions } from "./manager.ts";
export type { CreateFetcher } from "./pool.ts";
export { discoveredLabels, type PopulatedTarget, populateTarget } from "./populate.ts";
export type { Target, TargetHealth } from "./target.ts";
export {
  type ActiveTargetView,
  type DroppedTargetView,
  type RelabelStepView,
  ScrapeView,
  type TargetMetadataView,
} from "./view.ts";
