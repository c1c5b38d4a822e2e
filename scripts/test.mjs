/** Runs every check and every test: types, lint, format, then the tests beside the code and those in test/. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** Beyond this, something waits for what never comes. */
const stepMsMax = 25 * 60_000;

const tool = (name) => join("node_modules", ".bin", name);
const steps = [
  ["types", tool("tsc"), ["--noEmit"]],
  ["types of the UI", tool("tsc"), ["--noEmit", "-p", "ui"]],
  ["lint", tool("oxlint"), []],
  ["format", tool("oxfmt"), ["--check"]],
  ["tests", process.execPath, ["--test", "--test-concurrency=2", ...testFiles()]],
];

function testFiles() {
  const chosen = process.argv.slice(2);
  return chosen.length > 0 ? chosen : ["{src,client,ui/src,test}/**/*.test.ts"];
}

for (const [name, command, args] of steps) {
  process.stdout.write(`# ${name}\n`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit", timeout: stepMsMax });
  if (status !== 0) {
    process.stdout.write(`# ${name} failed${error ? `: ${error.message}` : ""}\n`);
    process.exit(status ?? 1);
  }
}
