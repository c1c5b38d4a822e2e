import { type Clock, type Disk, NarthexError } from "../../base/index.ts";
import { createParser, type EntryKind, type ExpositionParser } from "../../exposition/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { LabelsBuilder } from "../../model/index.ts";
import { createBlocks, type LabelledSample } from "../block/create.ts";
import type { Output } from "./format.ts";
import { formatBlocks, type ListOptions } from "./list.ts";

export interface OpenMetricsImport extends ListOptions {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly clock: Clock;
  /** The text; it is read once for each block. */
  readonly text: Uint8Array;
  /** Made when it is not there. */
  readonly dataDirectory: string;
  /** Prints no blocks. */
  readonly isQuiet: boolean;
  readonly blockRangeMs: number;
  /** Set on every series; an empty value takes the label away. */
  readonly labels: ReadonlyMap<string, string>;
}

const blockRangeMsMin = 7_200_000;
const blockRangeCount = 10;
const blockRangeFactor = 3;

/** The range of upstream's levels (2 h, 6 h, 18 h …) that is nearest below; 2 h at least. */
export function compatibleBlockRangeMs(rangeMsMax: number): number {
  let rangeMs = blockRangeMsMin;
  for (let level = 1; level < blockRangeCount && rangeMs * blockRangeFactor <= rangeMsMax; level++)
    rangeMs *= blockRangeFactor;
  return rangeMs;
}

/** Creates blocks from an OpenMetrics text, every sample of which must have a time, and prints them. Throws `bad_data` or the disk's error. */
export function createBlocksFromOpenMetrics(options: OpenMetricsImport, output: Output): void {
  const { disk, dataDirectory, isQuiet, text, labels } = options;
  disk.makeDirectory(dataDirectory);
  let isFirst = true;
  createBlocks(
    options,
    () => readSamples(text, labels),
    (meta) => {
      if (!isQuiet) output(formatBlocks(disk, dataDirectory, [meta], options, isFirst));
      isFirst = false;
    },
  );
}

function* readSamples(text: Uint8Array, added: ReadonlyMap<string, string>): Generator<LabelledSample> {
  const parser = createParser(text, "openmetrics");
  for (let kind = next(parser); kind !== "end"; kind = next(parser)) {
    if (kind !== "series") continue;
    const { timestampMs, value } = parser;
    let labels = parser.labels();
    if (timestampMs === undefined) throw unreadable("expected timestamp for series got none");
    if (added.size > 0) {
      const builder = new LabelsBuilder(labels);
      for (const [name, value] of added) builder.set(name, value);
      labels = builder.labels();
    }
    yield { labels, timestampMs, value };
  }
}

function next(parser: ExpositionParser): EntryKind {
  try {
    return parser.next();
  } catch (error) {
    throw error instanceof NarthexError ? unreadable(`next: ${error.message}`) : error;
  }
}

/** All of the text is read for the times alone before anything is written, and that finds every fault. */
function unreadable(reason: string): NarthexError {
  return new NarthexError("bad_data", `getting min and max timestamp: ${reason}`);
}
