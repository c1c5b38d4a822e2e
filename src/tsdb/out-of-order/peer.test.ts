import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { test } from "node:test";
import { silentLogger } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import { MaintenanceThread } from "../maintenance/maintenance-thread.ts";
import { ask, askAll, skipWithoutPrometheus, withPrometheus } from "../peer-support.ts";
import { directoryOf, type Dump, dump, openTest } from "../test-support.ts";
import { isInFile, openEncoding, outOfOrderRuns } from "./chunks.ts";

const secondMs = 1000;
const hourMs = 3_600_000;
const config = "{storage: {tsdb: {out_of_order_time_window: 6h}}}";
const options = {
  outOfOrderWindowMs: 6 * hourMs,
  keeper: (parts: {
    kernel: ConstructorParameters<typeof MaintenanceThread>[0]["kernel"];
    directory: string;
  }) => new MaintenanceThread({ ...parts, logger: silentLogger }),
};

test(
  "Prometheus answers the same from our write-behind log, and from blocks made of it",
  { skip: skipWithoutPrometheus, timeout: 120_000 },
  async (t) => {
    const directory = directoryOf(t);
    const data = `${directory}/data`;
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const { tsdb, kernel, clock } = await openTest(data, { ...options, nowMs: nowMs - 5 * hourMs });
    // Three series: in order, backwards, and both.
    for (let step = 0; step < 200; step++) {
      const appender = tsdb.appender();
      const add = (id: string, timestampMs: number): void => {
        const ref = appender.reference(Labels.from({ __name__: "m", id }));
        appender.append(ref, timestampMs, (timestampMs / secondMs) % 1000);
      };
      add("in order", clock.nowMs());
      add("both", clock.nowMs());
      if (step % 3 === 0) add("both", clock.nowMs() - (7 + ((step * 37) % 90)) * 60 * secondMs - secondMs);
      add("backwards", nowMs - 5 * hourMs + (200 - step) * 15 * secondMs);
      appender.commit();
      await clock.advance(80 * secondMs);
      await tsdb.maintained;
    }
    const ours = dump(kernel, tsdb.queryable);
    assert.ok(tsdb.blocks().length > 0);
    cpSync(data, `${directory}/copy`, { recursive: true });
    rmSync(`${directory}/copy/lock`);
    assert.deepEqual(
      await withPrometheus(`${directory}/copy`, (port) => askAll(port, nowMs), { config }),
      ours,
    );
    await tsdb.close();
    assert.deepEqual(await withPrometheus(data, (port) => askAll(port, nowMs), { config }), ours);
  },
);

test(
  "we answer the same from what Prometheus took out of order",
  { skip: skipWithoutPrometheus, timeout: 120_000 },
  async (t) => {
    const directory = directoryOf(t);
    const data = `${directory}/data`;
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    // Rules write in order only, so the samples come by remote write.
    const theirs = await withPrometheus<Dump>(
      data,
      async (port) => {
        for (let step = 0; step < 150; step++) {
          const late = nowMs - 2 * hourMs + ((step * 61) % 150) * 20 * secondMs;
          await write(port, [
            { id: "late", timestampMs: step === 0 ? nowMs : late, value: step },
            { id: "in order", timestampMs: nowMs - (150 - step) * 20 * secondMs, value: step },
          ]);
        }
        const stats = (await ask(port, "status/tsdb")) as { headStats: { numSeries: number } };
        assert.equal(stats.headStats.numSeries, 2);
        return askAll(port, nowMs);
      },
      // Killed, it would leave chunks that are only in its log.
      { config, flags: ["--web.enable-remote-write-receiver"], stopsCleanly: true },
    );
    assert.deepEqual(
      [...theirs.values()].map(({ length }) => length),
      [150, 150],
    );
    const { tsdb, kernel } = await openTest(data, { ...options, nowMs });
    assert.deepEqual(dump(kernel, tsdb.queryable), theirs);
    // Theirs were full lists of 32, in files that their markers name.
    const runs = [1, 2].flatMap((series) => outOfOrderRuns(kernel.views, series, -Infinity, Infinity));
    assert.ok(
      runs.filter(({ ptr, encoding }) => encoding !== openEncoding && isInFile(kernel.views, ptr)).length >=
        3,
    );
    const appender = tsdb.appender();
    const ref = appender.reference(Labels.from({ __name__: "m", id: "late" }));
    appender.append(ref, nowMs - hourMs + 7, 1);
    assert.equal(appender.commit().appended, 1);
    const both = dump(kernel, tsdb.queryable);
    await tsdb.close();
    assert.deepEqual(await withPrometheus(data, (port) => askAll(port, nowMs), { config }), both);
  },
);

interface RemoteSample {
  id: string;
  timestampMs: number;
  value: number;
}

/** One remote write request of protobuf in snappy's format, which may hold everything as literals. */
async function write(port: number, samples: readonly RemoteSample[]): Promise<void> {
  const series = samples.map(({ id, timestampMs, value }) => {
    const bits = Buffer.alloc(8);
    bits.writeDoubleLE(value);
    const sample = Buffer.concat([Buffer.from([0x09]), bits, Buffer.from([0x10]), varint(timestampMs)]);
    return field(1, Buffer.concat([label("__name__", "m"), label("id", id), field(2, sample)]));
  });
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/write`, {
    method: "POST",
    headers: { "content-encoding": "snappy", "content-type": "application/x-protobuf" },
    body: literal(Buffer.concat(series)),
  });
  assert.equal(response.status, 204, await response.text());
}

function label(name: string, value: string): Buffer {
  return field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]));
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** A snappy block of one literal, of 61 to 65,536 bytes. */
function literal(bytes: Buffer): Buffer {
  const length = Buffer.alloc(3);
  length[0] = 61 << 2;
  length.writeUInt16LE(bytes.length - 1, 1);
  return Buffer.concat([varint(bytes.length), length, bytes]);
}
