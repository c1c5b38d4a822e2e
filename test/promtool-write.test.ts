/** promtool's commands that make data directories, beside the real ones. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { skipWithout, startPeer } from "./support/peers.ts";
import { runProgram, startProgram, temporaryDirectory } from "./support/program.ts";

const skip = skipWithout("prometheus", "promtool");
const hourSeconds = 3600;
const rangeSeconds = 2 * hourSeconds;
/** At the border of a block, a day ago. */
const startSeconds = Math.floor(Date.now() / 1000 / rangeSeconds) * rangeSeconds - 12 * rangeSeconds;
const endSeconds = startSeconds + 5 * hourSeconds;

function promtool(...args: string[]): string {
  return execFileSync("promtool", args, {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** A server's directory with six hours of two series, and the file of rules. */
function createScene(t: TestContext): { path: (name: string) => string; rules: string } {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const path = (name: string): string => `${directory.path}/${name}`;
  const lines: string[] = [];
  for (const id of ["a", "b"])
    for (let seconds = startSeconds; seconds < startSeconds + 6 * hourSeconds; seconds += 30)
      lines.push(`m{id="${id}",job="x"} ${seconds - startSeconds} ${seconds}`);
  writeFileSync(path("samples.txt"), `${lines.join("\n")}\n# EOF\n`);
  promtool("tsdb", "create-blocks-from", "openmetrics", path("samples.txt"), path("data"));
  mkdirSync(path("data/wal"), { recursive: true });
  writeFileSync(path("prometheus.yml"), "{}\n");
  const rules = path("rules.yml");
  writeFileSync(
    rules,
    `groups:
- name: minutely
  rules:
  - record: id:m:sum
    expr: sum by (id) (m) * 0 + 1
    labels: { added: yes, id: replaced-not }
  - record: m:count
    expr: count(m)
  - alert: Ignored
    expr: m > 0
- name: slow
  interval: 10m
  rules:
  - record: m:rate
    expr: round(sum(rate(m[5m])), 0.1)
  - record: m:none
    expr: absent(m)
`,
  );
  return { path, rules };
}

interface Found {
  series: string;
  values: string[];
  count: number;
}

/** What promtool finds in a directory: values without their times, since groups have other slots in different versions. */
function dumpOf(directory: string): Found[] {
  const bySeries = new Map<string, string[]>();
  mkdirSync(`${directory}/wal`, { recursive: true });
  for (const line of promtool("tsdb", "dump", directory).split("\n")) {
    const match = /^(\{.*\}) (\S+) (\d+)$/.exec(line);
    if (match) bySeries.set(match[1]!, [...(bySeries.get(match[1]!) ?? []), match[2]!]);
  }
  return [...bySeries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([series, values]) => ({ series, values: [...new Set(values)], count: values.length }));
}

test("rules are backfilled as promtool does, from either server", { skip, timeout: 120_000 }, async (t) => {
  const { path, rules } = createScene(t);
  const flags = ["--config.file", path("prometheus.yml"), "--storage.tsdb.path", path("data")];
  const times = [`--start=${startSeconds + hourSeconds}`, `--end=${endSeconds}`];
  const command = ["tsdb", "create-blocks-from", "rules"];
  const server = await startPeer("prometheus", flags);
  try {
    promtool(...command, ...times, `--url=${server.url}`, `--output-dir=${path("theirs")}`, rules);
    const args = [...times, `--url=${server.url}`, `--output-dir=${path("ours")}`, rules];
    const { code, output } = await runProgram("promtool", [...command, ...args]);
    assert.equal(code, 0, output);
    assert.match(output, /processing rule.*m:rate/);
  } finally {
    await server.end("SIGTERM");
  }
  const theirs = dumpOf(path("theirs"));
  const ours = dumpOf(path("ours"));
  assert.deepEqual(
    ours.map(({ series, values }) => ({ series, values })),
    theirs
      .filter(({ series }) => !series.includes("Ignored"))
      .map(({ series, values }) => ({ series, values })),
  );
  for (const [i, { series, count }] of ours.entries()) {
    // The older release asks at --eval-interval whatever the group's own interval.
    const expected = series.includes("m:rate") ? theirs[i]!.count / 10 : theirs[i]!.count;
    assert.ok(Math.abs(count - expected) <= 1, `${series}: ${count} instead of ${expected}`);
  }

  const narthex = await startProgram("server", flags);
  try {
    const args = [...times, "--url", narthex.url, "--output-dir", path("again"), rules];
    assert.equal((await runProgram("promtool", [...command, ...args])).code, 0);
  } finally {
    await narthex.end("SIGTERM");
  }
  assert.deepEqual(dumpOf(path("again")), ours);
});

test("what keeps rules from being backfilled is said", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const rules = `${directory.path}/rules.yml`;
  writeFileSync(rules, "groups: [{name: g, rules: [{record: r, expr: up}]}]\n");
  const run = (...flags: string[]) =>
    runProgram("promtool", [
      "tsdb",
      "create-blocks-from",
      "rules",
      "--output-dir",
      directory.path,
      ...flags,
      rules,
    ]);
  for (const [flags, message] of [
    [[], /required flag\(s\) '--start' not provided/],
    [["--start=x"], /error parsing start time: cannot parse "x" to a valid timestamp/],
    [["--start=100", "--end=100"], /start time is not before end time/],
    [
      ["--start=0", "--end=100", "--url=http://127.0.0.1:1"],
      /rule importer error.*\n.*error importing rules/,
    ],
  ] as const) {
    const { code, output } = await run(...flags);
    assert.equal(code, 1);
    assert.match(output, message);
  }
});

test(
  "a write benchmark prints its stages, and leaves a directory that promtool reads",
  { skip },
  async (t) => {
    const directory = temporaryDirectory();
    t.after(() => directory.remove());
    const file = `${directory.path}/series.json`;
    const lines = Array.from({ length: 1500 }, (_, i) => `{"__name__":"m_${i % 20}","id":"${i}"}`);
    writeFileSync(file, [...lines, lines[0], ""].join("\n"));
    const out = `${directory.path}/out`;
    const flags = ["--out", out, "--metrics=1200", "--scrapes=150"];
    const { code, output } = await runProgram("promtool", ["tsdb", "bench", "write", ...flags, file]);
    assert.equal(code, 0, output);
    const stages = output.split("\n").filter((line) => /^>>|^ >|^ing/.test(line));
    assert.deepEqual(
      stages.map((line) => line.replace(/(duration=|sec: )[\d.e+ms]+/, "$1N")),
      [
        ">> start stage=readData",
        ">> completed stage=readData duration=N",
        ">> start stage=ingestScrapes",
        "ingestion completed",
        ">> completed stage=ingestScrapes duration=N",
        " > total samples: 240000",
        " > samples/sec: N",
        ">> start stage=stopStorage",
        ">> completed stage=stopStorage duration=N",
      ],
    );
    const found = dumpOf(`${out}/storage`);
    assert.equal(found.length, 1200);
    assert.ok(found.every(({ count }) => count === 200));
  },
);
