/**
 * The head cut into a block, by hand: `node bench/tsdb/cut.ts [targets of 1,000 series] [scrapes] [directory]`. Fills a head, 15 s apart, writes a block of its first two hours a few
 * times, and prints the CPU seconds of each. A directory that is named stays, and is not filled again: for another program to do the same with.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemDisk } from "../../src/base/index.ts";
import { createUlid, writeHeadBlock } from "../../src/tsdb/index.ts";
import { createHeadQueryable } from "../../src/tsdb/head/querier.ts";
import { createSeries, openStorage, scrapeAll, scrapeIntervalMs, startMs } from "./load.ts";

const targets = Number(process.argv[2] ?? 100);
const scrapes = Number(process.argv[3] ?? 500);
const named = process.argv[4];
const directory = named ?? mkdtempSync(join(tmpdir(), "narthex-bench-"));
const rangeMs = 2 * 3_600_000;
const rounds = 5;

try {
  const isFilled = existsSync(join(directory, "wal"));
  const storage = await openStorage(directory, isFilled ? startMs + scrapes * scrapeIntervalMs : startMs);
  if (!isFilled) {
    const refs = createSeries(storage, targets);
    for (let scrape = 0; scrape < scrapes; scrape++) {
      scrapeAll(storage, refs, scrape);
      await storage.clock.advance(scrapeIntervalMs);
    }
  }
  for (let round = 0; round < rounds; round++) cut(storage.kernel);
  await storage.tsdb.close();
} finally {
  if (named === undefined) rmSync(directory, { recursive: true });
}

function cut(kernel: Parameters<typeof createHeadQueryable>[0]): void {
  const ulid = createUlid(startMs);
  const target = { kernel, disk: systemDisk, dataDirectory: directory, ulid };
  const head = createHeadQueryable(kernel, { part: "inOrder", aheadBytesMax: 32 * 1024 * 1024 });
  const before = process.cpuUsage();
  const meta = writeHeadBlock(head, target, startMs, startMs + rangeMs);
  const { user, system } = process.cpuUsage(before);
  head.close();
  rmSync(join(directory, ulid), { recursive: true });
  const { numSamples = 0, numChunks = 0 } = meta?.stats ?? {};
  const seconds = (user + system) / 1e6;
  console.log(
    `${numSamples} samples, ${numChunks} chunks: ${seconds.toFixed(2)} s CPU, ${((seconds * 1e9) / numSamples).toFixed(1)} ns per sample`,
  );
}
