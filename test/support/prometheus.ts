import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** The peer's programs, as found on the path or named by PROMETHEUS_BIN and PROMTOOL_BIN. */
const prometheusBinary = process.env["PROMETHEUS_BIN"] ?? "prometheus";
const promtoolBinary = process.env["PROMTOOL_BIN"] ?? "promtool";

export function hasPrometheus(): boolean {
  return [prometheusBinary, promtoolBinary].every(
    (binary) => spawnSync(binary, ["--version"], { stdio: "ignore" }).status === 0,
  );
}

/** A real Prometheus on a directory of its own, asked over HTTP. */
export class PrometheusPeer {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#process = child;
  }

  /** Puts samples in OpenMetrics text into blocks under `directory` and starts Prometheus on them. */
  static async start(
    directory: string,
    openMetrics: string,
    flags: readonly string[] = [],
  ): Promise<PrometheusPeer> {
    const input = join(directory, "input.om");
    const data = join(directory, "data");
    const config = join(directory, "prometheus.yml");
    writeFileSync(input, openMetrics);
    writeFileSync(config, "global: {}\n");
    const args = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", input, data];
    const imported = spawnSync(promtoolBinary, args, { encoding: "utf8" });
    if (imported.status !== 0) throw new Error(`promtool: ${imported.stderr}`);
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      prometheusBinary,
      [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=${address}`, ...flags],
      { stdio: "ignore" },
    );
    const peer = new PrometheusPeer(`http://${address}`, child);
    await peer.#ready();
    return peer;
  }

  /** The answer's JSON, whatever its status. */
  async get(path: string, parameters: Record<string, string>): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method: "POST",
      body: new URLSearchParams(parameters),
    });
    return response.json();
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await ended;
  }

  async #ready(): Promise<void> {
    const deadlineMs = Date.now() + 30_000;
    while (Date.now() < deadlineMs && this.#process.exitCode === null) {
      const ok = await fetch(`${this.url}/-/ready`).then(
        (response) => response.ok,
        () => false,
      );
      if (ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.stop();
    throw new Error("prometheus did not become ready");
  }
}
