import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { Registry } from "@narthex/client";
import { type Disk, silentLogger, SimulatedClock, systemClock, systemDisk } from "../base/index.ts";
import { fingerprint } from "../model/index.ts";
import { object, Place } from "../codec/index.ts";
import type { DnsConfig, HttpConfig } from "./config.ts";
import { createDnsDiscoverer, type DnsRecord } from "./dns.ts";
import { createHttpDiscoverer } from "./http.ts";
import { createDiscoveryMetrics, discoveryConfigs, type TargetGroup } from "./index.ts";

const holder = object("config.ScrapeConfig", { discovery: discoveryConfigs });
const decode = (yaml: string) => holder.decode(Place.parse(yaml, "sd.yml")).discovery[0]!;

function shape(groups: readonly TargetGroup[]): Record<string, string[]> {
  return Object.fromEntries(
    groups.map(({ source, targets }) => [source, targets.map((target) => target.get("__address__"))]),
  );
}

test("groups over HTTP: asked again, kept while the answer is bad, gone when no longer named", async (t) => {
  let answer: { status?: number; type?: string; body: string } = { body: "[]" };
  const asked: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((request, response) => {
    asked.push(request.headers);
    response
      .writeHead(answer.status ?? 200, { "content-type": answer.type ?? "application/json; charset=utf-8" })
      .end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sd`;
  const config = decode(
    `http_sd_configs: [{url: "${url}", refresh_interval: 50ms, basic_auth: {username: u, password: p}}]`,
  ) as HttpConfig;
  const registry = new Registry();
  const metrics = createDiscoveryMetrics(registry);
  const options = { mechanism: "http", config: "job", clock: systemClock, logger: silentLogger, metrics };
  const updates: (readonly TargetGroup[])[] = [];
  const abort = new AbortController();
  const next = async (): Promise<readonly TargetGroup[]> => {
    const count = updates.length;
    while (updates.length <= count) await new Promise((resolve) => setTimeout(resolve, 5));
    return updates.at(-1)!;
  };
  const running = createHttpDiscoverer(config, options, "Narthex/test").run(
    (groups) => updates.push(groups),
    abort.signal,
  );
  assert.deepEqual(await next(), []);
  answer = { body: '[{"targets": ["a:1", "b:2"], "labels": {"x": "y"}}, {"targets": ["c:3"]}]' };
  const groups = await next();
  assert.deepEqual(shape(groups), { [`${url}:0`]: ["a:1", "b:2"], [`${url}:1`]: ["c:3"] });
  assert.deepEqual({ ...groups[0]!.labels.toObject() }, { __meta_url: url, x: "y" });
  for (const bad of [
    { body: "[", status: 200 },
    { body: "[]", type: "text/html" },
    { body: "[]", status: 503 },
    { body: '[{"target": []}]' },
  ]) {
    const failures = metrics.httpFailures.value;
    answer = bad;
    while (metrics.httpFailures.value === failures) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  answer = { body: '[{"targets": ["a:1"]}]' };
  assert.deepEqual(shape(await next()), { [`${url}:0`]: ["a:1"], [`${url}:1`]: [] });
  abort.abort();
  await running;
  assert.equal(asked[0]!["x-prometheus-refresh-interval-seconds"], "0.05");
  assert.match(asked[0]!.authorization!, /^Basic /);
  assert.match(
    registry.expose(),
    /prometheus_sd_refresh_failures_total\{mechanism="http",config="job"\} [4-9]/,
  );
});

test("names: records of each type, search domains, and what stays when nobody answers", async () => {
  const zone: Record<string, DnsRecord[] | "fail"> = {
    "_web._tcp.example": [
      { host: "one.example.", port: 80 },
      { host: "two.example", port: 81 },
    ],
    "short.search.test": [{ host: "10.0.0.1" }, { host: "fe80::1" }],
  };
  const looked: string[] = [];
  const lookUp = async (name: string): Promise<DnsRecord[]> => {
    looked.push(name);
    const records = zone[name] ?? [];
    if (records === "fail") throw new Error("server failure");
    return records;
  };
  const disk: Disk = {
    ...systemDisk,
    readFile: () => Buffer.from("nameserver 127.0.0.1\nsearch search.test other.test\noptions ndots:2\n"),
  };
  const clock = new SimulatedClock();
  const metrics = createDiscoveryMetrics();
  const run = async (yaml: string): Promise<(readonly TargetGroup[])[]> => {
    const updates: (readonly TargetGroup[])[] = [];
    const abort = new AbortController();
    const options = { mechanism: "dns", config: "job", clock, logger: silentLogger, metrics, disk, lookUp };
    const running = createDnsDiscoverer(decode(yaml) as DnsConfig, options).run(
      (groups) => updates.push(groups),
      abort.signal,
    );
    await clock.advance(1);
    zone["_web._tcp.example"] = "fail";
    await clock.advance(30_000);
    abort.abort();
    await running;
    return updates;
  };
  const [first, second] = await run("dns_sd_configs: [{names: [_web._tcp.example]}]");
  assert.deepEqual(shape(first!), { "_web._tcp.example": ["one.example:80", "two.example:81"] });
  assert.deepEqual(
    { ...first![0]!.targets[0]!.toObject() },
    {
      __address__: "one.example:80",
      __meta_dns_name: "_web._tcp.example",
      __meta_dns_srv_record_port: "80",
      __meta_dns_srv_record_target: "one.example.",
    },
  );
  assert.deepEqual(second, first);
  looked.length = 0;
  const [hosts] = await run("dns_sd_configs: [{names: [short], type: a, port: 9100}]");
  assert.deepEqual(shape(hosts!), { short: ["10.0.0.1:9100", "[fe80::1]:9100"] });
  assert.equal(looked[0], "short.search.test");
  assert.throws(
    () => decode("dns_sd_configs: [{names: [a], type: A}]"),
    /a port is required in DNS-SD configs for all record types except SRV/,
  );
  assert.throws(() => decode("dns_sd_configs: [{names: [a], type: TXT}]"), /invalid DNS-SD records type TXT/);
});

test("two configurations that differ in a secret alone are not the same", () => {
  const yaml = (password: string) =>
    `http_sd_configs: [{url: "http://h", basic_auth: {username: u, password: ${password}}, http_headers: {a: {values: [${password}]}}}]`;
  assert.notEqual(fingerprint(decode(yaml("a"))), fingerprint(decode(yaml("b"))));
  assert.equal(fingerprint(decode(yaml("a"))), fingerprint(decode(yaml("a"))));
});
