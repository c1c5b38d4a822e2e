import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { normalNaNBits } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { bitsOf, type Dump, dump, openTest, temporaryDirectory } from "./test-support.ts";
import { freePort } from "../../test/support/free-port.ts";

/** The real programs, as Debian installs them. */
const hasPrometheus = isInstalled("prometheus") && isInstalled("promtool");
const skip = hasPrometheus ? false : "prometheus and promtool are not installed";
const startMsMax = 20_000;
const anySeries = '{__name__="go_goroutines", instance="127.0.0.1", job="self"}';

test(
  "Prometheus answers the same from a WAL that we wrote, mid-life and after truncation",
  { skip },
  async (t) => {
    const directory = temporaryDirectory();
    t.after(() => rmSync(directory, { recursive: true, force: true }));
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
      assert.deepEqual(await dumpWithPrometheus(`${data}-copy`, nowMs), ours);

      await tsdb.truncate(nowMs - 3_600_000);
      await tsdb.truncate(nowMs - 3_600_000);
      await tsdb.close();
      const kept = (samples: Dump): Dump =>
        new Map([...samples].map(([key, all]) => [key, all.filter(([ms]) => ms >= nowMs - 3_600_000)]));
      assert.deepEqual(kept(dumpWithPromtool(data)), kept(ours));
    }
  },
);

test("a directory that Prometheus has locked is left alone", { skip }, async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const data = `${directory}/data`;
  // Debian's build has the lock off by default, under a flag of its own.
  const help = execFileSync("prometheus", ["--help"], { encoding: "utf8" });
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
  { skip, timeout: 60_000 },
  async (t) => {
    const directory = temporaryDirectory();
    t.after(() => rmSync(directory, { recursive: true, force: true }));
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

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** `promtool tsdb dump` prints `{labels} value milliseconds` per sample. */
function dumpWithPromtool(data: string): Dump {
  const copy = `${data}-promtool`;
  cpSync(data, copy, { recursive: true });
  const text = execFileSync("promtool", ["tsdb", "dump", copy], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  const result: Dump = new Map();
  for (const line of text.split("\n")) {
    const match = /^(\{.*\}) (\S+) (\d+)$/.exec(line);
    if (!match) continue;
    const samples = result.get(match[1]!) ?? [];
    samples.push([Number(match[3]), parseBits(match[2]!)]);
    result.set(match[1]!, samples);
  }
  return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a NaN's text hides is taken to be the NaN that upstream's parser makes. */
function parseBits(text: string): bigint {
  if (text === "NaN") return normalNaNBits;
  return bitsOf(text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));
}

async function dumpWithPrometheus(data: string, untilMs: number): Promise<Dump> {
  const port = await freePort();
  const prometheus = await startPrometheus(data, port, "{}");
  try {
    return await askAll(port, untilMs);
  } finally {
    prometheus.kill("SIGKILL");
    await once(prometheus, "exit");
  }
}

async function askAll(port: number, untilMs: number): Promise<Dump> {
  const query = new URLSearchParams({ query: '{__name__!=""}[10d]', time: String(untilMs / 1000) });
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/query`, { method: "POST", body: query });
  const { data } = (await response.json()) as {
    data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
  };
  const result: [Labels, Dump extends Map<string, infer Samples> ? Samples : never][] = data.result.map(
    ({ metric, values }) => [
      Labels.from(metric),
      values.map(([seconds, value]) => [Math.round(seconds * 1000), parseBits(value)]),
    ],
  );
  result.sort(([a], [b]) => a.compare(b));
  return new Map(result.map(([labels, samples]) => [labels.toString(), samples]));
}

async function startPrometheus(
  data: string,
  port: number,
  config: string,
  ...extraFlags: string[]
): Promise<ChildProcess> {
  mkdirSync(data, { recursive: true });
  writeFileSync(`${data}.yml`, config);
  const prometheus = spawn(
    "prometheus",
    [
      `--config.file=${data}.yml`,
      `--storage.tsdb.path=${data}`,
      ...extraFlags,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  prometheus.stderr.on("data", (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)));
  for (const deadlineMs = Date.now() + startMsMax; Date.now() < deadlineMs;) {
    const isReady = await fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return prometheus;
    if (prometheus.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  prometheus.kill("SIGKILL");
  throw new Error(`prometheus did not start: ${log}`);
}
