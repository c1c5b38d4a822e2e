import { boolFlag, listFlag, systemDisk, textFlag } from "../../base/index.ts";
import { createKernel, layout } from "../../kernel/index.ts";
import { parseMetricSelector } from "../../promql/index.ts";
import {
  BlockCache,
  type DumpOptions,
  dumpSamples,
  printBlockAnalysis,
  printBlockList,
} from "../../tsdb/index.ts";
import { type Command, type Commands, enumFlag, exitCode, integerFlag } from "./command.ts";
import { withOutput } from "./output.ts";

const defaultDirectory = "data/";
const databaseArgument = "[<db path>]";
const anySeries = '{__name__=~"(?s:.*)"}';

const dumpFormats = ["prom", "seriesjson"] as const;
const dumpFlags = [
  textFlag("sandbox-dir-root", "", "Accepted; nothing is written, so no sandbox is needed."),
  textFlag("min-time", "-9223372036854775808", "Oldest time to dump, in milliseconds since 1970."),
  textFlag("max-time", "9223372036854775807", "Newest time to dump, in milliseconds since 1970."),
  listFlag("match", [anySeries], "Series selector."),
];

export const tsdbCommands: Commands = {
  "tsdb list": {
    summary: "list the blocks of a data directory",
    flags: [boolFlag("human-readable", false, "Times as dates, sizes with units. Short: -r")],
    letters: { r: "human-readable" },
    positionals: [databaseArgument],
    run: (flags, [directory = defaultDirectory], { out }) =>
      withOutput(out, (output) => {
        const isHumanReadable = flags.bool("human-readable");
        printBlockList(systemDisk, directory, { isHumanReadable }, output);
        return exitCode.ok;
      }),
  },
  "tsdb analyze": {
    summary: "show churn, cardinality and how full chunks are in a block",
    flags: [
      textFlag("limit", "20", "Lines of each list."),
      boolFlag("extended", false, "Read the chunks too."),
      textFlag("match", "", "Only series that this selector matches."),
    ],
    positionals: [databaseArgument, "[<block id>]"],
    run: (flags, [directory = defaultDirectory, ulid], { out }) =>
      withOutput(out, (output) => {
        const text = flags.text("match");
        const options = {
          ...(ulid !== undefined && { ulid }),
          limit: integerFlag(flags, "limit"),
          isExtended: flags.bool("extended"),
          ...(text !== "" && { selector: { text, matchers: parseMetricSelector(text) } }),
        };
        const kernel = createKernel({ limitBytes: layout.memoryBytesMin });
        const context = { kernel, disk: systemDisk, cache: new BlockCache() };
        printBlockAnalysis(context, directory, options, output);
        return exitCode.ok;
      }),
  },
  "tsdb dump": dump("print samples, or only series, of a data directory", [
    ...dumpFlags,
    textFlag("format", "prom", "prom, or seriesjson for the series alone."),
  ]),
  "tsdb dump-openmetrics": dump("print samples of a data directory as OpenMetrics", dumpFlags),
};

function dump(summary: string, flags: Command["flags"]): Command {
  const choosesFormat = flags.some(({ name }) => name === "format");
  return {
    summary,
    flags,
    positionals: [databaseArgument],
    run: (given, [directory = defaultDirectory], { out }) =>
      withOutput(out, async (output) => {
        const options: DumpOptions = {
          minTimestampMs: integerFlag(given, "min-time"),
          maxTimestampMs: integerFlag(given, "max-time"),
          // As upstream, `{}` selects nothing.
          selectors: given
            .list("match")
            .map(parseMetricSelector)
            .filter(({ length }) => length > 0),
          format: choosesFormat ? enumFlag(given, "format", dumpFormats) : "openmetrics",
        };
        await dumpSamples(createKernel(), systemDisk, directory, options, output);
        return exitCode.ok;
      }),
  };
}
