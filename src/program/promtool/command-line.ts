import { type FlagDefinition, Flags, NarthexError, parseFlags, systemDisk } from "../../base/index.ts";
import { type Command, type Commands, commonFlags, UsageError } from "./command.ts";

export interface CommandLine {
  /** The words in front, such as `tsdb list`; those of no command when only help is wanted. */
  readonly words: readonly string[];
  readonly wantsHelp: boolean;
  readonly flags: Flags;
  readonly positionals: readonly string[];
}

/**
 * Reads what the shell passed. Flags stand anywhere, between a command's words too; after `--` everything is positional.
 * Throws UsageError in kingpin's words.
 */
export function parseCommandLine(commands: Commands, args: readonly string[]): CommandLine {
  const reader = new Reader(commands, args);
  reader.read();
  const { words, wantsHelp, positionals, flagArguments } = reader;
  const command = reader.command;
  if (wantsHelp) return { words, wantsHelp, positionals, flags: new Flags(new Map()) };
  if (command === undefined) throw new UsageError(`must select a subcommand of '${words.join(" ")}'`);
  const flags = asUsage(() => parseFlags(flagsOf(command), flagArguments));
  checkPositionals(command, positionals);
  const given = new Set(flagArguments.map((argument) => argument.replace(/^--([^=]*)=?[^]*$/, "$1")));
  const missing = (command.requiredFlags ?? []).filter((name) => !given.has(name));
  if (missing.length > 0) {
    const names = missing.map((name) => `'--${name}'`).join(", ");
    throw new UsageError(`required flag(s) ${names} not provided`);
  }
  checkRequired(command, positionals);
  return { words, wantsHelp, flags, positionals };
}

/** The commands that begin with the words. */
export function commandsBelow(commands: Commands, words: readonly string[]): [string, Command][] {
  return Object.entries(commands).filter(([name]) => {
    const parts = name.split(" ");
    return words.every((word, i) => parts[i] === word);
  });
}

export function flagsOf({ flags }: Command): FlagDefinition[] {
  return [...flags, ...commonFlags];
}

class Reader {
  readonly #commands: Commands;
  readonly #args: readonly string[];
  #at = 0;
  readonly words: string[] = [];
  readonly positionals: string[] = [];
  /** As `parseFlags` takes them: `--name=value`. */
  readonly flagArguments: string[] = [];
  wantsHelp: boolean;

  constructor(commands: Commands, args: readonly string[]) {
    this.#commands = commands;
    this.#args = args;
    this.wantsHelp = args.length === 0;
  }

  get command(): Command | undefined {
    const name = this.words.join(" ");
    return Object.hasOwn(this.#commands, name) ? this.#commands[name] : undefined;
  }

  read(): void {
    while (this.#at < this.#args.length) {
      const argument = this.#args[this.#at++]!;
      if (argument === "--") for (const rest of this.#rest()) this.#word(rest);
      else if (argument === "--help" || argument === "-h") this.wantsHelp = true;
      else if (argument.startsWith("--")) this.#long(argument);
      else if (argument.startsWith("-") && argument !== "-") this.#letters(argument.slice(1));
      else this.#word(argument);
    }
  }

  #rest(): string[] {
    const rest = this.#args.slice(this.#at);
    this.#at = this.#args.length;
    return rest;
  }

  #word(argument: string): void {
    const { command } = this;
    if (command !== undefined) {
      const { positionals } = command;
      const takesMore = this.positionals.length < positionals.length || positionals.at(-1)?.includes("...");
      if (!takesMore) throw new UsageError(`unexpected ${argument}`);
      this.positionals.push(argument);
    } else if (argument === "help" && this.words.length === 0) {
      this.wantsHelp = true;
    } else {
      this.words.push(argument);
      if (commandsBelow(this.#commands, this.words).length === 0)
        throw new UsageError(`expected command but got ${JSON.stringify(argument)}`);
    }
  }

  #long(argument: string): void {
    const equals = argument.indexOf("=");
    const name = equals < 0 ? argument.slice(2) : argument.slice(2, equals);
    const definition = this.#definition(name);
    if (definition === undefined && this.#definition(name.replace(/^no-/, ""))?.kind !== "bool")
      throw new UsageError(`unknown long flag '--${name}'`);
    if (definition === undefined || definition.kind === "bool" || equals >= 0)
      this.flagArguments.push(argument);
    else this.flagArguments.push(`${argument}=${this.#value(`--${name}`)}`);
  }

  /** Letters of flags without a value may stand together; a value follows its letter at once or as the next argument. */
  #letters(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const letter = text[i]!;
      const name = this.#nameOf(letter);
      if (name === undefined) throw new UsageError(`unknown short flag '-${letter}'`);
      if (this.#definition(name)!.kind === "bool") {
        this.flagArguments.push(`--${name}`);
        continue;
      }
      this.flagArguments.push(`--${name}=${text.slice(i + 1) || this.#value(`-${letter}`)}`);
      return;
    }
  }

  #value(flag: string): string {
    const value = this.#args[this.#at++];
    if (value === undefined) throw new UsageError(`expected argument for flag '${flag}'`);
    return value;
  }

  #definition(name: string): FlagDefinition | undefined {
    for (const [, command] of commandsBelow(this.#commands, this.words)) {
      const found = flagsOf(command).find((flag) => flag.name === name);
      if (found) return found;
    }
    return undefined;
  }

  #nameOf(letter: string): string | undefined {
    for (const [, { letters = {} }] of commandsBelow(this.#commands, this.words))
      if (Object.hasOwn(letters, letter)) return letters[letter];
    return undefined;
  }
}

function asUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof NarthexError ? new UsageError(error.message) : error;
  }
}

function checkPositionals({ namesFiles = false }: Command, given: readonly string[]): void {
  for (const file of namesFiles ? given : []) {
    const stat = systemDisk.stat(file);
    if (stat === undefined) throw new UsageError(`path '${file}' does not exist`);
    if (stat.isDirectory) throw new UsageError(`'${file}' is a directory`);
  }
}

function checkRequired({ positionals }: Command, given: readonly string[]): void {
  const missing = positionals.slice(given.length).find((name) => name.startsWith("<"));
  if (missing !== undefined)
    throw new UsageError(`required argument '${missing.replace(/[<>.]/g, "")}' not provided`);
}
