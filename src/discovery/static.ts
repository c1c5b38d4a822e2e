import type { StaticConfig } from "./config.ts";
import type { Discoverer } from "./discoverer.ts";

/** The groups of the configuration itself: published once. */
export function createStaticDiscoverer(config: StaticConfig): Discoverer {
  return {
    async run(publish) {
      publish(config.groups);
    },
  };
}
