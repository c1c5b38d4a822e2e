import { type FlagDefinition, Flags, NarthexError, parseFlags, systemDisk } from "../../base/index.ts";
import type { Output } from "../../tsdb/index.ts";

/** One leaf of the tree of commands. */
export interface Command {
  readonly summary: string;
  readonly flags: readonly FlagDefinition[];
  /** Flags that also have a letter. */
  readonly letters?: Readonly<Record<string, string>>;
  /** As `--help` names them: `<required>`, `[<optional>]`, the last one perhaps with `...`. */
  readonly positionals: readonly string[];
  /** The positional arguments must be existing files. */
  readonly namesFiles?: boolean;
  /** Returns the exit code. What is thrown is printed, and the code is 1. */
  run(flags: Flags, positionals: readonly string[]): number | Promise<number>;
}

/** Where a command prints to. */
export interface Streams {
  readonly out: Output;
  readonly err: Output;
}

/** Upstream's exit codes. */
export const exitCode = { ok: 0, failure: 1, usage: 1, lint: 3 } as const;

export interface ParsedArguments {
  readonly flags: Flags;
  readonly positionals: string[];
}

/** Flags and positional arguments in any order; after `--` everything is positional. Throws `bad_data`. */
export function parseArguments(command: Command, args: readonly string[]): ParsedArguments {
  const byName = new Map(command.flags.map((flag) => [flag.name, flag]));
  const flagArguments: string[] = [];
  const positionals: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    if (argument === "--") {
      positionals.push(...args.slice(i + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") positionals.push(argument);
    else if (!argument.startsWith("--")) flagArguments.push(...expandLetters(command, argument));
    else {
      flagArguments.push(argument);
      const kind = byName.get(argument.slice(2))?.kind;
      if (kind !== undefined && kind !== "bool" && i + 1 < args.length) flagArguments.push(args[++i]!);
    }
  }
  checkPositionals(command, positionals);
  return { flags: parseFlags(command.flags, flagArguments), positionals };
}

function expandLetters({ letters = {} }: Command, argument: string): string[] {
  return argument
    .slice(1)
    .split("")
    .map((letter) => {
      const name = Object.hasOwn(letters, letter) ? letters[letter] : undefined;
      if (name === undefined) throw new NarthexError("bad_data", `unknown short flag '-${letter}'`);
      return `--${name}`;
    });
}

function checkPositionals(
  { positionals: expected, namesFiles = false }: Command,
  given: readonly string[],
): void {
  const absent = namesFiles ? given.find((file) => systemDisk.stat(file) === undefined) : undefined;
  if (absent !== undefined) throw new NarthexError("bad_data", `path '${absent}' does not exist`);
  const missing = expected.slice(given.length).find((name) => name.startsWith("<"));
  if (missing !== undefined)
    throw new NarthexError("bad_data", `required argument '${missing.replace(/[<>.]/g, "")}' not provided`);
  if (given.length > expected.length && expected.at(-1)?.includes("...") !== true)
    throw new NarthexError("bad_data", `unexpected ${given[expected.length]}`);
}
