/** Every endpoint of the HTTP API, asked of Narthex and of a real Prometheus that scrapes the same targets. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  eventually,
  instantQuery,
  type Program,
  startProgram,
  temporaryDirectory,
} from "./support/program.ts";
import { type Ask, equalAsks } from "./support/api-asks.ts";
import { isOldPeer, skipWithout, startPeer } from "./support/peers.ts";
import { startTarget, type TestServer } from "./support/targets.ts";

const exposition = `# HELP requests_total Requests that were answered.
# TYPE requests_total counter
requests_total{path="/",code="200"} 1027
requests_total{path="/",code="500"} 3
requests_total{path="/x",code="200"} 12
# HELP temperature_celsius How warm it is.
# TYPE temperature_celsius gauge
temperature_celsius{room="hall"} 21.5
temperature_celsius{room="küche \\"2\\""} -0.25
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 8
latency_seconds_bucket{le="0.5"} 9
latency_seconds_bucket{le="+Inf"} 10
latency_seconds_sum 3.75
latency_seconds_count 10
# TYPE odd untyped
odd{kind="nan"} NaN
odd{kind="inf"} +Inf
odd{kind="tiny"} 1e-300
odd{kind="huge"} 1e21
`;

const rules = `groups:
- name: recording
  interval: 1s
  rules:
  - { record: "job:requests:sum", expr: sum by (job) (requests_total), labels: { added: "yes" } }
- name: alerting
  interval: 1s
  limit: 5
  rules:
  - alert: Warm
    expr: temperature_celsius > 20
    labels: { severity: page }
    annotations: { summary: "{{ $labels.room }} has {{ $value }}" }
  - alert: Later
    expr: temperature_celsius > 20
    for: 1h
  - alert: Never
    expr: temperature_celsius > 1000
- name: failing
  interval: 1s
  rules:
  - { record: clash, expr: 'label_replace(requests_total, "code", "same", "path", ".*")' }
`;

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** node:http, because fetch would undo the compression and refuse some headers. */
function send(base: string, { method = "GET", path, headers = {}, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${base}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const isGzip = response.headers["content-encoding"] === "gzip";
        const text = (isGzip ? gunzipSync(bytes) : bytes).toString();
        resolve({ status: response.statusCode!, headers: response.headers, text });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/**
 * What Prometheus 3.x answers otherwise than Debian's 2.42; ours is the newer answer. `older` makes the older one of it where that is
 * simple; elsewhere the two only have to differ. An entry that holds no longer fails the test.
 */
const changedSince: readonly { ask: RegExp; why: string; older?: (ours: string) => string }[] = [
  { ask: /%22job%22%3A/, why: "a quoted name in braces begins a matcher now, so the parser gets further" },
  { ask: /a-b/, why: "any text is a label name" },
  {
    ask: /query=foo%7Ba%3D~%22\(/,
    why: "the pattern is checked as it was written",
    older: (ours) => ours.replace("`(`", () => "`^(?:()$`"),
  },
  {
    ask: /query_range\?query=(?:\(|%22text|requests_total%5B)/,
    why: "the parameter is named",
    older: (ours) => ours.replace(String.raw`invalid parameter \"query\": `, ""),
  },
  { ask: /query_range\?query=&/, why: "the parameter is named, and an empty query has no position" },
  {
    ask: /(?:(?:query|series|label)\S*[?&](?:time|start|end)=|labels\?(?:start|end)=)(?:x|yesterday|2009-02-13)(?:&|\s)/,
    why: "the word was capitalised",
    older: (ours) => ours.replace("invalid time value", "Invalid time value"),
  },
  {
    ask: /^GET \S*\/(?:query|format_query|query\?query=&time=5|series\?match\[\]=) $/,
    why: "an empty text has no position",
    older: (ours) => ours.replace("unknown position", "1:1"),
  },
  {
    ask: /\/targets(?:\?| )/,
    why: "more labels and counts are shown",
    older: (ours) =>
      ours
        .replace(/"__(?:always_scrape_classic|convert_classic|scrape_native)_histograms\w*":"false",/g, "")
        .replace(/,"droppedTargetCounts":(?:null|\{[^}]*\})/, "")
        .replace(',"scrapePool":"choosy"', ""),
  },
  {
    ask: /\/rules $/,
    why: "a recording rule without labels says so",
    older: (ours) => ours.replaceAll('"labels":{},"health"', '"health"'),
  },
  { ask: /rules\?(?:type=(?:alert|rec)|rule_|file)/i, why: "more filters, and no empty groups" },
  { ask: /status\/tsdb\?limit/, why: "there was no limit" },
];

const isOld = isOldPeer("prometheus");
const differing: typeof changedSince = [
  ...(isOld ? changedSince : []),
  { ask: /time=NaN/, why: "upstream makes a time of it that depends on the processor; here it is no time" },
];

const directory = temporaryDirectory();
let target: TestServer;
let narthex: Program;
let prometheus: Program;
let atSeconds: string;

function writeConfig(name: string): string {
  const rulesFile = join(directory.path, "rules.yml");
  writeFileSync(rulesFile, rules);
  const file = join(directory.path, name);
  writeFileSync(
    file,
    `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: { region: eu } }
rule_files: ["${rulesFile}"]
alerting:
  alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:1"] }] }]
scrape_configs:
- job_name: x
  static_configs: [{ targets: ["${target.address}"], labels: { instance: "one:80" } }]
- job_name: broken
  metrics_path: /missing
  params: { module: [a, b] }
  static_configs: [{ targets: ["${target.address}"], labels: { instance: two } }]
- job_name: choosy
  static_configs: [{ targets: ["${target.address}"], labels: { instance: three, drop: "yes" } }]
  relabel_configs: [{ source_labels: [drop], regex: "yes", action: drop }]
`,
  );
  return file;
}

/** Values that no two servers have in common become the name of their kind. */
function masked(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => masked(item));
    // Series, those of a vector among them, and the metrics of a target come in an order that neither promises.
    const first: unknown = value[0];
    const isUnordered =
      typeof first === "object" &&
      first !== null &&
      ["value", "help", "__name__"].some((name) => name in first);
    return isUnordered ? items.sort(byText) : items;
  }
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, masked(item, name)]));
  if (/^(?:lastScrape|lastEvaluation|activeAt)$/.test(key) && typeof value === "string")
    return value.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/, "a time");
  if (key === "error" && typeof value === "string") return value.replace(/\[\{.*\}\]/, "[series]");
  if (/^(?:lastScrapeDuration|evaluationTime)$/.test(key) && typeof value === "number") return "seconds";
  return value;
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : Number(left > right);
}

/** The keys of an answer, each with the type of its value; those of an array are those of its first item. */
function shapeOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [`${path} []`] : shapeOf(value[0], `${path}[]`);
  if (typeof value !== "object" || value === null) return [`${path} ${typeof value}`];
  return Object.entries(value)
    .flatMap(([key, item]) => shapeOf(item, path === "" ? key : `${path}.${key}`))
    .sort();
}

function comparable({ status, headers, text }: Answer): unknown {
  const type = text === "" ? "" : headers["content-type"]?.toLowerCase();
  const body: unknown = type === "application/json" ? masked(JSON.parse(text)) : text;
  return { status, type, body, allow: headers["allow"] ?? "", location: headers["location"] ?? "" };
}

describe("the same API as Prometheus", { skip: skipWithout("prometheus") }, () => {
  before(async () => {
    target = await startTarget((path) => (path === "/metrics" ? exposition : undefined));
    const flags = (data: string): string[] => [
      `--config.file=${writeConfig(`${data}.yml`)}`,
      `--storage.tsdb.path=${join(directory.path, data)}`,
      "--web.external-url=http://outside.example:1234/",
    ];
    [narthex, prometheus] = await Promise.all([
      startProgram("server", flags("narthex")),
      startPeer("prometheus", flags("prometheus")),
    ]);
    for (const { url } of [narthex, prometheus]) {
      const failing = (): Promise<string> => fetch(`${url}/api/v1/rules`).then((response) => response.text());
      await eventually(failing, (answer) => answer.includes('"health":"err"'));
      for (const text of [
        'ALERTS{alertstate="firing"}',
        'ALERTS{alertstate="pending"}',
        '{__name__=~"job:.*"}',
        "count(up) == 2",
      ]) {
        await eventually(
          () => instantQuery(url, text),
          ({ result }) => result.length > 0,
        );
      }
    }
    atSeconds = (Date.now() / 1000).toFixed(3);
  });
  after(async () => {
    await Promise.all([narthex?.end("SIGTERM"), prometheus?.end("SIGTERM")]);
    target?.close();
    directory.remove();
  });

  const both = (ask: Ask): Promise<Answer[]> =>
    Promise.all([narthex, prometheus].map(({ url }) => send(url, ask)));

  for (const ask of equalAsks) {
    const name = `${ask.method ?? "GET"} ${ask.path} ${ask.body ?? ""}`;
    test(name, async () => {
      const path = ask.path.replaceAll(/=T\b/g, `=${atSeconds}`);
      const [ours, theirs] = await both({ ...ask, path });
      const changed = differing.find((entry) => entry.ask.test(name));
      if (changed && changed.older)
        assert.deepEqual(JSON.parse(changed.older(JSON.stringify(comparable(ours!)))), comparable(theirs!));
      else if (changed)
        assert.notDeepEqual(comparable(ours!), comparable(theirs!), `no longer so: ${changed.why}`);
      else assert.deepEqual(comparable(ours!), comparable(theirs!));
    });
  }

  const shapes: readonly { path: string; more?: RegExp; less?: RegExp; why?: string }[] = [
    { path: "/api/v1/query?query=up" },
    { path: "/api/v1/status/config" },
    { path: "/api/v1/status/buildinfo" },
    {
      path: "/api/v1/status/runtimeinfo",
      more: /^(?:hostname|serverTime|GOMEMLIMIT)\b/,
      why: "added since",
    },
    { path: "/api/v1/status/tsdb" },
    { path: "/api/v1/status/walreplay" },
    { path: "/version" },
  ];
  for (const { path, more, why } of shapes) {
    test(`the shape of ${path}`, async () => {
      const [ours, theirs] = await both({ path });
      const paths = shapeOf(JSON.parse(ours!.text)).filter(
        (line) => !isOld || more === undefined || !more.test(line.replace(/^data\./, "")),
      );
      assert.deepEqual(paths, shapeOf(JSON.parse(theirs!.text)), why);
      assert.equal(ours!.status, theirs!.status);
    });
  }

  test("the flags have the same names, but for those that came or went", async () => {
    const [ours, theirs] = (await both({ path: "/api/v1/status/flags" })).map(
      ({ text }) => (JSON.parse(text) as { data: Record<string, string> }).data,
    );
    const common = Object.keys(theirs!).filter((name) => name in ours!);
    // The size of WAL segments is 0B there, which means the same.
    const perServer =
      /^(?:config\.file|storage\.tsdb\.(?:path|wal-segment-size)|web\.(?:listen-address|console|page-title))/;
    // What the flag leaves open was shown as 0s.
    const changed = isOld ? ["storage.tsdb.retention.time"] : [];
    for (const name of common.filter((one) => !perServer.test(one) && !changed.includes(one)))
      assert.equal(ours![name], theirs![name], name);
    assert.ok(common.length > 20, common.join(" "));
  });

  test("the configuration is shown as upstream prints it", async () => {
    const [ours, theirs] = (await both({ path: "/api/v1/status/config" })).map(
      ({ text }) => (JSON.parse(text) as { data: { yaml: string } }).data.yaml,
    );
    // Upstream prints what it computes of out_of_order_time_window as well, under no name that could be read.
    const stray = /^ *outofordertimewindow: 0$/;
    const missing = theirs!
      .split("\n")
      .filter((line) => !stray.test(line) && !ours!.split("\n").includes(line));
    // Ours has more lines, for options that came since.
    assert.deepEqual(missing, []);
  });

  test("browsers of other origins may ask", async () => {
    for (const ask of [
      { path: "/api/v1/query?query=1&time=5", headers: { origin: "http://elsewhere.example" } },
      { path: "/api/v1/query?query=(", headers: { origin: "http://elsewhere.example" } },
      { path: "/api/v1/query?query=1&time=5" },
      { method: "OPTIONS", path: "/api/v1/query", headers: { origin: "http://elsewhere.example" } },
    ]) {
      const [ours, theirs] = (await both(ask)).map(({ status, headers }) => ({
        status,
        cors: Object.entries(headers)
          .filter(([name]) => name.startsWith("access-control-"))
          .sort(byText),
        vary: /\borigin\b/i.test(String(headers.vary)),
      }));
      // Since 3.0 any origin is named, where the flag allows all.
      const named = theirs!.cors.map(([name, value]) => [name, value === "*" ? ask.headers?.origin : value]);
      assert.deepEqual(ours, { ...theirs, cors: named, vary: true });
    }
  });

  test("answers are compressed for those who ask", async () => {
    const path = "/api/v1/query_range?query=vector(1)&start=0&end=10000&step=1";
    const [ours, theirs] = await both({ path, headers: { "accept-encoding": "gzip" } });
    assert.deepEqual(
      [ours, theirs].map((answer) => answer!.headers["content-encoding"]),
      ["gzip", "gzip"],
    );
    assert.deepEqual(JSON.parse(ours!.text), JSON.parse(theirs!.text));
    const [plain] = await both({ path, headers: { "accept-encoding": "identity" } });
    assert.equal(plain!.headers["content-encoding"], undefined);
    assert.equal(plain!.text, ours!.text);
  });

  test("own metrics have the types of their namesakes", async () => {
    const [ours, theirs] = (await both({ path: "/metrics" })).map(
      ({ text }) =>
        new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!])),
    );
    const common = [...theirs!.keys()].filter((name) => ours!.has(name));
    for (const name of common) assert.equal(ours!.get(name), theirs!.get(name), name);
    assert.ok(common.length > 80, `${common.length} in common`);
  });

  test("own metrics come in the format that is asked for", async () => {
    for (const [accept, type] of [
      ["text/plain;version=0.0.4", /^text\/plain; ?version=0\.0\.4/],
      ["application/openmetrics-text;version=1.0.0", /^application\/openmetrics-text; ?version=1\.0\.0/],
      ["*/*", /^text\/plain; ?version=0\.0\.4/],
    ] as const) {
      const [ours] = await both({ path: "/metrics", headers: { accept } });
      assert.match(String(ours!.headers["content-type"]), type);
      assert.match(ours!.text, /^prometheus_http_requests_total\{/m);
      assert.equal(ours!.text.endsWith("# EOF\n"), accept.includes("openmetrics"));
    }
  });
});
