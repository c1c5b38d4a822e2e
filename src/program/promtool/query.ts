import {
  errorMessage,
  type FlagDefinition,
  type Flags,
  listFlag,
  NarthexError,
  systemClock,
  systemDisk,
  textFlag,
} from "../../base/index.ts";
import { formatGoDuration, toGoJson } from "../../model/index.ts";
import { parseTime } from "../../web/index.ts";
import { ApiClient, readHttpConfig } from "./api-client.ts";
import {
  type Command,
  type Commands,
  durationFlag,
  enumFlag,
  exitCode,
  mapFlag,
  type Streams,
} from "./command.ts";
import { type AnalyzedSeries, analyzeHistograms } from "./query-analyze.ts";
import { formatLabelSet, formatResult, type ResultData } from "./query-result.ts";

const commonFlags: readonly FlagDefinition[] = [
  textFlag("format", "promql", "promql, or json. Short: -o"),
  textFlag("http.config.file", "", "File with the client's TLS, authentication and proxy options."),
];
const headerFlag = listFlag("header", [], "Header to send, as name=value.");
const matchFlag = listFlag("match", [], "Series selector.");
const boundFlags = [
  textFlag("start", "", "Begin of the time that is looked at, RFC 3339 or Unix seconds."),
  textFlag("end", "", "Its end."),
];

/** How long before the end a range begins that states no begin, and how many steps it has that states none. */
const rangeMsDefault = 300_000;
const stepsDefault = 250;
/** What upstream takes for all of the time there is. */
const everMs = 9999 * 3_600_000;

/** The commands that ask a server. */
export const queryCommands: Commands = {
  "query instant": ask(
    "run an instant query",
    [textFlag("time", "", "Time of the query, RFC 3339 or Unix seconds; now unless given."), headerFlag],
    ["<expr>"],
    async (client, flags, [query]) => {
      const timeMs = timeOf(flags, "time", "evaluation") ?? systemClock.nowMs();
      const data = await answer<ResultData>(client, "query", { query: query!, time: seconds(timeMs) });
      return { json: data.result, lines: [formatResult(data)] };
    },
  ),
  "query range": ask(
    "run a range query",
    [...boundFlags, textFlag("step", "0s", "Step; a 250th of the range unless given."), headerFlag],
    ["<expr>"],
    async (client, flags, [query]) => {
      const endMs = timeOf(flags, "end") ?? systemClock.nowMs();
      const startMs = timeOf(flags, "start") ?? endMs - rangeMsDefault;
      if (startMs >= endMs) throw new NarthexError("bad_data", "start time is not before end time");
      const stepMs =
        durationFlag(flags, "step") ||
        1000 * Math.max(1, Math.floor((endMs - startMs) / 1000 / stepsDefault));
      const data = await answer<ResultData>(client, "query_range", {
        query: query!,
        start: seconds(startMs),
        end: seconds(endMs),
        step: seconds(stepMs),
      });
      return { json: data.result, lines: [formatResult(data)] };
    },
  ),
  "query series": {
    ...ask("list series", [matchFlag, ...boundFlags], [], async (client, flags) => {
      const params = [...bounds(flags), ...matches(flags)];
      const found = await answer<Record<string, string>[]>(client, "series", params);
      return { json: found, lines: found.map(formatLabelSet) };
    }),
    requiredFlags: ["match"],
  },
  "query labels": ask(
    "list a label's values",
    [...boundFlags, matchFlag],
    ["<name>"],
    async (client, flags, [name]) => {
      const params = [...bounds(flags), ...matches(flags)];
      const found = await answer<string[]>(
        client,
        `label/${encodeURIComponent(name!)}/values`,
        params,
        "GET",
      );
      return { json: found, lines: found };
    },
  ),
  "query analyze": {
    summary: "count the buckets of histograms",
    flags: [
      textFlag("server", "", "Server to ask."),
      textFlag("type", "", "Kind of metric: histogram."),
      textFlag("duration", "1h", "How much time is looked at."),
      textFlag("time", "", "Its end, RFC 3339 or Unix seconds; now unless given."),
      matchFlag,
      ...commonFlags,
    ],
    requiredFlags: ["server", "type", "match"],
    letters: { o: "format" },
    positionals: [],
    run: analyze,
  },
};

async function analyze(flags: Flags, _: readonly string[], { out }: Streams): Promise<number> {
  const type = flags.text("type");
  if (type !== "histogram")
    throw new NarthexError("bad_data", `analyze type is ${type}, must be 'histogram'`);
  const window = formatGoDuration(BigInt(durationFlag(flags, "duration")) * 1_000_000n);
  const time = seconds(timeOf(flags, "time") ?? systemClock.nowMs());
  const http = readHttpConfig(systemDisk, flags.text("http.config.file"));
  const client = new ApiClient(flags.text("server"), http);
  const ask = async (selector: string): Promise<readonly AnalyzedSeries[]> => {
    const data = await client.ask<ResultData>("query", { query: `${selector}[${window}]`, time });
    if (data.resultType !== "matrix")
      throw new NarthexError("execution", "query of buckets resulted in non-Matrix");
    return data.result;
  };
  try {
    await analyzeHistograms(flags.list("match"), ask, out);
    return exitCode.ok;
  } finally {
    await client.close();
  }
}

interface Answer {
  readonly json: unknown;
  readonly lines: readonly string[];
}

function ask(
  summary: string,
  flags: readonly FlagDefinition[],
  positionals: readonly string[],
  run: (client: ApiClient, flags: Flags, positionals: readonly string[]) => Promise<Answer>,
): Command {
  return {
    summary,
    flags: [...flags, ...commonFlags],
    letters: { o: "format" },
    positionals: ["<server>", ...positionals],
    async run(given, [server, ...rest], { out }) {
      const format = enumFlag(given, "format", ["promql", "json"] as const);
      const headers = flags.includes(headerFlag) ? mapFlag(given, "header") : undefined;
      const http = readHttpConfig(systemDisk, given.text("http.config.file"));
      const client = new ApiClient(server!, http, headers);
      try {
        const { json, lines } = await run(client, given, rest);
        out(format === "json" ? `${toGoJson(json)}\n` : lines.map((line) => `${line}\n`).join(""));
        return exitCode.ok;
      } finally {
        await client.close();
      }
    },
  };
}

async function answer<T>(client: ApiClient, ...request: Parameters<ApiClient["ask"]>): Promise<T> {
  try {
    return await client.ask<T>(...request);
  } catch (error) {
    if (!(error instanceof NarthexError)) throw error;
    throw new NarthexError("execution", `query error: ${error.message}`, { cause: error });
  }
}

/** Undefined when the flag is not given. Throws `bad_data`. */
function timeOf(flags: Flags, name: string, title = name): number | undefined {
  const text = flags.text(name);
  if (text === "") return undefined;
  try {
    return parseTime(text);
  } catch (error) {
    throw new NarthexError("bad_data", `error parsing ${title} time: ${errorMessage(error)}`);
  }
}

function bounds(flags: Flags): [string, string][] {
  const nowMs = systemClock.nowMs();
  return [
    ["start", seconds(timeOf(flags, "start") ?? nowMs - everMs)],
    ["end", seconds(timeOf(flags, "end") ?? nowMs + everMs)],
  ];
}

function matches(flags: Flags): [string, string][] {
  return flags.list("match").map((selector) => ["match[]", selector]);
}

function seconds(ms: number): string {
  return String(ms / 1000);
}
