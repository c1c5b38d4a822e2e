import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  type LineTable,
  type LineTableInput,
  lineComment,
  lineDropped,
  lineEvent,
  normalNaNBits,
} from "./index.ts";
import { bitsOf, testKernel, valueOf } from "./testing.ts";

const kernel = testKernel();
const body = kernel.createByteBuffer(1_000_000);
const batch = kernel.createSampleBatch(4096);
const scrapeTimeMs = 1_700_000_000_000;

interface Row {
  readonly ref: number;
  readonly t: number;
  readonly bits: bigint;
}

interface ScrapeResult {
  readonly rows: Row[];
  readonly comments: string[];
  readonly complex: string[];
  /** Texts that were asked for. */
  readonly unknown: string[];
  readonly exemplars: [ref: number, text: string][];
  readonly failedAt: number | undefined;
}

type Options = Partial<
  Pick<LineTableInput, "format" | "honorTimestamps" | "trackTimestampsStaleness" | "reportExemplars">
>;

/** Drives the table as a scrape loop would; `resolve` gives a series part its ref. Complex lines are only reported. */
function scrape(
  table: LineTable,
  text: string | Uint8Array,
  resolve: (series: string) => number,
  options: Options = {},
): ScrapeResult {
  body.clear();
  body.append(typeof text === "string" ? Buffer.from(text) : text);
  batch.clear();
  const result = {
    rows: [] as Row[],
    comments: [] as string[],
    complex: [] as string[],
    unknown: [] as string[],
    exemplars: [] as [ref: number, text: string][],
  };
  const collect = (): void => {
    for (let i = 0; i < batch.count; i++)
      result.rows.push({ ref: batch.refs[i]!, t: batch.timestamps[i]!, bits: batch.valueBits[i]! });
    batch.clear();
  };
  table.begin({
    body,
    batch,
    timestampMs: scrapeTimeMs,
    format: "text",
    honorTimestamps: true,
    ...options,
  });
  for (let events = 0; ; events++) {
    assert.ok(events <= body.bytes * 2 + 2, "the parser must move on");
    const event = table.resume();
    assert.ok(table.eventStart <= table.eventEnd || event === lineEvent.done);
    assert.ok(table.eventEnd <= body.bytes || event === lineEvent.done);
    const slice = body.copy().subarray(table.eventStart, table.eventEnd).toString();
    if (event === lineEvent.unknownSeries) {
      result.unknown.push(slice);
      table.addEntry(resolve(slice));
    } else if (event === lineEvent.unknownComment) {
      result.comments.push(slice);
      table.addEntry(lineComment);
    } else if (event === lineEvent.complexLine) result.complex.push(slice);
    else if (event === lineEvent.exemplar) result.exemplars.push([table.eventRef, slice]);
    else if (event === lineEvent.batchFull) collect();
    else {
      collect();
      return { ...result, failedAt: event === lineEvent.syntaxError ? table.eventStart : undefined };
    }
  }
}

const ascending = (a: number, b: number): number => a - b;
const one = (): number => 1;
const seriesText = (id: number): string =>
  id % 3 === 0 ? `m${id}` : `m${id}{path="/a\\"b}${"x".repeat(id)}"}`;
const refOrDropped = (series: string): number => (refOf(series) % 7 === 0 ? lineDropped : refOf(series));

function refOf(series: string): number {
  return Number(/\d+/.exec(series)?.[0] ?? 999);
}

test("lines become samples; what is known is not asked for again", () => {
  const table = kernel.createLineTable();
  const text = [
    "# HELP m1 Some help.",
    "# TYPE m1 counter",
    "# just a remark",
    "",
    'm1{a="b",c="d\\"}{"} 1.5',
    "m2 2 1234",
    "\tm3\t 3 ",
    'm4 {x="y"} NaN',
    "m5 -Inf 12345  ",
    'm6{a="new',
    'line"} 6e-3',
    'm7{a="b"}7',
  ].join("\n");
  const expected: Row[] = [
    { ref: 1, t: scrapeTimeMs, bits: bitsOf(1.5) },
    { ref: 2, t: 1234, bits: bitsOf(2) },
    { ref: 3, t: scrapeTimeMs, bits: bitsOf(3) },
    { ref: 4, t: scrapeTimeMs, bits: normalNaNBits },
    { ref: 5, t: 12345, bits: bitsOf(-Infinity) },
    { ref: 6, t: scrapeTimeMs, bits: bitsOf(0.006) },
    { ref: 7, t: scrapeTimeMs, bits: bitsOf(7) },
  ];
  const first = scrape(table, text, refOf);
  assert.equal(first.failedAt, undefined);
  assert.deepEqual(first.rows, expected);
  assert.deepEqual(first.comments, ["# HELP m1 Some help.", "# TYPE m1 counter"]);
  assert.deepEqual(first.unknown, [
    'm1{a="b",c="d\\"}{"}',
    "m2",
    "m3",
    'm4 {x="y"}',
    "m5",
    'm6{a="new\nline"}',
    'm7{a="b"}',
  ]);
  assert.equal(table.samplesScraped, 7);
  assert.deepEqual([...table.finish()], []);

  const second = scrape(table, text, refOf, { honorTimestamps: false });
  assert.deepEqual(second.unknown, []);
  assert.deepEqual(second.comments, []);
  assert.deepEqual(
    second.rows,
    expected.map((row) => ({ ...row, t: scrapeTimeMs })),
  );
  table.finish();
  table.close();
});

test("a key never matches a longer name or another label set", () => {
  const table = kernel.createLineTable();
  scrape(table, 'm1 1\nm1{a="2"} 1\n', refOf);
  table.finish();
  const { unknown, rows } = scrape(table, 'm11 1\nm1{a="2"}{ 1\nm1 {a="2"} 5\n', refOf);
  assert.deepEqual(unknown, ["m11", 'm1 {a="2"}']);
  assert.deepEqual(
    rows.map(({ ref }) => ref),
    [11, 1],
  );
  table.fail();
  table.close();
});

test("what the fast grammar lacks is handed to the caller with its ref", () => {
  const table = kernel.createLineTable();
  const lines = [
    "m1 0x1",
    "m2 1 1 1",
    "m3 1 -5",
    "m4 12345678901234567890123",
    "m5 nan",
    "m6 1 9999999999999999",
  ];
  const { complex, rows } = scrape(table, `${lines.join("\n")}\nm7 7`, refOf);
  assert.deepEqual(complex, lines);
  assert.deepEqual(
    rows.map(({ ref }) => ref),
    [7],
  );
  assert.deepEqual([...table.finish()], []);
  scrape(table, "m1 0x1\nm7 7\n", refOf);
  table.excludeFromStaleness();
  assert.deepEqual([...table.finish()].sort(ascending), [2, 3, 4, 5, 6]);
  scrape(table, "", refOf);
  assert.deepEqual([...table.finish()], [7]);
  table.close();
});

test("syntax errors are placed, and OpenMetrics is strict", () => {
  const table = kernel.createLineTable();
  const failures: [string, Options["format"], number | undefined][] = [
    ["m1 1\nm2\nm3 3\n", "text", 5],
    ['m1 1\nm2{a="b" 3\n', "text", 5],
    ['m1{a="b', "text", 0],
    ["m1 1\n# EOF\n", "openmetrics", undefined],
    ["m1 1\n# EOF", "openmetrics", undefined],
    ["m1 1\n", "openmetrics", 5],
    ["m1 1\n# EOF\nm2 1\n", "openmetrics", 5],
    ["m1 1\n\n# EOF\n", "openmetrics", 5],
    ["", "openmetrics", 0],
  ];
  for (const [text, format, failedAt] of failures) {
    const result = scrape(table, text, refOf, { format: format ?? "text" });
    assert.equal(result.failedAt, failedAt, JSON.stringify(text));
    table.fail();
  }
  const open = scrape(
    table,
    '# TYPE m1 counter\n# UNIT m1 s\nm1_total 1 1.5\nm2 2 1700000000.123\nm3 3 # {a="é"} 1\nm4  4\nm5 5 NaN\n# EOF\n',
    refOf,
    { format: "openmetrics" },
  );
  assert.deepEqual(open.comments, ["# TYPE m1 counter", "# UNIT m1 s"]);
  assert.deepEqual(
    open.rows.map(({ t }) => t),
    [1500, 1_700_000_000_123],
  );
  assert.deepEqual(open.complex, ['m3 3 # {a="é"} 1', "m4  4", "m5 5 NaN"]);
  table.close();
});

test("series with their own timestamps get no stale markers unless asked for", () => {
  const table = kernel.createLineTable();
  scrape(table, "m1 1 5\nm2 2\n", refOf);
  table.finish();
  scrape(table, "", refOf);
  assert.deepEqual([...table.finish()], [2]);
  scrape(table, "m1 1 5\nm2 2\n", refOf, { trackTimestampsStaleness: true });
  table.finish();
  scrape(table, "m1 1 5\nm2 2\n", refOf, { honorTimestamps: false });
  assert.deepEqual([...table.fail()].sort(ascending), [1, 2]);
  assert.deepEqual([...table.fail()], []);
  table.close();
});

test("two lines of one series vanish together only", () => {
  const table = kernel.createLineTable();
  scrape(table, 'm{a="1",b="2"} 1\nm{b="2",a="1"} 1\n', one);
  table.finish();
  scrape(table, 'm{b="2",a="1"} 1\n', one);
  assert.deepEqual([...table.finish()], []);
  scrape(table, "", one);
  assert.deepEqual([...table.finish()], [1]);
  table.close();
});

const scrapeExemplars = (table: LineTable, lines: readonly string[], reportExemplars = true): ScrapeResult =>
  scrape(table, `${lines.join("\n")}\n# EOF\n`, refOrDropped, { format: "openmetrics", reportExemplars });

test("exemplars are reported when they have changed, and their samples are read all the same", () => {
  const table = kernel.createLineTable();
  const lines = ['m1 1 # {id="a"} 0.5', "m2 2 1.5 # {} 1 2.5", 'm7 3 # {id="a"} 1', "m3 3"];
  const first = scrapeExemplars(table, lines);
  assert.deepEqual(first.exemplars, [
    [1, ' # {id="a"} 0.5'],
    [2, " # {} 1 2.5"],
  ]);
  assert.deepEqual(
    first.rows.map(({ ref, t, bits }) => [ref, t, valueOf(bits)]),
    [
      [1, scrapeTimeMs, 1],
      [2, 1500, 2],
      [3, scrapeTimeMs, 3],
    ],
  );
  table.finish();
  const second = scrapeExemplars(table, ['m1 1 # {id="b"} 0.5', "m2 3 1.5 # {} 1 2.5", "m3 3"]);
  assert.deepEqual(second.exemplars, [[1, ' # {id="b"} 0.5']]);
  assert.equal(second.rows.length, 3);
  table.finish();
  assert.deepEqual(scrapeExemplars(table, lines, false).exemplars, []);
  table.finish();
  assert.deepEqual(scrapeExemplars(table, ['m1 1 # {id="c"} 0.5']).exemplars, [[1, ' # {id="c"} 0.5']]);
  table.fail();
  table.close();
});

/** What the kernel takes for an exemplar; the reference parser judges all else. */
const number = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const plainExemplar = new RegExp(
  String.raw`^ # \{(?:[a-zA-Z_]\w*="(?:[^"\\\n\x80-\uffff]|\\[^\n\x80-\uffff])*"(?:,|(?=\})))*\} (?:${number}|[+-]?Inf|NaN)(?: ${number})?$`,
);

test("what is taken for an exemplar is one", () => {
  const table = kernel.createLineTable();
  const part = fc.constantFrom(
    ...Array.from(' #{}a0_="\\,1.5e-é'),
    ' # {a="b"}',
    " 1",
    " # {",
    '="x"',
    "} 1",
    " NaN",
    " Inf",
    'b="c",',
  );
  const text = fc.array(part, { maxLength: 8, size: "max" }).map((parts) => ` # {${parts.join("")}`);
  const near = fc
    .tuple(fc.constantFrom(' # {ab="c\\"d",e_1="f",} 1.5 2', " # {} Inf 17"), fc.nat(), part)
    .map(([good, at, put]) => good.slice(0, at % good.length) + put + good.slice((at % good.length) + 1));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(text, near), (exemplar) => {
      const { exemplars, complex, rows } = scrapeExemplars(table, [`m1 1${exemplar}`]);
      table.fail();
      if (rows.length === 0) return assert.deepEqual([exemplars, complex], [[], [`m1 1${exemplar}`]]);
      taken++;
      assert.match(exemplar, plainExemplar);
      assert.deepEqual([exemplars, complex], [[[1, exemplar]], []]);
    }),
    { numRuns: 5000 },
  );
  assert.ok(taken > 100);
  for (const good of [' # {ab="c\\"d",e_1="f",} 1.5 2', " # {} Inf 17", ' # {a="b"} 1e-9'])
    assert.equal(scrapeExemplars(table, [`m1 1${good}`]).rows.length, 1, (table.fail(), good));
  table.close();
});

test("a full batch is emptied and the scrape goes on", () => {
  const table = kernel.createLineTable();
  const lines = Array.from({ length: 10_000 }, (_, i) => `m${i + 1} ${i}`);
  for (let round = 0; round < 2; round++) {
    const { rows } = scrape(table, lines.join("\n"), refOf);
    assert.equal(rows.length, 10_000);
    assert.ok(rows.every(({ ref, bits }, i) => ref === i + 1 && bits === bitsOf(i)));
    table.finish();
  }
  assert.equal(table.entryCount, 10_000);
  table.close();
});

/** Printed with more digits than the fast grammar takes. */
const overlong = 0.125;

/** One generated line: series number, whether dropped, value, and a timestamp or none. */
const line = fc.record({
  id: fc.integer({ min: 1, max: 60 }),
  value: fc.oneof(
    fc.integer({ min: -5, max: 1e9 }),
    fc.double({ noNaN: true }),
    fc.constantFrom(NaN, Infinity, 5e-324, overlong),
  ),
  t: fc.option(fc.integer({ min: 0, max: 2e12 }), { freq: 6, nil: undefined }),
  comment: fc.integer({ min: 0, max: 20 }),
});

test("any sequence of scrapes equals the plain reading of it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(line, { maxLength: 80, size: "max" }), { maxLength: 6 }),
      fc.boolean(),
      fc.array(fc.boolean(), { maxLength: 6 }),
      (scrapes, keepOrder, fails) => {
        const used = kernel.arena.usage().usedBytes;
        const table = kernel.createLineTable();
        let known = new Set<string>();
        let tracked = new Set<number>();
        scrapes.forEach((lines, number) => {
          const ordered = keepOrder ? lines.toSorted((a, b) => a.id - b.id) : lines;
          const texts: string[] = [];
          const rows: Row[] = [];
          const unknown = new Set<string>();
          const seen = new Set<string>();
          const nowTracked = new Set<number>();
          for (const { id, value, t, comment } of ordered) {
            if (comment === 0) texts.push(`# TYPE m${id} counter`);
            if (comment === 1) texts.push("# remark", "");
            texts.push(`${seriesText(id)} ${printed(value)}${t === undefined ? "" : ` ${t}`}`);
            const complex = value === overlong;
            if (!known.has(seriesText(id)) && !seen.has(seriesText(id))) unknown.add(seriesText(id));
            seen.add(seriesText(id));
            if (id % 7 === 0) continue;
            if (!complex)
              rows.push({
                ref: id,
                t: t ?? scrapeTimeMs,
                bits: Number.isNaN(value) ? normalNaNBits : bitsOf(value),
              });
            if (t === undefined || complex) nowTracked.add(id);
            else nowTracked.delete(id);
          }
          const result = scrape(table, texts.join("\n"), refOrDropped);
          assert.deepEqual(result.rows, rows);
          assert.deepEqual(result.unknown, [...unknown]);
          assert.equal(result.failedAt, undefined);
          assert.equal(table.samplesScraped, ordered.length);
          if (fails[number]) {
            assert.deepEqual(new Set(table.fail()), tracked);
            known = new Set();
            tracked = new Set();
          } else {
            const expected = [...tracked].filter((id) => !seen.has(seriesText(id)));
            assert.deepEqual([...table.finish()].sort(ascending), expected.sort(ascending));
            known = seen;
            tracked = nowTracked;
          }
        });
        table.close();
        assert.equal(kernel.arena.usage().usedBytes, used, "memory leaked");
      },
    ),
    { numRuns: 150 },
  );
});

function printed(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  if (value === overlong) return `0.125${"0".repeat(20)}1`;
  return Object.is(value, -0) ? "-0" : String(value);
}

test("hostile bodies end in an event, within their bounds, and leak nothing", () => {
  const good = '# TYPE a counter\na{b="c"} 1 2\nd 1e5\n# EOF\n';
  const alphabet = fc.constantFrom(
    ...Array.from('a1{}"\\\n\t =,#.-+eE0NI'),
    "# EOF",
    "NaN ",
    " 1",
    "\0",
    "é",
    "# HELP a ",
    'a 1 # {b="c"} 1',
    " # {",
  );
  const text = fc.oneof(
    fc.array(alphabet, { maxLength: 60, size: "max" }).map((parts) => Buffer.from(parts.join(""))),
    fc.uint8Array({ maxLength: 100, size: "max" }),
    fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, byte]) => {
      const bytes = Buffer.from(good);
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
  );
  const used = kernel.arena.usage().usedBytes;
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 5 }),
      fc.constantFrom("text" as const, "openmetrics" as const),
      (bodies, format) => {
        const table = kernel.createLineTable();
        for (const bytes of bodies) {
          const { failedAt } = scrape(table, bytes, () => 1, { format, reportExemplars: true });
          if (failedAt === undefined) table.finish();
          else table.fail();
        }
        table.close();
        assert.equal(kernel.arena.usage().usedBytes, used, "memory leaked");
      },
    ),
    { numRuns: 1500 },
  );
});

test("lines that always change do not make the table grow", () => {
  const table = kernel.createLineTable();
  let largest = 0;
  for (let round = 0; round < 50; round++) {
    const lines = Array.from({ length: 300 }, (_, i) => `m${i}{round="${i % 2 === 0 ? 0 : round}"} 1`);
    scrape(table, lines.join("\n"), refOf);
    table.finish();
    if (round === 10) largest = table.memoryBytes;
  }
  assert.equal(table.entryCount, 300);
  assert.ok(table.memoryBytes <= largest * 1.2);
  table.close();
});

test("numbers are read exactly or not at all", () => {
  const ptr = kernel.scratch.allocate(1000);
  const out = kernel.scratch.allocate(8);
  const read = (text: string): number | undefined => {
    const bytes = Buffer.from(text);
    kernel.views.u8.set(bytes, ptr);
    kernel.views.u8.fill(0x39, ptr + bytes.length, ptr + bytes.length + 8);
    if (kernel.exports.parseNumber(ptr, bytes.length, out) === 0) return undefined;
    return valueOf(kernel.views.u64[out / 8]!);
  };
  let refused = 0;
  const check = (text: string): void => {
    const actual = read(text);
    if (actual === undefined) refused++;
    else assert.ok(Object.is(actual, Number(text)), `${text}: ${actual}`);
  };
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      check(String(value));
      check(value.toExponential(16));
      check(value.toPrecision(17));
    }),
    { numRuns: 3000 },
  );
  const digits = fc.string({
    unit: fc.constantFrom(...Array.from("0123456789")),
    maxLength: 25,
    size: "max",
  });
  fc.assert(
    fc.property(digits, digits, fc.integer({ min: -400, max: 400 }), (whole, fraction, exponent) => {
      if (whole + fraction === "") return;
      check(`${whole}.${fraction}e${exponent}`);
      check(`-${whole || "0"}.${fraction}`);
      if (whole !== "") check(whole);
    }),
    { numRuns: 3000 },
  );
  // Half-way cases and the edges of the exact powers.
  for (const text of [
    "9007199254740993",
    "9007199254740992.5",
    "1e22",
    "1e23",
    "8.5e-308",
    "1.7976931348623157e308",
  ])
    check(text);
  refused = 0;
  for (let i = 0; i < 10_000; i++) check(String(Math.random() * 10 ** (i % 300)));
  assert.equal(refused, 0, "ordinary numbers are in the fast grammar");
  for (const text of [
    "",
    "-",
    ".",
    "e5",
    "1e",
    "1e+",
    "+NaN",
    "nan",
    "inf",
    "0x10",
    "1_0",
    "--1",
    "1 ",
    "18446744073709551616",
  ])
    assert.equal(read(text), undefined, text);
  assert.deepEqual(["+Inf", "Inf", "-Inf", "NaN", "+5", "5.", ".5", "-0"].map(read), [
    Infinity,
    Infinity,
    -Infinity,
    NaN,
    5,
    5,
    0.5,
    -0,
  ]);
});
