import { errorMessage, NarthexError } from "./errors.ts";

/** One command-line flag, in upstream's style. */
export interface FlagDefinition {
  /** Without dashes: `web.listen-address`. */
  readonly name: string;
  /** "bool" takes `--name` and `--no-name`; "list" may be repeated; anything else takes one value. */
  readonly kind: "string" | "bool" | "list";
  readonly default: string | boolean | readonly string[];
  readonly help: string;
  /** Accepted, and left out of `--help`. */
  readonly hidden?: boolean;
}

export function textFlag(name: string, value: string, help: string, hidden = false): FlagDefinition {
  return { name, kind: "string", default: value, help, hidden };
}

export function boolFlag(name: string, value: boolean, help: string, hidden = false): FlagDefinition {
  return { name, kind: "bool", default: value, help, hidden };
}

export function listFlag(name: string, value: readonly string[], help: string): FlagDefinition {
  return { name, kind: "list", default: value, help };
}

export type FlagValue = string | boolean | readonly string[];

/** The values of all flags of a table, defaults included. */
export class Flags {
  readonly #values: ReadonlyMap<string, FlagValue>;

  constructor(values: ReadonlyMap<string, FlagValue>) {
    this.#values = values;
  }

  text(name: string): string {
    return String(this.#values.get(name));
  }

  bool(name: string): boolean {
    return this.#values.get(name) === true;
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) as readonly string[];
  }

  /** The flag's text as `parse` reads it. Throws `bad_data` naming the flag, with what `parse` threw. */
  read<T>(name: string, parse: (text: string) => T): T {
    const text = this.text(name);
    try {
      return parse(text);
    } catch (error) {
      throw new NarthexError(
        "bad_data",
        `invalid value ${JSON.stringify(text)} for flag '--${name}': ${errorMessage(error)}`,
      );
    }
  }

  /** A whole number from 0 on. Throws `bad_data` naming the flag. */
  count(name: string): number {
    return this.read(name, (text) => {
      const value = Number(text);
      if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
      throw new Error("expected a whole number");
    });
  }

  /** All values as text, for `/api/v1/status/flags`. */
  toObject(): Record<string, string> {
    const entries = [...this.#values].map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(",") : String(value),
    ]);
    return Object.fromEntries(entries.sort(([a], [b]) => (a! < b! ? -1 : 1))) as Record<string, string>;
  }
}

/**
 * Reads `--flag=value`, `--flag value`, `--bool` and `--no-bool`. Throws `bad_data` naming the argument that is unknown,
 * lacks its value, or is no flag at all.
 */
export function parseFlags(definitions: readonly FlagDefinition[], args: readonly string[]): Flags {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const values = new Map<string, FlagValue>(definitions.map(({ name, default: value }) => [name, value]));
  const lists = new Map<string, string[]>();
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    if (!argument.startsWith("--")) throw new NarthexError("bad_data", `unexpected ${argument}`);
    const equals = argument.indexOf("=");
    const name = equals < 0 ? argument.slice(2) : argument.slice(2, equals);
    const inline = equals < 0 ? undefined : argument.slice(equals + 1);
    const definition = byName.get(name);
    if (definition === undefined) {
      if (!negates(name, byName) || inline !== undefined)
        throw new NarthexError("bad_data", `unknown long flag '--${name}'`);
      values.set(name.slice(3), false);
    } else if (definition.kind === "bool") {
      values.set(name, parseBool(name, inline));
    } else {
      const value = inline ?? args[++i];
      if (value === undefined) throw new NarthexError("bad_data", `expected argument for flag '--${name}'`);
      if (definition.kind === "string") values.set(name, value);
      else lists.set(name, [...(lists.get(name) ?? []), value]);
    }
  }
  for (const [name, list] of lists) values.set(name, list);
  return new Flags(values);
}

function negates(name: string, byName: ReadonlyMap<string, FlagDefinition>): boolean {
  return name.startsWith("no-") && byName.get(name.slice(3))?.kind === "bool";
}

function parseBool(name: string, text: string | undefined): boolean {
  if (text === undefined || text === "true") return true;
  if (text === "false") return false;
  throw new NarthexError("bad_data", `invalid value '${text}' for flag '--${name}': expected true or false`);
}

/** The text of `--help`. */
export function formatFlagHelp(usage: string, definitions: readonly FlagDefinition[]): string {
  const lines = definitions.filter(({ hidden }) => hidden !== true).map(formatFlag);
  return `usage: ${usage}\n\nFlags:\n${lines.join("\n")}\n`;
}

function formatFlag({ name, kind, default: value, help }: FlagDefinition): string {
  const shown = Array.isArray(value) ? value.join(",") : String(value);
  const head = kind === "bool" ? `--[no-]${name}` : `--${name}=${shown === "" ? '""' : shown}`;
  const repeatable = kind === "list" ? " Repeatable." : "";
  return `  ${head}\n        ${help}${repeatable}`;
}
