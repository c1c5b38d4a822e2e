import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "./support/program.ts";

/** Notes that it was run, and takes its time to make its product. */
const builder = (product: string): string =>
  `import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
appendFileSync(process.env.BUILD_LOG, "${product}\\n");
setTimeout(() => {
  mkdirSync(dirname("${product}"), { recursive: true });
  writeFileSync("${product}", "");
}, 300);\n`;

test("several that start at once prepare a checkout once, and wait for no one who is gone", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const root = directory.path;
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  const at = (product: string): string => join(root, product);
  for (const source of ["kernel/a.ts", "src/a.ts", "client/src/a.ts", "ui/src/a.ts"]) write(source, "");
  for (const source of ["ui/index.html", "ui/vite.config.ts", "ui/package.json"]) write(source, "");
  write("package.json", '{"type": "module"}');
  write("scripts/build-kernel.mjs", builder(at("build/kernel.wasm")));
  write("scripts/build-program.mjs", builder(at("build/program/main.js")));
  write("node_modules/vite/bin/vite.js", builder(at("ui/dist/index.html")));
  copyFileSync(join(import.meta.dirname, "../scripts/prepare.mjs"), at("scripts/prepare.mjs"));
  // Whoever left this behind is no process any more.
  write("build/.preparing", "4194999");
  const log = at("build.log");
  const prepare = async (): Promise<unknown> => {
    const env = { ...process.env, BUILD_LOG: log };
    const child = spawn(process.execPath, [at("scripts/prepare.mjs")], { env, stdio: "ignore" });
    return (await once(child, "exit"))[0];
  };
  assert.deepEqual(await Promise.all([prepare(), prepare(), prepare()]), [0, 0, 0]);
  const products = ["build/kernel.wasm", "build/program/main.js", "ui/dist/index.html"].map(at);
  assert.deepEqual(readFileSync(log, "utf8").trim().split("\n"), products);
  assert.ok(!existsSync(at("build/.preparing")));
});
