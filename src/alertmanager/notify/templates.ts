/** The templates of a configuration, and how texts are expanded with them. */
import path from "node:path";
import { type Disk, errorMessage, globFiles, NarthexError } from "../../base/index.ts";
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
    for (const file of patterns.flatMap((pattern) => globFiles(disk, pattern))) {
      this.#set.parse(path.basename(file), readTemplate(file, disk));
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

function readTemplate(file: string, disk: Disk): string {
  try {
    return Buffer.from(disk.readFile(file)).toString("utf8");
  } catch (error) {
    throw new NarthexError("bad_data", `template ${file}: ${errorMessage(error)}`, { cause: error });
  }
}
