import { readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * The paths that `pattern` stands for, sorted, where `*`, `?` and `[a-z]` stand for parts of one name; the pattern itself
 * when it has none of these or nothing matches.
 */
export async function expandGlob(pattern: string): Promise<string[]> {
  if (!/[*?[]/.test(pattern)) return [pattern];
  let paths = [pattern.startsWith("/") ? "/" : "."];
  for (const part of pattern.split("/").filter((name) => name !== "")) {
    const next = paths.map(async (path) => {
      if (!/[*?[]/.test(part)) return [join(path, part)];
      const names = await readdir(path).catch((): string[] => []);
      return names.filter((name) => matchesGlob(part, name)).map((name) => join(path, name));
    });
    paths = (await Promise.all(next)).flat();
  }
  return paths.length === 0 ? [pattern] : paths.sort();
}

/** Whether `name` is what `pattern` stands for. Linear in both: after a failure only the last `*` is tried again. */
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
