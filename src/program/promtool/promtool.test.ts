import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { boolFlag, systemDisk, textFlag } from "../../base/index.ts";
import { checkConfigFiles } from "./check-config.ts";
import { formatCardinality, lintMetrics } from "./check-metrics.ts";
import { checkRuleFiles, codeOf, type Findings, parseRuleLint } from "./check-rules.ts";
import type { Command, Streams } from "./command.ts";
import { parseCommandLine } from "./command-line.ts";
import { type Outcome, runTool } from "./testing.ts";
import { isOldPeer, peerBinary, skipWithout } from "../../../test/support/peers.ts";

const skip = skipWithout("promtool");
const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "narthex-promtool-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const goodRules = write("good.rules.yml", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up}\n");
const twice = "{record: a, expr: up, labels: {x: y}}";
const doubledRules = write("doubled.rules.yml", `groups:\n- name: g\n  rules: [${twice}, ${twice}]\n`);
const badRules = write("bad.rules.yml", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up(}\n");
const config = write(
  "prometheus.yml",
  `rule_files: [good.rules.yml, doubled.rules.yml]
scrape_configs:
- job_name: slow
  scrape_interval: 10m
  static_configs: [{targets: ["a:1"]}]
- job_name: files
  file_sd_configs: [{files: [none.json]}]
`,
);
const lostRules = write("lost.yml", "rule_files: [nowhere.yml]\n");
const lostKey = write(
  "key.yml",
  "scrape_configs: [{job_name: a, authorization: {credentials_file: nowhere}}]\n",
);

test("rule files are checked as promtool does", { skip }, () => {
  for (const lint of ["duplicate-rules", "none", "all", "other"])
    for (const isFatal of [false, true]) {
      const flags = [`--lint=${lint}`, ...(isFatal ? ["--lint-fatal"] : [])];
      const ours = collect((streams) => {
        const check = parseRuleLint(lint, streams);
        return codeOf(checkRuleFiles(systemDisk, [goodRules, doubledRules], check, streams), isFatal);
      });
      // Upstream knows more names than its older release.
      if (lint !== "other")
        assert.deepEqual(ours, promtool("check", "rules", ...flags, goodRules, doubledRules));
      else assert.match(ours.out, /^WARNING: unknown lint option: "other"\n/);
    }
  const bad = collect((streams) => codeOf(checkRuleFiles(systemDisk, [badRules], noLint, streams), false));
  const theirs = promtool("check", "rules", "--lint=none", badRules);
  assert.deepEqual([bad.code, isOldPeer("promtool") ? `${bad.out}\n` : bad.out], [theirs.code, theirs.out]);
  assert.match(bad.err, /^ {2}FAILED:\n.*bad\.rules\.yml:4:\d+: .*could not parse expression/);
});

const noLint = { lintsDuplicates: false };
const configCheck = { ...noLint, isSyntaxOnly: false, agentMode: false, lookbackDeltaMs: 0 };

test("configurations are checked as promtool does", { skip }, () => {
  for (const isSyntaxOnly of [false, true]) {
    const flags = isSyntaxOnly ? ["--syntax-only"] : [];
    assert.deepEqual(
      checkConfigs([config], { ...configCheck, isSyntaxOnly }),
      promtool("check", "config", "--lint=none", ...flags, config),
    );
  }
  for (const file of [lostRules, lostKey]) {
    const ours = checkConfigs([file], configCheck);
    assert.deepEqual(ours, promtool("check", "config", file));
    assert.equal(ours.code, 1);
  }
});

test("a scrape interval that makes every sample stale is complained of", () => {
  const { err, code } = checkConfigs([config], { ...configCheck, lookbackDeltaMs: 300_000 }, true);
  assert.match(err, /too long scrape interval found, .* job: slow, interval: 10m\n/);
  assert.equal(code, 3);
});

test("web configurations are checked as promtool does", { skip }, async () => {
  const files = Object.entries({
    "empty.web.yml": "",
    "good.web.yml": "http_server_config: { http2: false, headers: { X-Frame-Options: deny } }",
    "user.web.yml": "basic_auth_users: { a: no-hash }",
    "lost.web.yml": "tls_server_config: { cert_file: nowhere.crt, key_file: nowhere.key }",
    "unknown.web.yml": "x: 1",
  }).map(([name, text]) => write(name, text));
  const theirs = promtool("check", "web-config", ...files);
  const { out, err, code } = await runTool("check", "web-config", ...files);
  assert.equal(out, "");
  const verdicts = (text: string): string[] => text.match(/^\S+ (?:SUCCESS|FAILED)/gm) ?? [];
  assert.deepEqual([verdicts(err), code], [verdicts(theirs.err), theirs.code]);
  assert.equal(verdicts(err).length, files.length);
});

const exposition = `a_total 1
# HELP b x
# TYPE b gauge
b{le="1",fooBar="x"} 2
# TYPE c counter
c 1
# TYPE d_total gauge
d_total 1
# TYPE e_count gauge
e_count 1
# TYPE f_bucket gauge
f_bucket{quantile="1"} 1
# TYPE g_gauge_x gauge
g_gauge_x 1
fooBar 1
h_milliseconds 1
h_hours 1
h_minutes_ms 1
# HELP i_seconds x
# TYPE i_seconds histogram
i_seconds_bucket{le="1"} 1
i_seconds_bucket{le="+Inf"} 2
i_seconds_sum 2
i_seconds_count 2
j:k 1
`;

test("metrics are linted as promtool does", { skip }, () => {
  const theirs = spawnSync(peerBinary("promtool"), ["check", "metrics"], {
    input: exposition,
    encoding: "utf8",
  });
  const problems = lintMetrics(Buffer.from(exposition));
  assert.equal(problems.map(({ metric, text }) => `${metric} ${text}\n`).join(""), theirs.stderr);
  assert.ok(problems.length > 15);
});

test("the table of series per metric is promtool's", { skip }, () => {
  const input = '# HELP a_total x\n# TYPE a_total counter\na_total{a="1"} 1\na_total{a="2"} 1\n';
  const args = ["check", "metrics", "--extended"];
  const theirs = spawnSync(peerBinary("promtool"), args, { input, encoding: "utf8" });
  assert.equal(formatCardinality(Buffer.from(input)), theirs.stdout);
});

test("arguments come in any order, with letters, and are refused in kingpin's words", () => {
  const command: Command = {
    summary: "",
    flags: [boolFlag("quiet", false, ""), boolFlag("raw", false, ""), textFlag("limit", "20", "")],
    letters: { q: "quiet", r: "raw", l: "limit" },
    positionals: ["<input file>", "[<directory>]"],
    run: () => 0,
  };
  const commands = {
    "a b": command,
    "a c": { ...command, namesFiles: true },
    "a d": { ...command, requiredFlags: ["limit"] },
  };
  const read = (...args: string[]) => parseCommandLine(commands, args);
  for (const args of [
    ["a", "b", "in", "-qr", "--limit", "-3", "--", "-out"],
    ["a", "-ql-3", "b", "--raw", "--experimental", "in", "--", "-out"],
    ["--limit=-3", "a", "--quiet", "b", "-r", "in", "--", "-out"],
    ["a", "-l", "-3", "-q", "b", "-r", "in", "--", "-out"],
  ]) {
    const { words, flags, positionals } = read(...args);
    assert.deepEqual(
      [words, positionals],
      [
        ["a", "b"],
        ["in", "-out"],
      ],
    );
    assert.deepEqual([flags.bool("quiet"), flags.bool("raw"), flags.text("limit")], [true, true, "-3"]);
  }
  for (const [args, message] of [
    [["a", "b", "-x"], /unknown short flag '-x'/],
    [["a", "b", "--limits=1", "a"], /unknown long flag '--limits'/],
    [["a", "b", "--limit"], /expected argument for flag '--limit'/],
    [["a", "b"], /required argument 'input file' not provided/],
    [["a", "b", "a", "b", "c"], /unexpected c/],
    [["a", "c", "/nowhere"], /path '\/nowhere' does not exist/],
    [["a", "c", directory], /is a directory/],
    [["a", "d", "x"], /required flag\(s\) '--limit' not provided/],
    [["a"], /must select a subcommand of 'a'/],
    [["a", "x"], /expected command but got "x"/],
  ] as const)
    assert.throws(() => read(...args), { name: "UsageError", message });
  assert.equal(read().wantsHelp, true);
  assert.equal(read("a", "-h").wantsHelp, true);
});

test("the command as the shell sees it", () => {
  const input = "a 1\n";
  assert.deepEqual(narthex(["check", "metrics"], input), { out: "", err: "a no help text\n", code: 3 });
  assert.deepEqual(narthex(["tsdb", "list", "/nowhere"]), {
    out: "",
    err: "opening the db dir: stat /nowhere: no such file or directory\n",
    code: 1,
  });
  assert.match(narthex(["--help"]).out, /tsdb create-blocks-from openmetrics +create blocks/);
});

function write(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

function promtool(...args: string[]): Outcome {
  const { stdout, stderr, status } = spawnSync(peerBinary("promtool"), args, { encoding: "utf8" });
  return { out: stdout, err: stderr, code: status };
}

function narthex(args: string[], input = ""): Outcome {
  const all = [main, "promtool", ...args];
  const { stdout, stderr, status } = spawnSync(process.execPath, all, { encoding: "utf8", input });
  return { out: stdout, err: stderr, code: status };
}

function collect(run: (streams: Streams) => number): Outcome {
  const outcome: Outcome = { out: "", err: "", code: null };
  outcome.code = run({
    out: (text) => void (outcome.out += text),
    err: (text) => void (outcome.err += text),
  });
  return outcome;
}

function checkConfigs(
  files: readonly string[],
  check: Parameters<typeof checkConfigFiles>[2],
  isLintFatal = false,
): Outcome {
  return collect((streams) => {
    const findings: Findings = checkConfigFiles(systemDisk, files, check, streams);
    return codeOf(findings, isLintFatal);
  });
}
