import { errorMessage, NarthexError } from "../../base/index.ts";
import { type Labels, parseDuration, quoteGo, Regexp } from "../../model/index.ts";
import { numberValue } from "../number-literal.ts";
import { unquote } from "../string-literal.ts";
import { type DescribedValue, parseSeriesDescription, parseStartTimestamps } from "../series-description.ts";

/** Forgets all loaded samples. */
export interface ClearCommand {
  kind: "clear";
  line: number;
}

/** Adds samples, the first of each series at time 0. */
export interface LoadCommand {
  kind: "load";
  line: number;
  stepMs: number;
  /** Classic histograms are to be loaded a second time, as native ones with custom buckets. */
  withCustomBuckets: boolean;
  series: LoadedSeries[];
}

export interface LoadedSeries {
  labels: Labels;
  values: DescribedValue[];
  /** Per value, where it starts to count, in milliseconds from its own time. */
  startOffsetsMs?: (number | undefined)[];
}

/** Asks, and says what the answer must be. Times in milliseconds. */
export interface EvalCommand {
  kind: "eval";
  line: number;
  query: string;
  isRange: boolean;
  /** Equal to `endMs`, with step 0, for an instant query. */
  startMs: number;
  endMs: number;
  stepMs: number;
  expected: Expectation;
}

/** The grid of a range vector's samples. */
export interface Grid {
  startMs: number;
  endMs: number;
  stepMs: number;
}

export interface Expectation {
  ordered: boolean;
  /** The query must fail, with a message that matches. */
  fail?: TextMatch;
  /** Undefined: not looked at; []: there must be none; else every text is matched by one of these, and each matches one. */
  warnings?: TextMatch[];
  infos?: TextMatch[];
  /** What the result is: one of these, or `series`. */
  scalar?: number;
  string?: string;
  series: ExpectedSeries[];
  /** For a range vector as the result of an instant query. */
  grid?: Grid;
}

export interface ExpectedSeries {
  labels: Labels;
  values: DescribedValue[];
}

export interface TextMatch {
  description: string;
  matches(text: string): boolean;
}

export type Command = ClearCommand | LoadCommand | EvalCommand;

/** Reads a script in upstream's test language. Throws `bad_data` with the line's number. */
export function parseScript(text: string): Command[] {
  return new ScriptReader(text).read();
}

const load = /^load(_with_nhcb)?\s+(\S+)$/;
const evalInstant = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+at\s+(\S+)\s+(.+)$/;
const evalRange = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/;
const expectLine = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/;
const expectGrid = /^expect range vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/;
const expectString = /^expect string\s+(["`].*["`])$/;
const oldFailure = /^expected_fail_(message|regexp)\s+(.+)$/;

const anything: TextMatch = { description: "anything", matches: () => true };

function exactly(text: string): TextMatch {
  return { description: quoteGo(text), matches: (candidate) => candidate === text };
}

function containing(pattern: string): TextMatch {
  const regexp = Regexp.compile(pattern);
  return { description: `/${pattern}/`, matches: (candidate) => regexp.test(candidate) };
}

class ScriptReader {
  readonly #lines: string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split("\n").map((line) => (line.trim().startsWith("#") ? "" : line.trim()));
  }

  read(): Command[] {
    const commands: Command[] = [];
    for (; this.#at < this.#lines.length; this.#at++) {
      if (this.#lines[this.#at] === "") continue;
      try {
        commands.push(this.#command());
      } catch (error) {
        throw new NarthexError("bad_data", `line ${this.#at + 1}: ${errorMessage(error)}`, { cause: error });
      }
    }
    return commands;
  }

  #command(): Command {
    const text = this.#lines[this.#at]!;
    const line = this.#at + 1;
    if (text === "clear") return { kind: "clear", line };
    const loading = load.exec(text);
    if (loading) {
      const [, customBuckets, step] = loading;
      const withCustomBuckets = customBuckets !== undefined;
      return {
        kind: "load",
        line,
        stepMs: parseDuration(step!),
        withCustomBuckets,
        series: this.#loadedSeries(),
      };
    }
    const instant = evalInstant.exec(text);
    if (instant) {
      const [, mode, at, query] = instant;
      const endMs = parseDuration(at!);
      const expected = this.#expectation(mode);
      return {
        kind: "eval",
        line,
        query: query!,
        isRange: false,
        startMs: endMs,
        endMs,
        stepMs: 0,
        expected,
      };
    }
    const range = evalRange.exec(text);
    if (!range) throw new NarthexError("bad_data", `invalid command ${quoteGo(text)}`);
    const [, mode, from, to, step, query] = range;
    const grid = parseGrid(from!, to!, step!);
    return { kind: "eval", line, query: query!, isRange: true, ...grid, expected: this.#expectation(mode) };
  }

  /** The lines of the command at hand, up to the next empty one. */
  *#body(): Generator<string> {
    while (this.#at + 1 < this.#lines.length && this.#lines[this.#at + 1] !== "")
      yield this.#lines[++this.#at]!;
  }

  /** As upstream, a series that is described twice is what the last description says. */
  #loadedSeries(): LoadedSeries[] {
    const series = new Map<string, LoadedSeries>();
    let starts: ReturnType<typeof parseStartTimestamps>;
    for (const line of this.#body()) {
      const next = parseStartTimestamps(line);
      if (next) {
        starts = next;
        continue;
      }
      const described = parseSeriesDescription(line);
      if (
        starts &&
        (!starts.labels.equals(described.labels) || starts.offsetsMs.length !== described.values.length)
      ) {
        throw new NarthexError("bad_data", "the @st line above does not fit this series");
      }
      const startOffsetsMs = starts?.offsetsMs;
      series.set(described.labels.key(), { ...described, ...(startOffsetsMs && { startOffsetsMs }) });
      starts = undefined;
    }
    if (starts) throw new NarthexError("bad_data", "@st line has no following sample line");
    return [...series.values()];
  }

  #expectation(mode: string | undefined): Expectation {
    const expected: Expectation = { ordered: mode === "ordered", series: [] };
    if (mode === "fail") expected.fail = anything;
    if (mode === "warn") expected.warnings = [anything];
    if (mode === "info") expected.infos = [anything];
    for (const line of this.#body()) if (!applyDirective(expected, line)) addResult(expected, line);
    return expected;
  }
}

/** Applies an `expect …` line; false for a line with a result. */
function applyDirective(expected: Expectation, line: string): boolean {
  const grid = expectGrid.exec(line);
  const string = expectString.exec(line);
  const old = oldFailure.exec(line);
  if (grid) {
    expected.grid = parseGrid(grid[1]!, grid[2]!, grid[3]!);
  } else if (string) {
    expected.string = unquote(string[1]!);
  } else if (old) {
    expected.fail = old[1] === "message" ? exactly(old[2]!.trim()) : containing(old[2]!.trim());
  } else if (/^expect(\s|$)/.test(line)) {
    const directive = expectLine.exec(line);
    if (!directive) throw new NarthexError("bad_data", `invalid expect statement ${quoteGo(line)}`);
    const [, what, how, text] = directive;
    applyExpect(expected, what!, how === undefined ? anything : matchOf(how, text!.trim()));
  } else {
    return false;
  }
  return true;
}

function matchOf(how: string, text: string): TextMatch {
  return how === "msg" ? exactly(text) : containing(text);
}

function applyExpect(expected: Expectation, what: string, match: TextMatch): void {
  switch (what) {
    case "ordered":
      expected.ordered = true;
      break;
    case "fail":
      expected.fail = match;
      break;
    case "warn":
      (expected.warnings ??= []).push(match);
      break;
    case "info":
      (expected.infos ??= []).push(match);
      break;
    case "no_warn":
      expected.warnings = [];
      break;
    case "no_info":
      expected.infos = [];
      break;
  }
}

function addResult(expected: Expectation, line: string): void {
  const scalar = /^[+-]?[0-9.a-zA-Z_+-]+$/.test(line) ? signedNumber(line) : undefined;
  if (scalar !== undefined) expected.scalar = scalar;
  else expected.series.push(parseSeriesDescription(line));
}

function signedNumber(text: string): number | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  const value = numberValue(text.slice(sign.length));
  if (typeof value !== "number") return undefined;
  return sign === "-" ? -value : value;
}

function parseGrid(from: string, to: string, step: string): Grid {
  return { startMs: parseDuration(from), endMs: parseDuration(to), stepMs: parseDuration(step) };
}
