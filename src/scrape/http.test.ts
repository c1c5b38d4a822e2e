import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http, { type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import zlib from "node:zlib";
import { Registry } from "@narthex/client";
import { silentLogger, systemClock, systemDisk } from "../base/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import { createHeadQueryable, openTsdb } from "../tsdb/index.ts";
import { ScrapeManager, ScrapeView } from "./index.ts";
import { configs, MemoryStorage, type Stored } from "./test-support.ts";

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, "waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Running {
  storage: MemoryStorage;
  view: ScrapeView;
  registry: Registry;
  readonly lastError: () => string;
}

/** Scrapes one address each 100 ms with real clock and sockets. */
function run(t: TestContext, address: string, more = ""): Running {
  const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
  const storage = new MemoryStorage(kernel);
  const registry = new Registry();
  const manager = new ScrapeManager({
    kernel,
    appendable: storage,
    registry,
    logger: silentLogger,
    userAgent: "Narthex/test",
  });
  t.after(() => manager.close());
  const yaml = `- job_name: j\n  scrape_interval: 100ms\n  scrape_timeout: 100ms\n  static_configs: [{targets: ["${address}"]}]\n${more.replace(/^(?=.)/gm, "  ")}`;
  manager.apply(configs(yaml), Labels.empty);
  const view = new ScrapeView(manager, new URL("http://outside:9090"));
  return { storage, view, registry, lastError: () => view.activeTargets()[0]!.lastError };
}

const last = (samples: Stored[]) => samples.at(-1)?.[1];

test("what a target is asked for, and plain, chunked and compressed bodies", async (t) => {
  const asked: http.IncomingHttpHeaders[] = [];
  const body = Array.from({ length: 3000 }, (_, i) => `m{i="${i}"} ${i}\n`).join("");
  const ways = [
    (response: http.ServerResponse) =>
      response.writeHead(200, { "content-type": "text/plain", "content-length": body.length }).end(body),
    (response: http.ServerResponse) => {
      response.writeHead(200, { "content-type": "text/plain" });
      for (let at = 0; at < body.length; at += 7000) response.write(body.slice(at, at + 7000));
      response.end();
    },
    (response: http.ServerResponse) =>
      response
        .writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" })
        .end(zlib.gzipSync(body)),
  ];
  const address = await serve(t, (request, response) => {
    asked.push(request.headers);
    ways[asked.length % ways.length]!(response);
  });
  const { storage, lastError } = run(t, address);
  await until(() => asked.length >= 7);
  assert.equal(lastError(), "");
  const samples = storage.get(`m{i="2999", instance="${address}", job="j"}`);
  assert.ok(samples.length >= 6);
  assert.ok(samples.every(([, value]) => value === 2999));
  const { accept, "accept-encoding": encoding, "user-agent": agent } = asked[0]!;
  assert.equal(
    accept,
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
  );
  assert.equal(encoding, "gzip");
  assert.equal(agent, "Narthex/test");
  assert.equal(asked[0]!["x-prometheus-scrape-timeout-seconds"], "0.1");
});

test("what can go wrong on the way is the target's last error", async (t) => {
  const address = await serve(t, (request, response) => {
    if (request.url === "/big")
      response.writeHead(200, { "content-type": "text/plain" }).end("m 1\n".repeat(1000));
    else if (request.url === "/zip") {
      response
        .writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" })
        .end(zlib.gzipSync("m 1\n".repeat(1000)));
    } else if (request.url === "/status") response.writeHead(503).end();
    else if (request.url === "/cut")
      response
        .writeHead(200, { "content-type": "text/plain", "content-length": 100 })
        .write("m 1\n", () => response.destroy());
  });
  const expectError = async (more: string, pattern: RegExp, at = address): Promise<Running> => {
    const running = run(t, at, more);
    await until(() => running.lastError() !== "");
    assert.match(running.lastError(), pattern);
    assert.equal(last(running.storage.get(`up{instance="${at}", job="j"}`)), 0);
    return running;
  };
  await expectError("metrics_path: /never", /^Get "http:\/\/.*\/never": context deadline exceeded$/);
  await expectError("metrics_path: /status", /^server returned HTTP status 503 Service Unavailable$/);
  await expectError("metrics_path: /cut", /^Get ".*": /);
  await expectError("", /connect: connection refused$/, "127.0.0.1:1");
  const { registry, storage } = await expectError(
    "metrics_path: /big\nbody_size_limit: 1KB\nextra_scrape_metrics: true",
    /^body size limit exceeded$/,
  );
  assert.match(registry.expose(), /prometheus_target_scrapes_exceeded_body_size_limit_total [1-9]/);
  assert.equal(last(storage.get(`scrape_body_size_bytes{instance="${address}", job="j"}`)), -1);
  await expectError("metrics_path: /zip\nbody_size_limit: 1KB", /^body size limit exceeded$/);
});

test("Debian's node exporter, into the real storage", async (t) => {
  const program = "/usr/bin/prometheus-node-exporter";
  if (!fs.existsSync(program)) return t.skip("prometheus-node-exporter is not installed");
  const probe = await serve(t, () => {});
  const address = probe.replace(/\d+$/, (port) =>
    String(Number(port) === 65_535 ? 20_000 : Number(port) + 1),
  );
  const exporter = spawn(program, [`--web.listen-address=${address}`], { stdio: "ignore" });
  t.after(() => exporter.kill("SIGKILL"));
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "narthex-scrape-"));
  const kernel = createKernel({ limitBytes: 128 * 1024 * 1024 });
  const registry = new Registry();
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock: systemClock,
    directory,
    logger: silentLogger,
    registry,
  });
  await tsdb.ready;
  const manager = new ScrapeManager({
    kernel,
    appendable: tsdb,
    registry,
    logger: silentLogger,
    userAgent: "Narthex/test",
  });
  t.after(async () => {
    await manager.close();
    await tsdb.close();
    fs.rmSync(directory, { recursive: true });
  });
  const yaml = `- job_name: node\n  scrape_interval: 300ms\n  scrape_timeout: 300ms\n  static_configs: [{targets: ["${address}"]}]`;
  manager.apply(configs(yaml), Labels.empty);
  const view = new ScrapeView(manager, new URL("http://outside:9090"));
  const pool = manager.pool("node")!;
  await until(() => pool.targets()[0]?.health === "up");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(view.activeTargets()[0]!.lastError, "");
  assert.deepEqual(view.metadata("node_load1", -1, 0), {
    node_load1: [{ type: "gauge", help: "1m load average.", unit: "" }],
  });
  const querier = createHeadQueryable(kernel).querier(0, Number.MAX_SAFE_INTEGER);
  const hints = { minTimestampMs: 0, maxTimestampMs: Number.MAX_SAFE_INTEGER };
  const names = querier.labelValues("__name__", [new Matcher("=", "job", "node")], hints);
  querier.close();
  assert.ok(names.length > 100, `${names.length} metrics`);
  for (const name of [
    "node_cpu_seconds_total",
    "node_memory_MemTotal_bytes",
    "up",
    "scrape_duration_seconds",
  ])
    assert.ok(names.includes(name), name);
  assert.match(registry.expose(), /prometheus_target_scrapes_sample_duplicate_timestamp_total 0\n/);
});
