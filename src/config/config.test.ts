import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import { encodeConfig, loadConfig, type LoadOptions, parseConfig } from "./index.ts";

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "narthex-config-"));
after(() => fs.rmSync(directory, { recursive: true }));

function parse(yaml: string, options: LoadOptions = {}) {
  return parseConfig(yaml, "prometheus.yml", directory, options);
}

function refuse(yaml: string, message: string): void {
  assert.throws(() => parse(yaml), { code: "bad_data", message });
}

test("an empty file has every default", () => {
  for (const yaml of ["", "# nothing\n", "{}", "global:\n"]) {
    const { global, scrapeConfigs, alerting, otlp } = parse(yaml);
    assert.equal(global.scrape.scrapeIntervalMs, 60_000);
    assert.equal(global.scrape.scrapeTimeoutMs, 10_000);
    assert.equal(global.evaluationIntervalMs, 60_000);
    assert.deepEqual([scrapeConfigs, alerting.alertmanagers], [[], []]);
    assert.equal(otlp.translationStrategy, "UnderscoreEscapingWithSuffixes");
  }
});

test("faults are named with file, line and column", () => {
  refuse("global:\n  scrape_interval: 5x", 'prometheus.yml:2:20: unknown unit "x" in duration "5x"');
  refuse(
    "global:\n  scrape_intervall: 5s",
    "prometheus.yml:2:3: field scrape_intervall not found in type config.plain",
  );
  refuse(
    "global: {scrape_interval: 5s, scrape_timeout: 6s}",
    "prometheus.yml:1:47: global scrape timeout greater than scrape interval",
  );
  refuse(
    "scrape_configs:\n- job_name: a\n- job_name: a",
    'prometheus.yml:3:3: found multiple scrape configs with job name "a"',
  );
  refuse(
    "scrape_configs:\n- job_name: a\n  honor_labels: maybe",
    "prometheus.yml:3:17: cannot unmarshal !!str `maybe` into bool",
  );
  refuse(
    "scrape_configs:\n- job_name: a\n  sample_limit: -1",
    "prometheus.yml:3:17: cannot unmarshal !!int `-1` into uint",
  );
  refuse(
    'scrape_configs:\n- job_name: a\n  sample_limit: "5"',
    "prometheus.yml:3:17: cannot unmarshal !!str `5` into uint",
  );
  refuse("scrape_configs: {}", "prometheus.yml:1:17: cannot unmarshal !!map into a list");
  refuse(
    "a: [",
    "prometheus.yml:1:5: yaml: Flow sequence in block collection must be sufficiently indented and end with a ]",
  );
  assert.throws(
    () => loadConfig(path.join(directory, "none.yml")),
    /^NarthexError: open .*none.yml: no such file or directory$/,
  );
});

test("numbers are read as Go reads them", () => {
  for (const [source, value] of [
    ["1e3", 1000],
    ["1.9", 1],
    ["010", 8],
    ["0o17", 15],
    ["0b11", 3],
    ["089", 89],
    ["1_0", 10],
    ["0x1F", 31],
  ] as const) {
    const { scrapeConfigs } = parse(`scrape_configs: [{ job_name: a, sample_limit: ${source} }]`);
    assert.equal(scrapeConfigs[0]!.sampleLimit, value, source);
  }
});

test("anchors, merges and the words that Go takes for booleans work", () => {
  const { scrapeConfigs } = parse(`
scrape_configs:
- &base
  job_name: a
  honor_labels: yes
  scrape_interval: 30s
- <<: *base
  job_name: b
  scrape_interval: 20s
`);
  assert.deepEqual(
    scrapeConfigs.map(({ jobName, honorLabels, scrapeIntervalMs }) => [
      jobName,
      honorLabels,
      scrapeIntervalMs,
    ]),
    [
      ["a", true, 30_000],
      ["b", true, 20_000],
    ],
  );
});

test("external labels take environment variables, and an empty one is worth a warning", () => {
  const warnings: string[] = [];
  const { global } = parse('global: {external_labels: {a: "$HERE-${HERE}", b: "$$HERE", c: "x$GONE"}}', {
    environment: { HERE: "here" },
    warn: (message) => void warnings.push(message),
  });
  assert.deepEqual({ ...global.externalLabels.toObject() }, { a: "here-here", b: "$HERE", c: "x" });
  assert.deepEqual(warnings, ["external_labels: environment variable GONE is empty"]);
});

test("jobs come from further files, with names relative to each, and may not be there twice", () => {
  fs.mkdirSync(path.join(directory, "jobs"));
  fs.writeFileSync(
    path.join(directory, "jobs/one.yml"),
    "scrape_configs:\n- job_name: one\n  bearer_token_file: token\n",
  );
  const yaml =
    "scrape_config_files: [jobs/*.yml]\nscrape_configs: [{job_name: main}]\nrule_files: [rules/*.yml]";
  const config = parse(yaml);
  assert.deepEqual(
    config.allScrapeConfigs.map(({ jobName }) => jobName),
    ["main", "one"],
  );
  assert.equal(
    config.allScrapeConfigs[1]!.httpClient.authorization!.credentialsFile,
    path.join(directory, "jobs/token"),
  );
  assert.deepEqual(config.ruleFiles, [path.join(directory, "rules/*.yml")]);
  fs.writeFileSync(path.join(directory, "jobs/two.yml"), "scrape_configs:\n- job_name: main\n");
  assert.throws(
    () => parse(yaml),
    /jobs\/two.yml:2:3: found multiple scrape configs with job name "main", first found in main config file/,
  );
});

test("what is read and not acted upon is said aloud", () => {
  const warnings: string[] = [];
  parse(
    "remote_write: [{url: 'http://u:geheim@h/x'}]\nscrape_configs:\n- job_name: k\n  kubernetes_sd_configs: [{role: pod}]",
    {
      warn: (message) => void warnings.push(message),
    },
  );
  assert.deepEqual(warnings, [
    "prometheus.yml:4:27: kubernetes_sd_configs is not supported yet: it finds no targets",
    "remote_write is not supported yet: nothing is sent",
  ]);
});

test("what is printed can be read again, without secrets", () => {
  const yaml = `
global: {scrape_interval: 15s, external_labels: {site: a}}
alerting: {alertmanagers: [{static_configs: [{targets: ["am:9093"]}], basic_auth: {username: u, password: geheim}}]}
remote_write: [{url: "http://u:geheim@h/x", sigv4: {region: r, secret_key: geheim}}]
scrape_configs: [{job_name: a, static_configs: [{targets: ["t:1"], labels: {x: "1"}}], authorization: {credentials: geheim}}]
`;
  const printed = encodeConfig(parse(yaml));
  assert.doesNotMatch(printed, /geheim/);
  assert.equal(encodeConfig(parse(printed)), printed);
});
