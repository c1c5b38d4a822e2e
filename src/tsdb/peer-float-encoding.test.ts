import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import { systemDisk } from "../base/index.ts";
import { normalNaNBits, staleMarkerBits } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { skipWithoutXor2 } from "../../test/support/peers.ts";
import { writeHeadBlock } from "./block/head-block.ts";
import { createUlid } from "./block/ulid.ts";
import { askAll, dumpWithPromtool, withPrometheus } from "./peer-support.ts";
import { directoryOf, type Dump, dump, type Opened, openTest } from "./test-support.ts";

const skip = skipWithoutXor2();
const flags = ["--enable-feature=xor2-encoding", "--web.enable-admin-api"];
const scrapes = 700;

/** Constants, counters and gauges, scraped with and without jitter; some end for a while. */
function fill({ tsdb }: Opened, nowMs: number): void {
  const appender = tsdb.appender();
  for (let scrape = 0; scrape < scrapes; scrape++) {
    for (let i = 0; i < 30; i++) {
      const ref = appender.reference(Labels.from({ __name__: "narthex_test", id: `${i}` }));
      const jitterMs = i % 2 === 0 ? 0 : ((scrape * 7919 + i) % 21) - 10;
      const timestampMs = nowMs - (scrapes - scrape) * 15_000 + jitterMs;
      const value = [1, scrape * i, Math.sin(scrape + i), Math.floor(scrape / 10)][i % 4]!;
      if (i % 5 === 0 && scrape % 100 > 90) {
        if (scrape % 100 === 91) appender.appendStale(ref, timestampMs);
      } else appender.append(ref, timestampMs, value);
    }
    if (scrape % 50 === 49) appender.commit();
  }
  appender.commit();
}

function mapped(samples: Dump, change: (samples: [number, bigint][]) => [number, bigint][]): Dump {
  return new Map([...samples].map(([labels, each]) => [labels, change(each)]));
}

/** Of the only block, the files of chunks, and what is in them. */
function chunkFiles(block: string): [name: string, hex: string][] {
  return readdirSync(`${block}/chunks`).map((name) => [
    name,
    readFileSync(`${block}/chunks/${name}`).toString("hex"),
  ]);
}

test("Prometheus reads our XOR2 chunks and we read its, in chunks_head and blocks", { skip }, async (t) => {
  const directory = directoryOf(t);
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const data = `${directory}/ours`;
  const opened = await openTest(data, { nowMs, floatEncoding: "xor2" });
  fill(opened, nowMs);
  const expected = dump(opened.kernel, opened.tsdb.queryable);
  await opened.tsdb.close();
  assert.deepEqual(
    dumpWithPromtool(data),
    mapped(expected, (samples) =>
      samples.map(([timestampMs, bits]) => [timestampMs, bits === staleMarkerBits ? normalNaNBits : bits]),
    ),
  );

  // From the log alone it encodes them anew, and makes a block of them.
  const theirs = `${directory}/theirs`;
  cpSync(data, theirs, { recursive: true });
  rmSync(`${theirs}/chunks_head`, { recursive: true });
  await withPrometheus(
    theirs,
    async (port) => {
      const visible = mapped(expected, (samples) => samples.filter(([, bits]) => bits !== staleMarkerBits));
      assert.deepEqual(await askAll(port, nowMs), visible);
      await fetch(`http://127.0.0.1:${port}/api/v1/admin/tsdb/snapshot`, { method: "POST" });
    },
    { flags, stopsCleanly: true },
  );
  const [snapshot] = readdirSync(`${theirs}/snapshots`);
  const [block] = readdirSync(`${theirs}/snapshots/${snapshot}`);
  const meta = JSON.parse(readFileSync(`${theirs}/snapshots/${snapshot}/${block}/meta.json`, "utf8")) as {
    minTime: number;
    maxTime: number;
  };

  // Its chunks_head and log.
  const again = await openTest(theirs, { nowMs, floatEncoding: "xor2" });
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), expected);
  // And the same block of ours, byte for byte.
  const target = { kernel: again.kernel, disk: systemDisk, dataDirectory: theirs, ulid: createUlid(1) };
  writeHeadBlock(again.tsdb.queryable, target, meta.minTime, meta.maxTime);
  await again.tsdb.close();
  const plain = await openTest(data, { nowMs, floatEncoding: "xor2" });
  const own = { kernel: plain.kernel, disk: systemDisk, dataDirectory: data, ulid: createUlid(1) };
  writeHeadBlock(plain.tsdb.queryable, own, meta.minTime, meta.maxTime);
  await plain.tsdb.close();
  const expectedFiles = chunkFiles(`${theirs}/snapshots/${snapshot}/${block}`);
  assert.deepEqual(chunkFiles(`${theirs}/${target.ulid}`), expectedFiles);
  assert.deepEqual(chunkFiles(`${data}/${own.ulid}`), expectedFiles);
});
