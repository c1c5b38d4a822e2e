/** Keeps a state that lives in memory on disk: one file, replaced as a whole. */
import { type Clock, type Disk, errorMessage, type Logger, type Timer } from "../base/index.ts";
import type { StoreMetrics } from "./metrics.ts";

export interface SnapshotOptions {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
  readonly path: string;
  /** How often what has expired is dropped and the file written whether or not anything changed. */
  readonly maintenanceIntervalMs: number;
  /** How long after a change the file is written; changes in between go with it. */
  readonly writeDelayMs: number;
  /** Drops what has expired. */
  readonly collectGarbage: () => void;
  readonly encode: () => Uint8Array;
}

export class Snapshot {
  readonly #options: SnapshotOptions;
  #maintenance: Timer | undefined;
  #write: Timer | undefined;
  /** Something has changed since the file was last written. */
  #isDirty = false;

  constructor(options: SnapshotOptions) {
    this.#options = options;
    this.#scheduleMaintenance();
  }

  /**
   * Hands the file to `decode`, if there is one. A file that turns out damaged is set aside under another name, and what
   * was read before the damage is kept.
   */
  load(decode: (file: Uint8Array) => void): void {
    const { clock, disk, logger, path } = this.#options;
    if (disk.stat(path) === undefined) return;
    try {
      decode(disk.readFile(path));
    } catch (error) {
      const aside = `${path}.damaged-${Math.floor(clock.nowMs())}`;
      logger.error("snapshot is damaged: what could be read of it is used, the file is set aside", {
        file: path,
        aside,
        err: errorMessage(error),
      });
      disk.rename(path, aside);
    }
  }

  /** The state has changed. */
  touch(): void {
    this.#isDirty = true;
    this.#write ??= this.#options.clock.after(this.#options.writeDelayMs, () => this.save());
  }

  /** Writes now. A failure is logged and counted, and tried again with the next maintenance. */
  save(): void {
    const { clock, disk, logger, metrics, path, encode } = this.#options;
    this.#write?.cancel();
    this.#write = undefined;
    const startMs = clock.monotonicMs();
    try {
      const bytes = encode();
      disk.writeFileAtomic(path, bytes);
      metrics.snapshotSize.set(bytes.length);
      this.#isDirty = false;
    } catch (error) {
      metrics.maintenanceErrors.inc();
      logger.error("writing the snapshot failed", { file: path, err: errorMessage(error) });
    }
    metrics.snapshotDuration.observe((clock.monotonicMs() - startMs) / 1000);
  }

  /**
   * Writes what has not been written. A program that changed nothing leaves the file alone: it may be another's, which a second start on one
   * directory finds out only later.
   */
  close(): void {
    this.#maintenance?.cancel();
    this.#write?.cancel();
    if (this.#isDirty) this.save();
  }

  #scheduleMaintenance(): void {
    const { clock, metrics, maintenanceIntervalMs, collectGarbage } = this.#options;
    this.#maintenance = clock.after(maintenanceIntervalMs, () => {
      metrics.maintenances.inc();
      const startMs = clock.monotonicMs();
      collectGarbage();
      metrics.gcDuration.observe((clock.monotonicMs() - startMs) / 1000);
      this.save();
      this.#scheduleMaintenance();
    });
  }
}
