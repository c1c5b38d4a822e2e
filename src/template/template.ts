/** A set of named templates, parsed once and executed as text or as HTML. */
import { NarthexError } from "../base/index.ts";
import { type Definition, isEmpty } from "./ast.ts";
import { builtins } from "./builtins.ts";
import { queryEscape } from "./escape.ts";
import { execute, type MissingKey, type Output } from "./execute.ts";
import { sprint } from "./format.ts";
import { HtmlWriter } from "./html/writer.ts";
import { parseTemplate } from "./parser.ts";
import { type FunctionMap, SafeText, type TemplateFunction, type Value } from "./value.ts";

/** How much text one execution may write. */
export const outputBytesMax = 16 * 1024 * 1024;

export interface TemplateOptions {
  /** Functions beside Go's own; they win where names collide. */
  readonly functions?: FunctionMap;
  /** "zero" by default, as everywhere in Prometheus and Alertmanager. */
  readonly missingKey?: MissingKey;
}

export type TemplateMode = "text" | "html";

export class Template {
  readonly #definitions: Map<string, Definition>;
  readonly #functions: Map<string, TemplateFunction>;
  readonly #missingKey: MissingKey;

  constructor(options: TemplateOptions = {}) {
    this.#definitions = new Map();
    this.#functions = new Map([...builtins, ...(options.functions ?? [])]);
    this.#missingKey = options.missingKey ?? "zero";
  }

  /**
   * Adds the text as the template `name`, and all it defines; a later definition replaces an earlier of its name,
   * unless it is empty. Throws `bad_data` with Go's message, and then adds nothing.
   */
  parse(name: string, text: string): this {
    const parsed = parseTemplate({ name, text }, (called) => this.#functions.has(called));
    for (const definition of parsed) {
      if (this.#definitions.has(definition.name) && isEmpty(definition.root)) continue;
      this.#definitions.set(definition.name, definition);
    }
    return this;
  }

  /** A set with the same definitions that can be added to alone; `functions` replace those of their names. */
  clone(functions: FunctionMap = new Map()): Template {
    const copy = new Template({
      functions: new Map([...this.#functions, ...functions]),
      missingKey: this.#missingKey,
    });
    for (const [name, definition] of this.#definitions) copy.#definitions.set(name, definition);
    return copy;
  }

  has(name: string): boolean {
    return this.#definitions.has(name);
  }

  /** Executes the definition `name` over `data`. Throws `execution` with Go's message. */
  execute(name: string, data: Value, mode: TemplateMode = "text"): string {
    const buffer = new OutputBuffer();
    const output = mode === "html" ? new HtmlOutput(buffer) : new TextOutput(buffer);
    const functions = mode === "html" ? new Map([...this.#functions, ...htmlOverrides]) : this.#functions;
    const options = { definitions: this.#definitions, functions, missingKey: this.#missingKey, output };
    try {
      execute(options, name, data);
    } catch (error) {
      // Blocks within templates within templates: each has its limit, the stack has the last word.
      if (!(error instanceof RangeError)) throw error;
      throw new NarthexError("execution", `template: ${name}: nested too deeply`);
    }
    return buffer.toString();
  }
}

/**
 * In HTML every value is escaped where it is written. Escaping once more by hand must not show twice, so there `html`
 * leaves its argument as it is, and `urlquery` marks its result as a URL's text.
 */
const htmlOverrides: FunctionMap = new Map([
  [
    "html",
    { ...builtins.get("html")!, call: (...args: Value[]) => (args.length === 1 ? args[0] : sprint(args)) },
  ],
  [
    "urlquery",
    {
      ...builtins.get("urlquery")!,
      call: (...args: Value[]) => new SafeText("URL", queryEscape(sprint(args))),
    },
  ],
]);

class OutputBuffer {
  readonly #parts: string[] = [];
  #size = 0;

  write(text: string): void {
    this.#size += text.length;
    if (this.#size > outputBytesMax) {
      throw new NarthexError("execution", `template: output exceeds ${outputBytesMax} bytes`);
    }
    this.#parts.push(text);
  }

  toString(): string {
    return this.#parts.join("");
  }
}

class TextOutput implements Output {
  readonly #buffer: OutputBuffer;

  constructor(buffer: OutputBuffer) {
    this.#buffer = buffer;
  }

  text(text: string): void {
    this.#buffer.write(text);
  }

  value(value: Value): void {
    this.#buffer.write(value === undefined || value === null ? "<no value>" : sprint([value]));
  }
}

class HtmlOutput extends HtmlWriter {
  constructor(buffer: OutputBuffer) {
    super((text) => buffer.write(text));
  }
}
