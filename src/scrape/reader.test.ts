import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import fc from "fast-check";
import { createParser, type TextFormat } from "../exposition/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { addressLabel } from "../discovery/index.ts";
import { BodyReader } from "./body-reader.ts";
import { sampleLabels } from "./sample-labels.ts";
import { Target } from "./target.ts";
import { configs, MemoryStorage, type Stored } from "./test-support.ts";

const [config] = configs(
  `- {job_name: j, metric_relabel_configs: [{source_labels: [__name__], regex: "drop.*", action: drop}]}`,
);
const rules = {
  honorLabels: false,
  metricRelabelConfigs: config!.metricRelabelConfigs,
  scheme: "utf8",
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  sampleLimit: 0,
  bucketLimit: 0,
  schemaMax: 8,
  readsStarts: false,
} as const;
const histograms = { scrapesNative: true, keepsClassic: false, convertsClassic: false };
const targetLabels = Labels.from({
  [addressLabel]: "a:80",
  __scheme__: "http",
  __metrics_path__: "/m",
  instance: "a",
  job: "j",
});

/** What the storage should hold: every body read in full by the reference parser, vanished series found by comparing sets. */
function expected(bodies: readonly string[], format: TextFormat): Map<string, Stored[]> {
  const stored = new Map<string, Stored[]>();
  const visible = Labels.from({ instance: "a", job: "j" });
  let before = new Set<string>();
  const put = (series: string, timestampMs: number, value: number | "stale"): void => {
    const samples = stored.get(series) ?? [];
    stored.set(series, samples);
    const lastMs = samples.at(-1)?.[0] ?? -Infinity;
    if (timestampMs > lastMs) samples.push([timestampMs, value]);
  };
  bodies.forEach((body, i) => {
    const timeMs = (i + 1) * 1000;
    const found: [series: string, timestampMs: number | undefined, value: number][] = [];
    try {
      const parser = createParser(Buffer.from(body), format);
      for (let kind = parser.next(); kind !== "end"; kind = parser.next()) {
        if (kind !== "series") continue;
        const labels = sampleLabels(parser.labels(), visible, rules);
        if (labels) found.push([labels.toMetricString(), parser.timestampMs, parser.value]);
      }
    } catch {
      found.length = 0;
    }
    const now = new Set<string>();
    for (const [series, ownMs, value] of found) {
      put(series, ownMs ?? timeMs, value);
      if (ownMs === undefined) now.add(series);
    }
    const present = new Set(found.map(([series]) => series));
    for (const series of before) if (!present.has(series)) put(series, timeMs, "stale");
    before = now;
  });
  return stored;
}

test("a batch that is full is committed, whichever way a line is read", () => {
  const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
  const storage = new MemoryStorage(kernel, 2);
  const populated = {
    discovered: targetLabels,
    labels: targetLabels,
    intervalMs: 1000,
    timeoutMs: 1000,
    histograms,
  };
  const reader = new BodyReader(new Target(populated, new Map()), kernel, rules);
  const buffer = kernel.createByteBuffer(1 << 20);
  // The second and the fifth value are left to the reference parser.
  const body = "a 1\nb 123456789012345678901234567890\nc 3\nd 4\ne 1234567890123456789012\nf 6\n";
  for (const timestampMs of [1000, 2000]) {
    buffer.clear();
    buffer.append(Buffer.from(body));
    const appender = storage.appender();
    reader.read(buffer, "text", appender, timestampMs, () => {});
    appender.commit();
  }
  reader.close();
  buffer.close();
  storage.close();
  assert.deepEqual(storage.series, expected([body, body], "text"));
});

/** A reader and a storage that keeps exemplars and metadata. */
function setUpNotes(t: TestContext) {
  const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
  const storage = new MemoryStorage(kernel);
  storage.keepsNotes = true;
  const populated = {
    discovered: targetLabels,
    labels: targetLabels,
    intervalMs: 1000,
    timeoutMs: 1000,
    histograms,
  };
  const reader = new BodyReader(new Target(populated, new Map()), kernel, rules);
  const buffer = kernel.createByteBuffer(1 << 20);
  t.after(() => {
    reader.close();
    buffer.close();
    storage.close();
  });
  return {
    reader,
    scrape: (timestampMs: number, body: string) => {
      for (const notes of [storage.exemplars, storage.metadata]) notes.length = 0;
      buffer.clear();
      buffer.append(Buffer.from(`${body}# EOF\n`));
      const appender = storage.appender();
      reader.read(buffer, "openmetrics", appender, timestampMs, () => {});
      appender.commit();
      return storage;
    },
  };
}

test("exemplars come with their series, the time of the sample where they have none, and once", (t) => {
  const { reader, scrape } = setUpNotes(t);
  const lines = [
    'a_total 1 # {trace="1"} 0.5',
    'a_total{x="1"} 1 0.25 # {} 1 1.5',
    'drop_me 1 # {trace="2"} 1',
    'a_total{x="2"} 1 # {trace="é"} 2',
    'a_total{x="3"} 123456789012345678901234567890 # {trace="3"} -1',
    'a_total{x="4"} 1 # {trace="4",trace="5"} 1',
  ];
  const body = lines.map((line) => `${line}\n`).join("");
  const found = (storage: MemoryStorage): unknown[] =>
    storage.exemplars.map(([series, { labels, value, timestampMs, hasOwnTimestamp }]) => [
      series.replace(/instance="a", job="j",? ?/, ""),
      labels.get("trace"),
      value,
      timestampMs,
      hasOwnTimestamp,
    ]);
  const complex = (ms: number): unknown[] => [
    ['a_total{x="2"}', "é", 2, ms, false],
    ['a_total{x="3"}', "3", -1, ms, false],
  ];
  assert.deepEqual(found(scrape(1000, body)), [
    ["a_total{}", "1", 0.5, 1000, false],
    ['a_total{x="1"}', "", 1, 1500, true],
    ...complex(1000),
    ['a_total{x="4"}', "5", 1, 1000, false],
  ]);
  assert.equal(reader.counts.exemplarsOutOfOrder, 1);
  assert.equal(reader.counts.scraped, 6);
  // Those that the kernel leaves to the reference parser are looked at each time.
  assert.deepEqual(found(scrape(2000, body.replace('trace="1"', 'trace="6"'))), [
    ["a_total{}", "6", 0.5, 2000, false],
    ...complex(2000),
  ]);
});

test("what a target says of its metrics comes with new series, and with all when it has changed", (t) => {
  const { scrape } = setUpNotes(t);
  const body = (help: string, more = "") =>
    `# HELP a ${help}\n# TYPE a counter\na_total 1\na_created 1\n# TYPE h histogram\n# UNIT h \nh_bucket{le="1"} 1\n${more}drop_me 1\nb 1\n`;
  const found = (storage: MemoryStorage): string[] =>
    storage.metadata.map(([series, { type, help }]) => `${series.replace(/\{.*/, "")} ${type} ${help}`);
  assert.deepEqual(found(scrape(1000, body("one"))), ["a_total counter one", "h_bucket histogram "]);
  assert.deepEqual(found(scrape(2000, body("one"))), []);
  assert.deepEqual(found(scrape(3000, body("one", "h_sum 1\n"))), ["h_sum histogram "]);
  // The lines of known series pass by the kernel alone: they are learnt anew with the next scrape.
  scrape(4000, body("two"));
  assert.deepEqual(found(scrape(5000, body("two"))), ["a_total counter two", "h_bucket histogram "]);
  assert.deepEqual(found(scrape(6000, body("two"))), []);
});

const series = fc.constantFrom(
  "a",
  "b",
  'a{x="1"}',
  'a{x="2"}',
  'a{x="1",y="\\"}{"}',
  "drop_me",
  '{"utf.8","l.x"="v"}',
  'h_bucket{le="1.0"}',
  'a{ x = "3" , }',
);
const value = fc.constantFrom(
  "0",
  "1",
  "-2.5",
  "1e3",
  "NaN",
  "+Inf",
  "0x1p4",
  "123456789012345678901234567890",
  "5e-324",
);
const stamp = fc.constantFrom("", "", "", "", " 500", " 1500", " 2500");
const line = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(series, value, stamp).map(([s, v, t]) => `${s} ${v}${t}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("# HELP a Help", "# TYPE a counter", "# TYPE h histogram", "# a comment", ""),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("bad", 'bad{x="1} 1', "bad 1 2 3", "# TYPE a zap", 'a{x="1",x="1"} 1'),
  },
);
const openMetricsLine = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          "a_total",
          'a_total{x="1"}',
          'a_total{x="2"}',
          "g",
          'g{y="\\"}{"}',
          "drop_me",
          '{"utf.8","l.x"="v"}',
        ),
        value,
        fc.constantFrom("", "", "", " 0.5", " 1.5", " 2.5"),
        fc.constantFrom("", "", ' # {trace="1"} 0.5', " # {} 1 1.5"),
      )
      .map(([name, ...rest]) => `${name} ${rest.join("")}`),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom("# HELP a Help", "# TYPE a counter", "# UNIT g_bytes bytes", "# TYPE g gauge"),
  },
  { weight: 1, arbitrary: fc.constantFrom("bad", "# a comment", 'a_total{x="1"} 1 # {trace="1"', "") },
);

/** A series once per scrape: of two samples at one time, the second is refused or not depending on its value. */
function bodyOf(lines: fc.Arbitrary<string>, end: string): fc.Arbitrary<string> {
  const selector = (text: string): string => (text.startsWith("#") ? text : text.replace(/ .*/, ""));
  return fc
    .uniqueArray(lines, { maxLength: 14, selector })
    .map((all) => all.map((text) => `${text}\n`).join("") + end);
}

/** Who converts histograms reads entry by entry instead of line by line; without them nothing else changes. */
function scrapes(body: fc.Arbitrary<string>) {
  return fc.record({ text: body, isByEntry: fc.boolean() });
}

function compare(format: TextFormat, body: fc.Arbitrary<string>, numRuns: number): void {
  const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
  fc.assert(
    fc.property(fc.array(scrapes(body), { maxLength: 8 }), fc.nat(), (all, relearnAt) => {
      const storage = new MemoryStorage(kernel);
      const discovered = {
        discovered: targetLabels,
        labels: targetLabels,
        intervalMs: 1000,
        timeoutMs: 1000,
        histograms,
      };
      const target = new Target(discovered, new Map());
      const reader = new BodyReader(target, kernel, rules);
      const buffer = kernel.createByteBuffer(1 << 20);
      all.forEach(({ text, isByEntry }, i) => {
        target.histograms = { ...histograms, convertsClassic: isByEntry && !text.includes(" histogram") };
        buffer.clear();
        buffer.append(Buffer.from(text));
        // Looking at every line anew may change nothing.
        if (i === relearnAt % 8) reader.distrustRefs();
        let appender = storage.appender();
        try {
          reader.read(buffer, format, appender, (i + 1) * 1000, () => {});
        } catch {
          appender.rollback();
          appender = storage.appender();
          reader.fail(appender, (i + 1) * 1000);
        }
        appender.commit();
      });
      reader.close();
      buffer.close();
      storage.close();
      const filled = (all: Map<string, Stored[]>) =>
        new Map([...all].filter(([, samples]) => samples.length > 0));
      assert.deepEqual(
        filled(storage.series),
        filled(
          expected(
            all.map(({ text }) => text),
            format,
          ),
        ),
      );
    }),
    { numRuns },
  );
}

test("reading by difference or by entry stores what reading in full would: text", () => {
  compare("text", bodyOf(line, ""), 1500);
});

test("reading by difference or by entry stores what reading in full would: OpenMetrics", () => {
  compare("openmetrics", bodyOf(openMetricsLine, "# EOF\n"), 1500);
});
