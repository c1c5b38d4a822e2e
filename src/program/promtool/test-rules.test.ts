/** Unit tests for rules: upstream's own, and what its older release prints. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { systemDisk } from "../../base/index.ts";
import { Regexp } from "../../model/index.ts";
import { JunitReport } from "./junit.ts";
import { type RuleTests, testRules } from "./test-rules.ts";
import { isOldPeer, peerBinary, skipWithout } from "../../../test/support/peers.ts";

const upstream = join(
  process.env["CONFORMANCE_DIR"] ?? resolve(import.meta.dirname, "../../../../shared/conformance"),
  "unit-tests",
);
const skipData = existsSync(upstream) ? false : "upstream's conformance data is not there";
const skipPeer = skipData || skipWithout("promtool");

const directory = mkdtempSync(join(tmpdir(), "narthex-test-rules-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

interface Outcome {
  code: number;
  out: string;
  err: string;
  xml: string;
}

interface Choices {
  only?: string;
  debugs?: boolean;
  ignoresUnknownFields?: boolean;
}

async function run(file: string, choices: Choices = {}): Promise<Outcome> {
  const outcome = { code: 0, out: "", err: "", xml: "" };
  const report = new JunitReport();
  const options: RuleTests = {
    disk: systemDisk,
    features: {},
    ruleFile: { ignoresUnknownFields: choices.ignoresUnknownFields ?? false },
    debugs: choices.debugs ?? false,
    only: choices.only === undefined ? undefined : Regexp.compile(choices.only),
  };
  outcome.code = await testRules([file], options, report, {
    out: (text) => void (outcome.out += text),
    err: (text) => void (outcome.err += text),
  });
  return { ...outcome, xml: report.toXml() };
}

test("upstream's files of unit tests end as upstream says", { skip: skipData }, async () => {
  const cases: [name: string, code: number, choices?: Choices][] = [
    ["unittest", 0],
    ["long-period", 0],
    ["bad-input-series", 1],
    ["bad-promql", 1],
    ["bad-rules-syntax-test", 1],
    ["bad-rules-error-test", 1],
    ["failing", 1],
    ["at-modifier-test", 0],
    ["negative-offset-test", 0],
    ["no-test-group-interval", 0],
    ["start-time-test", 0],
    ["rules_run", 1],
    ["rules_run", 1, { only: "correct|wrong" }],
    ["rules_run", 0, { only: "correct" }],
    ["rules_run", 1, { only: "wrong" }],
    ["rules_run_extrafields", 1],
    ["rules_run_extrafields", 0, { ignoresUnknownFields: true }],
    ["rules_run_no_fuzzy", 1],
    ["rules_run_fuzzy", 0, { only: "correct" }],
    ["rules_run_fuzzy", 1, { only: "wrong" }],
  ];
  for (const [name, code, choices] of cases) {
    const outcome = await run(join(upstream, `${name}.yml`), choices);
    assert.equal(outcome.code, code, `${name} ${JSON.stringify(choices)}: ${outcome.err}`);
    if (code === 0) assert.equal(outcome.out, "  SUCCESS\n\n");
  }
});

test("failures are told in promtool's words", { skip: skipPeer }, async () => {
  for (const name of ["failing", "bad-input-series", "rules_run"]) {
    const file = join(upstream, `${name}.yml`);
    const theirs = spawnSync(peerBinary("promtool"), ["test", "rules", file], { encoding: "utf8" });
    const { err, out } = await run(file);
    // The older release counts lines from the series, and prints the file's name first.
    assert.equal(isOldPeer("promtool") ? err.replace(/^2:/m, "1:") : err, theirs.stderr);
    assert.equal(out, theirs.stdout.replace(/^Unit Testing: .*\n/, ""));
  }
});

const rules = write(
  "rules.yml",
  `groups:
- name: late
  rules:
  - record: doubled
    expr: 2 * counted
- name: early
  rules:
  - record: counted
    expr: count(m)
  - alert: Many
    expr: counted > 1
    for: 2m
    labels: { where: "{{ $externalLabels.region }}" }
    annotations: { text: "{{ $value }} at {{ $externalURL }}" }
`,
);

function unitTest(body: string): string {
  return write("test.yml", `rule_files: [${rules}, nothing-*.yml]\n${body}`);
}

const scene = `
  input_series:
  - { series: 'm{id="1"}', values: "1 2+1x3 _ stale" }
  - { series: 'm{id="2"}', values: "1x5" }
  external_labels: { region: north }
  external_url: http://prom.example/x
`;

test("groups in order, alerts with what is around them, and the time from a start", async () => {
  const { code, err } = await run(
    unitTest(`evaluation_interval: 1m
group_eval_order: [early, late]
tests:
- start_timestamp: "2024-01-01T00:00:00Z"
  interval: 1m${scene}
  promql_expr_test:
  - { expr: doubled, eval_time: 3m, exp_samples: [{ labels: doubled, value: 4 }] }
  - { expr: 'm{id="1"}', eval_time: 6m }
  - { expr: "vector(1) / 0", eval_time: 0, exp_samples: [{ value: .inf }] }
  alert_rule_test:
  - { eval_time: 1m, alertname: Many }
  - eval_time: 2m30s
    alertname: Many
    exp_alerts:
    - exp_labels: { where: north }
      exp_annotations: { text: "2 at http://prom.example/x" }
`),
  );
  assert.deepEqual(
    [err.replace(/pattern .*nothing/, "pattern nothing"), code],
    ["  WARNING: no file match pattern nothing-*.yml\n", 0],
  );
});

test("what is wrong with a file or a test is one clear failure", async () => {
  const failures: [body: string, message: RegExp][] = [
    ["group_eval_order: [a, a]", /^ {2}FAILED:\ngroup name repeated in evaluation order: a\n$/m],
    ["tests: [{ unknown: 1 }]", /test\.yml:2:11: field unknown not found in type main\.testGroup/],
    ["tests: [{ start_timestamp: noon }]", /cannot parse "noon" to a valid timestamp/],
    [
      "tests: [{ alert_rule_test: [{ eval_time: 1m }] }]",
      /misses required attribute alertname at eval_time 1m/,
    ],
    ['tests: [{ promql_expr_test: [{ expr: "up[1m]" }] }]', /rule result is not a vector or scalar/],
    [
      "tests: [{ promql_expr_test: [{ expr: up, exp_samples: [{ labels: x, histogram: '1' }] }] }]",
      /expected histogram/,
    ],
  ];
  for (const [body, message] of failures) {
    const { code, err } = await run(unitTest(body));
    assert.equal(code, 1, body);
    assert.match(err, message);
  }
});

test("a report for build servers, and what there is to look at", async () => {
  const file = unitTest(`tests:
- name: "a <b>"
  interval: 1m${scene}
  promql_expr_test:
  - { expr: counted, eval_time: 1m, exp_samples: [{ labels: counted, value: 3 }] }
- promql_expr_test: [{ expr: vector(1), exp_samples: [{ value: 1 }] }]
`);
  const { xml, err, code } = await run(file, { debugs: true });
  assert.equal(code, 1);
  assert.match(
    xml.replace(/timestamp="[^"]+"/, 'timestamp=""'),
    /^<testsuites><testsuite name="[^"]+test\.yml" tests="2" failures="1" errors="0" skipped="0" timestamp=""><testcase name="a &lt;b&gt;"><failure> +expr: &#34;counted&#34;, time: 1m,&#xA;.*<\/failure><\/testcase><testcase name="unnamed#1"><\/testcase><\/testsuite><\/testsuites>$/,
  );
  assert.match(err, /DEBUG: Starting test a <b>\nDEBUG: Dump of all data .* at 1m1s:\n/);
  assert.match(err, /doubled =>\n4 @\[60000\]\nm\{id="1"\} =>\n2 @\[60000\]\n/);
  assert.match(err, /DEBUG: Test unnamed#1 finished, took \d+ms\n/);
  const broken = await run(unitTest("tests: 1"));
  assert.match(broken.xml, /errors="1".*<testcase name="unknown"><error>.*cannot unmarshal/);
});
