import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Counter,
  encodeOpenMetrics,
  encodeText,
  exponentialBuckets,
  linearBuckets,
  MetricError,
  type MetricFamily,
  negotiateFormat,
  Registry,
  startProcessMetrics,
} from "./index.ts";

test("a counter adds up, per label set, sorted by label value", () => {
  const registry = new Registry();
  const requests = registry.counter({
    name: "requests_total",
    help: "Requests.",
    labelNames: ["code", "method"],
  });
  const ok = requests.labels({ code: "200", method: "GET" });
  requests.labels({ code: "500", method: "GET" }).inc(2.5);
  requests.labels({ code: "200", method: "A" }).inc(0);
  ok.inc();
  ok.inc(1e6);
  assert.equal(requests.labels({ method: "GET", code: "200" }), ok);
  assert.equal(
    registry.expose(),
    `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",method="A"} 0
requests_total{code="200",method="GET"} 1.000001e+06
requests_total{code="500",method="GET"} 2.5
`,
  );
  assert.throws(() => ok.inc(-1), MetricError);
  assert.throws(() => ok.inc(NaN), MetricError);
});

test("label names are checked by the type and at run time", () => {
  const counter = new Counter({ name: "x_total", help: "", labelNames: ["a"] });
  // @ts-expect-error a counter with labels has no value of its own
  assert.throws(() => counter.inc(), /x_total has the labels a/);
  // @ts-expect-error a label is missing
  assert.throws(() => counter.labels({}), /expected a string for label a/);
  // @ts-expect-error a label that was not declared
  counter.labels({ a: "1", b: "2" });
});

test("a gauge goes both ways", () => {
  const registry = new Registry();
  const gauge = registry.gauge({ name: "depth", help: "Depth." });
  gauge.set(3);
  gauge.inc();
  gauge.dec(0.5);
  assert.equal(gauge.value, 3.5);
  gauge.setToCurrentTime();
  assert.ok(Math.abs(gauge.value - Date.now() / 1000) < 5);
});

test("a histogram counts into cumulative buckets with inclusive upper bounds", () => {
  const registry = new Registry();
  const histogram = registry.histogram({
    name: "latency_seconds",
    help: "Latency.",
    unit: "seconds",
    labelNames: ["path"],
    buckets: [0.1, 1, Infinity],
  });
  const child = histogram.labels({ path: '/a"\\\n' });
  for (const value of [0.05, 0.1, 0.5, 1, 2]) child.observe(value);
  assert.equal(
    registry.expose("openmetrics"),
    String.raw`# HELP latency_seconds Latency.
# TYPE latency_seconds histogram
# UNIT latency_seconds seconds
latency_seconds_bucket{path="/a\"\\\n",le="0.1"} 2
latency_seconds_bucket{path="/a\"\\\n",le="1.0"} 4
latency_seconds_bucket{path="/a\"\\\n",le="+Inf"} 5
latency_seconds_sum{path="/a\"\\\n"} 3.65
latency_seconds_count{path="/a\"\\\n"} 5
# EOF
`,
  );
  assert.ok(child.startTimer()() >= 0);
  assert.equal(child.count, 6);
  assert.throws(() => registry.histogram({ name: "h", help: "", buckets: [2, 1] }), /ascending/);
});

test("a histogram takes what was counted elsewhere", () => {
  const registry = new Registry();
  const histogram = registry.histogram({ name: "h", help: "", buckets: [1, 2] });
  histogram.observe(1.5);
  histogram.observeCounted([3, 0, 2], 12);
  const text = registry.expose();
  for (const line of [
    'h_bucket{le="1"} 3',
    'h_bucket{le="2"} 4',
    'h_bucket{le="+Inf"} 6',
    "h_sum 13.5",
    "h_count 6",
  ])
    assert.ok(text.includes(`\n${line}\n`), text);
  assert.throws(() => histogram.observeCounted([1, 2], 3), /3 buckets expected/);
});

test("bucket helpers", () => {
  assert.deepEqual(linearBuckets(1, 2, 3), [1, 3, 5]);
  assert.deepEqual(exponentialBuckets(1, 10, 3), [1, 10, 100]);
});

test("a summary's quantiles are within a percent and slide with time", () => {
  const registry = new Registry();
  let nowMs = 0;
  const summary = registry.summary({
    name: "size_bytes",
    help: "Size.",
    quantiles: [0.5, 0.99],
    windowSeconds: 100,
    nowMs: () => nowMs,
  });
  const quantiles = () =>
    summary
      .collect()
      .samples.slice(0, 2)
      .map((sample) => sample.value);
  assert.deepEqual(quantiles(), [NaN, NaN]);
  for (let i = 1; i <= 1000; i++) summary.observe(i);
  const [median, high] = quantiles();
  assert.ok(Math.abs(median! - 500) <= 5 && Math.abs(high! - 990) <= 10, `${median} ${high}`);
  nowMs = 50_000;
  for (let i = 0; i < 3000; i++) summary.observe(-i);
  assert.ok(quantiles()[0]! < -490);
  nowMs = 100_000;
  assert.ok(Math.abs(quantiles()[0]! + 1500) <= 16);
  nowMs = 1e9;
  assert.deepEqual(quantiles(), [NaN, NaN]);
  assert.match(registry.expose(), /size_bytes_count 4000\n/);
  assert.match(registry.expose("openmetrics"), /size_bytes\{quantile="0.5"\} NaN\n/);
});

test("names are checked and duplicates refused, also between suffixes", () => {
  const registry = new Registry();
  assert.throws(() => registry.counter({ name: "1x", help: "" }), /invalid metric name "1x"/);
  assert.throws(() => registry.counter({ name: "x", help: "", labelNames: ["a-b"] }), /invalid label name/);
  assert.throws(() => registry.counter({ name: "x", help: "", labelNames: ["a", "a"] }), /declared twice/);
  assert.throws(
    () => registry.histogram({ name: "x", help: "", labelNames: ["le"] }),
    /written by the metric/,
  );
  assert.throws(() => registry.counter({ name: "x_total", help: "", unit: "bytes" }), /_bytes/);
  const histogram = registry.histogram({ name: "x", help: "" });
  assert.throws(() => registry.gauge({ name: "x", help: "" }), /already belongs to x/);
  assert.throws(() => registry.gauge({ name: "x_count", help: "" }), /x_count already belongs to x/);
  assert.equal(registry.unregister(histogram), true);
  assert.equal(registry.unregister(histogram), false);
  registry.gauge({ name: "x_count", help: "" });
});

test("collectors run at every gather and their families are checked", () => {
  const registry = new Registry();
  const gauge = registry.gauge({ name: "b", help: "B." });
  let value = 0;
  registry.gaugeFunction({ name: "c", help: "C." }, () => value);
  const stop = registry.collector(() => {
    gauge.set(++value);
    return [
      {
        name: "a_total",
        type: "counter",
        help: "A\\\n",
        unit: "",
        samples: [{ name: "a_total", labels: [["x", "y"]], value: Infinity, timestampMs: 1500 }],
      },
    ];
  });
  assert.equal(
    registry.expose(),
    '# HELP a_total A\\\\\\n\n# TYPE a_total counter\na_total{x="y"} +Inf 1500\n# HELP b B.\n# TYPE b gauge\nb 1\n# HELP c C.\n# TYPE c gauge\nc 1\n',
  );
  assert.match(
    registry.expose("openmetrics"),
    /^# HELP a A\\\\\\n\n# TYPE a counter\na_total\{x="y"\} \+Inf 1.5\n/,
  );
  stop();
  registry.expose();
  assert.equal(gauge.value, 2);

  registry.collector(() => [{ name: "b", type: "gauge", help: "", unit: "", samples: [] }]);
  assert.throws(() => registry.gather(), /two sources expose b/);
});

test("label sets beyond the limit are dropped and counted", () => {
  const registry = new Registry();
  const gauge = registry.gauge({ name: "g", help: "", labelNames: ["a"], childrenMax: 2 });
  for (const a of ["1", "2", "3", "3"]) gauge.labels({ a }).set(1);
  assert.match(registry.expose(), /client_label_sets_dropped_total\{metric="g"\} 2\n/);
  assert.equal(gauge.collect().samples.length, 2);
  assert.equal(gauge.remove({ a: "1" }), true);
  gauge.labels({ a: "3" }).set(3);
  assert.deepEqual(
    gauge.collect().samples.map((sample) => sample.value),
    [1, 3],
  );
  gauge.clear();
  assert.equal(gauge.collect().samples.length, 0);
});

test("the format follows the Accept header", () => {
  assert.equal(negotiateFormat(undefined), "text");
  assert.equal(negotiateFormat("*/*"), "text");
  assert.equal(negotiateFormat("application/openmetrics-text"), "openmetrics");
  assert.equal(negotiateFormat("application/openmetrics-text;version=2.0.0"), "text");
  assert.equal(
    negotiateFormat(
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    ),
    "openmetrics",
  );
  assert.equal(negotiateFormat("application/openmetrics-text;q=0.1, text/plain;version=0.0.4;q=0.3"), "text");
  const registry = new Registry();
  assert.deepEqual(registry.exposeFor("application/openmetrics-text; version=0.0.1"), {
    contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8",
    body: "# EOF\n",
  });
});

test("process metrics are there and have sane values", () => {
  const registry = new Registry();
  const metrics = startProcessMetrics(registry);
  const value = (name: string) =>
    registry.gather().find((family) => family.name === name)?.samples[0]?.value ?? NaN;
  try {
    assert.ok(value("process_cpu_seconds_total") > 0);
    assert.ok(value("process_resident_memory_bytes") > 1e6);
    assert.ok(Math.abs(value("process_start_time_seconds") + process.uptime() - Date.now() / 1000) < 1);
    assert.ok(value("nodejs_heap_size_used_bytes") > 1e6);
    assert.equal(value("nodejs_version_info"), 1);
    if (process.platform === "linux") {
      assert.ok(value("process_virtual_memory_bytes") > 1e6);
      assert.ok(value("process_open_fds") >= 3);
      assert.ok(value("process_max_fds") >= value("process_open_fds"));
    }
  } finally {
    metrics.close();
  }
});

test("foreign families are printed with quoted names, exemplars and their own types", () => {
  const families: MetricFamily[] = [
    {
      name: "my.requests_total",
      type: "counter",
      help: 'A "help".',
      unit: "",
      samples: [
        {
          name: "my.requests_total",
          labels: [["a.b", 'x"']],
          value: 3,
          timestampMs: 1500,
          exemplar: { labels: [["trace_id", "1"]], value: 0.5, timestampMs: 1250 },
        },
      ],
    },
    { name: "odd", type: "unknown", help: "", unit: "", samples: [{ name: "odd", labels: [], value: NaN }] },
    {
      name: "build",
      type: "info",
      help: "",
      unit: "",
      samples: [{ name: "build_info", labels: [], value: 1, exemplar: { labels: [], value: 2 } }],
    },
  ];
  assert.equal(
    encodeText(families),
    String.raw`# HELP "my.requests_total" A "help".
# TYPE "my.requests_total" counter
{"my.requests_total","a.b"="x\""} 3 1500
# TYPE odd untyped
odd NaN
# TYPE build gauge
build_info 1
`,
  );
  assert.equal(
    encodeOpenMetrics(families),
    String.raw`# HELP "my.requests" A \"help\".
# TYPE "my.requests" counter
{"my.requests_total","a.b"="x\""} 3.0 1.5 # {trace_id="1"} 0.5 1.25
# TYPE odd unknown
odd NaN
# TYPE build info
build_info 1.0 # {} 2.0
# EOF
`,
  );
});
