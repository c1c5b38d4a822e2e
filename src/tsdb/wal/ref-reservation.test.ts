import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemDisk } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import { baseTimeMs, directoryOf, ForwardingDisk, openTest } from "../test-support.ts";
import { RefReservation } from "./ref-reservation.ts";

/** Counts what makes the calling thread wait for the medium. */
class WaitingDisk extends ForwardingDisk {
  waits = 0;

  override syncNow(fd: number): void {
    this.waits++;
    super.syncNow(fd);
  }
  override writeFileAtomic(path: string, bytes: Uint8Array | string): void {
    this.waits++;
    super.writeFileAtomic(path, bytes);
  }
  override syncDirectory(path: string): void {
    this.waits++;
    super.syncDirectory(path);
  }
}

test("new series never make a commit wait for the disk, and the file always bounds the refs of its segment", async (t) => {
  const directory = directoryOf(t);
  const disk = new WaitingDisk();
  const { tsdb } = await openTest(directory, { disk, kernelBytes: 256 * 1024 * 1024 });
  const before = disk.waits;
  for (let i = 0, refMax = 0; i < 150_000;) {
    const appender = tsdb.appender();
    for (const end = i + 10_000; i < end; i++) {
      const ref = appender.reference(Labels.from({ __name__: "m", id: `${i}` }));
      appender.append(ref, baseTimeMs, i);
      refMax = Math.max(refMax, ref);
    }
    appender.commit();
    const last = Math.max(...readdirSync(join(directory, "wal")).map(Number));
    const { reserved, segment } = JSON.parse(readFileSync(join(directory, "series-refs.json"), "utf8")) as {
      reserved: number;
      segment: number;
    };
    assert.equal(segment, last);
    assert.ok(refMax < reserved, `${refMax} is below ${reserved}`);
  }
  assert.equal(disk.waits, before);
  await tsdb.close();
});

test("what the disk refuses is not relied on", (t) => {
  const directory = directoryOf(t);
  const disk = new ForwardingDisk();
  const reservation = new RefReservation(disk, directory);
  reservation.begin(10, 1);
  assert.ok(reservation.covers(10, 1) && !reservation.covers(10, 2));
  disk.rename = () => assert.fail("refused");
  assert.throws(() => reservation.begin(20, 2), /refused/);
  // The file names segment 1, so that nothing is concluded from it while there is a segment 2.
  assert.equal(new RefReservation(systemDisk, directory).load(2), undefined);
  assert.ok(reservation.covers(20, 2));
});
