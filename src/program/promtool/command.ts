import { boolFlag, type FlagDefinition, type Flags, listFlag, NarthexError } from "../../base/index.ts";
import { parseGoDuration } from "../../model/index.ts";
import type { Output } from "../../tsdb/index.ts";

/** One leaf of the tree of commands. */
export interface Command {
  readonly summary: string;
  readonly flags: readonly FlagDefinition[];
  /** Flags that also have a letter. */
  readonly letters?: Readonly<Record<string, string>>;
  /** Flags without which nothing is done. */
  readonly requiredFlags?: readonly string[];
  /** As `--help` names them: `<required>`, `[<optional>]`, the last one perhaps with `...`. */
  readonly positionals: readonly string[];
  /** The positional arguments must be existing files. */
  readonly namesFiles?: boolean;
  /** Needs `--experimental`. */
  readonly isExperimental?: boolean;
  /** Returns the exit code. What is thrown is printed, and the code is 1. */
  run(flags: Flags, positionals: readonly string[], streams: Streams): number | Promise<number>;
}

/** The commands by their words. */
export type Commands = Readonly<Record<string, Command>>;

/** Flags of every command. */
export const commonFlags: readonly FlagDefinition[] = [
  boolFlag("experimental", false, "Allow experimental commands."),
  listFlag(
    "enable-feature",
    [],
    "Features of the query language, separated by commas: promql-experimental-functions, promql-extended-range-selectors, promql-binop-fill-modifiers, promql-delayed-name-removal.",
  ),
];

/** Where a command prints to. */
export interface Streams {
  readonly out: Output;
  readonly err: Output;
}

/** Upstream's exit codes. */
export const exitCode = { ok: 0, failure: 1, usage: 1, lint: 3 } as const;

/** The command line asks for what no command can do; the message is kingpin's. */
export class UsageError extends NarthexError {
  constructor(message: string) {
    super("bad_data", message);
    this.name = "UsageError";
  }
}

/** A flag's whole number. Bounds of 64 bits come out as the nearest safe integers. Throws UsageError. */
export function integerFlag(flags: Flags, name: string): number {
  const text = flags.text(name);
  const fail = (reason: string): never => {
    throw new UsageError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${reason}`);
  };
  if (!/^[+-]?\d+$/.test(text)) return fail("invalid syntax");
  const value = BigInt(text);
  if (BigInt.asIntN(64, value) !== value) return fail("value out of range");
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));
}

/** A flag's duration in milliseconds, in Go's own notation, with days and weeks. Throws UsageError. */
export function durationFlag(flags: Flags, name: string): number {
  try {
    return parseGoDuration(flags.text(name), true);
  } catch (error) {
    throw error instanceof NarthexError ? new UsageError(error.message) : error;
  }
}

/** A flag that must have one of the values. Throws UsageError. */
export function enumFlag<T extends string>(flags: Flags, name: string, values: readonly T[]): T {
  const text = flags.text(name);
  const found = values.find((value) => value === text);
  if (found === undefined)
    throw new UsageError(`enum value must be one of ${values.join(",")}, got '${text}'`);
  return found;
}

/** A flag that is repeated as `name=value`. Throws UsageError. */
export function mapFlag(flags: Flags, name: string): Map<string, string> {
  return new Map(
    flags.list(name).map((text) => {
      const match = /^([^=:]+)[=:]([^]*)$/.exec(text);
      if (match === null) throw new UsageError(`expected KEY=VALUE got '${text}'`);
      return [match[1]!, match[2]!];
    }),
  );
}
