import { type Logger, NarthexError, type SystemMemory, errorMessage, systemClock } from "../base/index.ts";
import { MemoryRelease } from "./memory-release.ts";

/** A started program. */
export interface Running {
  close(): Promise<void>;
  /** On SIGHUP; rejects when the new configuration was refused. */
  reload?(): Promise<void>;
  /** Gives back what it does not use; asked for now and then. */
  releaseMemory?(memory: SystemMemory): void;
}

/** Ends the program, because it was asked to or because it cannot go on. */
export type Quit = (reason: "request" | "failure") => void;

/** What the shell gets to know; upstream's numbers. */
const exitCode = { ok: 0, failure: 1, badInput: 2 } as const;

/** A program that has not ended this long after SIGTERM is ended. */
const closeMsMax = 20_000;

/**
 * Starts a program and keeps it until SIGTERM, SIGINT, or `quit`, then closes it and ends the process. A start that fails
 * is one line on standard error and an exit code: 2 for bad flags or configuration, 1 for the rest.
 */
export async function run(logger: Logger, start: (quit: Quit) => Promise<Running>): Promise<void> {
  let quit: Quit = () => {};
  const quitting = new Promise<string>((resolve) => {
    quit = resolve;
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
  let started: Promise<Running> | undefined;
  // A SIGHUP during the start waits for its end: what was read by then may be older than the file.
  process.on("SIGHUP", () => {
    started
      ?.then((running) => running.reload?.())
      .catch((error: unknown) => logger.error("Reloading failed", { err: errorMessage(error) }));
  });
  let running: Running;
  try {
    running = await (started = start(quit));
  } catch (error) {
    process.exit(reportFailedStart(logger, error));
  }
  const release = new MemoryRelease({
    clock: systemClock,
    logger,
    releaseMemory: (memory) => running.releaseMemory?.(memory),
  });
  const reason = await quitting;
  logger.info("Ending", { reason });
  release.close();
  setTimeout(() => {
    logger.error("Ending took too long", { limit: `${closeMsMax}ms` });
    process.exit(exitCode.failure);
  }, closeMsMax).unref();
  await running.close();
  logger.info("See you next time!");
  process.exit(reason === "failure" ? exitCode.failure : exitCode.ok);
}

function reportFailedStart(logger: Logger, error: unknown): number {
  const isExpected = error instanceof NarthexError;
  logger.error("Cannot start", {
    err: isExpected ? error.message : ((error as Error).stack ?? errorMessage(error)),
  });
  return isExpected && error.code === "bad_data" ? exitCode.badInput : exitCode.failure;
}

/** Ends the process over bad arguments, in kingpin's words. */
export function failUsage(program: string, error: unknown): never {
  process.stderr.write(`${program}: error: ${errorMessage(error)}, try --help\n`);
  process.exit(exitCode.badInput);
}
