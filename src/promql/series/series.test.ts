import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Labels } from "../../model/index.ts";
import { setLabel } from "../operator/vector-labels.ts";
import { Grouping } from "./grouping.ts";
import { LabelFilter } from "./label-filter.ts";
import { sortedByLabels } from "./order.ts";
import { type SeriesList, TupleSeries, tupleLabels } from "./series-list.ts";
import { Strings } from "./strings.ts";
import { Tuple, TupleTable } from "./tuple.ts";

const names = fc.constantFrom("__name__", "a", "b", "job", "\u{1f600}", "\uffff");
const labelSets = fc
  .dictionary(names, fc.string({ minLength: 1, maxLength: 2 }))
  .map((object) => Labels.from(object));
const distinctSets = fc.uniqueArray(labelSets, { selector: (labels) => labels.key(), maxLength: 200 });

function listOf(strings: Strings, sets: readonly Labels[]): SeriesList {
  const table = new TupleTable();
  const tuple = new Tuple();
  for (const labels of sets) {
    tuple.length = 0;
    for (const [name, value] of labels) tuple.push(strings.number(name), strings.number(value));
    table.intern(tuple);
  }
  return new TupleSeries(strings, table, false);
}

test("label sets come back as they went in, many of them too", () => {
  const sets = Array.from({ length: 5000 }, (_, i) => Labels.from({ i: String(i), odd: String(i % 2) }));
  const list = listOf(new Strings(), sets);
  assert.equal(list.length, sets.length);
  for (let i = 0; i < sets.length; i += 97) assert.ok(list.labels(i).equals(sets[i]!));
  assert.equal(listOf(new Strings(), [...sets, ...sets]).length, sets.length);
});

test("series are sorted as label sets are", () => {
  fc.assert(
    fc.property(distinctSets, (sets) => {
      const list = listOf(new Strings(), sets);
      const order = sortedByLabels(list, Int32Array.from(sets.keys()));
      const expected = [...sets].sort((a, b) => a.compare(b)).map((labels) => labels.toString());
      assert.deepEqual(
        [...order].map((series) => list.labels(series).toString()),
        expected,
      );
    }),
  );
});

test("groups are those of the labels that are kept", () => {
  fc.assert(
    fc.property(distinctSets, fc.subarray(["__name__", "a", "job"]), fc.boolean(), (sets, chosen, keep) => {
      const strings = new Strings();
      const list = listOf(strings, sets);
      const filter = keep ? LabelFilter.only(strings, chosen) : LabelFilter.except(strings, chosen);
      const { groups } = new Grouping(list, filter);
      const keys = sets.map((labels) => (keep ? labels.only(...chosen) : labels.without(...chosen)).key());
      const first = keys.map((key) => groups[keys.indexOf(key)]);
      assert.deepEqual([...groups], first);
      assert.equal(new Set(groups).size, new Set(keys).size);
    }),
  );
});

test("filters combine", () => {
  const strings = new Strings();
  const pick = (filter: LabelFilter): string[] =>
    ["a", "b", "c"].filter((name) => filter.passes(strings.number(name)));
  const only = LabelFilter.only(strings, ["a", "b"]);
  const except = LabelFilter.except(strings, ["b"]);
  assert.deepEqual(pick(only.and(except)), ["a"]);
  assert.deepEqual(pick(except.and(only)), ["a"]);
  assert.deepEqual(pick(only.and(LabelFilter.only(strings, ["b", "c"]))), ["b"]);
  assert.deepEqual(pick(except.and(LabelFilter.except(strings, ["c"]))), ["a"]);
});

test("setting a label keeps names sorted", () => {
  fc.assert(
    fc.property(
      labelSets,
      names,
      fc.option(fc.string({ minLength: 1, maxLength: 2 })),
      (labels, name, value) => {
        const strings = new Strings();
        const tuple = listOf(strings, [labels]).tuple(0, new Tuple());
        setLabel(strings, tuple, strings.number(name), value === null ? -1 : strings.number(value));
        const expected = Labels.from({ ...labels.toObject(), [name]: value ?? "" });
        assert.ok(tupleLabels(strings, tuple).equals(expected));
      },
    ),
  );
});
