import { compareStrings } from "../../model/index.ts";
import type { SeriesList } from "./series-list.ts";
import type { Strings } from "./strings.ts";
import { Tuple } from "./tuple.ts";

/** The numbers of the series in `picks` of `list`, sorted by labels as upstream sorts a matrix. Ties keep their order. */
export function sortedByLabels(list: SeriesList, picks: Int32Array): Int32Array {
  const { offsets, numbers } = flatten(list, picks);
  const { strings } = list;
  const byText = (a: number, b: number): number => compareStrings(strings.text(a), strings.text(b));
  const compare = (a: number, b: number, order: (a: number, b: number) => number): number => {
    const startA = offsets[a]!;
    const startB = offsets[b]!;
    const lengthA = offsets[a + 1]! - startA;
    const lengthB = offsets[b + 1]! - startB;
    const length = Math.min(lengthA, lengthB);
    for (let i = 0; i < length; i++) {
      const x = numbers[startA + i]!;
      const y = numbers[startB + i]!;
      if (x !== y) return order(x, y);
    }
    return lengthA - lengthB;
  };
  const places = Int32Array.from(picks.keys());
  if (places.every((place) => place === 0 || compare(place - 1, place, byText) <= 0)) return picks;
  const ranks = rankStrings(numbers, strings.count, byText);
  const byRank = (a: number, b: number): number => ranks[a]! - ranks[b]!;
  places.sort((a, b) => compare(a, b, byRank) || a - b);
  return places.map((place) => picks[place]!);
}

/** Orders two label sets as `sortedByLabels` does. */
export function compareTuples(strings: Strings, a: Tuple, b: Tuple): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.numbers[i]!;
    const y = b.numbers[i]!;
    if (x !== y) return compareStrings(strings.text(x), strings.text(y));
  }
  return a.length - b.length;
}

/** All series of a list, sorted by labels. */
export function allSortedByLabels(list: SeriesList): Int32Array {
  return sortedByLabels(
    list,
    Int32Array.from({ length: list.length }, (_, series) => series),
  );
}

function flatten(list: SeriesList, picks: Int32Array): { offsets: Int32Array; numbers: Int32Array } {
  const offsets = new Int32Array(picks.length + 1);
  const tuple = new Tuple();
  for (let i = 0; i < picks.length; i++) {
    list.append(picks[i]!, tuple);
    offsets[i + 1] = tuple.length;
  }
  return { offsets, numbers: tuple.numbers.subarray(0, tuple.length) };
}

/** Sorting the distinct strings once makes every later comparison one of integers. */
function rankStrings(
  numbers: Int32Array,
  count: number,
  byText: (a: number, b: number) => number,
): Int32Array {
  const used = new Uint8Array(count);
  for (const number of numbers) used[number] = 1;
  const distinct = Int32Array.from(used.keys()).filter((number) => used[number] === 1);
  distinct.sort(byText);
  const ranks = new Int32Array(count);
  distinct.forEach((number, rank) => (ranks[number] = rank));
  return ranks;
}
