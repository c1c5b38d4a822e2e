/** Native histograms from scrape to answer, by Narthex and a real Prometheus side by side, and each on what the other left on disk. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  bytesField,
  doubleField,
  family,
  metric,
  nativeHistogramFields,
  timestampField,
  varintField,
  protobufContentType,
} from "../src/exposition/testing/protobuf-writer.ts";
import { createHistogram, type Histogram } from "../src/model/index.ts";
import { isOldPeer, skipWithout, startPeer } from "./support/peers.ts";
import {
  api,
  eventually,
  instantQuery,
  type Program,
  startProgram,
  temporaryDirectory,
} from "./support/program.ts";
import { startTestServer } from "./support/targets.ts";

const skip = skipWithout("prometheus");
const statesMax = 14;

interface Classic {
  bounds: [le: string, count: number][];
  sum: number;
}

/** What one source tells in every format: a counter, a classic histogram, and native ones in protobuf alone. */
function source(state: number): { counter: number; classic: Classic } {
  const bounds: Classic["bounds"] = [
    ["0.5", state],
    ["2.5", 3 * state],
    ["+Inf", 5 * state],
  ];
  return { counter: 10 * state, classic: { bounds, sum: state / 4 } };
}

function text(state: number, timestampMs: number, isOpenMetrics: boolean): string {
  const { counter, classic } = source(state);
  const at = isOpenMetrics ? (timestampMs / 1000).toFixed(3) : String(timestampMs);
  const lines = [
    `# TYPE requests${isOpenMetrics ? "" : "_total"} counter`,
    `requests_total ${counter} ${at}`,
    "# TYPE latency histogram",
    ...classic.bounds.map(([le, count]) => `latency_bucket{le="${le}"} ${count} ${at}`),
    `latency_sum ${classic.sum} ${at}`,
    `latency_count ${classic.bounds.at(-1)![1]} ${at}`,
    "# TYPE step gauge",
    `step ${state} ${at}`,
  ];
  return `${lines.join("\n")}\n${isOpenMetrics ? "# EOF\n" : ""}`;
}

/** Grows into new buckets, is reset at times, comes and goes. */
function natives(
  state: number,
): Record<string, { histogram: Histogram; isFloat?: boolean; isGauge?: boolean }> {
  const side = (from: number, counts: number[]): Histogram["positive"] => ({
    indices: counts.map((_, i) => from + 2 * i),
    counts,
  });
  const make = (fields: Partial<Histogram>): Histogram => {
    const histogram = createHistogram({ schema: 3, zeroThreshold: 2 ** -128, sum: state / 4, ...fields });
    const counts = [...histogram.positive.counts, ...histogram.negative.counts];
    return { ...histogram, count: counts.reduce((a, b) => a + b, histogram.zeroCount) };
  };
  const since = state % 5;
  return {
    steady: {
      histogram: make({ positive: side(-5, [3 + state, 5 + 2 * state]), negative: side(1, [state + 1]) }),
    },
    growing: {
      histogram: make({ schema: 0, zeroCount: state, positive: side(state % 5, [1, state, 2 * state, 7]) }),
    },
    reset: { histogram: make({ positive: side(0, [1 + since, 7 * since + 1]) }) },
    up_and_down: { histogram: make({ positive: side(state % 3, [9 + (state % 4), 2]) }), isGauge: true },
    fractions: { histogram: make({ positive: side(0, [1.5 + state, 7 * state + 0.25]) }), isFloat: true },
    ...(state % 4 < 2 && { passing: { histogram: make({ positive: side(2, [state]) }) } }),
  };
}

function protobuf(state: number, timestampMs: number): Buffer {
  const { counter, classic } = source(state);
  const time = varintField(6, timestampMs);
  const trace = [bytesField(1, [bytesField(1, "trace"), bytesField(2, `t${state}`)]), doubleField(2, 0.25)];
  // Of a classic bucket, which is not stored where there are native ones.
  const exemplar = bytesField(3, [
    varintField(1, state),
    doubleField(2, 0.5),
    bytesField(3, [...trace, timestampField(3, timestampMs)]),
  ]);
  return Buffer.concat([
    family("requests_total", 0, [metric({}, bytesField(3, [doubleField(1, counter)]), time)]),
    family("latency", 4, [
      metric(
        {},
        bytesField(7, [
          varintField(1, classic.bounds.at(-1)![1]),
          doubleField(2, classic.sum),
          ...classic.bounds.map(([le, count]) =>
            bytesField(3, [varintField(1, count), doubleField(2, le === "+Inf" ? Infinity : Number(le))]),
          ),
        ]),
        time,
      ),
    ]),
    family("step", 1, [metric({}, bytesField(2, [doubleField(1, state)]), time)]),
    ...Object.entries(natives(state)).map(([name, { histogram, isFloat, isGauge }]) =>
      family(name, isGauge === true ? 5 : 4, [
        metric(
          {},
          bytesField(7, [...nativeHistogramFields(histogram, isFloat), bytesField(12, []), exemplar]),
          time,
        ),
      ]),
    ),
  ]);
}

const formats = ["protobuf", "text", "openmetrics"] as const;

async function createScene(t: TestContext) {
  const directory = temporaryDirectory();
  const baseMs = 1000 * (Math.floor(Date.now() / 1000) - 100);
  const scene = { state: 1 };
  const target = await startTestServer((request, response) => {
    const timestampMs = baseMs + 1000 * scene.state;
    const format = request.url!.slice(1);
    const types: Record<string, string> = {
      protobuf: protobufContentType,
      text: "text/plain; version=0.0.4",
      openmetrics: "application/openmetrics-text; version=1.0.0",
    };
    response.setHeader("content-type", types[format]!);
    response.end(
      format === "protobuf"
        ? protobuf(scene.state, timestampMs)
        : text(scene.state, timestampMs, format === "openmetrics"),
    );
  });
  t.after(() => {
    target.close();
    directory.remove();
  });
  const path = (name: string): string => join(directory.path, name);
  const write = (name: string, config: object): string => {
    const global = { scrape_interval: "100ms", scrape_timeout: "100ms" };
    writeFileSync(path(name), JSON.stringify({ global, ...config }));
    return path(name);
  };
  const jobs = (more: object): object => ({
    scrape_configs: formats.map((format) => ({
      job_name: format,
      metrics_path: `/${format}`,
      static_configs: [{ targets: [target.address], labels: { instance: "a" } }],
      ...more,
    })),
  });
  return {
    scene,
    baseMs,
    write,
    jobs,
    idle: write("idle.yml", {}),
    flags: (file: string, data: string): string[] => [
      `--config.file=${file}`,
      `--storage.tsdb.path=${path(data)}`,
      "--enable-feature=native-histograms,exemplar-storage",
    ],
  };
}

async function reaches(programs: readonly Program[], state: number): Promise<void> {
  const values = async (): Promise<unknown[]> =>
    (await Promise.all(programs.map(({ url }) => instantQuery(url, "step")))).flatMap(({ result }) =>
      result.map(({ value }) => value[1]),
    );
  await eventually(
    values,
    (all) => all.length === 3 * programs.length && all.every((value) => value === `${state}`),
  );
}

const queries = [
  '{job!="",__name__!~"up|scrape_.*"}',
  "histogram_count(steady)",
  "histogram_sum(steady)",
  "sum({__name__=~'steady|reset'})",
  "count_over_time(passing[20s])",
  "present_over_time(reset[5s])",
];

/** What is stored, told by what it answers at every state. */
async function answers(url: string, baseMs: number): Promise<string[]> {
  const all: string[] = [];
  for (let state = 1; state <= statesMax; state++)
    for (const query of queries) {
      // Between two states, as the versions do not agree on which samples lie on the end of a range.
      const time = `&time=${(baseMs + 1000 * state) / 1000 + 0.5}`;
      const { result } = await instantQuery(url, query, time);
      all.push(...result.map((one) => `${state} ${query} ${JSON.stringify(one)}`).sort());
    }
  return all;
}

test(
  "native histograms are scraped, stored and answered as by Prometheus, by each on the other's data",
  { skip },
  async (t) => {
    const { scene, baseMs, write, jobs, idle, flags } = await createScene(t);
    const both = await Promise.all([
      startProgram("server", flags(write("ours.yml", jobs({ scrape_native_histograms: true })), "ours")),
      startPeer(
        "prometheus",
        flags(
          write("theirs.yml", jobs(isOldPeer("prometheus") ? {} : { scrape_native_histograms: true })),
          "theirs",
        ),
      ),
    ]);
    t.after(() => Promise.all(both.map((one) => one.end("SIGKILL"))));
    for (scene.state = 1; scene.state <= statesMax; scene.state++) await reaches(both, scene.state);
    scene.state = statesMax;
    const [ours, theirs] = both;
    const expected = await answers(theirs.url, baseMs);
    for (const kind of ["value", "histogram"])
      assert.ok(expected.some((line) => line.includes(`"${kind}":`)));
    assert.deepEqual(await answers(ours.url, baseMs), expected);
    const exemplars = (url: string): Promise<unknown> => api(url, "query_exemplars?query=steady");
    assert.deepEqual(await exemplars(ours.url), await exemplars(theirs.url));

    await Promise.all(both.map((one) => one.end("SIGTERM")));
    const swapped = await Promise.all([
      startProgram("server", flags(idle, "theirs")),
      startPeer("prometheus", flags(idle, "ours")),
    ]);
    t.after(() => Promise.all(swapped.map((one) => one.end("SIGKILL"))));
    assert.deepEqual(await answers(swapped[0].url, baseMs), expected, "ours on theirs");
    assert.deepEqual(await answers(swapped[1].url, baseMs), expected, "theirs on ours");
  },
);

test("classic histograms become native ones with custom buckets, alone or beside", async (t) => {
  const { scene, write, jobs, flags } = await createScene(t);
  for (const keepsClassic of [false, true]) {
    const config = jobs({
      convert_classic_histograms_to_nhcb: true,
      always_scrape_classic_histograms: keepsClassic,
    });
    const program = await startProgram("server", flags(write("nhcb.yml", config), `nhcb-${keepsClassic}`));
    t.after(() => program.end("SIGKILL"));
    scene.state = 3;
    await reaches([program], 3);
    const { result } = await instantQuery(program.url, "latency");
    const histograms = result as unknown as { metric: { job: string }; histogram: [number, unknown] }[];
    assert.deepEqual(new Set(histograms.map(({ metric: { job } }) => job)), new Set(formats));
    for (const { histogram } of histograms)
      assert.deepEqual(histogram[1], {
        count: "15",
        sum: "0.75",
        buckets: [
          [3, "-Inf", "0.5", "3"],
          [0, "0.5", "2.5", "6"],
          [0, "2.5", "+Inf", "6"],
        ],
      });
    const classic = await instantQuery(program.url, "latency_bucket");
    assert.equal(classic.result.length, keepsClassic ? 9 : 0);
    await program.end("SIGTERM");
  }
});
