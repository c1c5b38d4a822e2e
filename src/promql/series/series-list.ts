import { Labels } from "../../model/index.ts";
import type { SeriesSet } from "../../storage/index.ts";
import { LabelFilter, reservedLabels } from "./label-filter.ts";
import { type Strings, SymbolNumbers } from "./strings.ts";
import { Tuple, TupleTable } from "./tuple.ts";

/**
 * The output series of an operator, numbered from 0. Labels are numbers of the query's `Strings` until someone prints them,
 * and only labels that pass a filter are looked at.
 */
export abstract class SeriesList {
  readonly strings: Strings;
  readonly length: number;

  constructor(strings: Strings, length: number) {
    this.strings = strings;
    this.length = length;
  }

  /** Appends to `out` the labels of `series` that pass `filter`. */
  abstract append(series: number, out: Tuple, filter?: LabelFilter): void;

  /** Whether the metric name shall be dropped when the query ends (only with delayed name removal). */
  dropsName(_series: number): boolean {
    return false;
  }

  /** Whether all series surely stay distinct without the labels that describe the metric. */
  get distinctWithoutName(): boolean {
    return false;
  }

  tuple(series: number, out: Tuple, filter?: LabelFilter): Tuple {
    out.length = 0;
    this.append(series, out, filter);
    return out;
  }

  /** The label names and values of a series as strings: name, value, name, value … in `out`, which is filled anew. */
  texts(series: number, out: string[]): void {
    const { numbers, length } = this.tuple(series, textTuple);
    out.length = length;
    for (let i = 0; i < length; i++) out[i] = this.strings.text(numbers[i]!);
  }

  labels(series: number): Labels {
    return tupleLabels(this.strings, this.tuple(series, new Tuple()));
  }

  /** The labels of a series whose labels are the same object each time. */
  rememberedLabels(_series: number): Labels | undefined {
    return undefined;
  }
}

const textTuple = new Tuple();

export function tupleLabels(strings: Strings, tuple: Tuple): Labels {
  const pairs: string[] = [];
  for (let i = 0; i < tuple.length; i++) pairs.push(strings.text(tuple.numbers[i]!));
  return Labels.fromSortedPairs(pairs);
}

/** Series as the storage has them. */
export class SelectedSeries extends SeriesList {
  readonly #set: SeriesSet;
  /** Undefined while only texts are asked for. */
  #numbers: SymbolNumbers | undefined;
  readonly #namePinned: boolean;
  /** The name symbol last seen at each place in a label set and its number: series of one metric agree in nearly all. */
  readonly #lastSymbol: number[] = [];
  readonly #lastNumber: number[] = [];

  /** `namePinned`: the selector allows one metric name only. */
  constructor(strings: Strings, set: SeriesSet, namePinned: boolean) {
    super(strings, set.length);
    this.#set = set;
    this.#namePinned = namePinned;
  }

  override append(series: number, out: Tuple, filter?: LabelFilter): void {
    const numbers = (this.#numbers ??= new SymbolNumbers(this.strings, this.#set.symbols));
    const symbols = this.#set.labelSymbols(series);
    for (let i = 0; i < symbols.length; i += 2) {
      const name = this.#nameNumber(numbers, i >>> 1, symbols[i]!);
      if (filter === undefined || filter.passes(name)) out.push(name, numbers.number(symbols[i + 1]!));
    }
  }

  override texts(series: number, out: string[]): void {
    const { symbols } = this.#set;
    const own = this.#set.labelSymbols(series);
    out.length = own.length;
    for (let i = 0; i < own.length; i++) out[i] = symbols.text(own[i]!);
  }

  override labels(series: number): Labels {
    return this.#set.labels(series);
  }

  override rememberedLabels(series: number): Labels | undefined {
    return this.#set.remembersLabels === true ? this.#set.labels(series) : undefined;
  }

  override get distinctWithoutName(): boolean {
    const { symbols } = this.#set;
    return this.#namePinned && reservedLabels.slice(1).every((label) => symbols.find(label) === undefined);
  }

  #nameNumber(numbers: SymbolNumbers, place: number, symbol: number): number {
    if (this.#lastSymbol[place] === symbol) return this.#lastNumber[place]!;
    const number = numbers.number(symbol);
    this.#lastSymbol[place] = symbol;
    this.#lastNumber[place] = number;
    return number;
  }
}

/** The labels of another list that pass a filter. */
export class FilteredSeries extends SeriesList {
  readonly #source: SeriesList;
  readonly #filter: LabelFilter;
  readonly #distinct: boolean;

  /** `distinct`: the result is known to have no two equal label sets once metric names are gone. */
  constructor(source: SeriesList, filter: LabelFilter, distinct: boolean) {
    super(source.strings, source.length);
    this.#source = source;
    this.#filter = filter;
    this.#distinct = distinct;
  }

  override append(series: number, out: Tuple, filter?: LabelFilter): void {
    this.#source.append(series, out, filter === undefined ? this.#filter : this.#combined(filter));
  }

  override dropsName(series: number): boolean {
    return this.#source.dropsName(series);
  }

  override get distinctWithoutName(): boolean {
    return this.#distinct;
  }

  #lastFilter: LabelFilter | undefined;
  #lastCombined: LabelFilter | undefined;

  #combined(filter: LabelFilter): LabelFilter {
    if (this.#lastFilter !== filter) {
      this.#lastFilter = filter;
      this.#lastCombined = filter.and(this.#filter);
    }
    return this.#lastCombined!;
  }
}

/** The same series, all of whose names are dropped when the query ends, or none of them. */
export class NameDroppingSeries extends SeriesList {
  readonly #source: SeriesList;
  readonly #drops: boolean;

  constructor(source: SeriesList, drops = true) {
    super(source.strings, source.length);
    this.#source = source;
    this.#drops = drops;
  }

  override append(series: number, out: Tuple, filter?: LabelFilter): void {
    this.#source.append(series, out, filter);
  }

  override dropsName(): boolean {
    return this.#drops;
  }

  override get distinctWithoutName(): boolean {
    return this.#source.distinctWithoutName;
  }
}

/** Some series of another list, in an order of their own. */
export class PickedSeries extends SeriesList {
  readonly #source: SeriesList;
  readonly #picks: ArrayLike<number>;

  constructor(source: SeriesList, picks: ArrayLike<number>) {
    super(source.strings, picks.length);
    this.#source = source;
    this.#picks = picks;
  }

  override append(series: number, out: Tuple, filter?: LabelFilter): void {
    this.#source.append(this.#picks[series]!, out, filter);
  }

  override dropsName(series: number): boolean {
    return this.#source.dropsName(this.#picks[series]!);
  }

  override get distinctWithoutName(): boolean {
    return this.#source.distinctWithoutName;
  }
}

/** Label sets that were computed. */
export class TupleSeries extends SeriesList {
  readonly #table: TupleTable;
  readonly #dropped: Uint8Array | undefined;
  readonly #distinct: boolean;

  /** Takes the table over. `distinct`: without metric names no two are equal. `dropped` marks the series whose name goes when the query ends. */
  constructor(strings: Strings, table: TupleTable, distinct: boolean, dropped?: Uint8Array) {
    super(strings, table.count);
    this.#table = table;
    this.#distinct = distinct;
    this.#dropped = dropped;
  }

  override append(series: number, out: Tuple, filter?: LabelFilter): void {
    this.#table.append(series, out, filter);
  }

  override dropsName(series: number): boolean {
    return this.#dropped !== undefined && this.#dropped[series] === 1;
  }

  override get distinctWithoutName(): boolean {
    return (
      this.#distinct && !this.#table.hasAny(reservedLabels.slice(1).map((name) => this.strings.number(name)))
    );
  }
}

/** One list after another. */
export class ConcatenatedSeries extends SeriesList {
  readonly #parts: readonly SeriesList[];
  readonly #starts: number[];
  readonly #distinct: boolean;

  constructor(strings: Strings, parts: readonly SeriesList[], distinctWithoutName = false) {
    super(
      strings,
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    this.#parts = parts;
    this.#distinct = distinctWithoutName;
    let start = 0;
    this.#starts = parts.map((part) => (start += part.length) - part.length);
  }

  /** The part a series comes from and its number there. */
  locate(series: number): [part: number, series: number] {
    let part = 0;
    for (let end = this.#starts.length; end - part > 1;) {
      const middle = (part + end) >>> 1;
      if (this.#starts[middle]! <= series) part = middle;
      else end = middle;
    }
    return [part, series - this.#starts[part]!];
  }

  override append(series: number, out: Tuple, filter?: LabelFilter): void {
    const [part, within] = this.locate(series);
    this.#parts[part]!.append(within, out, filter);
  }

  override dropsName(series: number): boolean {
    const [part, within] = this.locate(series);
    return this.#parts[part]!.dropsName(within);
  }

  override get distinctWithoutName(): boolean {
    return this.#distinct;
  }
}

/** The one series without labels: a scalar, or an aggregation over everything. */
export function singleSeries(strings: Strings): SeriesList {
  const table = new TupleTable();
  table.intern(new Tuple());
  return new TupleSeries(strings, table, true);
}

export function noSeries(strings: Strings): SeriesList {
  return new TupleSeries(strings, new TupleTable(), true);
}
