import type { Clock, Disk } from "../base/index.ts";
import { emptyWebConfig, loadWebConfig, type WebConfig } from "./web-config.ts";

/** A changed file is noticed by the first connection after so long. */
export const rereadMs = 1000;

/** The web config file, read again when its age asks for it and its bytes are others. */
export class WebConfigSource {
  readonly #file: string | undefined;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly initial: WebConfig;
  #config: WebConfig;
  #text = "";
  #readAtMs: number;
  #error: unknown;

  constructor(file: string | undefined, disk: Disk, clock: Clock) {
    this.#file = file;
    this.#disk = disk;
    this.#clock = clock;
    this.#readAtMs = clock.monotonicMs();
    this.initial = file === undefined ? emptyWebConfig : loadWebConfig(file, disk);
    this.#config = this.initial;
    if (file !== undefined) this.#text = Buffer.from(disk.readFile(file)).toString("utf8");
  }

  /** Throws while the file is broken: an answer under a configuration that is no longer wanted would be worse. */
  current(): WebConfig {
    if (this.#file !== undefined && this.#clock.monotonicMs() - this.#readAtMs >= rereadMs)
      this.#reread(this.#file);
    if (this.#error !== undefined) throw this.#error;
    return this.#config;
  }

  #reread(file: string): void {
    this.#readAtMs = this.#clock.monotonicMs();
    try {
      const source = Buffer.from(this.#disk.readFile(file)).toString("utf8");
      if (source !== this.#text || this.#error !== undefined) this.#config = loadWebConfig(file, this.#disk);
      this.#text = source;
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
    }
  }
}
