/** The functions every Go template has. */
import { NarthexError } from "../base/index.ts";
import { compareStrings } from "../model/index.ts";
import { htmlEscape, jsStringEscape, queryEscape } from "./escape.ts";
import { isPrintable, sprint, sprintf, sprintln } from "./format.ts";
import {
  ListValue,
  MapValue,
  SafeText,
  stringOf,
  type FunctionMap,
  type TemplateFunction,
  templateFunction,
  truth,
  TypedValue,
  typeName,
  types,
  type Value,
} from "./value.ts";

const { any } = types;

function fail(message: string): never {
  throw new NarthexError("execution", message);
}

const logical = (until: boolean): TemplateFunction => ({
  params: [any],
  variadic: any,
  shortCircuit: until,
  call: () => undefined,
});

type Kind = "bool" | "int" | "float" | "string" | "other" | "nil";

function kindOf(value: Value): Kind {
  if (value === null || value === undefined) return "nil";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string" || value instanceof SafeText) return "string";
  return value.typeName === "time.Duration" ? "int" : "other";
}

/** Scalars by value; a duration by its nanoseconds. */
function scalar(value: Value): Value {
  if (value instanceof SafeText) return value.content;
  return value instanceof TypedValue ? value.scalar() : value;
}

function incompatible(a: Value, b: Value): never {
  fail(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

function eq(first: Value, ...others: Value[]): boolean {
  if (others.length === 0) fail("missing argument for comparison");
  const kind = kindOf(first);
  return others.some((other) => {
    const otherKind = kindOf(other);
    if (kind === "nil" || otherKind === "nil") return kind === otherKind;
    if (kind !== otherKind) incompatible(first, other);
    if (kind !== "other") return scalar(first) === scalar(other);
    if (other instanceof ListValue || other instanceof MapValue) {
      fail(`non-comparable type ${sprintf("%s", [other])}: ${typeName(other)}`);
    }
    const [a, b] = [scalar(first), scalar(other)];
    return a === undefined ? first === other : a === b;
  });
}

function lt(a: Value, b: Value): boolean {
  const [kindA, kindB] = [kindOf(a), kindOf(b)];
  for (const kind of [kindA, kindB]) {
    if (kind === "other" || kind === "nil") fail("invalid type for comparison");
  }
  if (kindA !== kindB) incompatible(a, b);
  if (kindA === "bool") fail("invalid type for comparison");
  if (kindA === "string") return compareStrings(stringOf(a)!, stringOf(b)!) < 0;
  return (scalar(a) as bigint | number) < (scalar(b) as bigint | number);
}

const le = (a: Value, b: Value): boolean => lt(a, b) || eq(a, b);

/** A valid index up to and including `limit`, as Go checks it. */
function position(index: Value, limit: number): number {
  if (index === null || index === undefined) fail("cannot index slice/array with nil");
  if (typeof index !== "bigint") fail(`cannot index slice/array with type ${typeName(index)}`);
  if (index < 0n || index > BigInt(limit)) fail(`index out of range: ${index}`);
  return Number(index);
}

function indexOne(item: Value, index: Value): Value {
  const text = stringOf(item);
  if (text !== undefined) {
    const octets = Buffer.from(text);
    const at = position(index, octets.length);
    return at < octets.length ? BigInt(octets[at]!) : fail(`index out of range: ${at}`);
  }
  if (item instanceof ListValue) {
    const at = position(index, item.items.length);
    return at < item.items.length ? item.items[at] : fail(`index out of range: ${at}`);
  }
  if (item instanceof MapValue) {
    if (index === null || index === undefined) fail("value is nil; should be of type string");
    if (typeof index !== "string") fail(`value has type ${typeName(index)}; should be string`);
    return item.entries.has(index) ? item.entries.get(index) : item.zero;
  }
  return fail(`can't index item of type ${typeName(item)}`);
}

function index(item: Value, ...indexes: Value[]): Value {
  let value = item;
  if (value === undefined || value === null) fail("index of untyped nil");
  for (const each of indexes) {
    if (value === undefined || value === null) fail("index of nil pointer");
    value = indexOne(value, each);
  }
  return value;
}

function slice(item: Value, ...indexes: Value[]): Value {
  if (item === undefined || item === null) fail("slice of untyped nil");
  if (indexes.length > 3) fail(`too many slice indexes: ${indexes.length}`);
  const text = stringOf(item);
  if (text !== undefined && indexes.length === 3) fail("cannot 3-index slice a string");
  if (text === undefined && !(item instanceof ListValue)) fail(`can't slice item of type ${typeName(item)}`);
  const octets = text === undefined ? undefined : Buffer.from(text);
  const length = octets?.length ?? (item as ListValue).items.length;
  const bounds = indexes.map((each) => position(each, length));
  const [from = 0, to = length, capacity] = bounds;
  if (from > to) fail(`invalid slice index: ${from} > ${to}`);
  if (capacity !== undefined && to > capacity) fail(`invalid slice index: ${to} > ${capacity}`);
  if (octets !== undefined) return octets.subarray(from, to).toString("utf8");
  return (item as ListValue).slice(from, to);
}

function len(item: Value): bigint {
  const text = stringOf(item);
  if (text !== undefined) return BigInt(Buffer.byteLength(text));
  if (item instanceof ListValue) return BigInt(item.items.length);
  if (item instanceof MapValue) return BigInt(item.entries.size);
  if (item === null || item === undefined) return fail("len of nil pointer");
  return fail(`len of type ${typeName(item)}`);
}

/** The arguments as one text, as the escapers take them. */
function joined(args: readonly Value[]): string {
  return sprint(args.map((arg) => (arg === null || arg === undefined ? "<no value>" : arg)));
}

function jsEscape(text: string): string {
  return jsStringEscape(text, isPrintable);
}

const variadic = (call: (...args: Value[]) => Value): TemplateFunction =>
  templateFunction([], call as (...args: never[]) => Value, any);

export const builtins: FunctionMap = new Map<string, TemplateFunction>([
  ["and", logical(false)],
  ["or", logical(true)],
  ["not", templateFunction([any], (value: Value) => !truth(value))],
  ["eq", templateFunction([any], eq, any)],
  ["ne", templateFunction([any, any], (a: Value, b: Value) => !eq(a, b))],
  ["lt", templateFunction([any, any], lt)],
  ["le", templateFunction([any, any], le)],
  ["gt", templateFunction([any, any], (a: Value, b: Value) => !le(a, b))],
  ["ge", templateFunction([any, any], (a: Value, b: Value) => !lt(a, b))],
  ["len", templateFunction([any], len)],
  ["index", templateFunction([any], index, any)],
  ["slice", templateFunction([any], slice, any)],
  ["print", variadic((...args) => sprint(args))],
  ["println", variadic((...args) => sprintln(args))],
  [
    "printf",
    templateFunction([types.string], (format: string, ...args: Value[]) => sprintf(format, args), any),
  ],
  ["html", variadic((...args) => htmlEscape(joined(args)))],
  ["js", variadic((...args) => jsEscape(joined(args)))],
  ["urlquery", variadic((...args) => queryEscape(joined(args)))],
  [
    "call",
    templateFunction(
      [any],
      (callee: Value) =>
        callee === null || callee === undefined
          ? fail("call of nil")
          : fail(`non-function of type ${typeName(callee)}`),
      any,
    ),
  ],
]);
