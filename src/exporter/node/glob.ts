import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { matchesGlob } from "../../base/index.ts";

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
