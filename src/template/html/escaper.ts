/** How a value is written at each kind of place in HTML, so that it can only ever be data there. */
import { toJson } from "../json.ts";
import { sprint } from "../format.ts";
import { SafeText, TypedValue, type Value } from "../value.ts";
import { attributeType } from "./attribute.ts";

/** Stands where a value was refused; searching the output for it finds the place. */
export const REFUSED = "ZgotmplZ";

/** A value's text; nil prints nothing. */
export function valueText(value: Value): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : sprint([value]);
}

function isSafe(value: Value, kind: SafeText["kind"]): value is SafeText {
  return value instanceof SafeText && value.kind === kind;
}

const HTML: Record<string, string> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "&": "&amp;",
  "'": "&#39;",
  "+": "&#43;",
  "<": "&lt;",
  ">": "&gt;",
};

function escapeAll(text: string): string {
  return text.replace(/[\0"&'+<>]/g, (character) => HTML[character]!);
}

/** Escapes what could open or close something, but leaves entities as they are. */
function escapeKeepingEntities(text: string): string {
  return text.replace(/[\0"'+<>]/g, (character) => HTML[character]!);
}

/** Between tags. */
export function htmlText(value: Value): string {
  return isSafe(value, "HTML") ? value.content : escapeAll(valueText(value));
}

/** In `<textarea>` and `<title>`, where tags mean nothing. */
export function rcdata(value: Value): string {
  return isSafe(value, "HTML") ? escapeKeepingEntities(value.content) : escapeAll(valueText(value));
}

/** As (part of) an attribute's value. */
export function attribute(value: Value, quoted: boolean): string {
  const text = isSafe(value, "HTML")
    ? escapeKeepingEntities(stripTags(value.content))
    : escapeAll(valueText(value));
  return quoted ? text : unquoted(text);
}

/** Already escaped text, made fit for an attribute without quotes. */
function unquoted(text: string): string {
  if (text === "") return REFUSED;
  return text.replace(/[\t\n\v\f\r =`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function stripTags(html: string): string {
  return html.replace(/<!--[\s\S]*?(?:-->|$)|<\/?[a-zA-Z](?:"[^"]*"|'[^']*'|[^'">])*(?:>|$)/g, "");
}

/** As (part of) an attribute's name. */
export function attributeName(value: Value): string {
  if (isSafe(value, "HTMLAttr")) return value.content;
  const name = valueText(value).toLowerCase();
  if (!/^[a-z0-9]+$/.test(name) || attributeType(name) !== "plain") return REFUSED;
  return name;
}

export type UrlPart = "start" | "path" | "query";

/** In a URL: at its start only a harmless scheme may come, behind `?` or `#` everything is data. */
export function url(value: Value, part: UrlPart): string {
  const text = valueText(value);
  const trusted = isSafe(value, "URL");
  if (part === "query") return processUrl(text, trusted);
  if (part === "start" && !trusted && !isSafeUrl(text)) return `#${REFUSED}`;
  return processUrl(text, true);
}

function isSafeUrl(text: string): boolean {
  const colon = text.indexOf(":");
  const scheme = colon < 0 ? "" : text.slice(0, colon);
  return colon < 0 || scheme.includes("/") || /^(?:https?|mailto)$/i.test(scheme);
}

/** Percent-encodes; `normalize` leaves a URL's own punctuation and valid escapes alone. */
function processUrl(text: string, normalize: boolean): string {
  const kept = normalize ? /%[0-9a-fA-F]{2}|[\w.~!#$&*+,/:;=?@[\]-]+/y : /[\w.~-]+/y;
  let out = "";
  for (let i = 0; i < text.length;) {
    kept.lastIndex = i;
    const run = kept.exec(text)?.[0];
    const piece = run ?? String.fromCodePoint(text.codePointAt(i)!);
    out += run ?? [...Buffer.from(piece)].map((octet) => `%${octet.toString(16).padStart(2, "0")}`).join("");
    i += piece.length;
  }
  return out;
}

/** In `srcset`: URLs separated by commas, each perhaps with a size. */
export function srcset(value: Value): string {
  if (isSafe(value, "Srcset")) return value.content;
  if (isSafe(value, "URL")) return processUrl(value.content, true).replaceAll(",", "%2c");
  return valueText(value)
    .split(",")
    .map((candidate) => {
      const match = /^([\t\n\f\r ]*)([^\t\n\f\r ]*)([\s\S]*)$/.exec(candidate)!;
      const [, space = "", address = "", metadata = ""] = match;
      const fine = isSafeUrl(address) && /^[\t\n\f\r a-zA-Z0-9]*$/.test(metadata);
      return fine ? space + processUrl(address, true) + metadata : `#${REFUSED}`;
    })
    .join(",");
}

const JS_STRING: Record<string, string> = {
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  "/": "\\/",
  "\\": "\\\\",
};

const unicodeEscape = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Within quotes in a script. */
export function scriptString(value: Value): string {
  const pattern = isSafe(value, "JSStr")
    ? /[\p{Cc}"'`&+/<>\u2028\u2029]/gu
    : /[\p{Cc}"'`&+/<>\\\u2028\u2029]/gu;
  return valueText(value).replace(pattern, (character) => JS_STRING[character] ?? unicodeEscape(character));
}

/** Within a template literal, where `${` would run code. */
export function scriptTemplate(value: Value): string {
  return valueText(value).replace(
    /[\p{Cc}"'`&+/<>\\${}\u2028\u2029]/gu,
    (character) => JS_STRING[character] ?? unicodeEscape(character),
  );
}

/** Within a regular expression literal, to match the text itself. */
export function scriptRegexp(value: Value): string {
  const text = valueText(value).replace(/[\p{Cc}"'`&+/<>\\$()*.?\-[\]^{|}\u2028\u2029]/gu, (character) => {
    if ("$()*-.?[]^{|}".includes(character)) return `\\${character}`;
    return JS_STRING[character] ?? unicodeEscape(character);
  });
  return text === "" ? "(?:)" : text;
}

/** As an expression in a script: a literal without side effects. */
export function scriptValue(value: Value): string {
  if (isSafe(value, "JS")) return value.content;
  if (isSafe(value, "JSStr")) return `"${value.content}"`;
  const text = value instanceof TypedValue && value.typeName !== "time.Time" ? value.text() : undefined;
  const json = toJson(text ?? value).replace(/[\u2028\u2029]/g, unicodeEscape);
  // Spaces keep numbers and words from running into a neighbouring one.
  return /^[\w$]|[\w$]$/.test(json) ? ` ${json} ` : json;
}

/** As a value in a style sheet. */
export function styleValue(value: Value): string {
  const text = valueText(value);
  if (isSafe(value, "CSS")) return text;
  const decoded = text.replace(/\\([0-9a-fA-F]{1,6})\s?|\\([\s\S])/g, (_, hex?: string, plain?: string) => {
    if (hex === undefined) return plain ?? "";
    const code = parseInt(hex, 16);
    return code > 0x10ffff ? "\ufffd" : String.fromCodePoint(code);
  });
  const word = decoded
    .toLowerCase()
    .replace(/[^\w-]/g, "")
    .replaceAll("-", "");
  const risky = /[\0"'()/;@[\\\]`{}<>]|--/.test(decoded) || /expression|mozbinding/.test(word);
  return risky ? REFUSED : decoded;
}

/** Within quotes in a style sheet, where the string may be the address of something to load. */
export function styleString(value: Value, part: UrlPart): string {
  if (part === "query") return url(value, part);
  const text = valueText(value);
  if (part === "start" && !isSafe(value, "URL") && !isSafeUrl(text)) return `#${REFUSED}`;
  return text.replace(/[\0\t\n\f\r"&'()+/:;<>\\{}]/g, (character, at: number) => {
    if (character === "\\") return "\\\\";
    // A space ends the escape where the next character could be taken for part of it.
    const end = at + 1 === text.length || /[0-9a-fA-F\s]/.test(text[at + 1]!) ? " " : "";
    return `\\${character.charCodeAt(0).toString(16)}${end}`;
  });
}
