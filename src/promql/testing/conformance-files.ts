import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseScript } from "./script.ts";

/** Where upstream's test scripts are; `CONFORMANCE_DIR` or beside the repository. */
export const conformanceDirectory = join(
  process.env["CONFORMANCE_DIR"] ?? resolve(import.meta.dirname, "../../../../shared/conformance"),
  "promql",
);

export interface ConformanceFile {
  name: string;
  text: string;
}

/** The scripts, sorted by name; none where the directory is absent. */
export function conformanceFiles(): ConformanceFile[] {
  if (!existsSync(conformanceDirectory)) return [];
  return readdirSync(conformanceDirectory)
    .filter((name) => name.endsWith(".test"))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(conformanceDirectory, name), "utf8") }));
}

/** Every expression that upstream's scripts evaluate and that is meant to parse. */
export function* conformanceExpressions(): Generator<{ file: string; line: number; expr: string }> {
  for (const { name, text } of conformanceFiles()) {
    for (const command of parseScript(text)) {
      if (command.kind === "eval") yield { file: name, line: command.line, expr: command.query };
    }
  }
}
