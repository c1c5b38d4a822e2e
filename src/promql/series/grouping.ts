import type { LabelFilter } from "./label-filter.ts";
import type { SeriesList } from "./series-list.ts";
import { Tuple, TupleTable } from "./tuple.ts";

/** The group of each series of a list: series are in one group when the labels that pass the filter are equal. */
export class Grouping {
  readonly groups: Int32Array;
  readonly table: TupleTable;

  /** Lists that are grouped into the same `table` share group numbers. */
  constructor(list: SeriesList, filter: LabelFilter, table = new TupleTable()) {
    this.table = table;
    this.groups = new Int32Array(list.length);
    const tuple = new Tuple();
    if (filter.empty) {
      if (list.length > 0) this.groups.fill(table.intern(tuple));
      return;
    }
    for (let series = 0; series < list.length; series++)
      this.groups[series] = table.intern(list.tuple(series, tuple, filter));
  }

  /** The series of each group, groups in the order of their numbers. Only for a table of one list's own. */
  members(): number[][] {
    const members: number[][] = Array.from({ length: this.table.count }, () => []);
    for (let series = 0; series < this.groups.length; series++) members[this.groups[series]!]!.push(series);
    return members;
  }
}
