/** Go's `fmt` verbs over template values: what `print`, `printf`, `println` and plain output write. */
import { quoteGo } from "../model/index.ts";
import { formatFloat, type FloatForm } from "./decimal.ts";
import { ListValue, MapValue, StructValue, TypedValue, typeName, type Value } from "./value.ts";

interface Directive {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
}

/** Widths and precisions beyond this are refused, as Go refuses them. */
const WIDTH_MAX = 1_000_000;

const PLAIN: Directive = {
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
};

/** `fmt.Sprint`: a space goes between two operands when neither is a string. */
export function sprint(args: readonly Value[]): string {
  let out = "";
  args.forEach((arg, i) => {
    if (i > 0 && typeof arg !== "string" && typeof args[i - 1] !== "string") out += " ";
    out += formatValue(arg, "v", PLAIN);
  });
  return out;
}

/** `fmt.Sprintln`. */
export function sprintln(args: readonly Value[]): string {
  return `${args.map((arg) => formatValue(arg, "v", PLAIN)).join(" ")}\n`;
}

/** `fmt.Sprintf`. Misuse shows inside the text (`%!d(string=x)`), it never throws. */
export function sprintf(format: string, args: readonly Value[]): string {
  let out = "";
  let next = 0;
  let reordered = false;
  let position = 0;
  while (position < format.length) {
    const percent = format.indexOf("%", position);
    if (percent < 0) return finish(out + format.slice(position));
    out += format.slice(position, percent);
    position = percent + 1;
    const directive: Directive = { ...PLAIN };
    position = readFlags(format, position, directive);

    let badIndex = false;
    const readIndex = (): void => {
      const match = /^\[(\d*)\]/.exec(format.slice(position, position + 12));
      if (match === null) return;
      position += match[0].length;
      reordered = true;
      const index = Number(match[1]);
      if (match[1] !== "" && index >= 1 && index <= args.length) next = index - 1;
      else badIndex = true;
    };
    const readNumber = (): number | "bad" | undefined => {
      if (format[position] === "*") {
        position++;
        const arg = args[next++];
        return typeof arg === "bigint" && arg <= WIDTH_MAX && arg >= -WIDTH_MAX ? Number(arg) : "bad";
      }
      const digits = /^\d+/.exec(format.slice(position, position + 10))?.[0];
      if (digits === undefined) return undefined;
      position += digits.length;
      return Number(digits) <= WIDTH_MAX ? Number(digits) : "bad";
    };

    readIndex();
    const width = readNumber();
    if (width === "bad") out += "%!(BADWIDTH)";
    else if (width !== undefined) {
      directive.width = Math.abs(width);
      if (width < 0) directive.minus = true;
    }
    if (format[position] === ".") {
      position++;
      readIndex();
      const precision = readNumber();
      if (precision === "bad" || (precision !== undefined && precision < 0)) out += "%!(BADPREC)";
      else directive.precision = precision ?? 0;
    }
    readIndex();
    if (position >= format.length) return finish(`${out}%!(NOVERB)`);
    const verb = String.fromCodePoint(format.codePointAt(position) ?? 0);
    position += verb.length;
    if (verb === "%") out += "%";
    else if (badIndex) out += `%!${verb}(BADINDEX)`;
    else if (next >= args.length) out += `%!${verb}(MISSING)`;
    else out += formatValue(args[next++], verb, directive);
  }
  return finish(out);

  function finish(text: string): string {
    if (reordered || next >= args.length) return text;
    const extra = args.slice(next).map((arg) => {
      return arg === null || arg === undefined ? "<nil>" : `${typeName(arg)}=${formatValue(arg, "v", PLAIN)}`;
    });
    return `${text}%!(EXTRA ${extra.join(", ")})`;
  }
}

function readFlags(format: string, start: number, directive: Directive): number {
  for (let i = start; ; i++) {
    const flag = format[i];
    if (flag === "-") directive.minus = true;
    else if (flag === "+") directive.plus = true;
    else if (flag === "#") directive.sharp = true;
    else if (flag === " ") directive.space = true;
    else if (flag === "0") directive.zero = true;
    else return i;
  }
}

function formatValue(value: Value, verb: string, given: Directive): string {
  // %+v asks for field names, not for signs; %#v for Go syntax, not for prefixes.
  const scalar = typeof value === "bigint" || typeof value === "number";
  const directive = verb === "v" && scalar ? { ...given, plus: false, sharp: false } : given;
  if (verb === "T") return pad(value === null || value === undefined ? "<nil>" : typeName(value), directive);
  switch (typeof value) {
    case "string":
      return formatString(value, verb, directive);
    case "boolean":
      return verb === "v" || verb === "t" ? pad(String(value), directive) : badVerb(value, verb, directive);
    case "bigint":
      return formatInteger(value, verb, directive);
    case "number":
      return formatNumber(value, verb, directive);
    default:
      return formatTyped(value, verb, directive);
  }
}

function formatTyped(value: TypedValue | null | undefined, verb: string, directive: Directive): string {
  if (value === null || value === undefined) {
    return verb === "v" ? pad("<nil>", directive) : `%!${verb}(<nil>)`;
  }
  const text = value.text();
  if (text !== undefined && "vsqxX".includes(verb)) return formatString(text, verb, directive);
  const number = value.scalar();
  if (typeof number === "bigint") {
    return INTEGER_VERBS.includes(verb)
      ? formatInteger(number, verb, directive)
      : `%!${verb}(${value.typeName}=${number})`;
  }
  // Width and flags apply to each element, not to the whole.
  const element = (item: Value): string =>
    item === null || item === undefined ? pad("<nil>", directive) : formatValue(item, verb, directive);
  if (value instanceof ListValue) return `[${value.items.map(element).join(" ")}]`;
  if (value instanceof MapValue) {
    const pairs = value.sortedKeys().map((key) => `${element(key)}:${element(value.entries.get(key))}`);
    return `map[${pairs.join(" ")}]`;
  }
  if (value instanceof StructValue) {
    const named = verb === "v" && (directive.plus || directive.sharp);
    const fields = [...value.fields].map(([name, field]) => (named ? `${name}:` : "") + element(field));
    return `{${fields.join(" ")}}`;
  }
  return badVerb(value, verb, directive);
}

function badVerb(value: Value, verb: string, directive: Directive): string {
  return `%!${verb}(${typeName(value)}=${formatValue(value, "v", directive)})`;
}

function pad(text: string, directive: Directive): string {
  const { width } = directive;
  if (width === undefined) return text;
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (directive.minus) return text + " ".repeat(missing);
  return (directive.zero ? "0" : " ").repeat(missing) + text;
}

function formatString(value: string, verb: string, directive: Directive): string {
  const { precision } = directive;
  const cut = precision === undefined ? value : Array.from(value).slice(0, precision).join("");
  switch (verb) {
    case "v":
      return pad(directive.sharp ? quote(cut) : cut, directive);
    case "s":
      return pad(cut, directive);
    case "q":
      if (directive.sharp && !cut.includes("`") && !/[^\P{Cc}\t]|\ufeff/u.test(cut)) {
        return pad(`\`${cut}\``, directive);
      }
      return pad(quote(cut, directive.plus), directive);
    case "x":
    case "X": {
      const separator = directive.space ? " " : "";
      const prefix = directive.sharp ? `0${verb}` : "";
      const octets = [...Buffer.from(value).subarray(0, precision)].map((octet) =>
        octet.toString(16).padStart(2, "0"),
      );
      const hex = octets.map((octet) => (directive.space ? prefix : "") + octet).join(separator);
      const text = directive.space || hex === "" ? hex : prefix + hex;
      return pad(verb === "X" ? text.toUpperCase() : text, directive);
    }
    default:
      return badVerb(value, verb, directive);
  }
}

const INTEGER_VERBS = "bcdoOqxXU";
const INTEGER_BASES: Record<string, number> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

function formatInteger(value: bigint, verb: string, directive: Directive): string {
  const base = Object.hasOwn(INTEGER_BASES, verb) ? INTEGER_BASES[verb] : undefined;
  if (base === undefined) return formatRune(value, verb, directive);
  const magnitude = value < 0n ? -value : value;
  if (directive.precision === 0 && value === 0n) return pad("", { ...directive, zero: false });
  let digits = magnitude.toString(base);
  const sign = signOf(value < 0n, directive);
  const zeroWidth = directive.zero && !directive.minus && directive.precision === undefined;
  const least = zeroWidth ? (directive.width ?? 0) - sign.length : (directive.precision ?? 0);
  digits = digits.padStart(least, "0");
  let prefix = "";
  if (verb === "O") prefix = "0o";
  else if (directive.sharp && base === 16) prefix = "0x";
  else if (directive.sharp && base === 2) prefix = "0b";
  else if (directive.sharp && base === 8 && !digits.startsWith("0")) prefix = "0";
  const text = sign + prefix + digits;
  return pad(verb === "X" ? text.toUpperCase() : text, { ...directive, zero: false });
}

function formatRune(value: bigint, verb: string, directive: Directive): string {
  const valid = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  const rune = valid ? String.fromCodePoint(Number(value)) : "\ufffd";
  if (verb === "c") return pad(rune, directive);
  if (verb === "q") {
    const inner = rune === '"' ? rune : quote(rune, directive.plus).slice(1, -1);
    return pad(`'${rune === "'" ? "\\'" : inner}'`, directive);
  }
  if (verb === "U") {
    const code = `U+${value
      .toString(16)
      .toUpperCase()
      .padStart(Math.max(4, directive.precision ?? 0), "0")}`;
    return pad(directive.sharp ? `${code} '${rune}'` : code, directive);
  }
  return badVerb(value, verb, directive);
}

function signOf(negative: boolean, directive: Directive): string {
  if (negative) return "-";
  if (directive.plus) return "+";
  return directive.space ? " " : "";
}

function formatNumber(value: number, verb: string, directive: Directive): string {
  const lower = verb.toLowerCase();
  if (!"vefg".includes(lower) || verb === "V") return badVerb(value, verb, directive);
  const form: FloatForm = lower === "e" || lower === "f" ? lower : "g";
  const precision = directive.precision ?? (form === "g" ? -1 : 6);
  let text = formatFloat(value, form, precision);
  if (verb === "E" || verb === "G") text = text.replace("e", "E");
  const negative = text.startsWith("-");
  if (negative || text.startsWith("+")) text = text.slice(1);
  const infinite = !Number.isFinite(value);
  const sign = value === Infinity && !directive.space ? "+" : signOf(negative, directive);
  if (directive.zero && !directive.minus && !infinite && directive.width !== undefined) {
    return sign + text.padStart(directive.width - sign.length, "0");
  }
  return pad(sign + text, { ...directive, zero: false });
}

/** `strconv.Quote`: a Go string literal. With `ascii`, everything beyond ASCII is escaped too. */
function quote(text: string, ascii = false): string {
  const quoted = quoteGo(text);
  return ascii ? quoted.replace(/[^\0-\x7f]/gu, (rune) => escapeRune(rune.codePointAt(0)!)) : quoted;
}

function escapeRune(code: number): string {
  const hex = code.toString(16);
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isPrintable(rune: string): boolean {
  return rune === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(rune);
}
