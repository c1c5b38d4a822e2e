import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { getBody, post } from "./client.ts";
import { cpuMs, diskBytes } from "./process.ts";
import type { Server } from "./server.ts";
import type { Figures } from "./table.ts";

/** What a server of Prometheus' kind has made of the samples on disk: its log, and the block that a snapshot cuts from its head. */
export async function measureStorage(
  { pid, port }: Server,
  figures: Figures,
  dataDirectory: string,
  idleCpuShare: number,
): Promise<void> {
  const appended = await samplesAppended(port);
  figures.note("log, per sample", "B", diskBytes(join(dataDirectory, "wal")) / appended);
  const cpuBefore = cpuMs(pid);
  const begin = performance.now();
  await post(port, "/api/v1/admin/tsdb/snapshot");
  const cpu = cpuMs(pid) - cpuBefore - (performance.now() - begin) * idleCpuShare;
  const snapshots = join(dataDirectory, "snapshots");
  const snapshot = join(snapshots, readdirSync(snapshots)[0]!);
  // The others are the blocks that there were.
  const fresh = readdirSync(snapshot).filter((block) => !existsSync(join(dataDirectory, block)));
  const blocks = fresh.map((block) => join(snapshot, block));
  const samples = blocks.reduce((sum, block) => sum + samplesOf(block), 0);
  const bytes = blocks.reduce((sum, block) => sum + diskBytes(block), 0);
  figures.note("block of the head, per sample", "B", bytes / samples);
  figures.note("block of the head: CPU per sample", "ns", (cpu * 1e6) / samples);
}

async function samplesAppended(port: number): Promise<number> {
  const metrics = (await getBody(port, "/metrics")).toString();
  const found = metrics.matchAll(/^prometheus_tsdb_head_samples_appended_total(?:\{.*\})? (\S+)$/gm);
  return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
}

function samplesOf(block: string): number {
  const meta = JSON.parse(readFileSync(join(block, "meta.json"), "utf8")) as {
    stats: { numSamples: number };
  };
  return meta.stats.numSamples;
}
