import { compareStrings } from "../model/index.ts";

/**
 * The values a template can see. A template never touches a JavaScript object by property name: it sees
 * scalars and the classes below, and of those only what they list. Go's types map as
 *
 *   string → string   bool → boolean   int → bigint   float64 → number   nil → null
 *   "no value" (what a lookup without result gives) → undefined
 *   slice → ListValue   map[string]T → MapValue   struct → StructValue
 *   time.Time, time.Duration → TimeValue, DurationValue (time.ts)   html/template's typed strings → SafeText
 */
export type Value = string | boolean | bigint | number | null | undefined | TypedValue;

/** A parameter's Go type: its printed name, and which values may be passed for it. */
export interface ParamType {
  readonly name: string;
  readonly accepts: (value: Value) => boolean;
  /** Whether a bare `nil` may be passed. */
  readonly nilable: boolean;
}

/** A function a template may call; `call` gets arguments that were checked against `params`. */
export interface TemplateFunction {
  readonly params: readonly ParamType[];
  /** Type of any further arguments; absent when the function takes exactly `params`. */
  readonly variadic?: ParamType;
  /** Set for `or` (true) and `and` (false): stop at the first argument of that truth and give it. */
  readonly shortCircuit?: boolean;
  readonly call: (...args: never[]) => Value;
}

export type FunctionMap = ReadonlyMap<string, TemplateFunction>;

/** Everything that is not a scalar: has a Go type name, perhaps methods, perhaps its own text. */
export abstract class TypedValue {
  abstract readonly typeName: string;

  /** The method of that name bound to this value. */
  method(_name: string): TemplateFunction | undefined {
    return undefined;
  }

  /** What stands for the value in comparisons; undefined when only identity does. */
  scalar(): Value {
    return undefined;
  }

  /** The value's own text (Go's `String() string`), where the type has one. */
  text(): string | undefined {
    return undefined;
  }
}

type Methods<Self> = ReadonlyMap<string, (self: Self) => TemplateFunction>;

export interface TypeOptions<Self> {
  readonly typeName?: string;
  readonly methods?: Methods<Self>;
  readonly text?: (self: Self) => string;
}

export class ListValue extends TypedValue {
  readonly typeName: string;
  readonly items: readonly Value[];
  readonly #options: TypeOptions<ListValue>;

  constructor(items: readonly Value[], options: TypeOptions<ListValue> = {}) {
    super();
    this.items = items;
    this.typeName = options.typeName ?? "[]interface {}";
    this.#options = options;
  }

  /** The elements from `from` up to `to`, as a list of the same type. */
  slice(from: number, to: number): ListValue {
    return new ListValue(this.items.slice(from, to), this.#options);
  }

  override method(name: string): TemplateFunction | undefined {
    return this.#options.methods?.get(name)?.(this);
  }

  override text(): string | undefined {
    return this.#options.text?.(this);
  }
}

export interface MapOptions extends TypeOptions<MapValue> {
  /** What a lookup of an absent key gives: Go's zero value of the element type. */
  readonly zero?: Value;
}

export class MapValue extends TypedValue {
  readonly typeName: string;
  readonly entries: ReadonlyMap<string, Value>;
  readonly zero: Value;
  readonly #options: MapOptions;

  constructor(entries: ReadonlyMap<string, Value>, options: MapOptions = {}) {
    super();
    this.entries = entries;
    this.typeName = options.typeName ?? "map[string]interface {}";
    this.zero = options.zero ?? null;
    this.#options = options;
  }

  /** Keys in the order templates range over them. */
  sortedKeys(): string[] {
    return [...this.entries.keys()].sort(compareStrings);
  }

  override method(name: string): TemplateFunction | undefined {
    return this.#options.methods?.get(name)?.(this);
  }

  override text(): string | undefined {
    return this.#options.text?.(this);
  }
}

export interface StructOptions extends TypeOptions<StructValue> {
  readonly typeName: string;
  /** What a field is called in JSON; its own name when not given. */
  readonly jsonName?: (field: string) => string;
}

export class StructValue extends TypedValue {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, Value>;
  readonly #options: StructOptions;

  constructor(fields: ReadonlyMap<string, Value>, options: StructOptions) {
    super();
    this.fields = fields;
    this.typeName = options.typeName;
    this.#options = options;
  }

  /** The fields under their names in JSON. */
  jsonFields(): [string, Value][] {
    return [...this.fields].map(([field, value]) => [this.#options.jsonName?.(field) ?? field, value]);
  }

  override method(name: string): TemplateFunction | undefined {
    return this.#options.methods?.get(name)?.(this);
  }

  override text(): string | undefined {
    return this.#options.text?.(this);
  }
}

export type SafeKind = "HTML" | "HTMLAttr" | "URL" | "JS" | "JSStr" | "CSS" | "Srcset";

/** Text its author vouches for: html/template writes it unescaped where the kind fits the place. */
export class SafeText extends TypedValue {
  readonly kind: SafeKind;
  readonly content: string;

  constructor(kind: SafeKind, content: string) {
    super();
    this.kind = kind;
    this.content = content;
  }

  get typeName(): string {
    return `template.${this.kind}`;
  }

  override text(): string {
    return this.content;
  }
}

/** A `map[string]string`, from plain label pairs. */
export function stringMap(entries: Iterable<readonly [string, string]>, options: MapOptions = {}): MapValue {
  return new MapValue(new Map(entries), { typeName: "map[string]string", zero: "", ...options });
}

/** A `[]string`. */
export function stringList(items: readonly string[], options: TypeOptions<ListValue> = {}): ListValue {
  return new ListValue(items, { typeName: "[]string", ...options });
}

/** Go's name for the value's type. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "float64";
    case "object":
      return value === null ? "interface {}" : value.typeName;
    default:
      return "<nil>";
  }
}

/** Whether `{{if value}}` takes its first branch: anything but the zero value and the empty. */
export function truth(value: Value): boolean {
  if (value instanceof ListValue) return value.items.length > 0;
  if (value instanceof MapValue) return value.entries.size > 0;
  if (value instanceof SafeText) return value.content.length > 0;
  if (value instanceof TypedValue) return value.typeName !== "time.Duration" || value.scalar() !== 0n;
  return Boolean(value) || Number.isNaN(value);
}

/** A string, or text marked safe, as a string. */
export function stringOf(value: Value): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof SafeText ? value.content : undefined;
}

function paramType(name: string, accepts: (value: Value) => boolean, nilable = false): ParamType {
  return { name, accepts, nilable };
}

/** The parameter types functions are declared with. */
export const types = {
  any: paramType("interface {}", () => true, true),
  string: paramType("string", (value) => typeof value === "string"),
  bool: paramType("bool", (value) => typeof value === "boolean"),
  int: paramType("int", (value) => typeof value === "bigint"),
  float: paramType("float64", (value) => typeof value === "number"),
  list: paramType("[]interface {}", (v) => v instanceof ListValue && v.typeName === "[]interface {}", true),
  strings: paramType(
    "[]string",
    (value) =>
      value instanceof ListValue && value.items.every((item) => typeof item === "string") && isStrings(value),
    true,
  ),
  named: (name: string, nilable = false): ParamType =>
    paramType(name, (value) => value instanceof TypedValue && value.typeName === name, nilable),
} as const;

function isStrings(list: ListValue): boolean {
  return list.typeName === "[]string" || list.typeName === "template.Strings";
}

/** Declares a function for templates. The argument types of `call` must agree with `params`. */
export function templateFunction(
  params: readonly ParamType[],
  call: (...args: never[]) => Value,
  variadic?: ParamType,
): TemplateFunction {
  return variadic === undefined ? { params, call } : { params, call, variadic };
}
