import type { Registry } from "@narthex/client";
import type { Logger } from "../base/index.ts";
import type { Config } from "../config/index.ts";

export interface LiveConfigParts {
  /** Reads the configuration as it stands now. Throws `bad_data` when it is bad. */
  load: () => Config;
  /** Named in the log. */
  file: string;
  logger: Logger;
  registry: Registry;
}

/** The configuration in force, and how the last attempt to replace it went. */
export class LiveConfig {
  readonly #parts: LiveConfigParts;
  #current: Config;
  #loadedMs = Date.now();
  #refusedMs: number | undefined;

  /** Throws `bad_data` when the configuration is bad from the start. */
  constructor(parts: LiveConfigParts) {
    this.#parts = parts;
    this.#current = parts.load();
    const { registry } = parts;
    registry.gaugeFunction(
      {
        name: "prometheus_config_last_reload_successful",
        help: "Whether the last reload of the configuration succeeded.",
      },
      () => Number(this.#refusedMs === undefined),
    );
    registry.gaugeFunction(
      {
        name: "prometheus_config_last_reload_success_timestamp_seconds",
        help: "When the configuration was last loaded successfully.",
      },
      () => this.#loadedMs / 1000,
    );
  }

  get current(): Config {
    return this.#current;
  }

  /** When the one in force was loaded, in Unix milliseconds. */
  get loadedMs(): number {
    return this.#loadedMs;
  }

  /** When another was refused, if that was later. */
  get refusedMs(): number | undefined {
    return this.#refusedMs;
  }

  /** Reads the configuration again and puts it in force by `apply`. Rejects when either refuses it; then the old one stays. */
  async reload(apply: (config: Config) => Promise<void>): Promise<void> {
    try {
      const config = this.#parts.load();
      await apply(config);
      this.#current = config;
      this.#refusedMs = undefined;
      this.#loadedMs = Date.now();
    } catch (error) {
      this.#refusedMs = Date.now();
      throw error;
    }
    this.#parts.logger.info("Completed loading of configuration file", { filename: this.#parts.file });
  }
}
