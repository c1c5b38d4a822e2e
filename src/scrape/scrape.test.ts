import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { NarthexError } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import { ScrapeView } from "./index.ts";
import { type Bench, createBench, type Stored } from "./test-support.ts";

const job = (more = "", targets = "a:80") => `
- job_name: j
  scrape_interval: 10s
  scrape_timeout: 10s
  static_configs: [{targets: [${targets}]}]
${more.replace(/^(?=.)/gm, "  ")}`;

const values = (samples: Stored[]) => samples.map(([, value]) => value);
const up = (bench: Bench, address = "a:80") =>
  values(bench.storage.get(`up{instance="${address}", job="j"}`));

async function closing(bench: Bench, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } finally {
    await bench.manager.close();
  }
}

test("samples get their target's labels, aligned times and the report beside them", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    let n = 0;
    bench.targets.set("a:80", () => ({
      body: `# HELP m Help.\n# TYPE m counter\nm{x="1"} ${++n}\nm{x="2",job="own"} 5\n`,
    }));
    bench.apply(job());
    await bench.clock.advance(60_000);
    const samples = bench.storage.get('m{instance="a:80", job="j", x="1"}');
    assert.deepEqual(values(samples), [1, 2, 3, 4, 5, 6]);
    const times = samples.map(([timeMs]) => timeMs);
    assert.ok(times.every((timeMs, i) => i === 0 || timeMs === 10_000 + times[i - 1]!));
    assert.deepEqual(
      values(bench.storage.get('m{exported_job="own", instance="a:80", job="j", x="2"}')),
      [5, 5, 5, 5, 5, 5],
    );
    assert.deepEqual(up(bench), [1, 1, 1, 1, 1, 1]);
    assert.deepEqual(
      values(bench.storage.get('scrape_samples_scraped{instance="a:80", job="j"}')),
      [2, 2, 2, 2, 2, 2],
    );
    assert.deepEqual(
      values(bench.storage.get('scrape_series_added{instance="a:80", job="j"}')),
      [2, 0, 0, 0, 0, 0],
    );
    // Two series and five reports: asked for once, never again.
    assert.equal(bench.storage.referenceCalls, 7);
    const view = new ScrapeView(bench.manager, new URL("http://outside:9090"));
    assert.deepEqual(view.metadata(undefined, -1, 0), { m: [{ type: "counter", help: "Help.", unit: "" }] });
    assert.equal(view.targetMetadata('{job="j"}', "m", -1).length, 1);
    assert.equal(view.targetMetadata('{job="k"}', "m", -1).length, 0);
    const [target] = view.activeTargets();
    assert.equal(target!.health, "up");
    assert.equal(target!.scrapeUrl, "http://a:80/metrics");
    assert.equal(target!.scrapeInterval, "10s");
    assert.match(bench.registry.expose(), /prometheus_target_scrape_pool_targets\{scrape_job="j"\} 1/);
  });
});

test("series, targets and scrapes that go away leave stale markers", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    const bodies = ["a 1\nb 1\n", "a 2\n", "a 3\nb 3\n"];
    let n = 0;
    bench.targets.set("a:80", () => {
      const body = bodies[n++];
      return body === undefined ? { error: new NarthexError("unavailable", "connection refused") } : { body };
    });
    bench.apply(job());
    await bench.clock.advance(50_000);
    assert.deepEqual(values(bench.storage.get('a{instance="a:80", job="j"}')), [1, 2, 3, "stale"]);
    assert.deepEqual(values(bench.storage.get('b{instance="a:80", job="j"}')), [1, "stale", 3, "stale"]);
    assert.deepEqual(up(bench), [1, 1, 1, 0, 0]);
    const view = new ScrapeView(bench.manager, new URL("http://outside:9090"));
    assert.equal(view.activeTargets()[0]!.lastError, "connection refused");

    // A removed target's series end when its second next scrape would long have been.
    bench.targets.set("b:80", () => ({ body: "c 1\n" }));
    bench.apply(job("", "b:80"));
    await bench.clock.advance(30_000);
    bench.apply(job("", "z:80"));
    const count = () => values(bench.storage.get('c{instance="b:80", job="j"}'));
    assert.deepEqual(count(), [1, 1, 1]);
    await bench.clock.advance(15_000);
    assert.deepEqual(count(), [1, 1, 1]);
    await bench.clock.advance(10_000);
    assert.deepEqual(count(), [1, 1, 1, "stale"]);
    assert.deepEqual(up(bench, "b:80"), [1, 1, 1, "stale"]);
    const samples = bench.storage.get('c{instance="b:80", job="j"}');
    assert.equal(samples[3]![0] - samples[2]![0], 10_000);
  });
});

test("at shutdown no series is ended", async () => {
  const bench = createBench(Labels.empty);
  bench.targets.set("a:80", () => ({ body: "a 1\n" }));
  bench.apply(job());
  await bench.clock.advance(10_000);
  await bench.manager.close();
  await bench.clock.advance(60_000);
  assert.deepEqual(values(bench.storage.get('a{instance="a:80", job="j"}')), [1]);
});

test("a malformed line fails the scrape and names line and column", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    const bodies = [
      'ok 1\nbad{x="1" 2\n',
      "ok 1\nbad nonsense\n",
      "ok 1\n# TYPE bad zigzag\n",
      'ok 1\nbad{a="1",a="2"} 1\n',
      "ok 1\n\nok 2 3 4\n",
    ];
    const errors: string[] = [];
    let n = 0;
    bench.targets.set("a:80", () => ({ body: bodies[n++ % bodies.length]! }));
    bench.apply(job());
    const view = new ScrapeView(bench.manager, new URL("http://outside:9090"));
    for (let i = 0; i < bodies.length; i++) {
      await bench.clock.advance(10_000);
      errors.push(view.activeTargets()[0]!.lastError);
    }
    assert.match(errors[0]!, /^line 2, column \d+: expected .*bad\{x=/);
    assert.match(errors[1]!, /^line 2, column 5: /);
    assert.match(
      errors[2]!,
      /^line 3, column \d+: invalid metric type "zigzag"|^line 2, column \d+: invalid metric type "zigzag"/,
    );
    assert.match(errors[3]!, /^line 2, column 1: label name "a" is not unique/);
    assert.match(errors[4]!, /^line 3, column \d+: /);
    assert.deepEqual(up(bench), [0, 0, 0, 0, 0]);
    assert.equal(bench.storage.get('ok{instance="a:80", job="j"}').length, 0);
  });
});

test("limits reject the whole scrape, with the counts reported", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    let body = "a 1\nb 1\nc 1\n";
    bench.targets.set("a:80", () => ({ body }));
    const view = new ScrapeView(bench.manager, new URL("http://outside:9090"));
    const errorWith = async (more: string): Promise<string> => {
      bench.apply(job(more));
      await bench.clock.advance(10_000);
      return view.activeTargets()[0]!.lastError;
    };
    assert.equal(await errorWith("sample_limit: 3"), "");
    assert.equal(await errorWith("sample_limit: 2"), "sample limit exceeded");
    assert.deepEqual(values(bench.storage.get('a{instance="a:80", job="j"}')), [1, "stale"]);
    assert.deepEqual(bench.storage.get('scrape_samples_scraped{instance="a:80", job="j"}').at(-1)![1], 3);
    assert.equal(
      await errorWith(
        "sample_limit: 2\nmetric_relabel_configs: [{source_labels: [__name__], regex: c, action: drop}]",
      ),
      "",
    );
    assert.deepEqual(
      bench.storage.get('scrape_samples_post_metric_relabeling{instance="a:80", job="j"}').at(-1)![1],
      2,
    );
    body = 'a{long_name="value"} 1\n';
    assert.equal(
      await errorWith("label_limit: 3"),
      "label_limit exceeded (metric: a, number of labels: 4, limit: 3)",
    );
    assert.match(
      await errorWith("label_name_length_limit: 8"),
      /^label_name_length_limit exceeded \(metric: a, label name: long_name, length: 9, limit: 8\)/,
    );
    assert.match(
      await errorWith("label_value_length_limit: 4"),
      /^label_value_length_limit exceeded \(metric: a, label name: long_name, value: "value", length: 5, limit: 4\)/,
    );
    assert.equal(await errorWith("extra_scrape_metrics: true"), "");
    assert.deepEqual(values(bench.storage.get('scrape_timeout_seconds{instance="a:80", job="j"}')), [10]);
    assert.match(bench.registry.expose(), /prometheus_target_scrapes_exceeded_sample_limit_total 1\n/);
    assert.match(bench.registry.expose(), /prometheus_target_scrape_pool_exceeded_label_limits_total 3\n/);
  });
});

test("too many targets fail all of them", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    for (const address of ["a:80", "b:80"]) bench.targets.set(address, () => ({ body: "m 1\n" }));
    bench.apply(job("target_limit: 1", "a:80, b:80"));
    await bench.clock.advance(10_000);
    const view = new ScrapeView(bench.manager, new URL("http://outside:9090"));
    for (const target of view.activeTargets()) {
      assert.equal(target.lastError, "target_limit exceeded (number of targets: 2, limit: 1)");
    }
    assert.deepEqual(up(bench), [0]);
  });
});

test("timestamps of the target are honoured, and such series are not ended unless asked for", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    const baseMs = 1_700_000_000_000;
    let n = 0;
    bench.targets.set("a:80", () => ({ body: ++n <= 2 ? `t 1 ${baseMs + n}\nplain 1\n` : "other 1\n" }));
    bench.apply(job());
    await bench.clock.advance(30_000);
    assert.deepEqual(bench.storage.get('t{instance="a:80", job="j"}'), [
      [baseMs + 1, 1],
      [baseMs + 2, 1],
    ]);
    assert.deepEqual(values(bench.storage.get('plain{instance="a:80", job="j"}')), [1, 1, "stale"]);
    n = 0;
    bench.apply(job("honor_timestamps: false"));
    await bench.clock.advance(30_000);
    assert.deepEqual(values(bench.storage.get('t{instance="a:80", job="j"}')).slice(2), [1, 1, "stale"]);
  });
});

test("OpenMetrics: exemplars, float timestamps, EOF, bounds in canonical form", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    let eof = "# EOF\n";
    const contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    bench.targets.set("a:80", () => ({
      contentType,
      body: `# TYPE h histogram\n# UNIT h seconds\nh_bucket{le="1"} 4 # {trace_id="x"} 0.5 1700000000.1\nh_bucket{le="+Inf"} 5\nh_count 5\nh_sum NaN\n${eof}`,
    }));
    bench.apply(job());
    await bench.clock.advance(20_000);
    assert.deepEqual(up(bench), [0, 0], "a unit must end the name");
    bench.targets.set("a:80", () => ({
      contentType,
      body: `# TYPE h histogram\n# HELP h Times.\nh_bucket{le="1"} 4 # {trace_id="x"} 0.5 1700000000.1\nh_bucket{le="+Inf"} 5\nh_count 5\nh_sum NaN\n${eof}`,
    }));
    await bench.clock.advance(20_000);
    assert.deepEqual(up(bench), [0, 0, 1, 1]);
    assert.deepEqual(values(bench.storage.get('h_bucket{instance="a:80", job="j", le="1.0"}')), [4, 4]);
    assert.deepEqual(values(bench.storage.get('h_sum{instance="a:80", job="j"}')), [NaN, NaN]);
    eof = "";
    await bench.clock.advance(10_000);
    assert.deepEqual(up(bench).at(-1), 0);
  });
});

test("a content type that is missing fails the scrape unless a fallback is given; an empty body is no error", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    bench.targets.set("a:80", () => ({ body: "m 1\n", contentType: "" }));
    bench.apply(job());
    await bench.clock.advance(10_000);
    const view = new ScrapeView(bench.manager, new URL("http://outside:9090"));
    assert.match(
      view.activeTargets()[0]!.lastError,
      /non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol/,
    );
    bench.apply(job("fallback_scrape_protocol: PrometheusText0.0.4"));
    await bench.clock.advance(10_000);
    assert.equal(view.activeTargets()[0]!.lastError, "");
    bench.targets.set("a:80", () => ({ body: "", contentType: "" }));
    await bench.clock.advance(10_000);
    assert.deepEqual(up(bench), [0, 1, 1]);
    assert.deepEqual(values(bench.storage.get('m{instance="a:80", job="j"}')), [1, "stale"]);
  });
});

test("a reload keeps what stays: no new series, no gap, new rules at once", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    bench.targets.set("a:80", () => ({ body: "a 1\nb 1\n" }));
    bench.apply(job());
    await bench.clock.advance(30_000);
    const calls = bench.storage.referenceCalls;
    bench.apply(job());
    bench.apply(job("body_size_limit: 5MB"));
    await bench.clock.advance(30_000);
    assert.equal(bench.storage.referenceCalls, calls);
    assert.equal(bench.storage.get('a{instance="a:80", job="j"}').length, 6);
    bench.apply(job("metric_relabel_configs: [{source_labels: [__name__], regex: b, action: drop}]"));
    await bench.clock.advance(20_000);
    assert.deepEqual(values(bench.storage.get('a{instance="a:80", job="j"}')), [1, 1, 1, 1, 1, 1, 1, 1]);
    assert.deepEqual(values(bench.storage.get('b{instance="a:80", job="j"}')), [1, 1, 1, 1, 1, 1, "stale"]);
    bench.apply(job().replace("scrape_interval: 10s", "scrape_interval: 20s"));
    await bench.clock.advance(60_000);
    const times = bench.storage.get('a{instance="a:80", job="j"}').map(([timeMs]) => timeMs);
    assert.equal(times.at(-1)! - times.at(-2)!, 20_000);
    assert.ok(times.length >= 10);
  });
});

test("relabelling decides targets; what it drops is shown and counted", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    bench.targets.set("a:81", () => ({ body: "m 1\n" }));
    bench.apply(
      job(
        "keep_dropped_targets: 1\nparams: {module: [one, two]}\nrelabel_configs:\n- {source_labels: [__address__], regex: 'x.*', action: drop}\n- {source_labels: [__address__], regex: '(.*):80', target_label: __address__, replacement: '${1}:81'}\n- {target_label: __param_module, replacement: 'three?'}\n- {source_labels: [__scheme__], target_label: scheme}",
        "a:80, x:1, x:2",
      ),
    );
    await bench.clock.advance(10_000);
    const view = new ScrapeView(bench.manager, new URL("http://outside:9090"));
    const [target, ...none] = view.activeTargets();
    assert.equal(none.length, 0);
    assert.equal(target!.scrapeUrl, "http://a:81/metrics?module=three%3F&module=two");
    assert.deepEqual({ ...target!.labels }, { instance: "a:81", job: "j", scheme: "http" });
    assert.equal(view.droppedTargets().length, 1);
    assert.deepEqual(view.droppedTargetCounts(), { j: 2 });
    assert.match(view.poolConfig("j")!, /job_name: j/);
    assert.equal(view.poolConfig("k"), undefined);
  });
});

test("new series that the storage cannot take are refused, the others go on, and they come when there is room", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    bench.storage.seriesMax = 6;
    bench.targets.set("a:80", (elapsedMs) => ({ body: elapsedMs < 15_000 ? "a 1\n" : "a 1\nb 1\n" }));
    bench.apply(job());
    await bench.clock.advance(40_000);
    assert.deepEqual(up(bench), [1, 1, 1, 1]);
    assert.equal(bench.storage.get('a{instance="a:80", job="j"}').length, 4);
    assert.equal(bench.storage.get('b{instance="a:80", job="j"}').length, 0);
    assert.match(bench.registry.expose(), /narthex_target_scrapes_series_refused_total 1\n/);
    bench.storage.seriesMax = Infinity;
    await bench.clock.advance(60_000);
    assert.ok(bench.storage.get('b{instance="a:80", job="j"}').length > 0);
    assert.ok(!values(bench.storage.get('a{instance="a:80", job="j"}')).includes("stale"));
  });
});

test("a day of scraping: spread over the interval, equally spaced, nothing looked up twice", async () => {
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    const addresses = Array.from({ length: 5 }, (_, i) => `t${i}:80`);
    let n = 0;
    const head = Array.from({ length: 20 }, (_, i) => `metric_${i}{a="b"} `);
    for (const address of addresses)
      bench.targets.set(address, () => ({ body: head.map((line) => `${line}${n++}\n`).join("") }));
    bench.apply(job("", addresses.join(",")).replace("scrape_interval: 10s", "scrape_interval: 60s"));
    await bench.clock.advance(86_400_000);
    const offsets = new Set<number>();
    for (const address of addresses) {
      const samples = bench.storage.get(`metric_7{a="b", instance="${address}", job="j"}`);
      assert.equal(samples.length, 1440);
      assert.ok(samples.every(([timeMs], i) => i === 0 || timeMs - samples[i - 1]![0] === 60_000));
      offsets.add(samples[0]![0] % 60_000);
    }
    assert.equal(offsets.size, addresses.length);
    assert.equal(bench.storage.referenceCalls, addresses.length * 25);
  });
});

test("failed scrapes are written to the job's failure log", async () => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "narthex-failures-")), "failures.json");
  const bench = createBench(Labels.empty);
  await closing(bench, async () => {
    bench.targets.set("a:80", () => ({ error: new NarthexError("unavailable", "no luck") }));
    bench.apply(job(`scrape_failure_log_file: ${file}`));
    await bench.clock.advance(20_000);
  });
  const lines = fs.readFileSync(file, "utf8").trim().split("\n");
  assert.equal(lines.length, 2);
  const { time, ...rest } = JSON.parse(lines[0]!);
  assert.match(time, /^2023-/);
  assert.deepEqual(rest, { level: "ERROR", msg: "no luck", job_name: "j", target: "http://a:80/metrics" });
  fs.rmSync(path.dirname(file), { recursive: true });
});
