import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  createRelabelConfig,
  encodeYaml,
  Place,
  relabel,
  relabelConfig,
  relabelConfigs,
  validateRelabelConfigs,
} from "./index.ts";
import { Labels } from "../model/index.ts";

const rule = createRelabelConfig;

function check(
  input: Record<string, string>,
  rules: Parameters<typeof rule>[0][],
  want: Record<string, string> | undefined,
): void {
  const got = relabel(Labels.from(input), rules.map(rule));
  assert.deepEqual(got && { ...got.toObject() }, want);
}

test("without rules the very same set comes back", () => {
  const labels = Labels.from({ a: "1" });
  assert.equal(relabel(labels, []), labels);
});

test("replace", () => {
  check(
    { a: "foo", b: "bar" },
    [{ sourceLabels: ["a"], regex: "f(.*)", targetLabel: "d", replacement: "ch${1}-ch${1}" }],
    {
      a: "foo",
      b: "bar",
      d: "choo-choo",
    },
  );
  // No match: nothing happens. The pattern is anchored at both ends.
  check({ a: "foo" }, [{ sourceLabels: ["a"], regex: "o", targetLabel: "d" }], { a: "foo" });
  // An empty result deletes; a literal one is set even where the sources are absent.
  check({ a: "foo", d: "x" }, [{ sourceLabels: ["none"], targetLabel: "d" }], { a: "foo" });
  check({ a: "foo" }, [{ targetLabel: "d", replacement: "lit" }], { a: "foo", d: "lit" });
  check({ a: "foo" }, [{ sourceLabels: ["a"], targetLabel: "a", replacement: "" }], {});
  check({ a: "x" }, [{ sourceLabels: ["b"], regex: "y", targetLabel: "d", replacement: "lit" }], { a: "x" });
  // Several sources, own separator, newlines match.
  check({ a: "1", b: "2\n3" }, [{ sourceLabels: ["a", "b"], separator: "|", targetLabel: "c" }], {
    a: "1",
    b: "2\n3",
    c: "1|2\n3",
  });
  // The target is a template as well; an invalid name changes nothing.
  check(
    { a: "some-name-value" },
    [{ sourceLabels: ["a"], regex: "some-([^-]+)-([^,]+)", targetLabel: "${1}", replacement: "$2" }],
    {
      a: "some-name-value",
      name: "value",
    },
  );
  check(
    { a: "some-na.me-value" },
    [
      {
        sourceLabels: ["a"],
        regex: "some-([^-]+)-(.+)",
        targetLabel: "${1}",
        replacement: "$2",
        scheme: "legacy",
      },
    ],
    {
      a: "some-na.me-value",
    },
  );
  check(
    { a: "foo" },
    [{ sourceLabels: ["a"], regex: "(?P<x>f)oo", targetLabel: "d", replacement: "${x}$$1" }],
    { a: "foo", d: "f$1" },
  );
});

test("keep and drop, by pattern and by equality", () => {
  check({ a: "foo" }, [{ sourceLabels: ["a"], regex: "foo", action: "keep" }], { a: "foo" });
  check({ a: "foo" }, [{ sourceLabels: ["a"], regex: "fo", action: "keep" }], undefined);
  check({ a: "foo" }, [{ sourceLabels: ["a"], regex: "f|foo", action: "drop" }], undefined);
  check(
    { a: "foo" },
    [
      { sourceLabels: ["a"], regex: ".*o.*", action: "drop" },
      { targetLabel: "b", replacement: "never" },
    ],
    undefined,
  );
  check({ a: "x", b: "x" }, [{ sourceLabels: ["a"], targetLabel: "b", action: "keepequal" }], {
    a: "x",
    b: "x",
  });
  check({ a: "x", b: "y" }, [{ sourceLabels: ["a"], targetLabel: "b", action: "keepequal" }], undefined);
  check({ a: "x", b: "x" }, [{ sourceLabels: ["a"], targetLabel: "b", action: "dropequal" }], undefined);
});

test("labelmap, labeldrop, labelkeep", () => {
  check({ __meta_a: "1", __meta_b: "2" }, [{ action: "labelmap", regex: "__meta_(.+)" }], {
    __meta_a: "1",
    __meta_b: "2",
    a: "1",
    b: "2",
  });
  check({ a: "1", ab: "2", c: "3" }, [{ action: "labeldrop", regex: "a.*" }], { c: "3" });
  check({ a: "1", ab: "2", c: "3" }, [{ action: "labelkeep", regex: "a" }], { a: "1" });
});

test("lowercase and uppercase map rune by rune", () => {
  check(
    { a: "fOo123Straße" },
    [
      { sourceLabels: ["a"], targetLabel: "u", action: "uppercase" },
      { sourceLabels: ["a"], targetLabel: "l", action: "lowercase" },
    ],
    {
      a: "fOo123Straße",
      u: "FOO123STRAßE",
      l: "foo123straße",
    },
  );
});

test("hashmod is the MD5's last eight bytes", () => {
  check(
    { a: "foo", b: "bar", c: "baz" },
    [{ sourceLabels: ["c"], targetLabel: "d", action: "hashmod", modulus: 1000 }],
    {
      a: "foo",
      b: "bar",
      c: "baz",
      d: "976",
    },
  );
  check({ a: "foo\nbar" }, [{ sourceLabels: ["a"], targetLabel: "b", action: "hashmod", modulus: 1000 }], {
    a: "foo\nbar",
    b: "734",
  });
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 64 }), (value, modulus) => {
      const got = relabel(Labels.from({ a: value }), [
        rule({ sourceLabels: ["a"], targetLabel: "m", action: "hashmod", modulus }),
      ]);
      const shard = Number(got!.get("m"));
      assert.ok(shard >= 0 && shard < modulus);
    }),
  );
});

test("a rule that cannot be is refused with upstream's words and its place", () => {
  const refuse = (yaml: string, message: string): void => {
    assert.throws(
      () => {
        const rules = relabelConfigs("empty or null relabeling rule").decode(Place.parse(yaml, "p.yml"));
        validateRelabelConfigs(rules, "legacy");
      },
      (error: Error) => error.message.startsWith(message),
    );
  };
  refuse(
    "- action: hashmod\n  target_label: x",
    "p.yml:1:3: relabel configuration for hashmod requires non-zero modulus",
  );
  refuse(
    "-\n  action: replace",
    "p.yml:2:3: relabel configuration for replace action requires 'target_label' value",
  );
  refuse(
    "- {action: replace, target_label: a-b}",
    "p.yml:1:3: \"a-b\" is invalid 'target_label' for replace action",
  );
  refuse(
    "- {action: labeldrop, regex: x, separator: y}",
    "p.yml:1:3: labeldrop action requires only 'regex', and no other fields",
  );
  refuse(
    "- {action: lowercase, target_label: x, replacement: y}",
    "p.yml:1:3: 'replacement' can not be set for lowercase action",
  );
  refuse(
    "- {action: dropequal, target_label: x, regex: (.*)}",
    "p.yml:1:3: dropequal action requires only 'source_labels' and `target_label`, and no other fields",
  );
  refuse(
    "- {action: labelmap, replacement: a b}",
    "p.yml:1:3: \"a b\" is invalid 'replacement' for labelmap action",
  );
  refuse("- {action: ''}", "p.yml:1:12: relabel action cannot be empty");
  refuse("- {action: zap}", 'p.yml:1:12: unknown relabel action "zap"');
  refuse("- {regex: (a}", "p.yml:1:11: error parsing regexp: missing closing )");
  refuse("- {regexp: a}", "p.yml:1:4: field regexp not found in type relabel.plain");
  refuse("- a\n-", "p.yml:1:3: cannot unmarshal !!str `a` into relabel.plain");
  refuse("- {target_label: a}\n-", "p.yml:2:2: empty or null relabeling rule");
  refuse(
    "- {target_label: a, target_label: b}",
    "p.yml:1:21: field target_label already set in type relabel.plain",
  );
});

test("a rule prints as upstream prints it", () => {
  const yaml = "source_labels: [a, b]\nregex: (.+)x\ntarget_label: c\naction: Keep\n";
  const decoded = relabelConfig.decode(Place.parse(yaml, "p.yml"));
  assert.equal(
    encodeYaml(relabelConfig.encode(decoded)),
    "source_labels: [a, b]\nseparator: ;\nregex: (.+)x\ntarget_label: c\nreplacement: $1\naction: keep\n",
  );
});
