/** Values as JSON, the way Go's encoding/json writes them: sorted keys, and `<`, `>`, `&` escaped. */
import { NarthexError } from "../base/index.ts";
import { formatValue } from "../model/index.ts";
import { formatRfc3339 } from "./layout.ts";
import { DurationValue, TimeValue } from "./time.ts";
import { ListValue, MapValue, SafeText, StructValue, TypedValue, type Value } from "./value.ts";

export function toJson(value: Value): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return jsonString(value);
  if (typeof value === "number") {
    if (Number.isFinite(value)) return formatValue(value).replace(/e-0(\d)$/, "e-$1");
    throw new NarthexError("execution", `json: unsupported value: ${formatValue(value)}`);
  }
  if (!(value instanceof TypedValue)) return String(value);
  if (value instanceof ListValue) return `[${value.items.map(toJson).join(",")}]`;
  if (value instanceof MapValue) {
    return object(value.sortedKeys().map((key) => [key, value.entries.get(key)]));
  }
  if (value instanceof StructValue) return object(value.jsonFields());
  if (value instanceof TimeValue) return `"${formatRfc3339(value.unixMs)}"`;
  if (value instanceof DurationValue) return String(value.nanoseconds);
  if (value instanceof SafeText) return jsonString(value.content);
  return jsonString(value.text() ?? "");
}

function object(entries: Iterable<readonly [string, Value]>): string {
  return `{${[...entries].map(([key, value]) => `${jsonString(key)}:${toJson(value)}`).join(",")}}`;
}

function jsonString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
