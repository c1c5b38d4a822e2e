import { errorMessage, formatFlagHelp, NarthexError } from "../base/index.ts";
import { checkCommands } from "./promtool/check.ts";
import { type Command, type Commands, exitCode, type Streams, UsageError } from "./promtool/command.ts";
import { commandsBelow, flagsOf, parseCommandLine } from "./promtool/command-line.ts";
import { debugCommands } from "./promtool/debug.ts";
import { promqlCommands } from "./promtool/promql.ts";
import { queryCommands } from "./promtool/query.ts";
import { testCommands } from "./promtool/test-rules.ts";
import { tsdbCommands } from "./promtool/tsdb.ts";
import { tsdbWriteCommands } from "./promtool/tsdb-write.ts";
import { versionText } from "./version.ts";

const commands: Commands = {
  ...checkCommands,
  ...testCommands,
  ...queryCommands,
  ...debugCommands,
  ...promqlCommands,
  ...tsdbCommands,
  ...tsdbWriteCommands,
};

/** `narthex promtool COMMAND`: tools for configurations, rules, expositions and data directories. */
export async function runPromtool(args: string[]): Promise<void> {
  // Who reads no further, such as `head`, has what it wanted.
  process.stdout.on("error", () => process.exit(exitCode.failure));
  process.exitCode = await promtool(args, {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  });
}

/** Resolves to the exit code. */
export async function promtool(args: readonly string[], streams: Streams): Promise<number> {
  try {
    return await run(args, streams);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const message = describe(error);
    streams.err(isUsage ? `promtool: error: ${message}, try --help\n` : `${message}\n`);
    return isUsage ? exitCode.usage : exitCode.failure;
  }
}

/** The disk's errors as Go words them; what nobody expected with its stack. */
function describe(error: unknown): string {
  if (error instanceof NarthexError) return error.message;
  const { code, syscall, path, message, stack } = error as NodeJS.ErrnoException;
  if (code === undefined) return stack ?? errorMessage(error);
  const reason = /: (.*?)(?:,|$)/.exec(message)?.[1] ?? code;
  return path === undefined ? message : `${syscall} ${path}: ${reason}`;
}

async function run(args: readonly string[], streams: Streams): Promise<number> {
  if (args.includes("--version")) {
    streams.out(versionText("promtool"));
    return exitCode.ok;
  }
  const { words, wantsHelp, flags, positionals } = parseCommandLine(commands, args);
  const name = words.join(" ");
  if (wantsHelp) {
    const command = commands[name];
    streams.out(command ? commandHelp(name, command) : help(words));
    return exitCode.ok;
  }
  const command = commands[name]!;
  if (command.isExperimental && !flags.bool("experimental"))
    throw new NarthexError(
      "bad_data",
      "This command is experimental and requires the --experimental flag to be set.",
    );
  return command.run(flags, positionals, streams);
}

function help(words: readonly string[]): string {
  const lines = commandsBelow(commands, words).map(
    ([name, { summary }]) => `  ${name.padEnd(36)} ${summary}`,
  );
  return `usage: narthex promtool COMMAND [flags] [arguments]\n\nCommands:\n${lines.join("\n")}\n\nnarthex promtool COMMAND --help lists the flags of a command.\n`;
}

function commandHelp(name: string, command: Command): string {
  const usage = ["narthex promtool", name, "[flags]", ...command.positionals].join(" ");
  return `${command.summary}\n\n${formatFlagHelp(usage, flagsOf(command))}`;
}
