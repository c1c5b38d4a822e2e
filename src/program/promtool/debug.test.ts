import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { peerBinary, skipWithout } from "../../../test/support/peers.ts";
import { runTool } from "./testing.ts";

/** A server that answers with the path that was asked for, compressed once, and but for `/debug/pprof/heap` perhaps. */
async function serve(t: TestContext, heapStatus = 200): Promise<string> {
  const server = createServer(({ url }, response) => {
    response.statusCode = url === "/debug/pprof/heap" ? heapStatus : 200;
    const text = `asked for ${url}\n`;
    response.end(url!.startsWith("/debug/pprof/block") ? gzipSync(text) : text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function workIn(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "narthex-debug-"));
  const before = process.cwd();
  process.chdir(directory);
  t.after(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });
  return directory;
}

/** Unpacks and removes the archive; its files with contents and modes. */
function unpack(directory: string): [name: string, text: string, mode: number][] {
  execFileSync("tar", ["-xzf", "debug.tar.gz"], { cwd: directory });
  rmSync(join(directory, "debug.tar.gz"));
  return readdirSync(directory)
    .toSorted()
    .map((name) => {
      const path = join(directory, name);
      return [name, readFileSync(path, "utf8"), statSync(path).mode & 0o777];
    });
}

test("debug all has a file for each endpoint", async (t) => {
  const [directory, server] = [workIn(t), await serve(t)];
  const { code, out } = await runTool("debug", "all", server);
  assert.equal(code, 0);
  assert.match(out, /collecting: .*\/metrics\nCompiling debug information complete, all files written in/);
  const files = unpack(directory);
  assert.deepEqual(
    files.map(([name]) => name),
    [
      "block.pb",
      "cpu.pb",
      "goroutine.pb",
      "heap.pb",
      "metrics.txt",
      "mutex.pb",
      "threadcreate.pb",
      "trace.pb",
    ],
  );
  assert.equal(files[0]![1], "asked for /debug/pprof/block\n");
  assert.equal(files[1]![1], "asked for /debug/pprof/profile?seconds=30\n");
});

test("what a server refuses leaves no archive", async (t) => {
  const [directory, server] = [workIn(t), await serve(t, 404)];
  const { code, err } = await runTool("debug", "pprof", server);
  assert.deepEqual(
    [code, err],
    [1, `error completing debug command: ${server}/debug/pprof/heap answered 404\n`],
  );
  assert.ok(!existsSync(join(directory, "debug.tar.gz")));
});

test("debug metrics as upstream's promtool", { skip: skipWithout("promtool") }, async (t) => {
  const [directory, server] = [workIn(t), await serve(t)];
  const { stdout } = await promisify(execFile)(peerBinary("promtool"), ["debug", "metrics", server]);
  const theirs = unpack(directory);
  const { out } = await runTool("debug", "metrics", server);
  assert.equal(out, stdout);
  assert.deepEqual(unpack(directory), theirs);
});
