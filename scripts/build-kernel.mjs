// Compiles kernel/*.ts (AssemblyScript) to build/kernel.wasm. Plain Node ≥ 20. Does nothing when the output is newer than every source;
// `--force` compiles anyway.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const sourceFolder = join(root, "kernel");
const output = join(root, "build", "kernel.wasm");
const pagesMax = 65_536;
const staticDataStart = 65_536;

export function kernelIsCurrent() {
  const built = modifiedMs(output);
  const sources = readdirSync(sourceFolder).filter((name) => name.endsWith(".ts"));
  const files = [...sources.map((name) => join(sourceFolder, name)), fileURLToPath(import.meta.url)];
  return files.every((file) => modifiedMs(file) < built);
}

export async function buildKernel() {
  // Loaded only here: a packaged Narthex has the output and no compiler.
  const { default: asc } = await import("assemblyscript/asc");
  mkdirSync(join(root, "build"), { recursive: true });
  // Written beside and renamed, so that nobody reads half a file.
  const temporary = `build/kernel.${process.pid}.wasm`;
  const options = [
    ["--outFile", temporary],
    ["--runtime", "stub"],
    ["--enable", "simd"],
    ["--enable", "relaxed-simd"],
    ["--enable", "threads"],
    ["--importMemory"],
    ["--sharedMemory"],
    ["--initialMemory", "2"],
    ["--maximumMemory", String(pagesMax)],
    ["--memoryBase", String(staticDataStart)],
    ["-O3"],
    ["--noAssert"],
  ];
  let messages = "";
  const stderr = { write: (text) => (messages += text) };
  const { error } = await asc.main(["kernel/index.ts", ...options.flat()], { baseDir: root, stderr });
  if (error) {
    rmSync(join(root, temporary), { force: true });
    throw new Error(`kernel does not compile:\n${messages}`, { cause: error });
  }
  renameSync(join(root, temporary), output);
}

function modifiedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--force") || !kernelIsCurrent()) await buildKernel();
}
