import path from "node:path";
import type { Disk } from "./disk.ts";

/**
 * The files that `pattern` names, sorted. `*` and `?` may stand in its last element only, and match anything but a slash; a name
 * without them is returned if it exists. Hidden files are matched like others, as in Go.
 */
export function globFiles(disk: Disk, pattern: string): string[] {
  const directory = path.dirname(pattern);
  const last = path.basename(pattern);
  if (!/[*?]/.test(last)) return disk.stat(pattern) ? [pattern] : [];
  if (!disk.stat(directory)?.isDirectory) return [];
  return disk
    .list(directory)
    .filter((name) => matchesGlob(last, name))
    .map((name) => (pattern.startsWith("./") || directory !== "." ? path.join(directory, name) : name))
    .sort();
}

/** Whether the whole of `name` matches; linear in both, whatever the pattern. */
export function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  let p = 0;
  while (at < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      retry = at;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[at])) {
      p++;
      at++;
    } else if (star >= 0) {
      p = star + 1;
      at = ++retry;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
