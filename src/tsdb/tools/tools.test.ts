import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { systemClock, systemDisk } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels, Matcher, parseHistogram } from "../../model/index.ts";
import { BlockWriter } from "../block/block-writer.ts";
import { IndexSymbols } from "../block/index-symbols.ts";
import { testContext } from "../block/test-support.ts";
import { createUlid } from "../block/ulid.ts";
import { promtool, skipWithoutPrometheus } from "../peer-support.ts";
import { isOldPeer } from "../../../test/support/peers.ts";
import { baseTimeMs, kernelBytes, openTest, directoryOf } from "../test-support.ts";
import {
  compatibleBlockRangeMs,
  createBlocksFromOpenMetrics,
  type DumpOptions,
  dumpSamples,
  printBlockAnalysis,
  printBlockList,
} from "./index.ts";
import { formatMilliseconds, formatTable } from "./format.ts";

const context = testContext();
const everything: DumpOptions = {
  minTimestampMs: Number.MIN_SAFE_INTEGER,
  maxTimestampMs: Number.MAX_SAFE_INTEGER,
  selectors: [[]],
  format: "prom",
};

test("durations, sizes and tables are those of upstream", () => {
  assert.deepEqual([0, 999, 1000, 60_001, 7_200_000, 7_199_999].map(formatMilliseconds), [
    "0s",
    "999ms",
    "1s",
    "1m0.001s",
    "2h0m0s",
    "1h59m59.999s",
  ]);
  assert.equal(formatTable([["a", "b"], ["a longer cell"]]), "a              b\na longer cell\n");
  assert.deepEqual(
    [0, 7_200_000, 21_599_999, 21_600_000, 1e15].map((ms) => compatibleBlockRangeMs(ms) / 3_600_000),
    [2, 2, 2, 6, 2 * 3 ** 9],
  );
});

test(
  "promtool and we say the same of blocks that either created",
  { skip: skipWithoutPrometheus },
  async (t) => {
    const parent = directoryOf(t);
    writeFileSync(`${parent}/in.txt`, openMetrics());
    promtool("tsdb", "create-blocks-from", "openmetrics", `${parent}/in.txt`, `${parent}/theirs`);
    importText(openMetrics(), `${parent}/ours`);
    const dumps: string[] = [];
    for (const directory of [`${parent}/theirs`, `${parent}/ours`]) {
      mkdirSync(`${directory}/wal`);
      for (const isHumanReadable of [false, true]) {
        const flags = isHumanReadable ? ["-r"] : [];
        const list = collect((output) => printBlockList(systemDisk, directory, { isHumanReadable }, output));
        assert.equal(list, promtool("tsdb", "list", ...flags, directory));
      }
      const analysis = collect((output) =>
        printBlockAnalysis(context, directory, { limit: 1000, isExtended: false }, output),
      );
      assert.deepEqual(
        sections(isOldPeer("promtool") ? analysis.replace("Total Series:", "Series:") : analysis),
        sections(promtool("tsdb", "analyze", "--limit=1000", directory)),
      );
      const dump = await dumpText(directory, everything);
      assert.equal(dump, promtool("tsdb", "dump", directory));
      dumps.push(dump);
    }
    assert.equal(dumps[0], dumps[1]);
    assert.equal(dumps[0]!.split("\n").length, 5 * 300 + 1);
  },
);

test(
  "promtool and we dump the same of blocks and write-ahead log together",
  { skip: skipWithoutPrometheus },
  async (t) => {
    const directory = directoryOf(t);
    const { tsdb } = await openTest(`${directory}/data`);
    const appender = tsdb.appender();
    for (let i = 0; i < 1000; i++) {
      const ref = appender.reference(Labels.from({ __name__: `m${i % 3}`, id: "1", text: "plain" }));
      appender.append(ref, baseTimeMs + i * 10, Math.sqrt(i));
    }
    appender.commit();
    await tsdb.close();
    const hourMs = 3_600_000;
    const older = openMetrics().replace(
      / (\d+\.\d{3})$/gm,
      (_, seconds: string) => ` ${(Number(seconds) - 24 * (hourMs / 1000)).toFixed(3)}`,
    );
    importText(older, `${directory}/data`);
    const ours = await dumpText(`${directory}/data`, everything);
    // It may write there.
    cpSync(`${directory}/data`, `${directory}/copy`, { recursive: true });
    assert.equal(ours, promtool("tsdb", "dump", `${directory}/copy`));
    assert.equal(ours.split("\n").length, 5 * 300 + 1000 + 1);
  },
);

test("a dump has what is in the write-ahead log, and changes nothing", async (t) => {
  const directory = directoryOf(t);
  const { tsdb } = await openTest(directory);
  const appender = tsdb.appender();
  for (const name of ["a", "b"]) {
    const ref = appender.reference(Labels.from({ __name__: name, path: "<x>" }));
    appender.append(ref, baseTimeMs - 1000, 1e6);
    appender.append(ref, baseTimeMs, 0.5);
  }
  appender.commit();
  await tsdb.close();
  // As if its writer were at the next record.
  const segment = `${directory}/wal/00000000`;
  writeFileSync(segment, Buffer.concat([readFileSync(segment), Buffer.from([1, 0, 99, 1, 2])]));
  const before = readFileSync(segment);

  assert.equal(
    await dumpText(directory, everything),
    ["a", "b"]
      .map((name) => `{__name__="${name}", path="<x>"} `)
      .map((labels) => `${labels}1e+06 ${baseTimeMs - 1000}\n${labels}0.5 ${baseTimeMs}\n`)
      .join(""),
  );
  assert.deepEqual(readFileSync(segment), before);
  assert.equal(
    await dumpText(directory, { ...everything, format: "openmetrics", minTimestampMs: baseTimeMs }),
    `a{path="<x>"} 0.5 1700006400.000\nb{path="<x>"} 0.5 1700006400.000\n# EOF\n`,
  );
  const b = [new Matcher("=", "__name__", "b")];
  const named = [new Matcher("=~", "__name__", "b|c")];
  assert.equal(
    await dumpText(directory, { ...everything, format: "seriesjson", selectors: [b, named] }),
    String.raw`{"__name__":"b","path":"\u003cx\u003e"}` + "\n",
  );
  truncateSync(segment, 0);
  assert.equal(await dumpText(directory, everything), "");
});

test("what is dumped as OpenMetrics and imported again is the same, with labels added", async (t) => {
  const parent = directoryOf(t);
  importText(openMetrics(), `${parent}/first`);
  const text = await dumpText(`${parent}/first`, { ...everything, format: "openmetrics" });
  importText(text, `${parent}/second`, new Map([["added", "yes"]]));
  const [first, second] = [
    await dumpText(`${parent}/first`, everything),
    await dumpText(`${parent}/second`, everything),
  ];
  assert.equal(second.replaceAll(', added="yes"', ""), first);
});

test("an analysis of some series, and of their chunks", (t) => {
  const directory = directoryOf(t);
  importText(openMetrics(), directory);
  const selector = { text: '{id="3"}', matchers: [new Matcher("=", "id", "3")] };
  const text = collect((output) =>
    printBlockAnalysis(context, directory, { limit: 5, isExtended: true, selector }, output),
  );
  assert.match(text, /\nMatcher: \{id="3"\}\nLabel names: 3\nMatched series: 1\n/);
  assert.match(text, /\nsamples per float chunk \(min\/avg\/max\): 60\/60\/60\n\[61, 70\]: 1 #{100}\n/);
  assert.match(text, /\nbuckets per histogram chunk: N\/A\n/);
});

test("native histograms of blocks are dumped and analyzed", async (t) => {
  const directory = directoryOf(t);
  const ulid = createUlid(baseTimeMs);
  const symbols = IndexSymbols.of(["__name__", "h"]);
  const writer = new BlockWriter({ ...context, dataDirectory: directory, ulid }, symbols);
  const { histogram } = parseHistogram("count:3 sum:7.5 buckets:[2 1]");
  const sample = { kind: "integer" as const, histogram, startTimestampMs: 0 } as const;
  writer.addHistograms([1000, 2000].map((timestampMs) => ({ ...sample, timestampMs })));
  writer.endSeries(symbols.symbolsOf(["__name__", "h"]));
  writer.finish(0, 7_200_000, { level: 1, sources: [ulid] });
  const line = '{__name__="h"} {count:3, sum:7.5, (0.5,1]:2, (1,2]:1}';
  assert.equal(await dumpText(directory, everything), `${line} 1000\n${line} 2000\n`);
  assert.equal(await dumpText(directory, { ...everything, format: "openmetrics" }), "# EOF\n");
  const text = collect((output) =>
    printBlockAnalysis(context, directory, { limit: 5, isExtended: true }, output),
  );
  assert.match(text, /\nsamples per float chunk: N\/A\n/);
  assert.match(text, /\nsamples per histogram chunk \(min\/avg\/max\): 2\/2\/2\n/);
  assert.match(text, /\nbuckets per histogram chunk \(min\/avg\/max\): 4\/4\/4\n/);
});

test("what cannot be read is one clear error", async (t) => {
  const directory = directoryOf(t);
  const output = (): void => {};
  const options = { limit: 5, isExtended: false };
  assert.throws(
    () => printBlockAnalysis(context, directory, options, output),
    /^NarthexError: no blocks found/,
  );
  assert.throws(
    () => printBlockAnalysis(context, directory, { ...options, ulid: "../x" }, output),
    /"\.\.\/x" is not the name of a block/,
  );
  await assert.rejects(dumpText(`${directory}/none`, everything), /opening the db dir: stat .*no such file/);
  assert.throws(
    () => importText("a 1\n# EOF\n", directory),
    /^NarthexError: getting min and max timestamp: expected timestamp for series got none/,
  );
  assert.throws(() => importText("a 1 1\n", directory), /EOF/);
});

/** Five hours of five series with odd values and labels. */
function openMetrics(): string {
  const values = ["NaN", "+Inf", "-Inf", "1e+300", "0.1", "1000000", "123456"];
  const lines: string[] = [];
  for (let id = 0; id < 5; id++)
    for (let i = 0; i < 300; i++) {
      const seconds = baseTimeMs / 1000 + i * (id === 3 ? 120 : 60) + id * 0.017;
      const text = id % 4 === 0 ? 'é\\n\\"\\\\' : "plain";
      lines.push(`m${id % 3}{id="${id}",text="${text}"} ${values[(i + id) % 7]} ${seconds.toFixed(3)}`);
    }
  return `${lines.join("\n")}\n# EOF\n`;
}

function importText(
  text: string,
  dataDirectory: string,
  labels: ReadonlyMap<string, string> = new Map(),
): void {
  const options = { kernel: context.kernel, disk: systemDisk, clock: systemClock, dataDirectory, labels };
  createBlocksFromOpenMetrics(
    { ...options, text: Buffer.from(text), isHumanReadable: false, isQuiet: true, blockRangeMs: 7_200_000 },
    () => {},
  );
}

function collect(print: (output: (text: string) => void) => void): string {
  let result = "";
  print((text) => (result += text));
  return result;
}

async function dumpText(directory: string, options: DumpOptions): Promise<string> {
  let result = "";
  const kernel = createKernel({ limitBytes: kernelBytes });
  await dumpSamples(kernel, systemDisk, directory, options, (text) => (result += text));
  return result;
}

/** Upstream prints equal counts in any order. */
function sections(text: string): string[][] {
  return text.split("\n\n").map((section) => section.split("\n").sort());
}
