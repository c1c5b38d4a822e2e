import { readFileSync, readlinkSync } from "node:fs";
import type { SystemMemory } from "./system-memory.ts";

/** A part of a file in the process's memory. */
export interface FileMapping {
  /** Its line in `/proc/self/maps`, which stays the same as long as it does. */
  line: string;
  address: bigint;
  bytes: number;
}

/** How the line of a private mapping of a file that cannot be written to looks: addresses, rights, offset, device, inode, path. */
const readOnlyLine = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \d+ +(.+)$/;

/**
 * The mappings of `file` that hold nothing but what the file says, by the text of `/proc/self/smaps`: private, not writable, and without a page of their own, neither in memory (`Anonymous`) nor
 * swapped out (`Swap`). Such a page comes into being when one of the file is written to, as the loader does with addresses before it makes them read-only; it would be lost.
 */
export function unchangedMappings(smaps: string, file: string): FileMapping[] {
  const mappings: FileMapping[] = [];
  // Each mapping begins with its line of `maps`; lines of the form "Name: value" follow.
  for (const text of smaps.split(/\n(?=[0-9a-f]+-)/)) {
    const [line = ""] = text.split("\n", 1);
    const [, start, end, path] = readOnlyLine.exec(line) ?? [];
    const isUnchanged = /^Anonymous: +0 kB$/m.test(text) && /^Swap: +0 kB$/m.test(text);
    if (path !== file || !isUnchanged) continue;
    const address = BigInt(`0x${start}`);
    // A copy: a part of the text would keep all of it.
    mappings.push({
      line: Buffer.from(line).toString(),
      address,
      bytes: Number(BigInt(`0x${end}`) - address),
    });
  }
  return mappings;
}

/**
 * The pages of the process's own executable. Node touches half of them while it starts, 64 KiB at a time, and few ever again: they count as resident, though they are
 * clean and come back from the system's cache when they are needed. Libraries are left alone, for another thread may be loading one.
 */
export class ExecutablePages {
  readonly #memory: SystemMemory;
  readonly #proc: string;
  readonly #mappings: FileMapping[];

  /** `proc` is where the system tells of this process. Throws its error where it does not. */
  constructor(memory: SystemMemory, proc = "/proc/self") {
    this.#memory = memory;
    this.#proc = proc;
    this.#mappings = unchangedMappings(readFileSync(`${proc}/smaps`, "utf8"), readlinkSync(`${proc}/exe`));
  }

  /** Gives them back. The mappings were looked at once, which takes a walk through all pages; since then they may have gone, but not have been written to. */
  release(): void {
    const maps = `\n${readFileSync(`${this.#proc}/maps`, "utf8")}`;
    for (const { line, address, bytes } of this.#mappings)
      if (maps.includes(`\n${line}\n`)) this.#memory.releasePages(address, bytes);
  }
}
