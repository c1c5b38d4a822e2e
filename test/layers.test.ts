import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const src = join(import.meta.dirname, "..", "src");

/** The data's way: a folder imports only from the ranks before its own, and only through their `index.ts`. */
const ranks: readonly (readonly string[])[] = [
  ["base"],
  ["kernel"],
  ["model"],
  ["codec"],
  ["http"],
  ["exposition", "template"],
  ["storage", "objstore"],
  ["tsdb", "remote"],
  ["promql"],
  ["discovery"],
  ["scrape"],
  ["rules"],
  ["notifier"],
  ["config"],
  ["web"],
  ["program"],
];
/** These stand beside the way: they may use what comes up to `template`, and only `program` uses them. */
const beside = ["alertmanager", "pushgateway", "exporter"];
const besideRank = ranks.findIndex((rank) => rank.includes("template"));

interface Import {
  from: string;
  to: string;
  file: string;
  specifier: string;
}

function* sourceFiles(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

/** Every import that leaves its top-level folder. Tests may reach for what they compare with, so they are not asked. */
function* importsAcross(): Generator<Import> {
  for (const file of sourceFiles(src)) {
    if (file.endsWith(".test.ts") || file.includes("/testing/")) continue;
    const from = relative(src, file).split("/")[0]!;
    for (const match of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      const target = relative(src, join(dirname(file), match[1]!));
      const to = target.split("/")[0]!;
      if (to !== from && !target.startsWith(".."))
        yield { from, to, file: relative(src, file), specifier: target };
    }
  }
}

function rankOf(folder: string): number {
  return ranks.findIndex((rank) => rank.includes(folder));
}

function isAllowed({ from, to }: Import): boolean {
  if (beside.includes(from)) return !beside.includes(to) && rankOf(to) >= 0 && rankOf(to) <= besideRank;
  if (beside.includes(to)) return from === "program";
  return rankOf(to) < rankOf(from);
}

test("every folder has its place in the layers", () => {
  const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const unknown = folders
    .map((entry) => entry.name)
    .filter((name) => !beside.includes(name) && rankOf(name) < 0);
  assert.deepEqual(unknown, []);
});

test("a folder imports only from the layers before it", () => {
  const wrong = [...importsAcross()].filter((item) => !isAllowed(item));
  assert.deepEqual(
    wrong.map(({ file, to }) => `${file} imports ${to}`),
    [],
  );
});

test("a folder is imported only through its index.ts", () => {
  const wrong = [...importsAcross()].filter(({ specifier }) => !/^[^/]+\/index\.ts$/.test(specifier));
  assert.deepEqual(
    wrong.map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  );
});
