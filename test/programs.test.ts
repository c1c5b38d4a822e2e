import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadSystemMemory, silentLogger } from "../src/base/index.ts";
import {
  api,
  eventually,
  instantQuery,
  launcher,
  type Program,
  runProgram,
  startProgram,
  temporaryDirectory,
} from "./support/program.ts";

const directory = temporaryDirectory();
let target: Server;
let targetAddress: string;
let scrapes = 0;

before(async () => {
  target = createServer((_, response) => {
    scrapes++;
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(`# TYPE scrapes_total counter\nscrapes_total ${scrapes}\ntemperature{room="hall"} 21.5\n`);
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  targetAddress = `127.0.0.1:${(target.address() as AddressInfo).port}`;
});

after(() => {
  target.close();
  directory.remove();
});

function writeConfig(name: string, more = ""): string {
  const file = join(directory.path, name);
  writeFileSync(
    file,
    `global: { scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms }\n${more}` +
      `scrape_configs:\n  - job_name: test\n    static_configs: [{ targets: ["${targetAddress}"] }]\n`,
  );
  return file;
}

function startServer(config: string, data: string, ...more: string[]): Promise<Program> {
  return startProgram("server", [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory.path, data)}`,
    ...more,
  ]);
}

function value(answer: Awaited<ReturnType<typeof instantQuery>>): number {
  return Number(answer.result[0]?.value[1]);
}

test("without a configuration the machine is on the page within fifteen seconds", async () => {
  const program = await startProgram("all-in-one", [
    `--storage.tsdb.path=${join(directory.path, "machine")}`,
  ]);
  try {
    const page = await fetch(program.url);
    assert.equal(page.status, 200);
    const cpu = "sum(rate(node_cpu_seconds_total[30s]))";
    await eventually(
      () => instantQuery(program.url, cpu),
      (answer) => value(answer) > 0,
      15_000,
    );
    const targets = await api<{ activeTargets: { health: string; scrapePool: string }[] }>(
      program.url,
      "targets",
    );
    assert.deepEqual(
      targets.activeTargets.map(({ scrapePool, health }) => `${scrapePool} ${health}`).sort(),
      ["alertmanager up", "narthex up", "node up"],
    );
    const rules = await api<{ groups: { rules: { health: string }[] }[] }>(program.url, "rules");
    assert.ok(rules.groups.flatMap((group) => group.rules).every(({ health }) => health !== "err"));
    const status = await fetch(`${program.url}/alertmanager/api/v2/status`);
    assert.equal(status.status, 200);
  } finally {
    assert.equal(await program.end("SIGTERM"), 0);
  }
});

test("a second server on the same directory is refused, a killed one's lock is taken over", async () => {
  const config = writeConfig("lock.yml");
  const first = await startServer(config, "lock");
  const second = await runProgram("server", [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory.path, "lock")}`,
    "--web.listen-address=127.0.0.1:0",
  ]);
  assert.equal(second.code, 1);
  assert.match(second.output, /lock/);
  await first.end("SIGKILL");
  const third = await startServer(config, "lock");
  assert.equal(await third.end("SIGTERM"), 0);
});

test("what was answered before kill -9 is answered after the restart", async () => {
  const config = writeConfig("kill.yml");
  for (let round = 0; round < 3; round++) {
    const program = await startServer(config, "kill");
    await eventually(
      () => instantQuery(program.url, "count_over_time(scrapes_total[1m])"),
      (answer) => value(answer) >= 5,
    );
    // A scrape under way now will be stored with a time before now; older ones are all there.
    const at = Date.now() / 1000 - 1;
    const query = `{job="test"}[1h]`;
    const before = await instantQuery(program.url, query, `&time=${at}`);
    await program.end("SIGKILL");
    const again = await startServer(config, "kill");
    await eventually(
      async () => (await fetch(`${again.url}/-/ready`)).status,
      (status) => status === 200,
    );
    assert.deepEqual(await instantQuery(again.url, query, `&time=${at}`), before);
    await again.end("SIGTERM");
  }
});

test(
  "pages of the executable that only the start needed are given back",
  { skip: loadSystemMemory(silentLogger) === undefined && "no koffi for this platform" },
  async () => {
    const server = await startServer(writeConfig("release.yml"), "release");
    const residentBytes = async (): Promise<number> => {
      const executable = readlinkSync(`/proc/${server.child.pid}/exe`);
      const mappings = readFileSync(`/proc/${server.child.pid}/smaps`, "utf8").split(/\n(?=[0-9a-f]+-)/);
      return mappings
        .filter((text) => text.split("\n", 1)[0]!.endsWith(` ${executable}`))
        .reduce((sum, text) => sum + 1024 * Number(/^Rss: +(\d+)/m.exec(text)![1]), 0);
    };
    const before = await residentBytes();
    await eventually(residentBytes, (bytes) => bytes < 0.7 * before);
    await api(server.url, "status/tsdb");
    assert.equal(await server.end("SIGTERM"), 0);
  },
);

test("a bad configuration or rule file is refused with its place, and the old one goes on", async () => {
  const rules = join(directory.path, "rules.yml");
  writeFileSync(rules, "groups: [{ name: g, rules: [{ record: doubled, expr: temperature * 2 }] }]\n");
  const config = writeConfig("reload.yml", `rule_files: ["${rules}"]\n`);
  const program = await startServer(config, "reload", "--web.enable-lifecycle");
  const reload = async (): Promise<string> => {
    const response = await fetch(`${program.url}/-/reload`, { method: "POST" });
    return `${response.status} ${await response.text()}`;
  };
  try {
    await eventually(
      () => instantQuery(program.url, "doubled"),
      (answer) => value(answer) === 43,
    );
    writeFileSync(
      rules,
      "groups:\n  - name: g\n    rules:\n      - record: doubled\n        expr: temperature *\n",
    );
    assert.match(await reload(), /^500 .*rules\.yml:5:\d+: /s);
    writeFileSync(rules, "groups: [{ name: g, rules: [{ record: tripled, expr: temperature * 3 }] }]\n");
    writeFileSync(config, "global: { scrape_interval: 1x }\n");
    assert.match(await reload(), /^500 .*reload\.yml:1:\d+: .*1x/s);
    const metrics = await (await fetch(`${program.url}/metrics`)).text();
    assert.match(metrics, /^prometheus_config_last_reload_successful 0$/m);
    assert.equal((await api<{ activeTargets: unknown[] }>(program.url, "targets")).activeTargets.length, 1);
    writeConfig("reload.yml", `rule_files: ["${rules}"]\n`);
    assert.equal(await reload(), "200 ");
    await eventually(
      () => instantQuery(program.url, "tripled"),
      (answer) => value(answer) === 64.5,
    );
    program.child.kill("SIGHUP");
    await eventually(
      async () => program.log(),
      (log) => log.split("Completed loading of configuration file").length > 2,
    );
  } finally {
    assert.equal(await program.end("SIGTERM"), 0);
  }
});

test("rule files may use what the features allow, and names that the configuration allows", async () => {
  const rules = join(directory.path, "features.rules.yml");
  const write = (record: string, expr: string): void =>
    writeFileSync(rules, `groups: [{ name: g, rules: [{ record: "${record}", expr: '${expr}' }] }]\n`);
  write("a.b", `mad_over_time(temperature[1m])`);
  const config = writeConfig("features.yml", `rule_files: ["${rules}"]\n`);
  const plain = await runProgram("server", [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory.path}/f`,
  ]);
  assert.equal(plain.code, 2, plain.output);
  assert.match(plain.output, /mad_over_time.*is not enabled/);
  const program = await startServer(
    config,
    "features",
    "--enable-feature=promql-experimental-functions",
    "--web.enable-lifecycle",
  );
  const reload = async (): Promise<string> => {
    const response = await fetch(`${program.url}/-/reload`, { method: "POST" });
    return `${response.status} ${await response.text()}`;
  };
  try {
    await eventually(
      () => instantQuery(program.url, '{"a.b"}'),
      (answer) => value(answer) === 0,
    );
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.replace("global: {", "global: { metric_name_validation_scheme: legacy,"));
    assert.match(await reload(), /^500 .*invalid recording rule name: a\.b/s);
  } finally {
    assert.equal(await program.end("SIGTERM"), 0);
  }
});

test("a reload asks the Alertmanager in the process as well, each refusing for itself", async () => {
  const alertmanagerConfig = join(directory.path, "alertmanager.yml");
  const writeReceiver = (name: string): void =>
    writeFileSync(alertmanagerConfig, `route: {receiver: ${name}}\nreceivers: [{name: ${name}}]\n`);
  writeReceiver("first");
  const config = writeConfig("both.yml");
  const program = await startProgram("all-in-one", [
    `--config.file=${config}`,
    `--alertmanager.config.file=${alertmanagerConfig}`,
    `--storage.tsdb.path=${join(directory.path, "both")}`,
    "--web.enable-lifecycle",
  ]);
  const reload = async (): Promise<number> =>
    (await fetch(`${program.url}/-/reload`, { method: "POST" })).status;
  const receivers = async (): Promise<string> =>
    (await fetch(`${program.url}/alertmanager/api/v2/receivers`)).text();
  try {
    writeReceiver("second");
    assert.equal(await reload(), 200);
    assert.match(await receivers(), /"second"/);
    writeFileSync(config, "nonsense: 1\n");
    writeReceiver("third");
    assert.equal(await reload(), 500);
    assert.match(await receivers(), /"third"/);
  } finally {
    assert.equal(await program.end("SIGTERM"), 0);
  }
});

test("SIGHUP during the start is a reload after it", async () => {
  const config = writeConfig("early.yml");
  const arguments_ = [`--config.file=${config}`, `--storage.tsdb.path=${join(directory.path, "early")}`];
  const child = spawn(launcher, ["server", ...arguments_, "--web.listen-address=127.0.0.1:0"]);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (!log.includes("Starting Narthex") && text.includes("Starting Narthex")) child.kill("SIGHUP");
    log += text;
  });
  await eventually(
    async () => log,
    (text) => /Completed loading/.test(text) && /ready to receive/.test(text),
  );
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  assert.deepEqual(await exit, [0, null]);
});

test("it ends when it is asked to over HTTP, and only where that is allowed", async () => {
  const config = writeConfig("quit.yml");
  const quit = async (program: Program): Promise<number> =>
    (await fetch(`${program.url}/-/quit`, { method: "POST" })).status;
  const strict = await startServer(config, "quit");
  assert.equal(await quit(strict), 403);
  assert.equal(await strict.end("SIGTERM"), 0);
  const lenient = await startServer(config, "quit", "--web.enable-lifecycle");
  const exit = once(lenient.child, "exit");
  lenient.child.ref();
  assert.equal(await quit(lenient), 200);
  assert.deepEqual(await exit, [0, null]);
});

test("bad flags and configurations end the start with code 2 and one clear line", async () => {
  const cases: [string, string[], RegExp][] = [
    ["server", ["--nope"], /unknown long flag '--nope'/],
    ["server", ["--query.timeout=abc"], /invalid value "abc" for flag '--query.timeout'/],
    ["server", ["--config.file=/does/not/exist.yml"], /\/does\/not\/exist\.yml/],
    ["alertmanager", ["--config.file=/does/not/exist.yml"], /\/does\/not\/exist\.yml/],
    ["no-such-role", [], /unknown role "no-such-role"/],
  ];
  for (const [role, args, message] of cases) {
    const { code, output } = await runProgram(role, args);
    assert.equal(code, 2, output);
    assert.match(output, message);
  }
});
