import { errorMessage, type Logger } from "../base/index.ts";

/** What a program has opened, to be closed again: the last first, for it may use what came before it. */
export class Shutdown {
  readonly #logger: Logger;
  readonly #closers: (() => Promise<void> | void)[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  /** Closes everything. What fails to close is logged and keeps the rest from nothing. */
  async run(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) {
      try {
        await close();
      } catch (error) {
        this.#logger.error("Closing failed", { err: errorMessage(error) });
      }
    }
  }
}
