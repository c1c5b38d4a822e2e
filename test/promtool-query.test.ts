/** promtool's commands that ask a server, and those that lay out queries, beside the real ones. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { type Outcome, runTool } from "../src/program/promtool/testing.ts";
import { inPromtoolsWords, peerBinary, skipWithout, startPeer } from "./support/peers.ts";
import { temporaryDirectory } from "./support/program.ts";

async function peer(...args: string[]): Promise<Outcome> {
  const child = spawn(peerBinary("promtool"), args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { out, err, code: child.exitCode };
}

const startSeconds = Math.floor(Date.now() / 1000) - 6 * 3600;

test(
  "queries are answered as by promtool",
  { skip: skipWithout("prometheus", "promtool"), timeout: 120_000 },
  async (t) => {
    const directory = temporaryDirectory();
    t.after(() => directory.remove());
    const path = (name: string): string => `${directory.path}/${name}`;
    const lines = ["a", "b<c>", "é"].flatMap((id, number) =>
      Array.from(
        { length: 10 },
        (_, i) => `m{id="${id}"} ${(number + 1) * 10 ** (3 * i - 8)} ${startSeconds + 15 * i}.25`,
      ),
    );
    writeFileSync(path("in.txt"), `${lines.join("\n")}\none 1 ${startSeconds}\n# EOF\n`);
    writeFileSync(path("prometheus.yml"), "{}\n");
    assert.equal(
      (await peer("tsdb", "create-blocks-from", "openmetrics", path("in.txt"), path("data"))).code,
      0,
    );
    const flags = ["--config.file", path("prometheus.yml"), "--storage.tsdb.path", path("data")];
    const server = await startPeer("prometheus", [...flags, "--storage.tsdb.retention.time=100d"]);
    t.after(() => server.end("SIGTERM"));

    const time = `--time=${startSeconds + 100.5}`;
    const range = [`--start=${startSeconds}`, `--end=${startSeconds + 150}`];
    const cases: string[][] = [
      ["query", "instant", time, server.url, "m"],
      ["query", "instant", time, `${server.url}/`, "one"],
      ["query", "instant", time, server.url, "sum(m) by (none)"],
      ["query", "instant", time, server.url, "1e30"],
      ["query", "instant", time, server.url, "m[1m]"],
      ["query", "instant", time, server.url, "nothing"],
      ["query", "-o", "json", "instant", time, server.url, 'label_replace(m, "x", "<&>", "", "")'],
      ["query", "instant", "-ojson", time, server.url, "scalar(one)"],
      ["query", "range", ...range, "--step=1m", server.url, "m"],
      ["query", "range", ...range, server.url, '-m{id="a"} or one'].toSpliced(4, 0, "--"),
      ["query", "range", "--step=50s", "--format=json", ...range, server.url, "count(m)"],
      ["query", "range", `--start=${startSeconds}`, `--end=${startSeconds}`, server.url, "m"],
      ["query", "series", "--match=m", "--match", "one", server.url],
      ["query", "series", "--match=m", ...range, "-o", "json", server.url],
      ["query", "series", "--match=m", "--end=10", server.url],
      ["query", "series", server.url],
      ["query", "labels", server.url, "id"],
      ["query", "labels", "--match=one", server.url, "__name__"],
      ["query", "labels", "-ojson", "--start=1", server.url, "id"],
      ["query", "labels", "--start=x", server.url, "id"],
      ["query", "instant", "--time=noon", server.url, "m"],
      ["query", "instant", server.url, "m +"],
      ["query", "instant", "--format=xml", server.url, "m"],
      ["query", "instant", server.url],
      ["query"],
    ];
    for (const args of cases) {
      const ours = await runTool(...args);
      assert.deepEqual({ ...ours, err: inPromtoolsWords(ours.err) }, await peer(...args), args.join(" "));
    }
  },
);

test("queries are laid out, and their matchers edited", async () => {
  const edit = async (...args: string[]): Promise<string> => {
    const { out, err, code } = await runTool("--experimental", "promql", ...args);
    assert.equal(code, 0, err);
    return out;
  };
  assert.equal(await edit("format", 'sum(rate(m{a="b"}[5m]))by(x)'), 'sum by (x) (rate(m{a="b"}[5m]))\n');
  const matchers = (...args: string[]) => edit("label-matchers", ...args);
  assert.equal(await matchers("set", "m + sum(n{a=~'b'})", "a", "c"), 'm{a="c"} + sum(n{a="c"})\n');
  assert.equal(await matchers("set", "-t!~", "m[5m]", "a", "c|d"), 'm{a!~"c|d"}[5m]\n');
  assert.equal(await matchers("delete", 'm{a="b",c!="d"}', "a"), 'm{c!="d"}\n');
  assert.equal(
    (await runTool("promql", "format", "m")).err,
    "This command is experimental and requires the --experimental flag to be set.\n",
  );
  const wrong = await runTool("--experimental", "promql", "format", "m(");
  assert.deepEqual([wrong.code, wrong.err], [1, "1:3: parse error: unclosed left parenthesis\n"]);
});
