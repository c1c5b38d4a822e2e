import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stop } from "./process.ts";

/** So many scrapes with samples so far apart; the last are of the time when all scrapes were made. */
export interface Past {
  scrapes: number;
  stepSeconds: number;
}

export interface LoadOptions {
  targets: number;
  seriesPerTarget: number;
  intervalSeconds: number;
  firstPort: number;
  /** Whether samples carry their times. */
  isStamped?: boolean;
  /** Samples of the past instead, faster than the clock runs. */
  past?: Past;
}

/** The process that is scraped. */
export class LoadProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(options: LoadOptions): Promise<LoadProcess> {
    const args = [
      join(import.meta.dirname, "load.ts"),
      `--targets=${options.targets}`,
      `--series=${options.seriesPerTarget}`,
      `--interval-ms=${options.intervalSeconds * 1000}`,
      `--first-port=${options.firstPort}`,
      ...(options.isStamped === true ? ["--stamped"] : []),
      ...(options.past
        ? [`--scrapes=${options.past.scrapes}`, `--step-ms=${options.past.stepSeconds * 1000}`]
        : []),
    ];
    const load = new LoadProcess(spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }));
    await load.#nextLine();
    return load;
  }

  /** How much later than an interval after the one before the latest scrape came, since the last call. */
  async takeLongestDelayMs(): Promise<number> {
    const line = this.#nextLine();
    this.#child.kill("SIGUSR2");
    return (JSON.parse(await line) as { longestDelayMs: number }).longestDelayMs;
  }

  stop(): Promise<void> {
    return stop(this.#child, "SIGTERM");
  }

  /** It writes a line when it is ready and one for each time it is asked. */
  #nextLine(): Promise<string> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const lines = createInterface({ input: child.stdout! });
      const fail = (): void => reject(new Error("the load process ended; is another benchmark running?"));
      child.once("exit", fail);
      lines.once("line", (line) => {
        child.off("exit", fail);
        lines.close();
        resolve(line);
      });
    });
  }
}
