import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface ScrapeTargets {
  count: number;
  firstPort: number;
  intervalSeconds: number;
}

/** Writes a configuration that scrapes the load, and reads `rulesFile` when there is one. Returns its path. */
export function writeConfig(directory: string, targets: ScrapeTargets, rulesFile?: string): string {
  const { count, firstPort, intervalSeconds } = targets;
  const addresses = Array.from({ length: count }, (_, i) => `'127.0.0.1:${firstPort + i}'`);
  const file = join(directory, "prometheus.yml");
  writeFileSync(
    file,
    `global:\n  scrape_interval: ${intervalSeconds}s\n  scrape_timeout: ${intervalSeconds}s\n` +
      (rulesFile === undefined ? "" : `rule_files: ['${rulesFile}']\n`) +
      `scrape_configs:\n  - job_name: load\n    static_configs:\n      - targets: [${addresses.join(", ")}]\n`,
  );
  return file;
}
