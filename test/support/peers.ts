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

/** Starts a real program on a free port, and resolves when it is ready. */
export function startPeer(peer: Peer, args: readonly string[]): Promise<Program> {
  return startCommand(binaries[peer], args);
}
