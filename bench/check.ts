import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { difference } from "./answers.ts";
import { type Range, getBody, rangePath } from "./client.ts";
import { writeConfig } from "./config.ts";
import { LoadProcess } from "./load-process.ts";
import { sleep } from "./process.ts";
import type { Query } from "./queries.ts";
import { Server } from "./server.ts";
import type { System } from "./systems.ts";

const targets = 5;
const seriesPerTarget = 1000;
const firstPort = 20_900;
const firstServerPort = 20_980;
/** More than the longest window and the steps asked for: whoever began later has all of it as well. */
const scrapedMs = 90_000;

/**
 * Lets the systems that claim to be Prometheus scrape one small load at the same time, and asks them the queries. Throws when an answer of
 * the first is not the others'.
 */
export async function checkAnswers(
  systems: readonly System[],
  queries: readonly Query[],
  directory: string,
): Promise<void> {
  const own = join(directory, "check");
  mkdirSync(own);
  const alike = systems.filter((system) => system.isPrometheus);
  if (alike.length < 2) return;
  const load = await LoadProcess.start({
    targets,
    seriesPerTarget,
    intervalSeconds: 1,
    firstPort,
    isStamped: true,
  });
  const servers: Server[] = [];
  try {
    const config = writeConfig(own, { count: targets, firstPort, intervalSeconds: 1 });
    for (const [i, system] of alike.entries())
      servers.push(await Server.start(system, config, own, firstServerPort + i));
    await sleep(scrapedMs);
    const end = Math.floor(Date.now() / 1000) - 12;
    const range = { start: end - 10, end, step: 1 };
    for (const query of queries) {
      const [first, ...others] = await Promise.all(servers.map((server) => ask(server, query, range)));
      for (const [i, other] of others.entries()) requireEqual(query, alike[i + 1]!, first!, other);
    }
  } finally {
    for (const server of servers) await server.stop();
    await load.stop();
  }
}

function ask(server: Server, { expr }: Query, range: Range): Promise<Buffer> {
  return getBody(server.port, rangePath(expr, range));
}

/** Throws when two answers differ. */
export function requireEqual({ name }: Query, other: System, ours: Buffer, theirs: Buffer): void {
  const found = difference(ours, theirs);
  if (found !== undefined) throw new Error(`${name} is answered differently by ${other.name}: ${found}`);
}
