import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { parseRuleFile, RuleFileError, type RuleFileOptions } from "./rule-file.ts";

function problemsOf(content: string, options?: RuleFileOptions): readonly string[] {
  try {
    parseRuleFile(content, "r.yml", options);
  } catch (error) {
    assert.ok(error instanceof RuleFileError, String(error));
    return error.messages;
  }
  return [];
}

test("a whole rule file", () => {
  const { groups } = parseRuleFile(
    `
groups:
  - name: g
    interval: 30s
    query_offset: 5s
    limit: 3
    labels: { team: infra, severity: none }
    rules:
      - record: job:up:sum
        expr: sum(up)by(job)
        labels: { drop: "" }
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1m
        labels: { severity: page }
        annotations: { summary: "{{ $labels.job }} is {{ $value }}" }
`,
    "r.yml",
  );
  assert.equal(groups.length, 1);
  const { rules, ...group } = groups[0]!;
  assert.deepEqual(group, { name: "g", file: "r.yml", intervalMs: 30_000, queryOffsetMs: 5000, limit: 3 });
  const [recording, alerting] = rules;
  assert.ok(recording?.kind === "recording" && alerting?.kind === "alerting");
  assert.equal(recording.query, "sum by (job) (up)");
  assert.deepEqual(
    [...recording.labels],
    [
      ["drop", ""],
      ["severity", "none"],
      ["team", "infra"],
    ],
  );
  assert.equal(alerting.forMs, 300_000);
  assert.equal(alerting.keepFiringForMs, 60_000);
  assert.deepEqual(
    [...alerting.labels],
    [
      ["severity", "page"],
      ["team", "infra"],
    ],
  );
});

test("everything that is wrong is said, with its place", () => {
  assert.deepEqual(
    problemsOf(`groups:
- name: ""
- name: a
  rules:
  - record: x
    alert: y
    expr: rate(hi)
  - expr: 1
  - record: "strawberry{flavor}"
    expr: 1
    for: 1m
    annotations: {a: b}
    labels: {__name__: x}
  - alert: z
    expr: ""
    annotations: {summary: "{{ if }}"}
- name: a
`),
    [
      "r.yml:2:3: Groupname must not be empty",
      `r.yml:5:13: group "a", rule 1, "y": only one of 'record' and 'alert' must be set`,
      `r.yml:7:11: group "a", rule 1, "y": could not parse expression: 1:6: parse error: expected type range vector in call to function "rate", got instant vector`,
      `r.yml:8:5: group "a", rule 2, "": one of 'record' or 'alert' must be set`,
      `r.yml:12:18: group "a", rule 3, "strawberry{flavor}": invalid field 'annotations' in recording rule`,
      `r.yml:11:10: group "a", rule 3, "strawberry{flavor}": invalid field 'for' in recording rule`,
      `r.yml:9:13: group "a", rule 3, "strawberry{flavor}": braces present in the recording rule name; should it be in expr?: strawberry{flavor}`,
      `r.yml:13:13: group "a", rule 3, "strawberry{flavor}": invalid label name: __name__`,
      `r.yml:15:11: group "a", rule 4, "z": field 'expr' must be set in rule`,
      `r.yml:16:18: group "a", rule 4, "z": annotation "summary": error parsing template __alert_z: template: __alert_z:1: missing value for if`,
      `r.yml:17:3: groupname: "a" is repeated in the same file`,
    ],
  );
});

test("unknown keys and bad YAML", () => {
  assert.deepEqual(problemsOf("groups:\n- name: a\n  rulez: []\n"), [
    "r.yml:3:3: field rulez not found in type rulefmt.RuleGroup",
  ]);
  assert.match(problemsOf("groups: [")[0]!, /^r\.yml:1:10: yaml: /);
  assert.deepEqual(problemsOf(""), []);
  assert.deepEqual(problemsOf("# nothing here\n---\n# nor here\n"), []);
  assert.deepEqual(parseRuleFile("---\ngroups: []\n---\ngroups: nonsense\n", "r.yml"), {
    groups: [],
    hasMoreDocuments: true,
  });
});

test("experimental functions need their flag", () => {
  const content = "groups: [{name: a, rules: [{record: x, expr: info(up)}]}]";
  assert.match(problemsOf(content)[0]!, /function "info" is not enabled/);
  assert.deepEqual(problemsOf(content, { parser: { experimentalFunctions: true } }), []);
});

const conformance =
  process.env["CONFORMANCE_DIR"] ?? resolve(import.meta.dirname, "../../../shared/conformance");
const skip = existsSync(conformance) ? false : `no conformance data in ${conformance}`;

test("upstream's rule files are taken or refused as their names say", { skip }, () => {
  for (const folder of ["rulefmt", "rules"]) {
    for (const name of readdirSync(join(conformance, folder))) {
      const content = readFileSync(join(conformance, folder, name), "utf8");
      const isBad = name.includes(".bad.") || name.startsWith("invalid");
      const nameValidationScheme = name.startsWith("legacy") ? "legacy" : "utf8";
      if (name === "legacy_validation_annotation.good.yaml") continue; // The same text as the bad one, read as UTF-8.
      const problems = problemsOf(content, { nameValidationScheme });
      assert.equal(problems.length > 0, isBad, `${folder}/${name}: ${problems.join("; ")}`);
    }
  }
});
