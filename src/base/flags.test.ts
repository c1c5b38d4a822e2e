import assert from "node:assert/strict";
import { test } from "node:test";
import { type FlagDefinition, parseFlags } from "./index.ts";

const table: FlagDefinition[] = [
  { name: "config.file", kind: "string", default: "prometheus.yml", help: "" },
  { name: "web.enable", kind: "bool", default: false, help: "" },
  { name: "color", kind: "bool", default: true, help: "" },
  { name: "listen", kind: "list", default: [":9090"], help: "" },
];

test("flags in every form", () => {
  const flags = parseFlags(table, [
    "--config.file=a=b",
    "--web.enable",
    "--no-color",
    "--listen",
    ":1",
    "--listen=:2",
  ]);
  assert.equal(flags.text("config.file"), "a=b");
  assert.equal(flags.bool("web.enable"), true);
  assert.equal(flags.bool("color"), false);
  assert.deepEqual(flags.list("listen"), [":1", ":2"]);
  assert.deepEqual(parseFlags(table, []).toObject(), {
    color: "true",
    "config.file": "prometheus.yml",
    listen: ":9090",
    "web.enable": "false",
  });
});

test("a bad argument is named", () => {
  const cases: [string[], RegExp][] = [
    [["--nope"], /unknown long flag '--nope'/],
    [["--no-listen"], /unknown long flag '--no-listen'/],
    [["word"], /unexpected word/],
    [["--config.file"], /expected argument for flag '--config.file'/],
    [["--color=maybe"], /invalid value 'maybe' for flag '--color'/],
  ];
  for (const [args, message] of cases)
    assert.throws(() => parseFlags(table, args), { code: "bad_data", message });
});

test("values are read by whoever knows them, and a bad one is named with its flag", () => {
  const flags = parseFlags(table, ["--config.file=12"]);
  assert.equal(flags.count("config.file"), 12);
  assert.equal(
    flags.read("config.file", (text) => `${text}!`),
    "12!",
  );
  for (const text of ["", "-1", "1.5", "1e3", "99999999999999999999"])
    assert.throws(() => parseFlags(table, [`--config.file=${text}`]).count("config.file"), {
      code: "bad_data",
      message: `invalid value ${JSON.stringify(text)} for flag '--config.file': expected a whole number`,
    });
});
