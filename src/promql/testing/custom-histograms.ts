import { ClassicHistogram, Labels, parseNumber } from "../../model/index.ts";
import type { LoadedSeries } from "./script.ts";
import type { DescribedValue } from "../series-description.ts";

/** The native histograms with custom buckets that the series of classic ones are worth. */
export function customHistograms(series: readonly LoadedSeries[]): LoadedSeries[] {
  const found = new Map<string, { labels: Labels; classics: (ClassicHistogram | undefined)[] }>();
  for (const { labels, values } of series) {
    const [, name, suffix] = /^(.*)(_bucket|_sum|_count)$/.exec(labels.get("__name__")) ?? [];
    if (name === undefined) continue;
    const own = Labels.from([...labels.without("le", "__name__"), ["__name__", name]]);
    const entry = found.get(own.key()) ?? { labels: own, classics: [] };
    found.set(own.key(), entry);
    for (const [i, value] of values.entries()) {
      if (value.kind !== "float") continue;
      const classic = (entry.classics[i] ??= new ClassicHistogram());
      const bound = parseNumber(labels.get("le"));
      if (suffix === "_sum") classic.setSum(value.value);
      else if (suffix === "_count") classic.setCount(value.value);
      else if (bound !== undefined) classic.setBucket(bound, value.value);
    }
  }
  return [...found.values()].map(({ labels, classics }) => ({
    labels,
    values: Array.from(classics, (classic): DescribedValue => {
      if (classic === undefined) return { kind: "omitted" };
      return { kind: "histogram", histogram: classic.convert().histogram, hasHint: false };
    }),
  }));
}
