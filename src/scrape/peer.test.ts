import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger } from "../base/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { ScrapeManager } from "./index.ts";
import { configs, MemoryStorage } from "./test-support.ts";
import { freePort } from "../../test/support/free-port.ts";
import { peerBinary, skipWithout } from "../../test/support/peers.ts";

const skip = skipWithout("prometheus");
// Bounds are in the form that both versions store them in: only Prometheus 3 rewrites them.
const body = `# HELP requests Requests.
# TYPE requests counter
requests{code="200",job="theirs",exported_job="older"} 1
requests{code="500",instance="elsewhere"} 2
# TYPE h histogram
h_bucket{le="1.0"} 1
h_bucket{le="2.5"} 2
h_bucket{le="+Inf"} 3
h_sum 4
h_count 3
# TYPE s summary
s{quantile="0.5"} 1
s{quantile="1.0"} NaN
s_sum 2
s_count 2
drop_me 1
keep{Path="/A/B c\\"\\n\\\\"} 1
keep{empty="",x="y"} 2
timed 1 1000
`;

const jobs = (address: string): string => `
- job_name: plain
  scrape_interval: 500ms
  scrape_timeout: 500ms
  static_configs: [{targets: ["${address}"], labels: {team: "x", code: "from group"}}]
- job_name: honored
  honor_labels: true
  honor_timestamps: false
  scrape_interval: 500ms
  scrape_timeout: 500ms
  static_configs: [{targets: ["${address}"]}]
- job_name: relabelled
  scrape_interval: 500ms
  scrape_timeout: 500ms
  params: {a: [b]}
  static_configs:
  - targets: ["${address}", "127.0.0.1:1"]
  relabel_configs:
  - {source_labels: [__address__], regex: ".*:1", action: drop}
  - {source_labels: [__address__, __param_a], separator: "@", target_label: instance, regex: "(.*):.*@(.*)", replacement: "$1-$2"}
  - {source_labels: [__address__], modulus: 7, target_label: shard, action: hashmod}
  - {regex: "__metrics_(.*)__", replacement: "my_$1", action: labelmap}
  metric_relabel_configs:
  - {source_labels: [__name__], regex: "drop_.*", action: drop}
  - {source_labels: [Path], target_label: lower, action: lowercase}
  - {regex: "quantile|code", action: labeldrop}
  - {source_labels: [__name__, le], regex: "h_bucket;2.*", target_label: __name__, replacement: "renamed"}
- job_name: limited
  sample_limit: 3
  scrape_interval: 500ms
  scrape_timeout: 500ms
  static_configs: [{targets: ["${address}"]}]
`;

/** Label sets of all series that Prometheus has after a few scrapes. */
async function seriesOfPeer(t: TestContext, directory: string, config: string): Promise<Set<string>> {
  const file = path.join(directory, "prometheus.yml");
  fs.writeFileSync(file, config);
  const address = `127.0.0.1:${await freePort()}`;
  const peer = spawn(
    peerBinary("prometheus"),
    [`--config.file=${file}`, `--storage.tsdb.path=${directory}/data`, `--web.listen-address=${address}`],
    { stdio: "ignore" },
  );
  t.after(() => peer.kill("SIGKILL"));
  const endMs = performance.now() + 20_000;
  for (;;) {
    assert.ok(performance.now() < endMs, "the peer did not scrape in time");
    await new Promise((resolve) => setTimeout(resolve, 300));
    try {
      const response = await fetch(
        `http://${address}/api/v1/series?match[]={job!=""}&start=0&end=9999999999`,
      );
      const { data } = (await response.json()) as { data: Record<string, string>[] };
      const jobCount = new Set(data.map(({ job }) => job)).size;
      const reports = data.filter(({ __name__ }) => __name__ === "scrape_series_added").length;
      if (jobCount >= 4 && reports === 4)
        return new Set(data.map((labels) => Labels.from(labels).toMetricString()));
    } catch {
      // Not up yet.
    }
  }
}

test("series are those that Prometheus makes of the same targets and rules", { skip }, async (t) => {
  const target = http.createServer((_, response) =>
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(body),
  );
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    target.closeAllConnections();
    target.close();
  });
  const jobsYaml = jobs(`127.0.0.1:${(target.address() as AddressInfo).port}`);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "narthex-peer-"));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));

  const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
  const storage = new MemoryStorage(kernel);
  const manager = new ScrapeManager({
    kernel,
    appendable: storage,
    registry: new Registry(),
    logger: silentLogger,
    userAgent: "Narthex/test",
  });
  manager.apply(configs(jobsYaml), Labels.empty);
  t.after(() => manager.close());
  const theirs = await seriesOfPeer(t, directory, `scrape_configs:${jobsYaml}`);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  // What is a thousand milliseconds old in 1970 is out of bounds there, and not refused by the storage here.
  const ours = [...storage.series.keys()].filter((series) => !series.startsWith("timed"));
  assert.deepEqual(ours.sort(), [...theirs].filter((series) => !series.startsWith("timed")).sort());
});
