import { type Kernel, layout } from "../../kernel/index.ts";
import { LabelIndexReader } from "./label-index.ts";
import { SymbolReader } from "./symbols.ts";

export interface NamedCount {
  name: string;
  value: number;
}

/** What `/api/v1/status/tsdb` shows of the head; the lists are sorted, largest first. */
export interface HeadStats {
  numSeries: number;
  numLabelPairs: number;
  /** Milliseconds; undefined while the head is empty. */
  minTimeMs: number | undefined;
  maxTimeMs: number | undefined;
  seriesCountByMetricName: NamedCount[];
  labelValueCountByLabelName: NamedCount[];
  /** Bytes of the labels' texts as upstream holds them in memory, counted once per series. */
  memoryInBytesByLabelName: NamedCount[];
  /** Named `name=value`. */
  seriesCountByLabelValuePair: NamedCount[];
}

/** Reads the largest `limit` entries of each list, on any thread. */
export function headStats(kernel: Kernel, limit: number): HeadStats {
  kernel.epoch.enter();
  try {
    const symbols = new SymbolReader(kernel);
    const index = new LabelIndexReader(kernel);
    const metricName = symbols.find("__name__");
    const byMetric = new Top(limit);
    const byValues = new Top(limit);
    const byBytes = new Top(limit);
    const byPair = new Top(limit);
    let pairs = 0;
    index.forEachName((name) => {
      let bytes = 0;
      const nameBytes = textBytes(symbols.lengthBytes(name));
      const values = index.valueCount(name);
      pairs += values;
      index.forEachValue(name, (value, count) => {
        bytes += count * (nameBytes + textBytes(symbols.lengthBytes(value)));
        byPair.offer(count, () => `${symbols.text(name)}=${symbols.text(value)}`);
        if (name === metricName) byMetric.offer(count, () => symbols.text(value));
      });
      byValues.offer(values, () => symbols.text(name));
      byBytes.offer(bytes, () => symbols.text(name));
    });
    const { f64 } = kernel.views;
    const minTimeMs = f64[layout.headWord.minTimeMs / 8]!;
    const isEmpty = index.seriesCount === 0 || !Number.isFinite(minTimeMs);
    return {
      numSeries: index.seriesCount,
      numLabelPairs: pairs,
      minTimeMs: isEmpty ? undefined : minTimeMs,
      maxTimeMs: isEmpty ? undefined : f64[layout.headWord.maxTimeMs / 8]!,
      seriesCountByMetricName: byMetric.entries,
      labelValueCountByLabelName: byValues.entries,
      memoryInBytesByLabelName: byBytes.entries,
      seriesCountByLabelValuePair: byPair.entries,
    };
  } finally {
    kernel.epoch.leave();
  }
}

/** A text behind its length, which takes one byte or four. */
function textBytes(lengthBytes: number): number {
  return lengthBytes + (lengthBytes < 255 ? 1 : 4);
}

/** The largest counts seen so far, first come first among equals. */
class Top {
  readonly entries: NamedCount[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `name` is asked for only when the count is among the largest. */
  offer(value: number, name: () => string): void {
    const { entries } = this;
    if (entries.length >= this.#limit && value <= (entries.at(-1)?.value ?? Infinity)) return;
    let at = entries.length;
    while (at > 0 && entries[at - 1]!.value < value) at--;
    entries.splice(at, 0, { name: name(), value });
    if (entries.length > this.#limit) entries.pop();
  }
}
