import {
  boolFlag,
  createLogger,
  listFlag,
  NarthexError,
  systemClock,
  systemDisk,
  textFlag,
} from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { benchmarkWrite, compatibleBlockRangeMs, createBlocksFromOpenMetrics } from "../../tsdb/index.ts";
import { parseTime } from "../../web/index.ts";
import { ApiClient, readHttpConfig } from "./api-client.ts";
import { type Commands, durationFlag, exitCode, integerFlag, mapFlag } from "./command.ts";
import { importRules, type RangeSeries } from "./import-rules.ts";
import { withOutput } from "./output.ts";

const defaultDirectory = "data/";
/** Rules are backfilled until so long ago unless told otherwise: what is younger may still be in the server's head. */
const recentMs = 3 * 3_600_000;

const importFlags = [
  boolFlag("human-readable", false, "Times as dates, sizes with units. Short: -r"),
  boolFlag("quiet", false, "Do not print the blocks. Short: -q"),
  textFlag("max-block-duration", "2h", "Longest range of a block.", true),
];
const importLetters = { r: "human-readable", q: "quiet" };

/** The commands that make data directories. */
export const tsdbWriteCommands: Commands = {
  "tsdb create-blocks-from openmetrics": {
    summary: "create blocks from an OpenMetrics text in which every sample has a time",
    flags: [...importFlags, listFlag("label", [], "Label to set on every series, as name=value.")],
    letters: importLetters,
    positionals: ["<input file>", "[<output directory>]"],
    run: (flags, [input, dataDirectory = defaultDirectory], { out }) =>
      withOutput(out, (output) => {
        const options = {
          kernel: createKernel(),
          disk: systemDisk,
          clock: systemClock,
          text: systemDisk.readFile(input!),
          dataDirectory,
          isHumanReadable: flags.bool("human-readable"),
          isQuiet: flags.bool("quiet"),
          blockRangeMs: compatibleBlockRangeMs(durationFlag(flags, "max-block-duration")),
          labels: mapFlag(flags, "label"),
        };
        createBlocksFromOpenMetrics(options, output);
        return exitCode.ok;
      }),
  },
  "tsdb create-blocks-from rules": {
    summary: "create blocks of what recording rules would have yielded, asking a server",
    flags: [
      ...importFlags,
      textFlag("http.config.file", "", "File with the client's TLS, authentication and proxy options."),
      textFlag("url", "http://localhost:9090", "The server that has the data."),
      textFlag("start", "", "Time to begin at, RFC 3339 or Unix seconds. Required."),
      textFlag("end", "", "Time to end at; three hours ago unless given."),
      textFlag("output-dir", defaultDirectory, "Directory for the blocks."),
      textFlag("eval-interval", "60s", "Interval of rule groups that name none."),
    ],
    letters: importLetters,
    requiredFlags: ["start"],
    positionals: ["<rule-files>..."],
    namesFiles: true,
    async run(flags, ruleFiles) {
      const [startMs, endMs] = timeRange(flags.text("start"), flags.text("end"));
      const http = readHttpConfig(systemDisk, flags.text("http.config.file"));
      const client = new ApiClient(flags.text("url"), http);
      try {
        await importRules({
          kernel: createKernel(),
          disk: systemDisk,
          clock: systemClock,
          logger: createLogger(),
          queryRange: (query, fromMs, toMs, stepMs) => queryRange(client, query, fromMs, toMs, stepMs),
          ruleFiles,
          dataDirectory: flags.text("output-dir"),
          startMs,
          endMs,
          intervalMs: durationFlag(flags, "eval-interval"),
          blockRangeMs: compatibleBlockRangeMs(durationFlag(flags, "max-block-duration")),
        });
        return exitCode.ok;
      } finally {
        await client.close();
      }
    },
  },
  "tsdb bench write": {
    summary: "measure how fast samples are written",
    flags: [
      textFlag("out", "benchout", "Directory for what is written; it is emptied first."),
      textFlag("metrics", "10000", "Series to take from the file."),
      textFlag("scrapes", "3000", "Scrapes to simulate."),
    ],
    positionals: ["[<file>]"],
    run: (flags, [seriesFile = "../../tsdb/testdata/20kseries.json"], { out }) =>
      withOutput(out, async (output) => {
        const options = {
          kernel: createKernel(),
          disk: systemDisk,
          clock: systemClock,
          logger: createLogger(),
          outputDirectory: flags.text("out"),
          seriesFile,
          seriesMax: integerFlag(flags, "metrics"),
          scrapes: integerFlag(flags, "scrapes"),
        };
        await benchmarkWrite(options, output);
        return exitCode.ok;
      }),
  },
};

function timeRange(start: string, end: string): [startMs: number, endMs: number] {
  const endMs = end === "" ? systemClock.nowMs() - recentMs : named("end", end);
  const startMs = named("start", start);
  if (startMs >= endMs) throw new NarthexError("bad_data", "start time is not before end time");
  // Whole seconds, as upstream.
  return [Math.floor(startMs / 1000) * 1000, Math.floor(endMs / 1000) * 1000];
}

function named(which: "start" | "end", text: string): number {
  try {
    return parseTime(text);
  } catch (error) {
    throw new NarthexError("bad_data", `error parsing ${which} time: ${(error as Error).message}`);
  }
}

async function queryRange(
  client: ApiClient,
  query: string,
  startMs: number,
  endMs: number,
  stepMs: number,
): Promise<readonly RangeSeries[]> {
  const params = {
    query,
    start: String(startMs / 1000),
    end: String(endMs / 1000),
    step: String(stepMs / 1000),
  };
  return (await client.ask<{ result: RangeSeries[] }>("query_range", params)).result;
}
