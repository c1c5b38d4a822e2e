import {
  type Clock,
  errorMessage,
  ExecutablePages,
  loadSystemMemory,
  type Logger,
  type SystemMemory,
  type Timer,
} from "../base/index.ts";

const intervalMs = 15_000;
/** By then most of what happens once has happened. */
const firstDelayMs = 5000;

export interface MemoryReleaseParts {
  clock: Clock;
  logger: Logger;
  /** Gives back what else the program does not use. */
  releaseMemory?: (memory: SystemMemory) => void;
  /** What tests replace. */
  load?: (logger: Logger) => SystemMemory | undefined;
}

/** Gives memory that the process does not use back to the system, now and then. Who made it must `close` it. */
export class MemoryRelease {
  readonly #parts: MemoryReleaseParts;
  #executable: ExecutablePages | undefined;
  #timer: Timer | undefined;

  constructor(parts: MemoryReleaseParts) {
    this.#parts = parts;
    this.#timer = parts.clock.after(firstDelayMs, () => this.#begin());
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #begin(): void {
    const { load = loadSystemMemory, logger } = this.#parts;
    const memory = load(logger);
    if (memory === undefined) return;
    try {
      this.#executable = new ExecutablePages(memory);
    } catch (error) {
      logger.debug("pages of the executable are kept", { err: errorMessage(error) });
    }
    this.#release(memory);
  }

  #release(memory: SystemMemory): void {
    memory.trimHeap();
    this.#executable?.release();
    this.#parts.releaseMemory?.(memory);
    this.#timer = this.#parts.clock.after(intervalMs, () => this.#release(memory));
  }
}
