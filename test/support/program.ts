import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { freePort } from "./free-port.ts";

/** What users run: it builds what is older than its sources, then becomes the program. */
export const launcher = join(import.meta.dirname, "..", "..", "bin", "narthex");
const startMsMax = 30_000;

/** A running Narthex program. */
export interface Program {
  readonly child: ChildProcess;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** All that it wrote to standard error so far. */
  log(): string;
  /** Sends a signal and resolves with the exit code (null when the signal ended it). */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Whatever a failed test left running ends with it. */
const children = new Set<ChildProcess>();
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));

function launch(
  command: string,
  args: readonly string[],
): ChildProcess & { stderr: Readable; stdout: Readable } {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

/** Starts a role on a free port, and resolves when it is ready. Rejects with its log when it ends before. */
export function startProgram(role: string, args: readonly string[]): Promise<Program> {
  return startCommand(launcher, [role, ...args]);
}

/** Starts any program that takes `--web.listen-address` and answers `/-/ready`, as `startProgram` does. */
export async function startCommand(command: string, args: readonly string[]): Promise<Program> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = launch(command, [...args, `--web.listen-address=${new URL(url).host}`]);
  // The pipes of a program that a failed test forgot must not keep the test process alive.
  for (const handle of [child, child.stdout as Socket, child.stderr as Socket]) handle.unref();
  child.stdout.resume();
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const deadlineMs = Date.now() + startMsMax;
  for (;;) {
    const status = await fetch(`${url}/-/ready`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return { child, url, log: () => log, end: (signal) => end(child, signal) };
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      child.kill("SIGKILL");
      throw new Error(`${command} ${args.join(" ")} did not start:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.ref();
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
  return child.exitCode;
}

/** Runs a program that ends by itself. */
export async function runProgram(
  role: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const child = launch(launcher, [role, ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  await once(child, "close");
  return { code: child.exitCode, output };
}

/** A directory of its own under the system's; `remove` takes it away. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "narthex-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Asks until `accept` is satisfied with the answer; the last answer is in the error when that does not happen in time. */
export async function eventually<T>(
  ask: () => Promise<T>,
  accept: (answer: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (accept(answer)) return answer;
    if (Date.now() > deadlineMs)
      throw new Error(`not satisfied in ${timeoutMs} ms by ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The `data` of an API answer. Throws with the body when the answer is an error. */
export async function api<T>(url: string, path: string): Promise<T> {
  const response = await fetch(`${url}/api/v1/${path}`);
  const body = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${body}`);
  return (JSON.parse(body) as { data: T }).data;
}

export interface VectorAnswer {
  resultType: string;
  result: { metric: Record<string, string>; value: [number, string] }[];
}

export function instantQuery(url: string, query: string, more = ""): Promise<VectorAnswer> {
  return api(url, `query?query=${encodeURIComponent(query)}${more}`);
}
