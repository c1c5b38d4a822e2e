import type { Histogram } from "../../model/index.ts";
import type { HistogramStates } from "./histogram-groups.ts";
import type { Annotation } from "../annotations.ts";
import type { NodeProfile } from "./profile.ts";
import type { SampleCounts } from "./sample-counter.ts";
import { type SeriesList, TupleSeries } from "../series/series-list.ts";
import type { Strings } from "../series/strings.ts";
import { Tuple, TupleTable } from "../series/tuple.ts";

/** Label sets as they travel between threads: strings once, then name, value, … as places in them. */
export interface EncodedSeries {
  texts: string[];
  numbers: Int32Array<ArrayBuffer>;
  /** Where each series begins in `numbers`, and the end. */
  offsets: Int32Array<ArrayBuffer>;
  /** Series whose metric name goes when the query ends. */
  dropped: Uint8Array<ArrayBuffer>;
}

/**
 * What one reader found in its share of the series for one fragment of a plan. A plain object that can be cloned or
 * transferred; `series` fragments hold rows, `aggregate` fragments the states of groups.
 */
export interface PartialResult {
  series: EncodedSeries;
  /** f64 rows, or states of `stateLength` f64 per step. */
  values: Float64Array<ArrayBuffer>;
  /** Presence rows; empty for states, which know. */
  present: Uint8Array<ArrayBuffer>;
  /** Native histograms of the rows, by their place among the values; absent when there are none. */
  histograms?: [place: number, histogram: Histogram][];
  /** Those of the states; absent when there are none. */
  histogramStates?: HistogramStates;
  /** Instead of rows, where the fragment is the whole of a range query: finished JSON, the series sorted by labels. */
  json?: EncodedJson;
  annotations: Annotation[];
  samplesPeak: number;
  /** What it took; set by the engine when the part is complete. */
  work?: Work;
}

/** What an evaluation took on one thread. */
export interface Work {
  /** Samples that were brought into memory. */
  samplesLoaded: number;
  /** Milliseconds spent on finding series, and on sorting the result's. */
  preparationMs: number;
  sortMs: number;
  /** Number of the reader that did it. */
  reader?: number;
  /** When samples were counted. */
  counts?: SampleCounts;
  /** When operators were timed, in the order of `planNodes`. */
  nodes?: (NodeProfile | undefined)[];
}

/** The JSON of each series: `bytes` between a start and an end, by turns in `ranges`. */
export interface EncodedJson {
  bytes: Uint8Array<ArrayBuffer>;
  ranges: Int32Array<ArrayBuffer>;
  /** Samples in it. */
  samples: number;
}

/** The buffers of a part, for a transfer list. */
export function partialBuffers(part: PartialResult): ArrayBuffer[] {
  const { series, values, present, json } = part;
  const views = [series.numbers, series.offsets, series.dropped, values, present];
  const jsonViews = json === undefined ? [] : [json.bytes, json.ranges];
  return [...views, ...jsonViews].map((view) => view.buffer);
}

export function encodeSeries(list: SeriesList, picks: ArrayLike<number>): EncodedSeries {
  const places = new Map<number, number>();
  const texts: string[] = [];
  const tuple = new Tuple();
  const offsets = new Int32Array(picks.length + 1);
  const dropped = new Uint8Array(picks.length);
  for (let i = 0; i < picks.length; i++) {
    list.append(picks[i]!, tuple);
    offsets[i + 1] = tuple.length;
    dropped[i] = Number(list.dropsName(picks[i]!));
  }
  const numbers = tuple.numbers.slice(0, tuple.length).map((number) => {
    let place = places.get(number);
    if (place === undefined) {
      place = texts.length;
      places.set(number, place);
      texts.push(list.strings.text(number));
    }
    return place;
  });
  return { texts, numbers, offsets, dropped };
}

/** Calls `take` with each label set in this query's numbers. */
export function decodeSeries(
  strings: Strings,
  encoded: EncodedSeries,
  take: (series: number, labels: Tuple) => void,
): void {
  const numbers = encoded.texts.map((text) => strings.number(text));
  const tuple = new Tuple();
  for (let series = 0; series + 1 < encoded.offsets.length; series++) {
    tuple.length = 0;
    for (let i = encoded.offsets[series]!; i < encoded.offsets[series + 1]!; i += 2)
      tuple.push(numbers[encoded.numbers[i]!]!, numbers[encoded.numbers[i + 1]!]!);
    take(series, tuple);
  }
}

/** The label sets as a list. They are distinct, because a storage's series are and operators see to it. */
export function decodeList(
  strings: Strings,
  encoded: EncodedSeries,
  distinctWithoutName: boolean,
): SeriesList {
  const table = new TupleTable();
  decodeSeries(strings, encoded, (_, labels) => table.intern(labels));
  return new TupleSeries(strings, table, distinctWithoutName, encoded.dropped);
}
