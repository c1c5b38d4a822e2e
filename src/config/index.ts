/** `prometheus.yml` as a whole, put together from each step's own part. */
export { type Config, type GlobalConfig } from "./config.ts";
export { encodeConfig, loadConfig, type LoadOptions, parseConfig } from "./load.ts";
export type { StorageConfig } from "./sections.ts";
