import { errorMessage, formatFlagHelp, NarthexError } from "../base/index.ts";
import { checkCommands } from "./promtool/check.ts";
import { type Command, exitCode, parseArguments } from "./promtool/command.ts";
import { tsdbCommands } from "./promtool/tsdb.ts";
import { tsdbWriteCommands } from "./promtool/tsdb-write.ts";
import { versionText } from "./version.ts";

const commands: Readonly<Record<string, Command>> = {
  ...checkCommands,
  ...tsdbCommands,
  ...tsdbWriteCommands,
};

/** `narthex promtool COMMAND`: tools for configurations, rules, expositions and data directories. */
export async function runPromtool(args: string[]): Promise<void> {
  // Who reads no further, such as `head`, has what it wanted.
  process.stdout.on("error", () => process.exit(exitCode.failure));
  if (args.includes("--version")) return void process.stdout.write(versionText("promtool"));
  const name = Object.keys(commands).find((name) => name.split(" ").every((word, i) => args[i] === word));
  const wantsHelp = args.length === 0 || args[0] === "help" || args.includes("--help") || args.includes("-h");
  if (name === undefined) {
    if (wantsHelp) return void process.stdout.write(help());
    process.stderr.write(`promtool: error: unknown command ${JSON.stringify(args.join(" "))}, try --help\n`);
    process.exitCode = exitCode.usage;
    return;
  }
  const command = commands[name]!;
  if (wantsHelp) return void process.stdout.write(commandHelp(name, command));
  process.exitCode = await runCommand(command, args.slice(name.split(" ").length));
}

async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof parseArguments>;
  try {
    parsed = parseArguments(command, args);
  } catch (error) {
    process.stderr.write(`promtool: error: ${errorMessage(error)}, try --help\n`);
    return exitCode.usage;
  }
  try {
    return await command.run(parsed.flags, parsed.positionals);
  } catch (error) {
    const isExpected = error instanceof NarthexError || (error as NodeJS.ErrnoException).code !== undefined;
    process.stderr.write(`${isExpected ? errorMessage(error) : (error as Error).stack}\n`);
    return exitCode.failure;
  }
}

function help(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(36)} ${summary}`);
  return `usage: narthex promtool COMMAND [flags] [arguments]\n\nCommands:\n${lines.join("\n")}\n\nnarthex promtool COMMAND --help lists the flags of a command.\n`;
}

function commandHelp(name: string, { summary, flags, positionals }: Command): string {
  const usage = ["narthex promtool", name, "[flags]", ...positionals].join(" ");
  return `${summary}\n\n${formatFlagHelp(usage, flags)}`;
}
