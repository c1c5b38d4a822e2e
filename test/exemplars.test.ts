/** Exemplars from scrape to answer, by Narthex and a real Prometheus side by side, and each on what the other left on disk. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { skipWithout, startPeer } from "./support/peers.ts";
import { api, eventually, type Program, startProgram, temporaryDirectory } from "./support/program.ts";
import { startTestServer } from "./support/targets.ts";

const skip = skipWithout("prometheus");

interface ExemplarAnswer {
  seriesLabels: Record<string, string>;
  exemplars: { labels: Record<string, string>; value: string; timestamp: number }[];
}

/** What a target exposes in one of its states; `base` is a time in seconds. */
function exposition(state: number, base: number): string {
  const at = (seconds: number): string => (base + seconds).toFixed(3);
  const changing = [
    `{trace="a${state}"} 0.25 ${at(state)}`,
    // Older than the one before.
    state === 2 ? `{trace="old"} 0.25 ${at(0)}` : `{trace="b"} 1e-9 ${at(state)}`,
    `{trace="never"} NaN ${at(7)}`,
    state === 3
      ? `{trace="${"x".repeat(124)}"} 1 ${at(state)}`
      : `{trace="${"é".repeat(123)}"} 1 ${at(state)}`,
  ];
  return `# TYPE requests counter
requests_total{path="/"} ${state} # ${changing[0]}
requests_total{path="/x"} ${state} # ${changing[1]}
# TYPE latency histogram
latency_bucket{le="0.5"} ${state} # ${changing[2]}
latency_bucket{le="+Inf"} ${state} 1600000000 # {} 1
latency_count ${state}
latency_sum ${state}
# TYPE odd counter
odd_total{path="ü"} ${state} # ${changing[3]}
# TYPE step gauge
step ${state}
# EOF
`;
}

async function createScene(t: TestContext) {
  const directory = temporaryDirectory();
  const base = Math.floor(Date.now() / 1000) - 100;
  const scene = { state: 1 };
  const target = await startTestServer((_, response) => {
    response.setHeader("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.end(exposition(scene.state, base));
  });
  t.after(() => {
    target.close();
    directory.remove();
  });
  const path = (name: string): string => join(directory.path, name);
  const job = `{ job_name: x, honor_timestamps: false, static_configs: [{ targets: ["${target.address}"], labels: { instance: a } }] }`;
  const config = (name: string, text: string): string => {
    writeFileSync(path(name), `global: { scrape_interval: 100ms, scrape_timeout: 100ms }\n${text}`);
    return path(name);
  };
  return {
    scene,
    base,
    config,
    busy: config("busy.yml", `scrape_configs: [${job}]\n`),
    idle: config("idle.yml", ""),
    flags: (file: string, data: string): string[] => [
      `--config.file=${file}`,
      `--storage.tsdb.path=${path(data)}`,
      "--web.enable-lifecycle",
      "--enable-feature=exemplar-storage",
    ],
    path,
  };
}

const everything = encodeURIComponent('{job="x"}');

/**
 * An exemplar without a time of its own has that of the scrape, which differs. One that is NaN differs from itself for Prometheus 3.x, which
 * takes it again with each scrape.
 */
async function exemplars(url: string, query = `query=${everything}`): Promise<ExemplarAnswer[]> {
  const answer = await api<ExemplarAnswer[]>(url, `query_exemplars?${query}`);
  return answer.map(({ seriesLabels, exemplars: all }) => ({
    seriesLabels,
    exemplars: all
      .filter((one, i) => one.value !== "NaN" || JSON.stringify(one) !== JSON.stringify(all[i - 1]))
      .map((one) => ("trace" in one.labels ? one : { ...one, timestamp: 0 })),
  }));
}

async function reaches(programs: readonly Program[], state: number): Promise<void> {
  const values = (): Promise<unknown[]> =>
    Promise.all(
      programs.map(({ url }) =>
        api<{ result: { value: [number, string] }[] }>(url, "query?query=step").then(
          ({ result }) => result[0]?.value[1],
        ),
      ),
    );
  await eventually(values, (all) => all.every((value) => value === String(state)));
}

/** Prometheus forgets with a restart what differs from the exemplar before in its time alone. */
function withoutRepetitions({ seriesLabels, exemplars: all }: ExemplarAnswer): ExemplarAnswer {
  const text = (one: ExemplarAnswer["exemplars"][number]): string => JSON.stringify([one.labels, one.value]);
  return {
    seriesLabels,
    exemplars: all.filter((one, i) => i === 0 || text(one) !== text(all[i - 1]!)),
  };
}

test(
  "exemplars are stored, refused and shown as by Prometheus, and read by it from our log",
  { skip },
  async (t) => {
    const { scene, base, busy, idle, flags } = await createScene(t);
    const both = await Promise.all([
      startProgram("server", flags(busy, "ours")),
      startPeer("prometheus", flags(busy, "theirs")),
    ]);
    t.after(() => Promise.all(both.map((one) => one.end("SIGKILL"))));
    for (scene.state = 1; scene.state <= 4; scene.state++) await reaches(both, scene.state);
    scene.state = 4;
    const [ours, theirs] = both;
    const all = await exemplars(theirs.url);
    assert.deepEqual(
      all.map(({ exemplars: { length } }) => length),
      [1, 1, 3, 4, 3],
    );
    assert.deepEqual(await exemplars(ours.url), all);
    for (const query of [
      "query=latency_bucket",
      "query=rate(requests_total{path='/'}[5m]) / on () latency_bucket",
      "query=nothing",
      `query=${everything}&start=${base + 2}&end=${base + 3}`,
      `query=${everything}&end=${base + 2.5}`,
      "query=odd_total&start=2009-02-13T23:31:30Z",
    ])
      assert.deepEqual(await exemplars(ours.url, query), await exemplars(theirs.url, query), query);
    for (const query of ["query=1", "query=(", "query=up&start=5&end=2", "query=up&end=x", ""]) {
      const [our, their] = await Promise.all(
        both.map(async ({ url }) => {
          const response = await fetch(`${url}/api/v1/query_exemplars?${query}`, { method: "POST" });
          return [
            response.status,
            (await response.text())
              .replace("Invalid time", "invalid time")
              .replace("1:1:", "unknown position:"),
          ];
        }),
      );
      assert.deepEqual(our, their, query);
    }
    await Promise.all(both.map((one) => one.end("SIGTERM")));
    const swapped = await Promise.all([
      startProgram("server", flags(idle, "theirs")),
      startPeer("prometheus", flags(idle, "ours")),
    ]);
    t.after(() => Promise.all(swapped.map((one) => one.end("SIGKILL"))));
    assert.deepEqual(await exemplars(swapped[0].url), all);
    assert.deepEqual(await exemplars(swapped[1].url), all.map(withoutRepetitions));
  },
);

test("a reload changes how many are kept, and without the feature there are none", { skip }, async (t) => {
  const { scene, config, busy, flags } = await createScene(t);
  const both = await Promise.all([
    startProgram("server", flags(busy, "ours")),
    startPeer("prometheus", flags(busy, "theirs")),
  ]);
  t.after(() => Promise.all(both.map((one) => one.end("SIGKILL"))));
  for (const state of [1, 2, 3]) await reaches(both, (scene.state = state));
  const metric = async (url: string, name: string): Promise<string | undefined> =>
    new RegExp(`^${name} (.*)$`, "m").exec(await (await fetch(`${url}/metrics`)).text())?.[1];
  for (const [text, kept] of [
    ["storage: { exemplars: { max_exemplars: 3 } }", "3"],
    ["storage: { exemplars: { max_exemplars: 0 } }", "0"],
  ] as const) {
    config("busy.yml", `${text}\n`);
    for (const { url } of both) {
      assert.equal((await fetch(`${url}/-/reload`, { method: "POST" })).status, 200);
      for (const name of ["exemplars_in_storage", "max_exemplars"])
        assert.equal(await metric(url, `prometheus_tsdb_exemplar_${name}`), kept);
      const series = await metric(url, "prometheus_tsdb_exemplar_series_with_exemplars_in_storage");
      assert.equal((await exemplars(url)).length, Number(series));
    }
  }
  await both[0].end("SIGTERM");
  const without = await startProgram("server", flags(busy, "ours").slice(0, -1));
  t.after(() => without.end("SIGKILL"));
  assert.deepEqual(await exemplars(without.url), []);
});
