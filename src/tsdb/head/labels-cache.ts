import { RecentMap } from "../../base/index.ts";
import type { Labels } from "../../model/index.ts";

/** Characters of labels that one thread keeps, at least; up to twice as many. */
const charactersMax = 1024 * 1024;

/** The labels of series by ref, which no other series ever has: for queries that ask for the same few again and again. */
export type LabelsCache = RecentMap<number, Labels>;

export function createLabelsCache(): LabelsCache {
  return new RecentMap(charactersMax, ({ pairs }) => pairs.reduce((sum, text) => sum + text.length, 1));
}
