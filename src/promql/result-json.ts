import { ByteWriter } from "./json/byte-writer.ts";
import { LabelWriter } from "./json/label-writer.ts";
import { numberBytesMax, writeNumber, writeTimestamp } from "./json/number-writer.ts";
import type { Row } from "./operator/operator.ts";
import type { Grid } from "./plan/plan.ts";
import type { ColumnViews, ResultSink } from "./result.ts";
import type { SeriesList } from "./series/series-list.ts";

/** `[`, a timestamp, `,"`. */
const timeBytesMax = 24;
const sampleBytesMax = timeBytesMax + numberBytesMax + 3;

/**
 * Writes the `data` object of `/api/v1/query` and `/api/v1/query_range`: `{"resultType":…,"result":…}`, byte for byte as upstream's
 * JSON, without an object per sample.
 */
export class JsonSink implements ResultSink {
  readonly #out: ByteWriter;
  readonly #labels = new LabelWriter();
  #type = "";
  #count = 0;
  #times: StepTimes | undefined;

  /** Appends to `out`, which may hold the beginning of an answer. */
  constructor(out = new ByteWriter()) {
    this.#out = out;
  }

  /** The bytes of `out`, once the evaluation has ended. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#out.finish();
  }

  begin(type: "scalar" | "string" | "vector" | "matrix"): void {
    this.#type = type;
    this.#out.ascii(`{"resultType":"${type}","result":[`);
  }

  scalar(timestampMs: number, value: number): void {
    this.#out.reserve(sampleBytesMax);
    this.#time(timestampMs);
    this.#value(value);
  }

  string(timestampMs: number, text: string): void {
    this.#out.reserve(sampleBytesMax);
    this.#time(timestampMs);
    this.#out.ascii(",");
    this.#out.text(JSON.stringify(text));
  }

  sample(list: SeriesList, series: number, timestampMs: number, value: number): void {
    this.#metric(list, series);
    this.#out.ascii(`"value":[`);
    this.#out.reserve(sampleBytesMax);
    this.#time(timestampMs);
    this.#value(value);
    this.#out.ascii("]}");
  }

  row(list: SeriesList, series: number, grid: Grid, row: Row, { f64, u8 }: ColumnViews): void {
    this.#metric(list, series);
    this.#out.ascii(`"values":[`);
    const times = (this.#times ??= new StepTimes(grid));
    const bytes = this.#out.reserve(grid.steps * sampleBytesMax);
    const values = row.valuesPtr / 8;
    const start = this.#out.length;
    let at = start;
    for (let step = 0; step < grid.steps; step++) {
      if (u8[row.presentPtr + step] === 0) continue;
      if (at > start) bytes[at++] = 0x2c;
      at = times.copy(step, bytes, at);
      at = writeNumber(bytes, at, f64[values + step]!);
      bytes[at++] = 0x22;
      bytes[at++] = 0x5d;
    }
    this.#out.advance(at);
    this.#out.ascii("]}");
  }

  samples(
    list: SeriesList,
    series: number,
    timestamps: number,
    values: number,
    count: number,
    { f64 }: ColumnViews,
  ): void {
    this.#metric(list, series);
    this.#out.ascii(`"values":[`);
    for (let i = 0; i < count; i++) {
      this.#out.reserve(sampleBytesMax);
      this.#out.ascii(i === 0 ? "[" : ",[");
      this.#time(f64[timestamps + i]!);
      this.#value(f64[values + i]!);
      this.#out.ascii("]");
    }
    this.#out.ascii("]}");
  }

  end(): void {
    this.#out.ascii(this.#type === "" ? "" : "]}");
  }

  #metric(list: SeriesList, series: number): void {
    this.#out.ascii(this.#count++ === 0 ? `{"metric":` : `,{"metric":`);
    this.#labels.write(this.#out, list, series);
    this.#out.ascii(",");
  }

  #time(timestampMs: number): void {
    this.#out.advance(writeTimestamp(this.#out.reserve(timeBytesMax), this.#out.length, timestampMs));
  }

  #value(value: number): void {
    this.#out.ascii(`,"`);
    this.#out.advance(writeNumber(this.#out.reserve(numberBytesMax), this.#out.length, value));
    this.#out.ascii(`"`);
  }
}

/** `[<time>,"` for every step, which are the same for all series. */
class StepTimes {
  readonly #bytes: Uint8Array;
  readonly #offsets: Int32Array;

  constructor(grid: Grid) {
    this.#bytes = new Uint8Array(grid.steps * timeBytesMax);
    this.#offsets = new Int32Array(grid.steps + 1);
    let at = 0;
    for (let step = 0; step < grid.steps; step++) {
      this.#bytes[at++] = 0x5b;
      at = writeTimestamp(this.#bytes, at, grid.startMs + step * grid.stepMs);
      this.#bytes[at++] = 0x2c;
      this.#bytes[at++] = 0x22;
      this.#offsets[step + 1] = at;
    }
  }

  copy(step: number, to: Uint8Array, at: number): number {
    const start = this.#offsets[step]!;
    const end = this.#offsets[step + 1]!;
    for (let i = start; i < end; i++) to[at + i - start] = this.#bytes[i]!;
    return at + end - start;
  }
}
