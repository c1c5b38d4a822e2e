import type { ChildProcess } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { get } from "./client.ts";
import { sleep, start, stop } from "./process.ts";
import type { System } from "./systems.ts";

/** A system that runs. */
export class Server {
  readonly system: System;
  readonly port: number;
  readonly #args: string[];
  readonly #logFd: number;
  #child: ChildProcess;

  private constructor(system: System, port: number, args: string[], logFd: number) {
    this.system = system;
    this.port = port;
    this.#args = args;
    this.#logFd = logFd;
    this.#child = start(system.command, args, logFd);
  }

  /** With its data and log in `directory`. */
  static async start(system: System, configFile: string, directory: string, port: number): Promise<Server> {
    const args = system.args(configFile, dataDirectory(directory, system), port);
    const logFd = openSync(join(directory, `${system.name}.log`), "a");
    const server = new Server(system, port, args, logFd);
    await server.#ready(30_000);
    return server;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** `kill -9`, and how long it takes until it is ready again, in milliseconds. */
  async restartAfterKill(): Promise<number> {
    await stop(this.#child, "SIGKILL");
    const beginMs = performance.now();
    this.#child = start(this.system.command, this.#args, this.#logFd);
    await this.#ready(120_000);
    return performance.now() - beginMs;
  }

  stop(): Promise<void> {
    return stop(this.#child, "SIGKILL");
  }

  async #ready(timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (performance.now() < deadlineMs) {
      const status = await get(this.port, this.system.readyPath).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) return;
      await sleep(5);
    }
    throw new Error(`${this.system.name} was not ready within ${timeoutMs} ms`);
  }
}

export function dataDirectory(directory: string, system: System): string {
  return join(directory, `data-${system.name}`);
}
