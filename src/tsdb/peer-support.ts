/** The real programs, for tests that compare. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { normalNaNBits } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { freePort } from "../../test/support/free-port.ts";
import { peerBinary, skipWithout } from "../../test/support/peers.ts";
import { bitsOf, type Dump } from "./test-support.ts";

const startMsMax = 20_000;

/** What `test` is told as `skip`: why, or false. */
export const skipWithoutPrometheus = skipWithout("prometheus", "promtool");

export function promtool(...args: string[]): string {
  return execFileSync(peerBinary("promtool"), args, { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
}

/** What `promtool tsdb dump` finds in a copy of the directory: it prints `{labels} value milliseconds` per sample. */
export function dumpWithPromtool(data: string): Dump {
  const copy = `${data}-promtool`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(data, copy, { recursive: true });
  const result: Dump = new Map();
  for (const line of promtool("tsdb", "dump", copy).split("\n")) {
    const match = /^(\{.*\}) (\S+) (\d+)$/.exec(line);
    if (!match) continue;
    const samples = result.get(match[1]!) ?? [];
    samples.push([Number(match[3]), parseBits(match[2]!)]);
    result.set(match[1]!, samples);
  }
  return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A NaN's text hides its bits; it is taken for the one that upstream's parser makes. */
function parseBits(text: string): bigint {
  if (text === "NaN") return normalNaNBits;
  return bitsOf(text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));
}

/** Starts a server on a directory, runs, and kills it, or asks it to end. */
export async function withPrometheus<T>(
  data: string,
  run: (port: number) => Promise<T>,
  options: { config?: string; flags?: readonly string[]; stopsCleanly?: boolean } = {},
): Promise<T> {
  const port = await freePort();
  const { config = "{}", flags = [] } = options;
  const prometheus = await startPrometheus(data, port, config, ...flags);
  try {
    return await run(port);
  } finally {
    prometheus.kill(options.stopsCleanly ? "SIGTERM" : "SIGKILL");
    await once(prometheus, "exit");
  }
}

/** Starts a server that the caller must end, and waits until it is ready. */
export async function startPrometheus(
  data: string,
  port: number,
  config = "{}",
  ...flags: string[]
): Promise<ChildProcess> {
  mkdirSync(data, { recursive: true });
  writeFileSync(`${data}.yml`, config);
  const address = `--web.listen-address=127.0.0.1:${port}`;
  const args = [`--config.file=${data}.yml`, `--storage.tsdb.path=${data}`, ...flags, address];
  const prometheus = spawn(peerBinary("prometheus"), args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  prometheus.stderr.on("data", (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)));
  for (const deadlineMs = Date.now() + startMsMax; Date.now() < deadlineMs && prometheus.exitCode === null;) {
    const isReady = await fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return prometheus;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  prometheus.kill("SIGKILL");
  throw new Error(`prometheus did not start: ${log}`);
}

/** The `data` that a path of `/api/v1/` answers with. */
export async function ask(port: number, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
  return ((await response.json()) as { data: unknown }).data;
}

/** All samples that a server has of the ten days before `untilMs`. */
export async function askAll(port: number, untilMs = Date.now()): Promise<Dump> {
  const query = encodeURIComponent('{__name__!=""}[10d]');
  const data = (await ask(port, `query?query=${query}&time=${untilMs / 1000}`)) as {
    result: { metric: Record<string, string>; values: [number, string][] }[];
  };
  const result = data.result
    .map(({ metric, values }) => ({ labels: Labels.from(metric), values }))
    .sort((a, b) => a.labels.compare(b.labels));
  return new Map(
    result.map(({ labels, values }) => [
      labels.toString(),
      values.map(([seconds, value]) => [Math.round(seconds * 1000), parseBits(value)]),
    ]),
  );
}
