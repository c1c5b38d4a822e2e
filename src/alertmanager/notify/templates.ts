/** The templates of a configuration, and how texts are expanded with them. */
import path from "node:path";
import { type Disk, NarthexError } from "../../base/index.ts";
import {
  alertmanagerFunctions,
  type FunctionMap,
  Template,
  type TemplateMode,
  templateFunction,
  types,
} from "../../template/index.ts";
import { type NotificationData, templateValue } from "./data.ts";
import { defaultTemplates } from "./default-templates.ts";

export class NotificationTemplates {
  readonly externalUrl: string;
  readonly #set: Template;

  /** Reads the files that `patterns` match over the built-in templates. Throws `bad_data` naming file and line. */
  constructor(patterns: readonly string[], externalUrl: string, disk: Disk, nowMs: () => number) {
    this.externalUrl = externalUrl;
    this.#set = new Template({ functions: alertmanagerFunctions(nowMs) });
    this.#set.parse("default", defaultTemplates);
    for (const file of patterns.flatMap((pattern) => expandPattern(pattern, disk))) {
      this.#set.parse(path.basename(file), Buffer.from(disk.readFile(file)).toString("utf8"));
    }
  }

  text(source: string, data: NotificationData): string {
    return this.#expand(source, data, "text");
  }

  html(source: string, data: NotificationData): string {
    return this.#expand(source, data, "html");
  }

  /** The values of route labels may be templates, which may ask for each other with `routeLabels "name"`. */
  routeLabels(data: NotificationData): Map<string, string> {
    const expanded = new Map<string, string>();
    const underway: string[] = [];
    const resolve = (name: string): string => {
      const source = data.routeLabels.get(name);
      const known = expanded.get(name);
      if (source === undefined || known !== undefined) return known ?? "";
      if (underway.includes(name)) {
        throw new NarthexError(
          "execution",
          `route label cycle detected: ${[...underway, name].join(" -> ")}`,
        );
      }
      underway.push(name);
      const value = this.#run(source, data, "text", resolve);
      underway.pop();
      expanded.set(name, value);
      return value;
    };
    for (const name of data.routeLabels.keys()) resolve(name);
    return expanded;
  }

  #expand(source: string, data: NotificationData, mode: TemplateMode): string {
    if (source === "") return "";
    return this.#run(source, data, mode, (name) => data.routeLabels.get(name) ?? "");
  }

  #run(
    source: string,
    data: NotificationData,
    mode: TemplateMode,
    routeLabel: (name: string) => string,
  ): string {
    const functions: FunctionMap = new Map([["routeLabels", templateFunction([types.string], routeLabel)]]);
    return this.#set.clone(functions).parse("", source).execute("", templateValue(data), mode);
  }
}

/** The files a shell's pattern (`*`, `?`, `[a-z]`) stands for, in order; none is no error. */
export function expandPattern(pattern: string, disk: Disk): string[] {
  const segments = pattern.split("/");
  let found = [pattern.startsWith("/") ? "/" : "."];
  segments.forEach((segment, i) => {
    if (segment === "" || segment === ".") return;
    const last = i === segments.length - 1;
    found = found.flatMap((directory) => {
      if (!/[*?[\\]/.test(segment)) return [path.join(directory, segment)];
      if (!disk.stat(directory)?.isDirectory) return [];
      const names = disk.list(directory).filter((name) => matchesSegment(segment, name));
      return names.sort().map((name) => path.join(directory, name));
    });
    found = found.filter((each) => {
      const stat = disk.stat(each);
      return stat !== undefined && stat.isDirectory !== last;
    });
  });
  return found;
}

/** Whether a file's name matches one segment of a pattern. Linear: a `*` is only ever retried from where it stands. */
function matchesSegment(pattern: string, name: string): boolean {
  let [p, n, star, resume] = [0, 0, -1, 0];
  while (n < name.length) {
    const step = p < pattern.length && pattern[p] !== "*" ? matchOne(pattern, p, name[n]!) : 0;
    if (step > 0) {
      p += step;
      n++;
    } else if (pattern[p] === "*") {
      star = p++;
      resume = n;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** How much of the pattern at `at` the character matches; 0 when it does not. */
function matchOne(pattern: string, at: number, character: string): number {
  if (pattern[at] === "?") return 1;
  if (pattern[at] === "\\" && at + 1 < pattern.length) return pattern[at + 1] === character ? 2 : 0;
  if (pattern[at] !== "[") return pattern[at] === character ? 1 : 0;
  const end = pattern.indexOf("]", at + 2);
  if (end < 0) return 0;
  const negated = pattern[at + 1] === "^";
  let inside = false;
  for (let i = at + (negated ? 2 : 1); i < end; i++) {
    const ranged = pattern[i + 1] === "-" && i + 2 < end;
    const [low, high] = ranged ? [pattern[i]!, pattern[i + 2]!] : [pattern[i]!, pattern[i]!];
    inside ||= character >= low && character <= high;
    if (ranged) i += 2;
  }
  return inside === negated ? 0 : end + 1 - at;
}
