import type { ConnectionOptions } from "node:tls";
import { type Clock, type Disk, errorMessage, NarthexError } from "../base/index.ts";
import { nodeTlsVersion, type TlsConfig } from "./config.ts";

/** Certificates are looked at again this often, so that a renewed one is used without a reload. */
const rereadMs = 5000;

/** What node:tls needs to connect as `config` says, its files read now. Throws `unavailable` when one cannot be read. */
export function nodeTlsOptions(config: TlsConfig, disk: Disk): ConnectionOptions {
  const ca = content(config.ca, config.caFile, "CA", disk);
  const cert = content(config.cert, config.certFile, "client certificate", disk);
  const key = content(config.key.reveal(), config.keyFile, "client key", disk);
  return {
    rejectUnauthorized: !config.insecureSkipVerify,
    minVersion: nodeTlsVersion(config.minVersion ?? "TLS12"),
    ...(config.maxVersion && { maxVersion: nodeTlsVersion(config.maxVersion) }),
    ...(config.serverName !== "" && { servername: config.serverName }),
    ...(ca !== "" && { ca }),
    ...(cert !== "" && { cert, key }),
  };
}

/** TLS options of a client, made from a config and the files it names. `version` counts the times they changed. */
export class TlsSource {
  readonly #config: TlsConfig;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #usesFiles: boolean;
  #options: ConnectionOptions | undefined;
  #fingerprint = "";
  #readAtMs = -Infinity;
  version = 0;

  constructor(config: TlsConfig, disk: Disk, clock: Clock) {
    this.#config = config;
    this.#disk = disk;
    this.#clock = clock;
    this.#usesFiles = config.caFile !== "" || config.certFile !== "" || config.keyFile !== "";
  }

  /** Throws `unavailable` when a file cannot be read. */
  options(): ConnectionOptions {
    const fresh = this.#clock.monotonicMs() - this.#readAtMs < rereadMs;
    if (this.#options && (!this.#usesFiles || fresh)) return this.#options;
    const options = nodeTlsOptions(this.#config, this.#disk);
    this.#readAtMs = this.#clock.monotonicMs();
    const fingerprint = JSON.stringify(options);
    if (this.#options && fingerprint === this.#fingerprint) return this.#options;
    this.#fingerprint = fingerprint;
    this.version++;
    this.#options = options;
    return options;
  }
}

function content(inlineText: string, file: string, what: string, disk: Disk): string {
  if (file === "") return inlineText;
  try {
    return Buffer.from(disk.readFile(file)).toString("utf8");
  } catch (error) {
    throw new NarthexError("unavailable", `unable to read ${what} file ${file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
