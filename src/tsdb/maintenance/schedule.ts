import { type Clock, errorMessage, type Logger, NarthexError, type Timer } from "../../base/index.ts";

export interface MaintenanceScheduleParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Done each second; must not throw. */
  readonly tend: () => void;
  /** Done each minute, in its turn. */
  readonly maintain: () => Promise<void>;
}

const tendIntervalMs = 1000;
const maintenanceIntervalMs = 60_000;

/** Says when a storage is maintained: what changes head or blocks comes one after the other, by itself each minute or when asked. Owns the timers until it is stopped. */
export class MaintenanceSchedule {
  readonly #parts: MaintenanceScheduleParts;
  #tending: Timer | undefined;
  #timer: Timer | undefined;
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: MaintenanceScheduleParts) {
    this.#parts = parts;
  }

  /** Resolves when the work that is under way, if any, is over. */
  get settled(): Promise<void> {
    return this.#last;
  }

  /** The first second and the first minute begin. */
  begin(): void {
    this.#armTending();
    this.#armMaintenance();
  }

  /** Does `work` after all that was asked for before, and settles as it does; rejects with `unavailable` when the schedule is stopped before. */
  inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(() => {
      if (this.#isStopped) throw new NarthexError("unavailable", "storage is closed");
      return work();
    });
    this.#last = next.catch(() => {});
    return next;
  }

  /** Nothing more is begun; what is under way goes on, see `settled`. */
  stop(): void {
    this.#isStopped = true;
    this.#tending?.cancel();
    this.#timer?.cancel();
  }

  #armTending(): void {
    if (this.#isStopped) return;
    this.#tending = this.#parts.clock.after(tendIntervalMs, () => {
      this.#parts.tend();
      this.#armTending();
    });
  }

  #armMaintenance(): void {
    if (this.#isStopped) return;
    this.#timer = this.#parts.clock.after(maintenanceIntervalMs, () => {
      // It rejects only when there will be no other minute.
      this.inTurn(() => this.#maintain()).catch(() => {});
    });
  }

  async #maintain(): Promise<void> {
    try {
      await this.#parts.maintain();
    } catch (error) {
      this.#parts.logger.error("head truncation failed", { err: errorMessage(error) });
    }
    this.#armMaintenance();
  }
}
