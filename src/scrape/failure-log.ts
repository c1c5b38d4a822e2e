import { type Clock, type Disk, errorMessage, type Logger } from "../base/index.ts";

/** The files of `scrape_failure_log_file`: one JSON object per failed scrape, appended. */
export class FailureLogs {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #descriptors = new Map<string, number>();

  constructor(disk: Disk, clock: Clock, logger: Logger) {
    this.#disk = disk;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Closes all files; those still wanted are opened anew, so that a moved one is followed after a reload. */
  reopen(): void {
    for (const fd of this.#descriptors.values()) this.#disk.close(fd);
    this.#descriptors.clear();
  }

  write(file: string, job: string, target: string, message: string): void {
    if (file === "") return;
    const time = new Date(this.#clock.nowMs()).toISOString();
    const line = JSON.stringify({ time, level: "ERROR", msg: message, job_name: job, target });
    try {
      let fd = this.#descriptors.get(file);
      if (fd === undefined) this.#descriptors.set(file, (fd = this.#disk.open(file, "a")));
      this.#disk.write(fd, Buffer.from(`${line}\n`));
    } catch (error) {
      this.#logger.warn("Writing the scrape failure log failed", { file, err: errorMessage(error) });
    }
  }
}
