import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type NarthexError, systemDisk } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import {
  baseTimeMs,
  bitsOf,
  dump,
  ForwardingDisk,
  type Opened,
  openTest,
  temporaryDirectory,
} from "./test-support.ts";

type Operation =
  | "open"
  | "write"
  | "writeFileAtomic"
  | "truncate"
  | "sync"
  | "syncDirectory"
  | "read"
  | "rename";

/** The real disk, except that calls which `fails` picks throw; a write that fails leaves half of its bytes. */
class FaultyDisk extends ForwardingDisk {
  calls = 0;
  fails: (operation: Operation, call: number) => string | undefined = () => undefined;

  override open(path: string, flags: string): number {
    if (flags !== "r" && !/\/lock(?:\.\d+)?$/.test(path)) this.#check("open");
    return super.open(path, flags);
  }
  override write(fd: number, bytes: Uint8Array, position?: number): void {
    try {
      this.#check("write");
    } catch (error) {
      super.write(fd, bytes.subarray(0, bytes.length >> 1), position);
      throw error;
    }
    super.write(fd, bytes, position);
  }
  override read(fd: number, bytes: Uint8Array, position: number): number {
    this.#check("read");
    return super.read(fd, bytes, position);
  }
  override async sync(fd: number): Promise<void> {
    this.#check("sync");
    await super.sync(fd);
  }
  override truncate(fd: number, sizeBytes: number): void {
    this.#check("truncate");
    super.truncate(fd, sizeBytes);
  }
  override writeFileAtomic(path: string, bytes: Uint8Array | string): void {
    this.#check("writeFileAtomic");
    super.writeFileAtomic(path, bytes);
  }
  override syncDirectory(path: string): void {
    this.#check("syncDirectory");
    super.syncDirectory(path);
  }
  override rename(from: string, to: string): void {
    this.#check("rename");
    super.rename(from, to);
  }

  #check(operation: Operation): void {
    const code = this.fails(operation, this.calls++);
    if (code) throw Object.assign(new Error(`${code}: injected in ${operation}`), { code });
  }
}

/** One scrape of a few series, some of them new; false when the commit was refused. */
function scrape({ tsdb }: Opened, round: number): boolean {
  const appender = tsdb.appender();
  for (const id of ["a", "b", `new-${round}`])
    appender.append(appender.reference(Labels.from({ __name__: "m", id })), baseTimeMs + round, round);
  try {
    assert.equal(appender.commit().appended, 3);
    return true;
  } catch (error) {
    assert.equal((error as NarthexError).code, "unavailable");
    assert.match((error as NarthexError).message, /^cannot write to the WAL: /);
    return false;
  }
}

function expected(rounds: readonly number[]): Map<string, [number, bigint][]> {
  const result = new Map<string, [number, bigint][]>();
  const add = (id: string, round: number): void => {
    const key = `{__name__="m", id="${id}"}`;
    result.set(key, [...(result.get(key) ?? []), [baseTimeMs + round, bitsOf(round)]]);
  };
  for (const round of rounds) for (const id of ["a", "b", `new-${round}`]) add(id, round);
  return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)));
}

for (const code of ["ENOSPC", "EIO"]) {
  test(`any single call that fails with ${code} costs nothing that was acknowledged`, async () => {
    let isBeyond = false;
    for (let faultyCall = 0; !isBeyond; faultyCall++) {
      const directory = temporaryDirectory();
      try {
        const disk = new FaultyDisk();
        const opened = await openTest(directory, { disk });
        const firstCall = disk.calls;
        disk.fails = (_, call) => (call === firstCall + faultyCall ? code : undefined);
        const acknowledged: number[] = [];
        for (let round = 0; round < 12; round++) {
          if (scrape(opened, round)) acknowledged.push(round);
          await opened.clock.advance(1000);
          if (round === 6) await opened.tsdb.truncate(baseTimeMs).catch(() => {});
        }
        isBeyond = disk.calls <= firstCall + faultyCall;
        disk.fails = () => undefined;
        assert.ok(acknowledged.length >= 11);
        assert.deepEqual(dump(opened.kernel, opened.tsdb.queryable), expected(acknowledged));
        await opened.tsdb.close();
        const again = await openTest(directory);
        assert.deepEqual(
          dump(again.kernel, again.tsdb.queryable),
          expected(acknowledged),
          `call ${faultyCall}`,
        );
        await again.tsdb.close();
      } finally {
        rmSync(directory, { recursive: true });
      }
    }
  });
}

test("a full disk pauses ingestion, queries go on, and it resumes by itself", async () => {
  const directory = temporaryDirectory();
  try {
    const disk = new FaultyDisk();
    const opened = await openTest(directory, { disk });
    assert.equal(scrape(opened, 0), true);
    // Neither writing nor cutting back nor a new segment works while the disk is full.
    disk.fails = (operation) => (operation === "sync" ? undefined : "ENOSPC");
    for (let round = 1; round < 5; round++) assert.equal(scrape(opened, round), false);
    assert.match(opened.registry.expose(), /narthex_tsdb_wal_paused 1\n/);
    assert.deepEqual(dump(opened.kernel, opened.tsdb.queryable), expected([0]));
    disk.fails = () => undefined;
    assert.equal(scrape(opened, 5), true);
    assert.match(opened.registry.expose(), /narthex_tsdb_wal_paused 0\n/);
    assert.match(opened.registry.expose(), /prometheus_tsdb_wal_writes_failed_total [1-9]/);
    await opened.tsdb.close();
    const again = await openTest(directory);
    assert.deepEqual(dump(again.kernel, again.tsdb.queryable), expected([0, 5]));
    await again.tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a torn end is cut at the start; damage before it is skipped, counted and kept on disk", async () => {
  const directory = temporaryDirectory();
  try {
    const opened = await openTest(directory, { walCompression: "none" });
    const ends: number[] = [];
    for (let round = 0; round < 10; round++) {
      scrape(opened, round);
      ends.push(readFileSync(`${directory}/wal/00000000`).length);
    }
    await opened.tsdb.close();
    const path = `${directory}/wal/00000000`;
    const bytes = readFileSync(path);
    // The last byte of round 3's samples, and half of round 9.
    bytes[ends[3]! - 1]! ^= 0xff;
    writeFileSync(path, bytes);
    truncateSync(path, ends[8]! + 20);
    const again = await openTest(directory);
    const rounds = [0, 1, 2, 4, 5, 6, 7, 8];
    assert.deepEqual(dump(again.kernel, again.tsdb.queryable), expected(rounds));
    assert.match(again.registry.expose(), /prometheus_tsdb_wal_corruptions_total 2\n/);
    assert.match(again.registry.expose(), /narthex_tsdb_wal_torn_tails_total 1\n/);
    assert.equal(readFileSync(path).length, ends[8]);
    await again.tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("leftovers of a half-done checkpoint are cleared away", async () => {
  const directory = temporaryDirectory();
  try {
    const opened = await openTest(directory);
    for (let round = 0; round < 6; round++) {
      scrape(opened, round);
      // Each truncation ends a segment.
      await opened.tsdb.truncate(baseTimeMs - 1);
    }
    await opened.tsdb.close();
    const wal = `${directory}/wal`;
    assert.ok(readdirSync(wal).some((name) => /^checkpoint\.\d{8}$/.test(name)));
    systemDisk.makeDirectory(`${wal}/checkpoint.00000099.tmp`);
    writeFileSync(`${wal}/checkpoint.00000099.tmp/00000000`, "half");
    writeFileSync(`${wal}/00000000`, "a segment that the checkpoint stands for");
    const again = await openTest(directory);
    assert.deepEqual(dump(again.kernel, again.tsdb.queryable), expected([0, 1, 2, 3, 4, 5]));
    assert.ok(!existsSync(`${wal}/checkpoint.00000099.tmp`) && !existsSync(`${wal}/00000000`));
    await again.tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
