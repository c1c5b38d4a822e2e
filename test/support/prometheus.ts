import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { appendSeries, type TestSeries } from "../../src/promql/testing/index.ts";
import { openTest } from "../../src/tsdb/test-support.ts";
import { peerBinary } from "./peers.ts";
import { encodeWriteRequest } from "./remote-write.ts";

/** Puts samples in OpenMetrics text into blocks under `directory`, where `PrometheusPeer.start` finds them. */
export function importOpenMetrics(directory: string, openMetrics: string): void {
  const input = join(directory, "input.om");
  writeFileSync(input, openMetrics);
  const args = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", input, join(directory, "data")];
  const imported = spawnSync(peerBinary("promtool"), args, { encoding: "utf8" });
  if (imported.status !== 0) throw new Error(`promtool: ${imported.stderr}`);
}

/** Writes a data directory, with start timestamps, as our storage does. */
export async function writeDataDirectory(directory: string, series: readonly TestSeries[]): Promise<void> {
  const { tsdb } = await openTest(directory, { storesStarts: true, futureMaxMs: Infinity });
  const appender = tsdb.appender();
  for (const each of series) appendSeries(appender, each);
  appender.commit();
  await tsdb.close();
}

/** A real Prometheus on a directory of its own, asked over HTTP. */
export class PrometheusPeer {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#process = child;
  }

  /** Starts Prometheus on the data under `directory`. */
  static async start(directory: string, flags: readonly string[] = []): Promise<PrometheusPeer> {
    const data = join(directory, "data");
    const config = join(directory, "prometheus.yml");
    writeFileSync(config, "global: {}\n");
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      peerBinary("prometheus"),
      [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=${address}`, ...flags],
      { stdio: "ignore" },
    );
    const peer = new PrometheusPeer(`http://${address}`, child);
    await peer.#ready();
    return peer;
  }

  /** Sends samples by remote write, which `--web.enable-remote-write-receiver` allows. */
  async write(series: readonly TestSeries[]): Promise<void> {
    const response = await fetch(`${this.url}/api/v1/write`, {
      method: "POST",
      headers: { "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf" },
      body: encodeWriteRequest(series),
    });
    if (!response.ok) throw new Error(`remote write: ${response.status} ${await response.text()}`);
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
