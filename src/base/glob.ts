import path from "node:path";
import type { Disk } from "./disk.ts";

const wildcard = /[*?[\\]/;

/**
 * The files that `pattern` names, sorted, as in Go: `*`, `?` and `[a-z]` match within one element of the path, a backslash takes the
 * meaning from what follows, hidden files are like others. A pattern without any of these is returned if it exists.
 */
export function globFiles(disk: Disk, pattern: string): string[] {
  if (!wildcard.test(pattern)) return disk.stat(pattern) ? [pattern] : [];
  const elements = pattern.split("/").filter((element) => element !== "" && element !== ".");
  const last = elements.pop()!;
  let directories = [pattern.startsWith("/") ? "/" : ""];
  for (const element of elements) {
    directories = directories.flatMap((directory) => matching(disk, directory, element, true));
  }
  return directories.flatMap((directory) => matching(disk, directory, last, false)).sort();
}

/** Directories or other files in `directory`. */
function matching(disk: Disk, directory: string, element: string, isDirectory: boolean): string[] {
  const isThere = (file: string): boolean => disk.stat(file)?.isDirectory === isDirectory;
  const names = wildcard.test(element)
    ? list(disk, directory).filter((name) => matchesGlob(element, name))
    : [element];
  return names.map((name) => path.join(directory, name)).filter(isThere);
}

function list(disk: Disk, directory: string): string[] {
  const there = directory || ".";
  return disk.stat(there)?.isDirectory ? disk.list(there) : [];
}

/** Whether the whole of `name` matches one element of a pattern. Linear: after a failure only the last `*` is tried again. */
export function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let position = 0;
  let starAt = -1;
  let starPosition = 0;
  while (position < name.length) {
    const step = pattern[at] === "*" ? 0 : matchOne(pattern, at, name[position]!);
    if (pattern[at] === "*") {
      starAt = at++;
      starPosition = position;
    } else if (step > 0) {
      at += step;
      position++;
    } else if (starAt >= 0) {
      at = starAt + 1;
      position = ++starPosition;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** How many characters of the pattern at `at` stand for `character`; 0 when they do not. */
function matchOne(pattern: string, at: number, character: string): number {
  if (pattern[at] === "?") return 1;
  if (pattern[at] === "\\") return pattern[at + 1] === character ? 2 : 0;
  if (pattern[at] !== "[") return pattern[at] === character ? 1 : 0;
  const end = pattern.indexOf("]", at + 2);
  if (end < 0) return 0;
  const negated = pattern[at + 1] === "^";
  const set = pattern.slice(at + (negated ? 2 : 1), end);
  return inSet(set, character) === negated ? 0 : end + 1 - at;
}

function inSet(set: string, character: string): boolean {
  for (let i = 0; i < set.length; i++) {
    const isRange = set[i + 1] === "-" && i + 2 < set.length;
    const last = isRange ? set[i + 2]! : set[i]!;
    if (set[i]! <= character && character <= last) return true;
    if (isRange) i += 2;
  }
  return false;
}
