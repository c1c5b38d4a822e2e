/** Largest relative difference between values that count as equal: sums are formed in different orders. */
const tolerance = 1e-9;

interface Series {
  metric: Record<string, string>;
  values: [number, string][];
}

/** What makes two answers of `query_range` different; undefined when they are equal. */
export function difference(ours: Buffer, theirs: Buffer): string | undefined {
  const [a, b] = [seriesByLabels(ours), seriesByLabels(theirs)];
  if (a.size !== b.size) return `${a.size} series against ${b.size}`;
  for (const [labels, values] of a) {
    const others = b.get(labels);
    if (others === undefined) return `${labels} is missing`;
    if (values.length !== others.length)
      return `${labels} has ${values.length} samples against ${others.length}`;
    for (const [i, [time, value]] of values.entries()) {
      const [otherTime, otherValue] = others[i]!;
      if (time !== otherTime || !isClose(Number(value), Number(otherValue)))
        return `${labels} is ${value} at ${time} against ${otherValue} at ${otherTime}`;
    }
  }
  return undefined;
}

function seriesByLabels(body: Buffer): Map<string, Series["values"]> {
  const { data } = JSON.parse(body.toString()) as { data: { result: Series[] } };
  return new Map(data.result.map(({ metric, values }) => [labelsKey(metric), values]));
}

function labelsKey(metric: Record<string, string>): string {
  return JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isClose(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
}
