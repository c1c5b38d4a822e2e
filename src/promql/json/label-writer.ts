import type { Labels } from "../../model/index.ts";
import type { SeriesList } from "../series/series-list.ts";
import { ByteWriter } from "./byte-writer.ts";

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;

/** What was written of labels that are the same object each time. */
const remembered = new WeakMap<Labels, Uint8Array>();

/** Writes label sets as JSON objects. */
export class LabelWriter {
  readonly #texts: string[] = [];

  write(out: ByteWriter, list: SeriesList, series: number): void {
    const labels = list.rememberedLabels(series);
    if (labels !== undefined) {
      out.bytes(jsonOf(labels));
      return;
    }
    list.texts(series, this.#texts);
    writeObject(out, this.#texts);
  }
}

function jsonOf(labels: Labels): Uint8Array {
  const known = remembered.get(labels);
  if (known !== undefined) return known;
  const out = new ByteWriter();
  writeObject(out, labels.pairs);
  // A copy of its own: the writer's buffer has room to spare.
  const json = out.finish().slice();
  remembered.set(labels, json);
  return json;
}

function writeObject(out: ByteWriter, pairs: readonly string[]): void {
  out.ascii("{");
  for (let i = 0; i < pairs.length; i++) {
    if (i > 0) out.byte(i % 2 === 1 ? colon : comma);
    writeString(out, pairs[i]!);
  }
  out.ascii("}");
}

/** Nearly all label names and values are plain ASCII, which needs neither escapes nor an encoder. */
function writeString(out: ByteWriter, text: string): void {
  const { length } = text;
  const bytes = out.reserve(length + 2);
  const start = out.length;
  bytes[start] = quote;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === quote || unit === backslash)
      return out.text(JSON.stringify(text));
    bytes[start + 1 + i] = unit;
  }
  bytes[start + 1 + length] = quote;
  out.advance(start + length + 2);
}
