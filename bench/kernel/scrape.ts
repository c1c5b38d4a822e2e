// A target's scrape: parse against the line table, check, append. Run: node bench/kernel/scrape.ts
import { createKernel, lineComment, lineEvent } from "../../src/kernel/index.ts";
import { measure } from "./measure.ts";

const kernel = createKernel({ limitBytes: 512 * 1024 * 1024 });
const targets = 20;
const rounds = 8;

function exposition(target: number, round: number): string {
  const lines: string[] = [];
  for (let family = 0; family < 20; family++) {
    lines.push(
      `# HELP app_requests_${family}_total Requests handled.`,
      `# TYPE app_requests_${family}_total counter`,
    );
    for (let i = 0; i < 40; i++) {
      const value = (round + 1) * (i + 17 * family + target) + i * 1000;
      lines.push(
        `app_requests_${family}_total{method="GET",path="/api/v1/things/${i}",status="200"} ${value}`,
      );
    }
    for (let i = 0; i < 10; i++)
      lines.push(
        `app_latency_seconds_${family}{instance="worker-${i}",zone="a"} ${Math.abs(Math.sin(round + i)) * 3}`,
      );
  }
  return `${lines.join("\n")}\n`;
}

let nextRef = 1;
let time = 1_700_000_000_000;
const batch = kernel.createSampleBatch(2000);
const labels = kernel.arena.allocate(16);
const loops = Array.from({ length: targets }, (_, target) => ({
  table: kernel.createLineTable(),
  bodies: Array.from({ length: rounds }, (_unused, round) => {
    const body = kernel.createByteBuffer(10_000_000);
    body.append(Buffer.from(exposition(target, round)));
    return body;
  }),
}));

let round = 0;
function scrapeAll(store: boolean): void {
  round = (round + 1) % rounds;
  time += 15_000;
  for (const { table, bodies } of loops) {
    const body = bodies[round]!;
    batch.clear();
    table.begin({ body, batch, timestampMs: time, format: "text", honorTimestamps: true });
    for (let event = table.resume(); event !== lineEvent.done; event = table.resume()) {
      if (event === lineEvent.unknownSeries) {
        kernel.series.create(nextRef, labels);
        table.addEntry(nextRef++);
      } else if (event === lineEvent.unknownComment) table.addEntry(lineComment);
      else throw new Error(`unexpected event ${event}`);
    }
    table.finish();
    if (!store) continue;
    batch.check({ minValidTimeMs: 0, maxValidTimeMs: Infinity });
    batch.append();
  }
  kernel.arena.reclaim();
  if (store && time % (15_000 * 256) === 0)
    for (let ref = 1; ref < nextRef; ref++) kernel.series.truncate(ref, time - 3_600_000);
}

scrapeAll(true);
const samples = targets * 1000;
const bytes = loops.reduce((sum, { bodies }) => sum + bodies[0]!.bytes, 0);
console.log(`${samples} samples in ${targets} bodies, ${(bytes / samples).toFixed(1)} bytes per line`);
measure("parse", samples, () => scrapeAll(false));
measure("parse, check, append", samples, () => scrapeAll(true));
