import path from "node:path";
import { errorMessage, Secret, secretMask } from "../base/index.ts";
import { formatDuration, parseDuration, parseNumber, quoteGo } from "../model/index.ts";
import { Place } from "./yaml.ts";

/** Reads a value from a place in a YAML file, and turns it back into what is printed there. */
export interface Codec<T> {
  /** Throws `bad_data` naming file, line and column. Is not called for a null unless the codec stands in a list. */
  decode(at: Place): T;
  /** Plain values (strings, numbers, booleans, arrays, objects); secrets as their mask. */
  encode(value: T): unknown;
}

/** What takes its value from one or several keys of a mapping. */
export interface Part<T> {
  readonly keys: readonly string[];
  decode(mapping: Mapping): T;
  encode(value: T, into: Record<string, unknown>): void;
}

export type CodecValue<C> = C extends Codec<infer T> ? T : never;
type Parts = Record<string, Part<unknown>>;
type PartValues<P extends Parts> = { -readonly [K in keyof P]: P[K] extends Part<infer T> ? T : never };

/** The entries of a mapping by key. */
export class Mapping {
  readonly at: Place;
  readonly #values = new Map<string, Place>();

  constructor(at: Place, type: string, known: ReadonlySet<string>) {
    this.at = at;
    const entries = at.entries() ?? at.fail(`cannot unmarshal ${at.describe()} into ${type}`);
    for (const { key, at: keyAt, value } of entries) {
      if (!known.has(key)) {
        if (at.ignoresUnknownFields) continue;
        keyAt.fail(`field ${key} not found in type ${type}`);
      }
      if (this.#values.has(key)) keyAt.fail(`field ${key} already set in type ${type}`);
      this.#values.set(key, value);
    }
  }

  /** The value of `key`, if it is written and not null. */
  get(key: string): Place | undefined {
    const value = this.#values.get(key);
    return value?.isNull() ? undefined : value;
  }

  /** The value of `key`, null or not, or else the mapping: where to point in an error about the key. */
  place(key: string): Place {
    return this.#values.get(key) ?? this.at;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }
}

/** Where values decoded by `object` came from, for checks that need more than the value itself. */
const origins = new WeakMap<object, Place>();

/** Fails at the place that `value` was decoded from, or with the bare message if it was made otherwise. */
export function failAt(value: object, message: string): never {
  throw (origins.get(value) ?? Place.parse("", "configuration")).error(message);
}

/** Runs `check` and gives whatever it throws the place of `value`. */
export function checkAt<T>(at: Place, check: () => T): T {
  try {
    return check();
  } catch (error) {
    return at.fail(errorMessage(error));
  }
}

export interface FieldOptions {
  /** Print zero values too (upstream has no `omitempty` there). */
  printAlways?: boolean;
}

/** One key. Without a default the value is `undefined` when the key is absent or null. */
export function field<T>(
  key: string,
  codec: Codec<T>,
  defaultValue: NoInfer<T>,
  options?: FieldOptions,
): Part<T>;
export function field<T>(key: string, codec: Codec<T>): Part<T | undefined>;
export function field<T>(
  key: string,
  codec: Codec<T>,
  defaultValue?: T,
  options?: FieldOptions,
): Part<T | undefined> {
  // A zero value may be left out only where its absence reads as the same.
  const omitsZero = !options?.printAlways && defaultValue !== undefined && isZero(codec.encode(defaultValue));
  return {
    keys: [key],
    decode(mapping) {
      const at = mapping.get(key);
      return at === undefined ? structuredDefault(defaultValue) : codec.decode(at);
    },
    encode(value, into) {
      if (value === undefined) return;
      const plain = codec.encode(value);
      if (plain !== undefined && !(omitsZero && isZero(plain))) into[key] = plain;
    },
  };
}

/** Lists and maps are given out as copies, so that nobody changes a default. */
function structuredDefault<T>(value: T): T {
  if (Array.isArray(value)) return [...(value as unknown[])] as T;
  return value instanceof Map ? (new Map(value) as T) : value;
}

function isZero(plain: unknown): boolean {
  if (
    plain === undefined ||
    plain === null ||
    plain === "" ||
    plain === 0 ||
    plain === false ||
    plain === "0s" ||
    plain === "0"
  )
    return true;
  if (Array.isArray(plain)) return plain.length === 0;
  return typeof plain === "object" && Object.keys(plain).length === 0;
}

/** The keys of another object's parts, standing in this one's mapping. */
export function inline<T extends object>(codec: ObjectCodec<T>): Part<T> {
  return codec.part;
}

export interface ObjectCodec<T> extends Codec<T> {
  readonly part: Part<T>;
  /** The value an empty mapping has. */
  default(): T;
}

/**
 * A mapping with known keys. `type` is upstream's name of it in errors. `finish` completes or refuses the value; what it
 * throws should come from `mapping.at.fail`, `mapping.place(key).fail` or `checkAt`.
 */
export function object<P extends Parts, T = PartValues<P>>(
  type: string,
  parts: P,
  finish?: (value: PartValues<P>, mapping: Mapping) => T,
): ObjectCodec<T> {
  const all = Object.entries(parts);
  const keys = all.flatMap(([, part]) => part.keys);
  const known = new Set(keys);
  const part: Part<T> = {
    keys,
    decode(mapping) {
      const value = {} as Record<string, unknown>;
      for (const [name, each] of all) value[name] = each.decode(mapping);
      const finished = finish ? finish(value as PartValues<P>, mapping) : (value as T);
      origins.set(finished as object, mapping.at);
      return finished;
    },
    encode(value, into) {
      for (const [name, each] of all) each.encode((value as Record<string, unknown>)[name], into);
    },
  };
  const codec: ObjectCodec<T> = {
    part,
    decode: (at) => part.decode(new Mapping(at, type, known)),
    encode(value) {
      const into: Record<string, unknown> = {};
      part.encode(value, into);
      return into;
    },
    default: () => codec.decode(Place.parse("{}", "defaults")),
  };
  return codec;
}

/** Like `object`, but a null counts as an empty mapping and an absent key as the defaults. */
export function section<T extends object>(key: string, codec: ObjectCodec<T>): Part<T> {
  return {
    keys: [key],
    decode: (mapping) => {
      const at = mapping.get(key);
      return at ? codec.decode(at) : codec.default();
    },
    encode(value, into) {
      const plain = codec.encode(value);
      if (!isZero(plain)) into[key] = plain;
    },
  };
}

/** A list. `nullMessage` is the error for an item that is null; without it such an item is left to the item's codec. */
export function list<T>(item: Codec<T>, nullMessage?: string): Codec<T[]> {
  return {
    decode: (at) =>
      (at.items() ?? at.fail(`cannot unmarshal ${at.describe()} into a list`)).map((each) => {
        if (nullMessage !== undefined && each.isNull()) each.fail(nullMessage);
        return item.decode(each);
      }),
    encode: (values) => values.map((value) => item.encode(value)),
  };
}

/** A mapping with free keys, in the order of the file; printed sorted by key. */
export function mapOf<T>(item: Codec<T>): Codec<Map<string, T>> {
  return {
    decode(at) {
      const values = new Map<string, T>();
      for (const { key, at: keyAt, value } of at.entries() ??
        at.fail(`cannot unmarshal ${at.describe()} into a map`)) {
        if (values.has(key)) keyAt.fail(`key ${quoteGo(key)} already set in map`);
        values.set(key, item.decode(value));
      }
      return values;
    },
    encode: (values) =>
      Object.fromEntries([...values.keys()].sort().map((key) => [key, item.encode(values.get(key)!)])),
  };
}

/** A codec over another: `decode` may throw anything with a message, which gets the place. */
export function mapped<A, B>(codec: Codec<A>, decode: (value: A) => B, encode: (value: B) => A): Codec<B> {
  return {
    decode(at) {
      const value = codec.decode(at);
      return checkAt(at, () => decode(value));
    },
    encode: (value) => codec.encode(encode(value)),
  };
}

/** Any scalar, as its text. */
export const text: Codec<string> = {
  decode: (at) => at.scalar()?.text ?? at.fail(`cannot unmarshal ${at.describe()} into string`),
  encode: (value) => value,
};

const truths = /^(?:y|yes|true|on)$/i;
const untruths = /^(?:n|no|false|off)$/i;

export const bool: Codec<boolean> = {
  decode(at) {
    const scalar = at.scalar();
    if (scalar && !scalar.quoted && truths.test(scalar.text)) return true;
    if (scalar && !scalar.quoted && untruths.test(scalar.text)) return false;
    return at.fail(`cannot unmarshal ${at.describe()} into bool`);
  },
  encode: (value) => value,
};

export const float: Codec<number> = {
  decode(at) {
    const scalar = at.scalar();
    const value = scalar === undefined || scalar.quoted ? undefined : parseNumber(scalar.text);
    return value ?? at.fail(`cannot unmarshal ${at.describe()} into float64`);
  },
  encode: (value) => value,
};

/** Whole numbers, bounded to what a JavaScript number holds exactly. As in Go, what is behind a decimal point is dropped. */
export function integer(type: "int" | "uint" = "int"): Codec<number> {
  return {
    decode(at) {
      const scalar = at.scalar();
      const value = scalar === undefined || scalar.quoted ? NaN : parseWhole(scalar.text);
      if (!Number.isSafeInteger(value) || (type === "uint" && value < 0)) {
        at.fail(`cannot unmarshal ${at.describe()} into ${type}`);
      }
      return value;
    },
    encode: (value) => value,
  };
}

/** YAML 1.1's whole numbers, octal ones with and without an `o`, and floats without their fraction; NaN for all else. */
function parseWhole(source: string): number {
  const [, sign, digits] = /^([-+]?)(.*)$/s.exec(source.replaceAll("_", ""))!;
  let size = NaN;
  if (/^0o?[0-7]+$/i.test(digits!)) size = Number.parseInt(digits!.replace(/^0o?/i, ""), 8);
  else if (/^0(?:x[\da-f]+|b[01]+)$/i.test(digits!)) size = Number(digits);
  else if (/^(?:\.\d+|\d+(?:\.\d*)?)(?:e[-+]?\d+)?$/i.test(digits!)) size = Math.trunc(Number(digits));
  return sign === "-" ? -size : size;
}

/** `1h30m` ⇄ milliseconds. */
export const durationMs: Codec<number> = mapped(text, parseDuration, formatDuration);

/** One of the listed words; `message` makes the error for another. */
export function oneOf<T extends string>(values: readonly T[], message: (value: string) => string): Codec<T> {
  return mapped(
    text,
    (value) => {
      if (!(values as readonly string[]).includes(value)) throw new Error(message(value));
      return value as T;
    },
    (value) => value,
  );
}

/** Printed as `<secret>`; an empty one is no secret and is not printed. */
export const secret: Codec<Secret> = {
  decode: (at) => new Secret(text.decode(at)),
  encode: (value) => (value.reveal() === "" ? "" : value.toString()),
};

/** A file name; a relative one starts at the directory of the file it is written in. */
export const filePath: Codec<string> = {
  decode(at) {
    const name = text.decode(at);
    return name === "" || path.isAbsolute(name) ? name : path.join(at.directory, name);
  },
  encode: (value) => value,
};

/** Anything at all, kept as plain values: for sections that are checked by nobody here. Printed with what sounds secret masked. */
export const anything: Codec<unknown> = { decode: (at) => at.toPlain(), encode: maskSecrets };

const secretKey = /(?:password|passphrase|secret|token|credentials?|secrets|(?:^|_)key)$/;
const notSecretKey = /^(?:key|grant_type)$/;

/** Nobody has told which keys of such a section are secret, so what sounds like one is. */
function maskSecrets(section: unknown): unknown {
  if (Array.isArray(section)) return section.map(maskSecrets);
  if (typeof section !== "object" || section === null) return section;
  return Object.fromEntries(
    Object.entries(section).map(([key, value]) => {
      const masked = secretKey.test(key) && !notSecretKey.test(key) && typeof value !== "object";
      return [key, masked ? secretMask : maskSecrets(value)];
    }),
  );
}

const byteUnits: Readonly<Record<string, number>> = { "": 0, K: 1, M: 2, G: 3, T: 4, P: 5, E: 6 };

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** `15MB` (powers of two, `KiB` as well) ⇄ bytes; a bare `0` is allowed. */
export const byteSize: Codec<number> = mapped(text, parseByteSize, formatByteSize);

/** Reads `512MB` or `1.5GiB`; units are powers of 1024 either way. Throws an Error that says what is wrong. */
export function parseByteSize(source: string): number {
  if (source === "" || source === "0") return 0;
  const sign = source.startsWith("-") ? -1 : 1;
  const match = [...source.replace(/^[-+]/, "").matchAll(/(\d*\.?\d+)([A-Za-z]*)/g)];
  if (match.map((part) => part[0]).join("") !== source.replace(/^[-+]/, ""))
    throw new Error(`units: invalid ${source}`);
  let total = 0;
  for (const [, amount, unit] of match) {
    const power = byteUnits[/^([KMGTPE]?)i?B$/.exec(unit!)?.[1] ?? "?"];
    if (power === undefined)
      throw new Error(
        unit === "" ? `units: unknown unit in ${source}` : `units: unknown unit ${unit} in ${source}`,
      );
    total += Number(amount) * 1024 ** power;
  }
  return sign * Math.round(total);
}

/** `1GiB512MiB`: exact, zeros left out. */
export function formatByteSize(bytes: number): string {
  if (bytes === 0) return "0B";
  const parts: string[] = [];
  for (let left = bytes, unit = 0; left > 0; left = Math.floor(left / 1024), unit++)
    if (left % 1024 > 0) parts.unshift(`${left % 1024}${binaryUnits[unit]}`);
  return parts.join("");
}
