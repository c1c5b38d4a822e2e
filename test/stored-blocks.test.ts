/** Blocks that upstream's tools wrote, under both servers: the same answers, also together with what is scraped since. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { skipWithout, startPeer } from "./support/peers.ts";
import { api, instantQuery, startProgram, temporaryDirectory } from "./support/program.ts";

const skip = skipWithout("prometheus");
const hourSeconds = 3600;
const seriesCount = 300;

type Series = { metric: Record<string, string>; values?: [number, string][]; value?: [number, string] };

/** Nine hours of samples that end a while ago, as a text that promtool imports. */
function openMetrics(endSeconds: number): string {
  const lines = ["# TYPE m counter"];
  for (let id = 0; id < seriesCount; id++) {
    const labels = `{id="${id}",job="j${id % 7}",text="ü \\"q\\" ${id % 3}"}`;
    for (let i = 0; i < 9 * 12; i++) {
      const value = id % 11 === 3 && i % 13 === 5 ? "NaN" : String(1000 * id + i * ((id % 5) + 1));
      lines.push(`m_total${labels} ${value} ${endSeconds - (9 * 12 - i) * 300}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}

test(
  "a directory of blocks answers the same under Prometheus and under ours",
  { skip, timeout: 120_000 },
  async (t) => {
    const directory = temporaryDirectory();
    t.after(() => directory.remove());
    const path = (name: string): string => join(directory.path, name);
    const end = Math.floor(Date.now() / 1000 / hourSeconds) * hourSeconds - 6 * hourSeconds;
    writeFileSync(path("input"), openMetrics(end));
    writeFileSync(path("config.yml"), "global: {}\n");
    const imported = spawnSync("promtool", [
      "tsdb",
      "create-blocks-from",
      "openmetrics",
      "--quiet",
      path("input"),
      path("theirs"),
    ]);
    assert.equal(imported.status, 0, String(imported.stderr));
    cpSync(path("theirs"), path("ours"), { recursive: true });
    const flags = (data: string): string[] => [
      `--config.file=${path("config.yml")}`,
      `--storage.tsdb.path=${path(data)}`,
    ];
    const ours = await startProgram("server", flags("ours"));
    t.after(() => ours.end("SIGKILL"));
    const theirs = await startPeer("prometheus", flags("theirs"));
    t.after(() => theirs.end("SIGKILL"));

    assert.equal((await instantQuery(ours.url, "m_total", `&time=${end - 77}`)).result.length, seriesCount);
    for (const query of [
      'm_total{id="7"}[12h]',
      'm_total{id=~"1.*",job!="j3"}[12h]',
      "m_total[12h]",
      "sum by (job) (m_total)",
      "count(m_total) by (text)",
      'topk(3, m_total{job="j1"})',
      'absent(m_total{id="nobody"})',
    ]) {
      for (const at of [end - 77, end - 4 * hourSeconds - 13, end - 20 * hourSeconds]) {
        const [a, b] = await Promise.all(
          [ours, theirs].map(({ url }) => instantQuery(url, query, `&time=${at}`)),
        );
        assert.deepEqual(sorted(a!.result as Series[]), sorted(b!.result as Series[]), `${query} at ${at}`);
      }
    }
    const grid = `start=${end - 9 * hourSeconds - 41}&end=${end + 700}&step=97`;
    for (const query of ["m_total", "sum by (job) (m_total)", "max(m_total)", 'm_total{id=~"2."} > 5']) {
      const [a, b] = await Promise.all(
        [ours, theirs].map(({ url }) =>
          api<{ result: Series[] }>(url, `query_range?query=${encodeURIComponent(query)}&${grid}`),
        ),
      );
      assert.deepEqual(sorted(a!.result), sorted(b!.result), query);
    }
    const range = `start=${end - 9 * hourSeconds}&end=${end}`;
    for (const ask of [
      `labels?${range}`,
      `label/id/values?${range}`,
      `label/job/values?${range}&match[]=m_total{id=~"1."}`,
      `series?${range}&match[]=m_total{job="j2"}`,
    ]) {
      const [a, b] = await Promise.all([ours, theirs].map(({ url }) => api<unknown[]>(url, ask)));
      assert.deepEqual(a, b, ask);
    }
    const metrics = await (await fetch(`${ours.url}/metrics`)).text();
    assert.match(metrics, /\nprometheus_tsdb_blocks_loaded [1-9]/);
    assert.match(metrics, /\nnarthex_tsdb_block_damages_total 0\n/);
  },
);

function sorted(series: Series[]): Series[] {
  return series.toSorted((a, b) => (JSON.stringify(a.metric) < JSON.stringify(b.metric) ? -1 : 1));
}
