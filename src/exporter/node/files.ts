import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { assert, NarthexError } from "../../base/index.ts";

/** procfs and sysfs make their files while they are read, so their size is known only at the end. */
const fileBytesMax = 64 << 20;
/** Shared by all reads, which are synchronous; large enough for nearly every file to come in one call. */
let buffer = Buffer.allocUnsafe(64 << 10);

/** Files that one tree keeps open from scrape to scrape, which halves the cost of reading them. Others are opened each time. */
const descriptorsMax = 128;

/** What sysfs answers for an attribute that a device does not have. */
const absentCodes: readonly string[] = [
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "EINVAL",
  "EOPNOTSUPP",
  "ENOTSUP",
  "ENODEV",
];

/**
 * A directory of files that the kernel makes up in memory, `/proc` or `/sys`, or a tree that looks like it. Reading them
 * does not wait for a device, which is why it is done at once: two or three system calls cost a tenth of what promises would.
 * Holds descriptors until it is closed.
 */
export class FileTree {
  readonly root: string;
  readonly #descriptors = new Map<string, number>();

  constructor(root: string) {
    this.root = root.replace(/\/+$/, "");
  }

  path(relative: string): string {
    // Parts of a path may be names of devices, which the kernel chooses.
    assert(!relative.split("/").includes(".."), `path stays under ${this.root}: ${relative}`);
    return `${this.root}/${relative}`;
  }

  /** The whole file as text. Throws Node's errors with their `code`. */
  read(relative: string): string {
    const kept = this.#descriptors.get(relative);
    if (kept !== undefined) {
      try {
        return readWhole(kept, relative);
      } catch {
        // The device may have gone and come back since; the file under this name is then another one.
        this.#descriptors.delete(relative);
        closeSync(kept);
      }
    }
    const descriptor = openSync(this.path(relative), "r");
    let keep = false;
    try {
      const text = readWhole(descriptor, relative);
      keep = this.#descriptors.size < descriptorsMax;
      if (keep) this.#descriptors.set(relative, descriptor);
      return text;
    } finally {
      if (!keep) closeSync(descriptor);
    }
  }

  /** As {@link read}; undefined when there is no such file. */
  readIfPresent(relative: string): string | undefined {
    try {
      return this.read(relative);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** A one-line attribute without its line break; undefined when the device does not have it. */
  attribute(relative: string): string | undefined {
    return ifPresent(() => this.read(relative))?.trim();
  }

  /** As {@link attribute}, for those that ask the hardware and therefore may take their time. */
  async slowAttribute(relative: string): Promise<string | undefined> {
    try {
      return (await readFile(this.path(relative), "utf8")).trim();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** The number in a one-line attribute, `0x` numbers included; undefined when there is none. */
  number(relative: string): number | undefined {
    return parseInteger(this.attribute(relative));
  }

  /** Names in a directory, sorted; empty when there is no such directory. */
  list(relative: string): string[] {
    return ifPresent(() => readdirSync(this.path(relative)).sort()) ?? [];
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }
}

/** From the start, whatever was read before: the kernel makes the contents anew. */
function readWhole(descriptor: number, name: string): string {
  let length = 0;
  for (;;) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, length);
    if (count === 0) return buffer.toString("utf8", 0, length);
    length += count;
    if (length === buffer.length) grow(name);
  }
}

export function parseInteger(text: string | undefined): number | undefined {
  return text !== undefined && /^-?(?:0x[0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : undefined;
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The number that a field of `file` holds; an error that names both when it holds none. */
export function numberIn(file: string, text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || text === "" || Number.isNaN(value)) {
    throw new NarthexError("bad_data", `expected a number in ${file}, got ${JSON.stringify(text ?? "")}`);
  }
  return value;
}

export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

export function fieldsOf(line: string): string[] {
  return line.split(/\s+/).filter((field) => field !== "");
}

function ifPresent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return absentCodes.includes(errorCode(error) ?? "");
}

function grow(name: string): void {
  if (buffer.length >= fileBytesMax) {
    throw new NarthexError("bad_data", `${name} is larger than ${fileBytesMax} bytes`);
  }
  const larger = Buffer.allocUnsafe(buffer.length * 2);
  buffer.copy(larger);
  buffer = larger;
}
