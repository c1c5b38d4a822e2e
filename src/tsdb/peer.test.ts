import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, utimesSync } from "node:fs";
import { test } from "node:test";
import { Labels } from "../model/index.ts";
import { bitsOf, directoryOf, type Dump, dump, openTest } from "./test-support.ts";
import {
  ask,
  askAll,
  dumpWithPromtool,
  skipWithoutPrometheus,
  startPrometheus,
  withPrometheus,
} from "./peer-support.ts";
import { freePort } from "../../test/support/free-port.ts";
import { peerBinary } from "../../test/support/peers.ts";

const anySeries = '{__name__="go_goroutines", instance="127.0.0.1", job="self"}';

test(
  "Prometheus answers the same from a WAL that we wrote, mid-life and after truncation",
  { skip: skipWithoutPrometheus },
  async (t) => {
    const directory = directoryOf(t);
    const nowMs = Math.floor(Date.now());
    for (const walCompression of ["snappy", "none"] as const) {
      const data = `${directory}/${walCompression}`;
      const { tsdb, kernel } = await openTest(data, { nowMs, walCompression });
      const appender = tsdb.appender();
      for (let scrape = 0; scrape < 400; scrape++) {
        const timestampMs = nowMs - (400 - scrape) * 15_000;
        for (let i = 0; i < 50; i++) {
          const labels = { __name__: "narthex_test", id: `${i}`, text: i % 7 === 0 ? 'é\n"\\' : "plain" };
          if (scrape < 300 && i % 5 === 0) continue;
          appender.append(appender.reference(Labels.from(labels)), timestampMs, i * scrape + 0.1 * scrape);
        }
        appender.commit();
      }
      cpSync(data, `${data}-copy`, { recursive: true });
      const ours = dump(kernel, tsdb.queryable);
      assert.equal(ours.size, 50);
      assert.deepEqual(dumpWithPromtool(`${data}-copy`), ours);
      assert.deepEqual(await withPrometheus(`${data}-copy`, (port) => askAll(port, nowMs)), ours);

      await tsdb.truncate(nowMs - 3_600_000);
      await tsdb.truncate(nowMs - 3_600_000);
      await tsdb.close();
      const kept = (samples: Dump): Dump =>
        new Map([...samples].map(([key, all]) => [key, all.filter(([ms]) => ms >= nowMs - 3_600_000)]));
      assert.deepEqual(kept(dumpWithPromtool(data)), kept(ours));
    }
  },
);

test("a directory that Prometheus has locked is left alone", { skip: skipWithoutPrometheus }, async (t) => {
  const directory = directoryOf(t);
  const data = `${directory}/data`;
  // Debian's build has the lock off by default, under a flag of its own.
  const help = execFileSync(peerBinary("prometheus"), ["--help"], { encoding: "utf8" });
  const flags = help.includes("use-lockfile") ? ["--storage.tsdb.use-lockfile"] : [];
  const prometheus = await startPrometheus(data, await freePort(), "{}", ...flags);
  await assert.rejects(openTest(data), new RegExp(`is in use by process ${prometheus.pid}:`));
  prometheus.kill("SIGKILL");
  await once(prometheus, "exit");
  utimesSync(`${data}/lock`, 0, 0);
  const { tsdb } = await openTest(data);
  await tsdb.close();
});

test(
  "we read the WAL that Prometheus wrote while it scraped itself",
  { skip: skipWithoutPrometheus, timeout: 60_000 },
  async (t) => {
    const directory = directoryOf(t);
    const data = `${directory}/data`;
    const port = await freePort();
    const config = `{global: {scrape_interval: 200ms}, scrape_configs: [{job_name: self, static_configs: [{targets: ["127.0.0.1:${port}"], labels: {instance: "127.0.0.1"}}]}]}`;
    const prometheus = await startPrometheus(data, port, config);
    let theirs: Dump;
    let untilMs: number;
    try {
      // Its discovery hands out targets every 5 s; then a second of scrapes.
      do {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        untilMs = Date.now() - 500;
        theirs = await askAll(port, untilMs);
      } while (theirs.size < 300 || theirs.get(anySeries)!.length < 4);
    } finally {
      prometheus.kill("SIGKILL");
      await once(prometheus, "exit");
    }
    const { tsdb, kernel } = await openTest(data, { nowMs: Date.now() });
    assert.deepEqual(dump(kernel, tsdb.queryable, [], 0, untilMs), theirs);

    // And go on where it stopped.
    const appender = tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "ours" })), untilMs, 1);
    assert.equal(appender.commit().appended, 1);
    await tsdb.close();
    assert.deepEqual(dumpWithPromtool(data).get('{__name__="ours"}'), [[untilMs, bitsOf(1)]]);
  },
);

test("the head's cardinalities are Prometheus'", { skip: skipWithoutPrometheus }, async (t) => {
  const directory = directoryOf(t);
  const data = `${directory}/data`;
  const nowMs = Date.now();
  const { tsdb } = await openTest(data, { nowMs });
  const appender = tsdb.appender();
  for (let i = 0; i < 400; i++) {
    // Counts that differ, so that the lists have an order.
    const metric = `m${Math.floor(Math.sqrt(i))}`;
    const labels = {
      __name__: metric,
      id: `${i}`,
      job: i < 250 ? "a" : "bb",
      [`l${i % 20 > 12 ? 1 : 2}`]: "é",
    };
    const ref = appender.reference(Labels.from(labels));
    for (let scrape = 130; scrape > 0; scrape--) appender.append(ref, nowMs - scrape * 1000, scrape);
  }
  assert.equal(appender.commit().appended, 400 * 130);
  const { numSeries, numLabelPairs, chunkCount, minTimeMs, maxTimeMs, ...ours } = tsdb.stats();
  await tsdb.close();
  await withPrometheus(data, async (port) => {
    const { headStats, ...theirs } = (await ask(port, "status/tsdb")) as {
      headStats: Record<string, number>;
    } & Record<string, { name: string; value: number }[]>;
    assert.deepEqual(headStats, {
      numSeries,
      numLabelPairs,
      chunkCount,
      minTime: minTimeMs,
      maxTime: maxTimeMs,
    });
    // Among equal counts the order, and at the end the choice, is chance.
    const certain = (list: readonly { name: string; value: number }[]): string[] =>
      list
        .filter(({ value }) => value > list.at(-1)!.value)
        .map(({ name, value }) => `${value} ${name}`)
        .sort((a, b) => (a < b ? -1 : 1));
    const { memoryInBytesByLabelName, ...counts } = ours;
    // The older release counts a value once, without its name: the newer one's sum is worked out here.
    const job = memoryInBytesByLabelName.find(({ name }) => name === "job");
    assert.equal(job!.value, 250 * (1 + 3 + 1 + 1) + 150 * (1 + 3 + 1 + 2));
    for (const [name, list] of Object.entries(counts)) {
      assert.deepEqual(certain(list), certain(theirs[name]!), name);
      assert.deepEqual(
        list.map(({ value }) => value),
        theirs[name]!.map(({ value }) => value),
        name,
      );
    }
  });
});
