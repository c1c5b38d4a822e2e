/** The first byte of a record. */
export const recordType = {
  series: 1,
  samples: 2,
  tombstones: 3,
  exemplars: 4,
  mmapMarkers: 5,
  metadata: 6,
  histogramSamples: 7,
  floatHistogramSamples: 8,
  customBucketHistogramSamples: 9,
  customBucketFloatHistogramSamples: 10,
  samplesV2: 11,
  histogramSamplesV2: 12,
  floatHistogramSamplesV2: 13,
} as const;

/** Walks over a record's bytes; everything throws RangeError at the record's end. */
export class RecordCursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  uint32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4);
  }

  /** A big-endian u64; beyond 2⁵³ the last digits are lost. */
  uint64(): number {
    const high = this.#view.getUint32(this.at);
    const low = this.#view.getUint32(this.at + 4);
    this.at += 8;
    return high * 2 ** 32 + low;
  }

  int64(): number {
    const value = Number(this.#view.getBigInt64(this.at));
    this.at += 8;
    return value;
  }

  bits64(): bigint {
    const value = this.#view.getBigUint64(this.at);
    this.at += 8;
    return value;
  }

  f64(): number {
    const value = this.#view.getFloat64(this.at);
    this.at += 8;
    return value;
  }

  /** UTF-8 behind its length. */
  text(): string {
    const length = this.uvarint();
    const start = this.skip(length);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString();
  }

  /** An unsigned varint; beyond 2⁵³ the last digits are lost. */
  uvarint(): number {
    const { bytes } = this;
    const first = bytes[this.at]!;
    if (first < 0x80) {
      this.at++;
      return first;
    }
    let value = 0;
    for (let scale = 1, end = this.at + 10; this.at < end; scale *= 128) {
      const byte = bytes[this.at];
      if (byte === undefined) break;
      this.at++;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError("varint is truncated or too long");
  }

  /** A signed (zigzag) varint, exact up to 2⁵². */
  varint(): number {
    const raw = this.uvarint();
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  /** Skips `count` bytes and returns where they begin. */
  skip(count: number): number {
    const start = this.at;
    if (count > this.bytes.length - start) throw new RangeError("record is truncated");
    this.at = start + count;
    return start;
  }
}
