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
