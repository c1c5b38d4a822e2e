import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { createLogger } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import { blockSizeBytes } from "../block/block.ts";
import { BlockCache } from "../block/cache.ts";
import { applyRetention, listBlocks, type RetentionLimits } from "../block/maintenance.ts";
import { testContext, writeModel } from "../block/test-support.ts";
import { baseTimeMs, bitsOf, directoryOf, ForwardingDisk } from "../test-support.ts";
import type { BlockKeeper } from "../block/keeper.ts";
import { type Retention, RetentionPolicy } from "./retention-policy.ts";

const hourMs = 3_600_000;

/** Four blocks of two hours, and a policy on them; the filesystem has `capacity` times the bytes of one. */
function setUp(t: TestContext, capacity: number | Error) {
  const directory = directoryOf(t);
  const context = testContext();
  const labels = Labels.from({ __name__: "m" });
  for (let block = 0; block < 4; block++) {
    const minTime = baseTimeMs + 2 * block * hourMs;
    writeModel(
      context,
      directory,
      [{ labels, samples: [[minTime, bitsOf(1)]] }],
      [minTime, minTime + 2 * hourMs],
    );
  }
  const log: string[] = [];
  const logger = createLogger({ write: (line) => void log.push(line) });
  const maintenance = {
    context: { ...context, cache: new BlockCache() },
    clock: undefined!,
    logger,
    dataDirectory: directory,
    onChange: () => {},
  };
  const blocks = () => listBlocks(maintenance);
  const blockBytes = blockSizeBytes(context.disk, `${directory}/${blocks()[0]!.ulid}`);
  const disk = new (class extends ForwardingDisk {
    override capacityBytes(): number {
      if (capacity instanceof Error) throw capacity;
      return capacity * blockBytes;
    }
  })();
  const keeper = {
    applyRetention: async (limits: RetentionLimits) => applyRetention(maintenance, limits),
  } as unknown as BlockKeeper;
  const policy = new RetentionPolicy({ disk, logger, directory }, {});
  const apply = async (retention: Partial<Retention>): Promise<number> => {
    policy.retention = { timeMs: 0, sizeBytes: 0, percentage: 0, ...retention };
    await policy.apply(keeper, blocks());
    return blocks().length;
  };
  return { directory, policy, apply, blockBytes, log };
}

test("blocks go by age, by size or by share of the filesystem, which stands instead of the size", async (t) => {
  const { policy, apply, blockBytes } = setUp(t, 10);
  assert.equal(await apply({}), 4);
  assert.equal(await apply({ timeMs: 6 * hourMs + 1, sizeBytes: 5 * blockBytes }), 4);
  assert.equal(await apply({ timeMs: 6 * hourMs }), 3);
  assert.deepEqual([policy.timeRetentions, policy.sizeRetentions], [1, 0]);
  assert.equal(await apply({ sizeBytes: 1, percentage: 35 }), 3);
  assert.equal(await apply({ sizeBytes: 9 * blockBytes, percentage: 25.5 }), 2);
  assert.equal(await apply({ sizeBytes: blockBytes + 50 }), 1);
  assert.deepEqual([policy.timeRetentions, policy.sizeRetentions], [1, 2]);
});

test("logs and head chunks count as blocks do, checkpoints included", async (t) => {
  const { directory, apply, blockBytes } = setUp(t, 10);
  assert.equal(await apply({ percentage: 40 }), 4);
  for (const name of ["wal/checkpoint.00000001", "wbl", "chunks_head"]) {
    mkdirSync(`${directory}/${name}`, { recursive: true });
    writeFileSync(`${directory}/${name}/00000000`, Buffer.alloc(blockBytes));
  }
  assert.equal(await apply({ percentage: 40 }), 1);
});

test("where the filesystem does not tell its size, the bound by size holds", async (t) => {
  const { apply, blockBytes, log } = setUp(t, new Error("ENOSYS"));
  assert.equal(await apply({ sizeBytes: 3 * blockBytes + 50, percentage: 1 }), 3);
  assert.match(log[0]!, /size of the filesystem is unknown.*ENOSYS/);
});
