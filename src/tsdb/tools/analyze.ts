import { NarthexError } from "../../base/index.ts";
import { compareStrings, type Matcher, metricNameLabel } from "../../model/index.ts";
import { Block, type BlockContext, isMissing } from "../block/block.ts";
import { listBlockUlids } from "../block/directory.ts";
import { BlockSelector } from "../block/select.ts";
import { SeriesEntry } from "../block/series-entry.ts";
import { isUlid, ulidTimeMs } from "../block/ulid.ts";
import { formatChunkAnalysis } from "./chunk-analysis.ts";
import { checkDataDirectory, formatMilliseconds, type Output } from "./format.ts";

export interface AnalyzeOptions {
  /** Default: the block created last. */
  readonly ulid?: string;
  /** Lines of each list. */
  readonly limit: number;
  /** Also reads every chunk. */
  readonly isExtended: boolean;
  /** Only series that match, with the selector's text. */
  readonly selector?: { readonly text: string; readonly matchers: readonly Matcher[] };
}

interface PairCount {
  series: number;
  /** Time of the block, summed over the series, in which they had no samples. */
  uncoveredMs: number;
}

type Counted = readonly [key: string, count: number];

/** Prints what a block's series are made of. Throws `not_found`, the disk's error or BlockDamagedError. */
export function printBlockAnalysis(
  context: BlockContext,
  dataDirectory: string,
  options: AnalyzeOptions,
  output: Output,
): void {
  checkDataDirectory(context.disk, dataDirectory);
  const block = openBlock(context, dataDirectory, options.ulid);
  try {
    analyze(block, options, output);
  } finally {
    block.release();
  }
}

function openBlock(
  context: BlockContext,
  dataDirectory: string,
  ulid = lastUlid(context, dataDirectory),
): Block {
  // The name becomes part of a path.
  if (!isUlid(ulid)) throw new NarthexError("bad_data", `${JSON.stringify(ulid)} is not the name of a block`);
  try {
    return Block.open(context, `${dataDirectory}/${ulid}`);
  } catch (error) {
    if (isMissing(error)) throw new NarthexError("not_found", `invalid block ID ${ulid}`, { cause: error });
    throw error;
  }
}

function lastUlid({ disk }: BlockContext, dataDirectory: string): string {
  const ulids = listBlockUlids(disk, dataDirectory);
  if (ulids.length === 0) throw new NarthexError("not_found", "no blocks found");
  return ulids.reduce((last, ulid) => (ulidTimeMs(ulid) > ulidTimeMs(last) ? ulid : last));
}

function analyze(block: Block, { limit, isExtended, selector }: AnalyzeOptions, output: Output): void {
  const { meta, index } = block;
  const entry = new SeriesEntry();
  const read = (ref: number): SeriesEntry => {
    index.readSeries(ref, entry);
    return entry;
  };
  const refs = selector ? new BlockSelector(index, read).select(selector.matchers) : index.allPostings();
  const durationMs = meta.maxTime - meta.minTime;
  const pairs = countPairs(refs, read, durationMs);
  const text = (symbol: number): string => index.symbols.text(symbol);
  const names = [...pairs].map(([name, values]) => ({ name: text(name), values }));
  const counts = names.flatMap(({ values }) => [...values.values()]);

  output(`Block ID: ${meta.ulid}\nDuration: ${formatMilliseconds(durationMs)}\n`);
  output(`Total Series: ${meta.stats.numSeries}\n`);
  if (selector) output(`Matcher: ${selector.text}\n`);
  output(`Label names: ${names.length}\n`);
  if (selector) output(`Matched series: ${refs.length}\n`);
  output(`Postings (unique label pairs): ${counts.length}\n`);
  output(`Postings entries (total label pairs): ${sum(counts, ({ series }) => series)}\n`);

  const print = (title: string, list: readonly Counted[]): void =>
    output(`\n${title}:\n${formatLargest(list, limit)}`);
  const pairList = (count: (pair: PairCount) => number): Counted[] =>
    names.flatMap(({ name, values }) =>
      [...values].map(([value, pair]): Counted => [`${name}=${text(value)}`, count(pair)]),
    );
  const nameList = (count: (values: ReadonlyMap<number, PairCount>) => number): Counted[] =>
    names.map(({ name, values }): Counted => [name, count(values)]);
  const blocksOf = (uncoveredMs: number): number => Math.floor(uncoveredMs / durationMs);

  print(
    "Label pairs most involved in churning",
    pairList(({ uncoveredMs }) => blocksOf(uncoveredMs)),
  );
  print(
    "Label names most involved in churning",
    nameList((values) => blocksOf(sum(values.values(), ({ uncoveredMs }) => uncoveredMs))),
  );
  print(
    "Most common label pairs",
    pairList(({ series }) => series),
  );
  print(
    "Label names with highest cumulative label value length",
    nameList((values) => sum(values.keys(), (value) => Buffer.byteLength(text(value)))),
  );
  print(
    "Highest cardinality labels",
    nameList((values) => values.size),
  );
  const metricNames = names.find(({ name }) => name === metricNameLabel)?.values ?? [];
  print(
    "Highest cardinality metric names",
    [...metricNames].map(([value, { series }]): Counted => [text(value), series]),
  );
  if (isExtended) output(formatChunkAnalysis(block, refs, read));
}

/** By name symbol, then by value symbol. */
function countPairs(
  refs: Uint32Array,
  read: (ref: number) => SeriesEntry,
  durationMs: number,
): Map<number, Map<number, PairCount>> {
  const pairs = new Map<number, Map<number, PairCount>>();
  for (const ref of refs) {
    const { symbols, labelCount, chunkCount, minTimesMs, maxTimesMs } = read(ref);
    const coveredMs = chunkCount === 0 ? 0 : maxTimesMs[chunkCount - 1]! - minTimesMs[0]!;
    for (let at = 0; at < 2 * labelCount; at += 2) {
      let values = pairs.get(symbols[at]!);
      if (values === undefined) pairs.set(symbols[at]!, (values = new Map()));
      let pair = values.get(symbols[at + 1]!);
      if (pair === undefined) values.set(symbols[at + 1]!, (pair = { series: 0, uncoveredMs: 0 }));
      pair.series++;
      pair.uncoveredMs += durationMs - coveredMs;
    }
  }
  return pairs;
}

/** The largest counts first; equal ones in the order of their keys. */
function formatLargest(list: readonly Counted[], limit: number): string {
  return list
    .toSorted(([a, countA], [b, countB]) => countB - countA || compareStrings(a, b))
    .slice(0, Math.max(0, limit))
    .map(([key, count]) => `${count} ${key}\n`)
    .join("");
}

function sum<T>(values: Iterable<T>, count: (value: T) => number): number {
  let total = 0;
  for (const value of values) total += count(value);
  return total;
}
