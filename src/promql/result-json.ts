import { formatPlain } from "../model/index.ts";
import type { Histogram } from "../model/index.ts";
import type { HistogramSample } from "../storage/index.ts";
import { floatPresent } from "./histogram/column.ts";
import type { SampleValue } from "./histogram/samples.ts";
import { ByteWriter } from "./json/byte-writer.ts";
import { HistogramWriter } from "./json/histogram-writer.ts";
import { LabelWriter } from "./json/label-writer.ts";
import { numberBytesMax, writeNumber, writeTimestamp } from "./json/number-writer.ts";
import type { Row } from "./operator/operator.ts";
import type { Grid } from "./plan/plan.ts";
import { type ColumnViews, histogramsOfRow, type ResultSink, type ResultType } from "./result.ts";
import type { SeriesList } from "./series/series-list.ts";

/** `[`, a timestamp, `,"`. */
const timeBytesMax = 24;
const sampleBytesMax = timeBytesMax + numberBytesMax + 3;
/** Room that the kernel wants for each step. */
const rowBytesMax = 72;
/** Room for each of the other series by what the first took. */
const roomRatio = 1.25;
/** Most bytes that are reserved ahead. */
const roomMax = 256 * 1024 * 1024;

/**
 * Writes the `data` object of `/api/v1/query` and `/api/v1/query_range`: `{"resultType":…,"result":…}`, byte for byte as upstream's
 * JSON, without an object per sample. A sink takes one result.
 */
export class JsonSink implements ResultSink {
  readonly #out: ByteWriter;
  readonly #labels = new LabelWriter();
  /** Undefined while there was none. */
  #histogramWriter: HistogramWriter | undefined;
  #type = "";
  #count = 0;
  #times: StepTimes | undefined;
  /** Those among the elements of a vector, in its order. */
  readonly histograms: Histogram[] = [];

  /** Appends to `out`, which may hold the beginning of an answer. */
  constructor(out = new ByteWriter()) {
    this.#out = out;
  }

  /** The bytes of `out`, once the evaluation has ended. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#out.finish();
  }

  begin(type: ResultType, bytesExpected = 0): void {
    this.#out.reserve(bytesExpected);
    this.#type = type;
    this.#out.ascii(`{"resultType":"${type}","result":[`);
  }

  scalar(timestampMs: number, value: number): void {
    this.#out.reserve(sampleBytesMax);
    this.#time(timestampMs);
    // Unlike the values of vectors, a scalar never has an exponent.
    this.#out.ascii(`,"${formatPlain(value)}"`);
  }

  string(timestampMs: number, text: string): void {
    this.#out.reserve(sampleBytesMax);
    this.#time(timestampMs);
    this.#out.ascii(",");
    this.#out.text(JSON.stringify(text.toWellFormed()));
  }

  sample(list: SeriesList, series: number, timestampMs: number, value: SampleValue): void {
    this.#metric(list, series);
    this.#out.ascii(typeof value === "number" ? `"value":[` : `"histogram":[`);
    this.#out.reserve(sampleBytesMax);
    this.#time(timestampMs);
    if (typeof value === "number") this.#value(value);
    else {
      this.#histogram(value);
      this.histograms.push(value);
    }
    this.#out.ascii("]}");
  }

  row(list: SeriesList, series: number, grid: Grid, row: Row, views: ColumnViews): void {
    if (views.histograms.areIn(views.u8, row, grid.steps)) {
      this.#mixedRow(list, series, grid, row, views);
      return;
    }
    const start = this.#out.length;
    this.#metric(list, series);
    this.#out.ascii(`"values":[`);
    const { timesPtr, offsetsPtr, outPtr } = (this.#times ??= new StepTimes(grid, views));
    const count = views.kernel.formatRow(row, grid.steps, timesPtr, offsetsPtr, outPtr);
    if (count >= 0) this.#out.bytes(views.u8.subarray(outPtr, outPtr + count));
    else this.#samplesOfRow(grid, row, views);
    this.#out.ascii("]}");
    // What one series took, the others may take too, or a little more: room for all at once saves growing by copies. Untouched memory costs nothing.
    if (this.#count === 1)
      this.#out.reserve(
        Math.min(Math.ceil((list.length - 1) * (this.#out.length - start) * roomRatio), roomMax),
      );
  }

  encodedSeries(json: Uint8Array): void {
    if (this.#count++ > 0) this.#out.ascii(",");
    this.#out.bytes(json);
  }

  #mixedRow(list: SeriesList, series: number, grid: Grid, row: Row, views: ColumnViews): void {
    const { u8 } = views;
    const hasFloats = u8.subarray(row.presentPtr, row.presentPtr + grid.steps).includes(floatPresent);
    this.#metric(list, series);
    if (hasFloats) {
      this.#out.ascii(`"values":[`);
      this.#samplesOfRow(grid, row, views);
      this.#out.ascii("],");
    }
    this.#histograms(histogramsOfRow(grid, row, views));
    this.#out.ascii("}");
  }

  #histograms(samples: readonly HistogramSample[]): void {
    this.#out.ascii(`"histograms":[`);
    samples.forEach(({ timestampMs, histogram }, i) => {
      this.#out.reserve(sampleBytesMax);
      this.#out.ascii(i === 0 ? "[" : ",[");
      this.#time(timestampMs);
      this.#histogram(histogram);
      this.#out.ascii("]");
    });
    this.#out.ascii("]");
  }

  #histogram(histogram: Histogram): void {
    this.#out.ascii(",");
    this.#histogramWriter ??= new HistogramWriter();
    this.#histogramWriter.write(this.#out, histogram);
  }

  /** Of rows that have histograms too, and of the rare row with a number so small that the kernel does not write it. */
  #samplesOfRow(grid: Grid, row: Row, { f64, u8 }: ColumnViews): void {
    let count = 0;
    for (let step = 0; step < grid.steps; step++) {
      if (u8[row.presentPtr + step] !== floatPresent) continue;
      this.#out.ascii(count++ === 0 ? "[" : ",[");
      this.#time(grid.startMs + step * grid.stepMs);
      this.#value(f64[row.valuesPtr / 8 + step]!);
      this.#out.ascii("]");
    }
  }

  samples(
    list: SeriesList,
    series: number,
    timestamps: number,
    values: number,
    count: number,
    histograms: readonly HistogramSample[],
    { f64 }: ColumnViews,
  ): void {
    this.#metric(list, series);
    if (count > 0) this.#out.ascii(`"values":[`);
    for (let i = 0; i < count; i++) {
      this.#out.reserve(sampleBytesMax);
      this.#out.ascii(i === 0 ? "[" : ",[");
      this.#time(f64[timestamps + i]!);
      this.#value(f64[values + i]!);
      this.#out.ascii("]");
    }
    if (count > 0) this.#out.ascii("]");
    if (count > 0 && histograms.length > 0) this.#out.ascii(",");
    if (histograms.length > 0) this.#histograms(histograms);
    this.#out.ascii("}");
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

/** `[<time>,"` for every step, which are the same for all series, and room for a row's text; in scratch memory for the kernel. */
class StepTimes {
  readonly timesPtr: number;
  /** u32: where the text of each step begins, and the end. */
  readonly offsetsPtr: number;
  readonly outPtr: number;

  constructor(grid: Grid, views: ColumnViews) {
    const { u8, u32 } = views.kernel.views;
    this.timesPtr = views.allocate(grid.steps * timeBytesMax);
    this.offsetsPtr = views.allocate((grid.steps + 1) * 4);
    this.outPtr = views.allocate(grid.steps * rowBytesMax);
    let at = this.timesPtr;
    for (let step = 0; step < grid.steps; step++) {
      u32[this.offsetsPtr / 4 + step] = at - this.timesPtr;
      u8[at++] = 0x5b;
      at = writeTimestamp(u8, at, grid.startMs + step * grid.stepMs);
      u8[at++] = 0x2c;
      u8[at++] = 0x22;
    }
    u32[this.offsetsPtr / 4 + grid.steps] = at - this.timesPtr;
  }
}
