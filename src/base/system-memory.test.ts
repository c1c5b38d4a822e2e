import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createLogger, silentLogger } from "./log.ts";
import { loadSystemMemory } from "./system-memory.ts";

const memory = loadSystemMemory(silentLogger);

function residentBytes(): number {
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))![1]);
}

test("it is loaded once, and said at most once that it cannot be", () => {
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", write: (line) => lines.push(line) });
  assert.equal(loadSystemMemory(logger), memory);
  assert.deepEqual(lines, []);
});

test(
  "free blocks of the C heap go back to the system",
  { skip: memory === undefined && "no koffi for this platform" },
  () => {
    // Below the size from which on malloc gives each block a mapping of its own.
    const blockBytes = 100_000;
    const blocks = Array.from({ length: 1000 }, () => new Uint8Array(blockBytes).fill(1));
    const last = blocks.pop()!;
    for (const { buffer } of blocks) buffer.transfer(0);
    const before = residentBytes();
    memory!.trimHeap();
    const gone = before - residentBytes();
    assert.ok(gone > 0.8 * blocks.length * blockBytes, `${gone} bytes went`);
    assert.ok(
      last.every((byte) => byte === 1),
      "what is in use stays",
    );
  },
);

test(
  "what cannot be released is refused",
  { skip: memory === undefined && "no koffi for this platform" },
  () => {
    assert.equal(memory!.releasePages(1n, 4096), false);
  },
);
