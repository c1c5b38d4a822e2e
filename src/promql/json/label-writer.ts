import type { SeriesList } from "../series/series-list.ts";
import type { Strings } from "../series/strings.ts";
import { Tuple } from "../series/tuple.ts";
import type { ByteWriter } from "./byte-writer.ts";

const encoder = new TextEncoder();
const colon = 0x3a;
const comma = 0x2c;

/** Writes label sets as JSON objects; each string is escaped and encoded once. */
export class LabelWriter {
  readonly #encoded: (Uint8Array | undefined)[] = [];
  readonly #tuple = new Tuple();

  write(out: ByteWriter, list: SeriesList, series: number): void {
    const { numbers, length } = list.tuple(series, this.#tuple);
    out.ascii("{");
    for (let i = 0; i < length; i++) {
      const text = this.#text(list.strings, numbers[i]!);
      const bytes = out.reserve(text.length + 1);
      let at = out.length;
      if (i > 0) bytes[at++] = i % 2 === 1 ? colon : comma;
      bytes.set(text, at);
      out.advance(at + text.length);
    }
    out.ascii("}");
  }

  #text(strings: Strings, number: number): Uint8Array {
    return (this.#encoded[number] ??= encoder.encode(JSON.stringify(strings.text(number))));
  }
}
