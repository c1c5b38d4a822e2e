/** The matcher syntax of old: tolerant, names limited to ASCII. */
import { NarthexError } from "../../base/index.ts";
import { Matcher, type MatchType } from "../../model/index.ts";

const MATCHER = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*([^]*?)\s*$/;

/** Reads `a=b, c=~"d"`, braces around it or not. Throws `bad_data`. */
export function parseClassicMatchers(input: string): Matcher[] {
  return splitAtCommas(input.replace(/^\{/, "").replace(/\}$/, "")).map(parseClassicMatcher);
}

/** Commas within double quotes do not separate; a last, empty piece does not count. */
function splitAtCommas(input: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  let quoted = false;
  let escaped = false;
  for (const character of input) {
    if (character === "," && !quoted) {
      pieces.push(piece);
      piece = "";
      continue;
    }
    if (character === '"' && !escaped) quoted = !quoted;
    escaped = character === "\\" && !escaped;
    piece += character;
  }
  if (piece.trim() !== "") pieces.push(piece.trim());
  return pieces;
}

export function parseClassicMatcher(input: string): Matcher {
  const match = MATCHER.exec(input);
  if (match === null) throw new NarthexError("bad_data", `bad matcher format: ${input}`);
  const [, name = "", type = "", raw = ""] = match;
  return new Matcher(type as MatchType, name, unescape(raw));
}

/** `\n`, `\"` and `\\` are escapes; any other backslash is itself. Quotes stand only around the whole. */
function unescape(raw: string): string {
  const quoted = raw.startsWith('"');
  const body = quoted ? raw.slice(1) : raw;
  let value = "";
  let closed = false;
  for (let i = 0; i < body.length; i++) {
    const character = body[i]!;
    const next = body[i + 1];
    if (character === "\\" && next !== undefined) {
      value += next === "n" ? "\n" : next === '"' || next === "\\" ? next : `\\${next}`;
      i++;
    } else if (character === '"') {
      closed = quoted && i === body.length - 1;
      if (!closed) break;
    } else value += character;
  }
  const broken = quoted !== closed || (!quoted && /(?:^|[^\\])(?:\\\\)*"/.test(body));
  if (broken) throw new NarthexError("bad_data", `matcher value contains unescaped double quote: ${raw}`);
  return value;
}
