import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { Labels } from "../../model/index.ts";
import {
  abandon,
  baseTimeMs,
  bitsOf,
  type Dump,
  dump,
  ForwardingDisk,
  type Opened,
  openTest,
  temporaryDirectory,
} from "../test-support.ts";

const samplesPerChunk = 8;
const stepMs = 1000;
const seriesCount = 12;

/** What the head must have: every sample that was acknowledged and not truncated. */
class Model {
  readonly samples = new Map<string, [number, bigint][]>();

  add(name: string, timestampMs: number, value: number): void {
    const samples = this.samples.get(name) ?? [];
    samples.push([timestampMs, bitsOf(value)]);
    this.samples.set(name, samples);
  }

  dump(): Dump {
    return new Map([...this.samples].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Fails writes to chunks_head as told, leaving half of the bytes there. */
class FaultyDisk extends ForwardingDisk {
  fails = (): boolean => false;
  readonly #headChunks = new Set<number>();

  override open(path: string, flags: string): number {
    const isHeadChunks = path.includes("/chunks_head/") && flags === "w";
    if (isHeadChunks && this.fails()) throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
    const fd = super.open(path, flags);
    if (isHeadChunks) this.#headChunks.add(fd);
    return fd;
  }
  override close(fd: number): void {
    this.#headChunks.delete(fd);
    super.close(fd);
  }
  override write(fd: number, bytes: Uint8Array, position?: number): void {
    if (!this.#headChunks.has(fd) || !this.fails()) return super.write(fd, bytes, position);
    super.write(fd, bytes.subarray(0, bytes.length >> 1), position);
    throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
  }
  override truncate(fd: number, sizeBytes: number): void {
    if (this.#headChunks.has(fd) && this.fails())
      throw Object.assign(new Error("EIO: injected"), { code: "EIO" });
    super.truncate(fd, sizeBytes);
  }
}

async function open(directory: string, nowMs: number, disk?: FaultyDisk): Promise<Opened> {
  return openTest(directory, { samplesPerChunk, nowMs, ...(disk && { disk }) });
}

/** One scrape; times are the clock's. */
async function append({ tsdb, clock }: Opened, model: Model, name = "m"): Promise<void> {
  const appender = tsdb.appender();
  for (let id = 0; id < seriesCount; id++) {
    const labels = Labels.from({ __name__: name, id: `${id}` });
    const value = Math.floor(clock.nowMs() / 7) * (id + 1);
    appender.append(appender.reference(labels), clock.nowMs(), value);
    model.add(labels.toString(), clock.nowMs(), value);
  }
  appender.commit();
  await clock.advance(stepMs);
  await new Promise((resolve) => setImmediate(resolve));
}

function headChunkBytes(directory: string): number {
  const files = existsSync(`${directory}/chunks_head`) ? readdirSync(`${directory}/chunks_head`) : [];
  return files.reduce((sum, name) => sum + readFileSync(`${directory}/chunks_head/${name}`).length, 0);
}

/** Chunks of which only the head is in memory, and all chunks. */
function chunkCounts({ kernel }: Opened): { inFiles: number; all: number } {
  const { u8 } = kernel.views;
  let inFiles = 0;
  let all = 0;
  for (let ref = 1; ref <= kernel.series.highestRef; ref++) {
    if (kernel.series.labelsPtr(ref) === 0) continue;
    for (const ptr of kernel.series.chunkPtrs(ref)) {
      all++;
      if ((u8[ptr + 7]! & 2) !== 0) inFiles++;
    }
  }
  return { inFiles, all };
}

test("full chunks leave the memory, and every query has them", async () => {
  const directory = temporaryDirectory();
  const model = new Model();
  const opened = await open(directory, baseTimeMs);
  for (let round = 0; round < 100; round++) await append(opened, model);
  const { inFiles, all } = chunkCounts(opened);
  assert.ok(inFiles >= all - 2 * seriesCount, `${inFiles} of ${all}`);
  assert.deepEqual(dump(opened.kernel, opened.tsdb.queryable), model.dump());
  const part = dump(opened.kernel, opened.tsdb.queryable, [], baseTimeMs + 20_500, baseTimeMs + 41_000);
  for (const [name, samples] of part)
    assert.deepEqual(
      samples,
      model.samples.get(name)!.filter(([ms]) => ms > baseTimeMs + 20_500 && ms <= baseTimeMs + 41_000),
    );
  await opened.tsdb.close();
  const again = await open(directory, opened.clock.nowMs());
  assert.ok(chunkCounts(again).inFiles >= all - seriesCount);
  // What the files have is not stored again from the WAL.
  assert.ok(again.tsdb.replayResult!.samples < 2 * samplesPerChunk * seriesCount);
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), model.dump());
  await again.tsdb.close();
  rmSync(directory, { recursive: true });
});

test("files go when all of their chunks are truncated", async () => {
  const directory = temporaryDirectory();
  const model = new Model();
  const opened = await open(directory, baseTimeMs);
  for (let round = 0; round < 60; round++) await append(opened, model);
  await opened.tsdb.truncate(baseTimeMs);
  for (let round = 0; round < 60; round++) await append(opened, model);
  const files = (): string[] => readdirSync(`${directory}/chunks_head`);
  assert.deepEqual(files(), ["000001", "000002"]);
  await opened.tsdb.truncate(baseTimeMs + 70 * stepMs);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(files(), ["000002"]);
  for (let round = 0; round < 40; round++) await append(opened, model);
  assert.deepEqual(files(), ["000002", "000003"]);
  const kept = dump(opened.kernel, opened.tsdb.queryable);
  await opened.tsdb.close();
  const again = await open(directory, opened.clock.nowMs());
  // Without blocks, files and WAL may still have some of what was truncated.
  const found = dump(again.kernel, again.tsdb.queryable, [], baseTimeMs + 70 * stepMs);
  for (const [name, samples] of found)
    assert.deepEqual(
      samples,
      kept.get(name)!.filter(([ms]) => ms >= baseTimeMs + 70 * stepMs),
    );
  await again.tsdb.close();
  rmSync(directory, { recursive: true });
});

test("random histories with failing writes, kills and torn files neither lose nor double a sample", async () => {
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant("append" as const), rounds: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("kill" as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("tear" as const), bytes: fc.nat(3000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("flip" as const), at: fc.nat(20_000) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("fail" as const), every: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const directory = temporaryDirectory();
      const model = new Model();
      const disk = new FaultyDisk();
      let opened = await open(directory, baseTimeMs, disk);
      const reopen = async (harm: () => void): Promise<void> => {
        const { clock, tsdb } = opened;
        disk.fails = () => false;
        const copy = temporaryDirectory();
        cpSync(directory, copy, { recursive: true });
        // The process that was killed must not write any more.
        await tsdb.close();
        rmSync(directory, { recursive: true });
        cpSync(copy, directory, { recursive: true });
        rmSync(copy, { recursive: true });
        abandon(directory);
        harm();
        opened = await open(directory, clock.nowMs(), disk);
      };
      const lastFile = (): string | undefined => {
        const name = existsSync(`${directory}/chunks_head`)
          ? readdirSync(`${directory}/chunks_head`).at(-1)
          : undefined;
        return name && `${directory}/chunks_head/${name}`;
      };
      try {
        let round = 0;
        for (const action of steps) {
          if (action.kind === "append")
            for (let i = 0; i < action.rounds; i++)
              await append(opened, model, (round += 1) % 3 === 0 ? "m" : "n");
          else if (action.kind === "kill") await reopen(() => {});
          else if (action.kind === "truncate") await opened.tsdb.truncate(0);
          else if (action.kind === "fail") {
            let call = 0;
            disk.fails = () => action.every > 0 && call++ % action.every === 0;
          } else if (action.kind === "tear")
            await reopen(() => {
              const path = lastFile();
              if (path !== undefined)
                truncateSync(path, Math.max(0, readFileSync(path).length - action.bytes));
            });
          else
            await reopen(() => {
              const path = lastFile();
              const bytes = path && readFileSync(path);
              if (!bytes || bytes.length < 9) return;
              bytes[8 + (action.at % (bytes.length - 8))]! ^= 0x40;
              writeFileSync(path, bytes);
            });
          assert.deepEqual(dump(opened.kernel, opened.tsdb.queryable), model.dump());
        }
        disk.fails = () => false;
        await opened.tsdb.close();
        const again = await open(directory, opened.clock.nowMs());
        assert.deepEqual(dump(again.kernel, again.tsdb.queryable), model.dump());
        await again.tsdb.close();
      } finally {
        rmSync(directory, { recursive: true });
      }
    }),
    { numRuns: 25 },
  );
});

test("a chunk that is damaged while the head runs is left out of queries, and nothing else", async () => {
  const directory = temporaryDirectory();
  const model = new Model();
  const messages: string[] = [];
  const opened = await openTest(directory, {
    samplesPerChunk,
    logger: {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (message, fields) => messages.push(`${message} ${String(fields?.["err"])}`),
      with() {
        return this;
      },
    },
  });
  for (let round = 0; round < 40; round++) await append(opened, model);
  assert.ok(headChunkBytes(directory) > 1000);
  const path = `${directory}/chunks_head/000001`;
  const bytes = readFileSync(path);
  bytes[8 + 40]! ^= 1;
  writeFileSync(path, bytes);
  const found = dump(opened.kernel, opened.tsdb.queryable);
  const missing = [...model.dump()].filter(([name, samples]) => samples.length !== found.get(name)!.length);
  assert.equal(missing.length, 1);
  const [name, samples] = missing[0]!;
  // Upstream's estimate ends the first chunk early.
  assert.deepEqual(found.get(name), samples.slice(5));
  assert.equal(messages.length, 1);
  assert.match(messages[0]!, /chunks_head\/000001: damaged at byte 8: /);
  await opened.tsdb.close();
  rmSync(directory, { recursive: true });
});
