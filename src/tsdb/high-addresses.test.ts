import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../base/index.ts";
import { createKernel, type Kernel } from "../kernel/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import { openTsdb, type Tsdb } from "./index.ts";
import { baseTimeMs, dump, temporaryDirectory } from "./test-support.ts";

const matchers = [new Matcher("=~", "k", "1.*"), new Matcher("=", "job", "high")];

/** A storage whose structures all lie where pointers are negative as signed numbers. */
async function openHigh(directory: string): Promise<{ tsdb: Tsdb; kernel: Kernel }> {
  const kernel = createKernel({ limitBytes: 4 * 1024 ** 3 - 65_536 });
  assert.notEqual(kernel.allocateSpan(2 ** 31), 0);
  const clock = new SimulatedClock(baseTimeMs);
  const registry = new Registry();
  const tsdb = openTsdb({ kernel, disk: systemDisk, clock, directory, logger: silentLogger, registry });
  await tsdb.ready;
  return { tsdb, kernel };
}

test("addresses beyond 2 GiB are as good as others", async () => {
  const directory = temporaryDirectory();
  try {
    const { tsdb, kernel } = await openHigh(directory);
    const appender = tsdb.appender();
    for (let round = 0; round < 50; round++) {
      for (let k = 0; k < 500; k++) {
        const labels = Labels.from({ __name__: "m", k: `${k}`, job: "high" });
        appender.append(appender.reference(labels), baseTimeMs + round, k);
      }
      assert.equal(appender.commit().appended, 500);
    }
    const stored = dump(kernel, tsdb.queryable, matchers);
    assert.equal(stored.size, 111);
    await tsdb.close();

    const again = await openHigh(directory);
    assert.deepEqual(dump(again.kernel, again.tsdb.queryable, matchers), stored);
    for (let i = 0; i < 2; i++) await again.tsdb.truncate(baseTimeMs + 100);
    assert.equal(again.tsdb.stats().numSeries, 0);
    await again.tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
