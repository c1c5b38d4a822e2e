import assert from "node:assert/strict";
import { once } from "node:events";
import { cpSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { freePort } from "../../../test/support/free-port.ts";
import { encodeWriteRequest } from "../../../test/support/remote-write.ts";
import { Labels } from "../../model/index.ts";
import {
  askAll,
  dumpWithPromtool,
  skipWithoutPrometheus,
  startPrometheus,
  withPrometheus,
} from "../peer-support.ts";
import { abandon, directoryOf, type Dump, dump, type Opened, openTest } from "../test-support.ts";

const skip = skipWithoutPrometheus;

/** The value of one of Prometheus' own metrics. */
async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? NaN);
}

async function append(opened: Opened, rounds: number, stepMs: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const appender = opened.tsdb.appender();
    for (let i = 0; i < 40; i++) {
      const labels = Labels.from({ __name__: "narthex_test", id: `${i}` });
      appender.append(appender.reference(labels), opened.clock.nowMs(), i * round + 0.1 * round);
    }
    appender.commit();
    await opened.clock.advance(stepMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test(
  "Prometheus takes our files of head chunks, mid-life and after the end, and we take them back",
  { skip, timeout: 120_000 },
  async (t) => {
    const directory = directoryOf(t);
    const data = `${directory}/data`;
    const rounds = 500;
    const opened = await openTest(data, { nowMs: Date.now() - (rounds + 10) * 5000 });
    await append(opened, rounds, 5000);
    const ours = dump(opened.kernel, opened.tsdb.queryable);
    // As kill -9 would leave it.
    cpSync(data, `${directory}/killed`, { recursive: true });
    await opened.tsdb.close();
    for (const copy of ["killed", "data"]) {
      const path = `${directory}/${copy}`;
      assert.ok(readdirSync(`${path}/chunks_head`).length > 0);
      assert.deepEqual(dumpWithPromtool(path), ours);
      await withPrometheus(path, async (port) => {
        assert.deepEqual(await askAll(port), ours);
        assert.equal(await metric(port, "prometheus_tsdb_mmap_chunk_corruptions_total"), 0);
        assert.ok((await metric(port, "prometheus_tsdb_head_chunks")) >= 40 * 4);
      });
      abandon(path);
      const again = await openTest(path, { nowMs: Date.now() });
      assert.deepEqual(dump(again.kernel, again.tsdb.queryable), ours);
      // Most of it came from the files.
      assert.ok(again.tsdb.replayResult!.samples < 40 * 2 * 120);
      await again.tsdb.close();
    }
  },
);

test("we take the files of head chunks that Prometheus wrote", { skip, timeout: 120_000 }, async (t) => {
  const directory = directoryOf(t);
  const data = `${directory}/data`;
  const port = await freePort();
  const prometheus = await startPrometheus(data, port, "{}", "--web.enable-remote-write-receiver");
  const startMs = Date.now() - 3_600_000;
  let theirs: Dump;
  try {
    const series = Array.from({ length: 30 }, (_, i) => ({
      labels: Labels.from({ __name__: "peer_test", id: `${i}` }),
      samples: Array.from({ length: 500 }, (__, k) => ({
        timestampMs: startMs + 5000 * k,
        value: i * k + 0.3 * k,
      })),
    }));
    const headers = { "content-encoding": "snappy", "content-type": "application/x-protobuf" };
    const body = encodeWriteRequest(series);
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/write`, { method: "POST", headers, body });
    assert.ok(response.ok, await response.text());
    theirs = await askAll(port);
    assert.equal(theirs.size, 30);
  } finally {
    // It keeps what it writes in a buffer until it ends.
    prometheus.kill("SIGTERM");
    await once(prometheus, "exit");
  }
  assert.ok(readdirSync(`${data}/chunks_head`).length > 0);
  const opened = await openTest(data, { nowMs: Date.now() });
  assert.ok(opened.tsdb.replayResult!.samples < 30 * 240, "most samples came from the files");
  assert.deepEqual(dump(opened.kernel, opened.tsdb.queryable), theirs);
  await append(opened, 150, 1000);
  const after = dump(opened.kernel, opened.tsdb.queryable);
  await opened.tsdb.close();
  assert.deepEqual(dumpWithPromtool(data), after);
});
