import {
  boundaryRule,
  type Bucket,
  bucketAt,
  bucketCount,
  formatValue,
  type Histogram,
  observationsAt,
  sameNumbers,
} from "../../model/index.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { numberBytesMax, writeNumber } from "./number-writer.ts";

/** Texts of this many buckets are remembered at most. */
const textsMax = 10_000;

/**
 * Writes native histograms as the HTTP API shows them, every number as text: `{"count":"3","sum":"7.5","buckets":[[0,"1","2","3"]]}`, empty buckets left
 * out. Histograms of a query mostly have the same buckets, so what stands before a bucket's count is remembered.
 */
export class HistogramWriter {
  #schema = NaN;
  #zeroThreshold = NaN;
  #customBounds: readonly number[] = [];
  /** `[<rule>,"<lower>","<upper>","` by index, of each side and of the zero bucket. */
  readonly #positive = new Map<number, string>();
  readonly #negative = new Map<number, string>();
  #zero: string | undefined;

  write(out: ByteWriter, histogram: Histogram): void {
    this.#adapt(histogram);
    out.ascii(`{"count":"`);
    writeValue(out, histogram.count);
    out.ascii(`","sum":"`);
    writeValue(out, histogram.sum);
    const length = bucketCount(histogram);
    let written = 0;
    for (let i = 0; i < length; i++) {
      const count = observationsAt(histogram, i);
      if (count === 0) continue;
      out.ascii(written++ === 0 ? `","buckets":[` : `"],`);
      out.ascii(this.#textBefore(histogram, i));
      writeValue(out, count);
    }
    out.ascii(written > 0 ? `"]]}` : `"}`);
  }

  /** Forgets what does not hold for the buckets of the histogram. */
  #adapt({ schema, zeroThreshold, customBounds }: Histogram): void {
    const isSame =
      schema === this.#schema &&
      zeroThreshold === this.#zeroThreshold &&
      sameNumbers(customBounds, this.#customBounds);
    if (isSame && this.#positive.size + this.#negative.size < textsMax) return;
    this.#schema = schema;
    this.#zeroThreshold = zeroThreshold;
    this.#customBounds = customBounds;
    this.#positive.clear();
    this.#negative.clear();
    this.#zero = undefined;
  }

  #textBefore(histogram: Histogram, i: number): string {
    const { positive, negative, zeroCount } = histogram;
    const negatives = negative.indices.length;
    const isZero = i === negatives && zeroCount > 0;
    if (isZero) return (this.#zero ??= textBefore(bucketAt(histogram, i)));
    const isNegative = i < negatives;
    const texts = isNegative ? this.#negative : this.#positive;
    const index = isNegative
      ? negative.indices[negatives - 1 - i]!
      : positive.indices[i - negatives - (zeroCount > 0 ? 1 : 0)]!;
    const known = texts.get(index);
    if (known !== undefined) return known;
    const text = textBefore(bucketAt(histogram, i));
    texts.set(index, text);
    return text;
  }
}

function textBefore(bucket: Bucket): string {
  return `[${boundaryRule(bucket)},"${formatValue(bucket.lower)}","${formatValue(bucket.upper)}","`;
}

function writeValue(out: ByteWriter, value: number): void {
  out.advance(writeNumber(out.reserve(numberBytesMax), out.length, value));
}
