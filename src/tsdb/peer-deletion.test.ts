import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { test } from "node:test";
import { silentLogger } from "../base/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import { MaintenanceThread } from "./maintenance/maintenance-thread.ts";
import { askAll, dumpWithPromtool, skipWithoutPrometheus, withPrometheus } from "./peer-support.ts";
import { directoryOf, type Dump, dump, openTest } from "./test-support.ts";

const minuteMs = 60_000;
const samples = 100;

test(
  "deletions in the log mean the same to Prometheus and to us",
  { skip: skipWithoutPrometheus, timeout: 90_000 },
  async (t) => {
    const directory = directoryOf(t);
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const data = `${directory}/ours`;
    const atMs = (minute: number): number => nowMs - (samples - minute) * minuteMs;

    const { tsdb, kernel } = await openTest(data, {
      nowMs,
      keeper: (parts) => new MaintenanceThread({ ...parts, logger: silentLogger }),
    });
    const appender = tsdb.appender();
    for (let minute = 0; minute < samples; minute++)
      for (const id of ["a", "b", "c", "d"])
        appender.append(appender.reference(Labels.from({ __name__: "m", id })), atMs(minute), minute);
    appender.commit();
    const remove = (id: string, from: number, to: number): Promise<void> =>
      tsdb.deleteSeries({
        selectors: [[new Matcher("=", "id", id)]],
        minTimestampMs: atMs(from),
        maxTimestampMs: atMs(to),
      });
    await remove("a", 10, 19);
    await remove("a", 40, 49);
    await remove("b", 0, samples);
    const ours = withSamples(dump(kernel, tsdb.queryable));
    assert.deepEqual(
      [...ours.values()].map(({ length }) => length),
      [80, 100, 100],
    );
    cpSync(data, `${directory}/copy`, { recursive: true });
    await tsdb.close();
    assert.deepEqual(dumpWithPromtool(`${directory}/copy`), ours);
    assert.deepEqual(await withPrometheus(`${directory}/copy`, (port) => askAll(port, nowMs)), ours);

    const theirs = await deleteThere(data, nowMs, `{id="c"}`, atMs(50), atMs(samples));
    assert.deepEqual(
      [...theirs.values()].map(({ length }) => length),
      [80, 50, 100],
    );
    const again = await openTest(data, { nowMs });
    assert.deepEqual(withSamples(dump(again.kernel, again.tsdb.queryable)), theirs);
    await again.tsdb.close();
  },
);

/** Prometheus goes on with the directory, deletes over its API, and is killed. Resolves to what it answered last. */
function deleteThere(
  data: string,
  nowMs: number,
  selector: string,
  startMs: number,
  endMs: number,
): Promise<Dump> {
  const query = new URLSearchParams({
    "match[]": selector,
    start: `${startMs / 1000}`,
    end: `${endMs / 1000}`,
  });
  const run = async (port: number): Promise<Dump> => {
    const url = `http://127.0.0.1:${port}/api/v1/admin/tsdb/delete_series?${query.toString()}`;
    assert.equal((await fetch(url, { method: "POST" })).status, 204);
    return askAll(port, nowMs);
  };
  return withPrometheus(data, run, { flags: ["--web.enable-admin-api"] });
}

function withSamples(all: Dump): Dump {
  return new Map([...all].filter(([, samples]) => samples.length > 0));
}
