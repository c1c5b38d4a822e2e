import { spawnSync } from "node:child_process";
import { type Program, startCommand } from "./program.ts";

/** The real programs that tests compare with; an environment variable names another version's. */
const binaries = {
  prometheus: process.env["PROMETHEUS_BIN"] ?? "prometheus",
  alertmanager: process.env["ALERTMANAGER_BIN"] ?? "prometheus-alertmanager",
  promtool: process.env["PROMTOOL_BIN"] ?? "promtool",
  amtool: process.env["AMTOOL_BIN"] ?? "amtool",
} as const;

export type Peer = keyof typeof binaries;

export function peerBinary(peer: Peer): string {
  return binaries[peer];
}

/** For a test's `skip`: false when all are installed, else the one line that says which are not. */
export function skipWithout(...peers: Peer[]): string | false {
  const missing = peers.filter(
    (peer) => spawnSync(binaries[peer], ["--version"], { stdio: "ignore" }).status !== 0,
  );
  return missing.length > 0 && `not installed: ${missing.map(peerBinary).join(", ")}`;
}

/** The installed version, `2.42.0`; empty where there is none. */
export function peerVersion(peer: Peer): string {
  const { stdout, stderr } = spawnSync(binaries[peer], ["--version"], { encoding: "utf8" });
  return /version (\S+)/.exec(stdout + stderr)?.[1] ?? "";
}

/** Whether what is installed is older than the 3.x that we are measured by. */
export function isOldPeer(peer: Peer): boolean {
  return /^[0-2]\./.test(peerVersion(peer));
}

/** For a test's `skip`: false when the installed Prometheus can write XOR2 chunks, which came with 3.11. */
export function skipWithoutXor2(): string | false {
  const missing = skipWithout("prometheus", "promtool");
  if (missing !== false) return missing;
  const help = spawnSync(binaries.prometheus, ["--help"], { encoding: "utf8" });
  return (
    !(help.stdout + help.stderr).includes("xor2-encoding") && "the installed Prometheus has no XOR2 chunks"
  );
}

/** What current promtool says on standard error, in the words of the one that is installed. */
export function inPromtoolsWords(text: string): string {
  if (!isOldPeer("promtool")) return text;
  return text
    .replace(/flag\(s\) '(\S+)'/, "flag $1")
    .replace(/^invalid block ID (\S+)/, "block $1 not found");
}

/** Starts a real program on a free port, and resolves when it is ready. */
export function startPeer(peer: Peer, args: readonly string[]): Promise<Program> {
  return startCommand(binaries[peer], args);
}
