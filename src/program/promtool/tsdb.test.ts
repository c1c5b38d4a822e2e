/** promtool's commands for data directories, beside the real ones and upstream's data. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { type Outcome, runTool } from "./testing.ts";
import { inPromtoolsWords, isOldPeer, peerBinary, skipWithout } from "../../../test/support/peers.ts";

const upstream = join(
  process.env["CONFORMANCE_DIR"] ?? resolve(import.meta.dirname, "../../../../shared/conformance"),
  "unit-tests",
);
const skipPeer = skipWithout("promtool");
const skipData = existsSync(upstream) ? false : "upstream's conformance data is not there";

const directory = mkdtempSync(join(tmpdir(), "narthex-promtool-tsdb-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

function peer(...args: string[]): Outcome {
  const { stdout, stderr, status } = spawnSync(peerBinary("promtool"), args, { encoding: "utf8" });
  return { out: stdout, err: stderr, code: status };
}

/** Creates blocks of samples a minute apart, the first of each series at time 0. */
async function load(name: string, series: Readonly<Record<string, readonly number[]>>): Promise<string> {
  const lines = Object.entries(series).flatMap(([labels, values]) =>
    values.map((value, i) => `${labels} ${value} ${60 * i}\n`),
  );
  const text = file(`${name}.txt`, `${lines.join("")}# EOF\n`);
  const blocks = join(directory, name);
  assert.deepEqual(await runTool("tsdb", "create-blocks-from", "-q", "openmetrics", text, blocks), {
    out: "",
    err: "",
    code: 0,
  });
  mkdirSync(join(blocks, "wal"));
  return blocks;
}
const expected = (name: string): string => readFileSync(join(upstream, name), "utf8");
/** Upstream promises no order. */
const sorted = (text: string): string[] => text.trimEnd().split("\n").sort();

test("dumps are those of upstream's tests", { skip: skipData }, async () => {
  const blocks = await load("dump", {
    'metric{foo="bar",baz="abc"}': [1, 2, 3, 4, 5],
    'heavy_metric{foo="bar"}': [5, 4, 3, 2, 1],
    'heavy_metric{foo="foo"}': [5, 4, 3, 2, 1],
  });
  const cases: [number, ...string[]][] = [
    [1],
    [1, `--sandbox-dir-root=${directory}`],
    [1, "--match={foo=~'.+'}", "--match={foo=~'.+'}"],
    [1, "--match={__name__='heavy_metric'}", "--match={baz='abc'}"],
    [2, "--match={__name__='heavy_metric',foo='foo'}", "--match={__name__='metric'}"],
    [3, "--min-time=60000", "--max-time=120000", "--match={__name__='metric'}"],
  ];
  for (const [number, ...flags] of cases) {
    const samples = await runTool("tsdb", "dump", ...flags, blocks);
    assert.deepEqual(sorted(samples.out), sorted(expected(`dump-test-${number}.prom`)), samples.err);
  }
  for (const number of [1, 3]) {
    const [, ...flags] = cases.find(([other]) => other === number)!;
    const series = await runTool("tsdb", "dump", "--format=seriesjson", ...flags, blocks);
    assert.deepEqual(sorted(series.out), sorted(expected(`dump-series-${number}.prom`)), series.err);
  }
});

test(
  "dumps as OpenMetrics are those of upstream's tests, and come back the same",
  { skip: skipData },
  async () => {
    const blocks = await load("dump-openmetrics", {
      'my_counter{foo="bar",baz="abc"}': [1, 2, 3, 4, 5],
      'my_gauge{bar="foo",abc="baz"}': [9, 8, 0, 4, 7],
    });
    const { out, err } = await runTool("tsdb", "dump-openmetrics", blocks);
    assert.deepEqual(sorted(out), sorted(expected("dump-openmetrics-test.prom")), err);

    const initial = "dump-openmetrics-roundtrip-test.prom";
    const again = join(directory, "round-trip");
    await runTool("tsdb", "create-blocks-from", "openmetrics", join(upstream, initial), again);
    assert.equal((await runTool("tsdb", "dump-openmetrics", again)).out, expected(initial));
  },
);

test("promtool and we understand the same command lines", { skip: skipPeer }, async () => {
  const blocks = await load("lines", { 'a{b="c"}': [1, 2, 3], d: [4] });
  const noEnd = file("no-end.txt", "a 1 1\n");
  const noTime = file("no-time.txt", "a 1\n# EOF\n");
  const out = join(directory, "out");
  for (const line of [
    "tsdb list --human-readable BLOCKS",
    "tsdb dump --match=a BLOCKS --min-time 60000",
    "tsdb dump --match={} BLOCKS",
    "tsdb dump --match=sum(a) BLOCKS",
    "tsdb dump --min-time=x BLOCKS",
    "tsdb analyze BLOCKS 01M7WDMAB945TGFCDR2X6XK0E1",
    "tsdb create-blocks-from --max-block-duration=1y openmetrics IN OUT",
    "tsdb create-blocks-from openmetrics NOTIME OUT",
    // The older release knows no days.
    ...(isOldPeer("promtool")
      ? []
      : ["tsdb create-blocks-from --max-block-duration=1.5w2d openmetrics NOTIME OUT"]),
    "tsdb create-blocks-from rules RULES",
    "tsdb create-blocks-from rules --start=1",
    "tsdb create-blocks-from",
    "tsdb list --nothing",
  ]) {
    const words: Record<string, string> = {
      BLOCKS: blocks,
      IN: noEnd,
      NOTIME: noTime,
      OUT: out,
      RULES: noEnd,
    };
    const args = line.split(" ").map((word) => words[word] ?? word);
    const ours = await runTool(...args);
    assert.deepEqual({ ...ours, err: inPromtoolsWords(ours.err) }, peer(...args), line);
  }
});
