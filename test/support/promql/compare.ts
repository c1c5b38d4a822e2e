/** The envelope of the query API, as far as it is the query's. */
export interface Answer {
  status: string;
  errorType?: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
  data?: { resultType: string; result: unknown };
}

interface SeriesJson {
  metric: Record<string, string>;
  value?: PointJson;
  values?: PointJson[];
  histogram?: HistogramPointJson;
  histograms?: HistogramPointJson[];
}

type PointJson = [timestamp: number, value: string];
type HistogramPointJson = [timestamp: number, value: HistogramJson];

interface HistogramJson {
  count: string;
  sum: string;
  buckets?: [boundary: number, lower: string, upper: string, count: string][];
}

/** Relative difference allowed between two values. */
const tolerance = 1e-12;
/** Both say so when they left out annotations; which ones is not defined. */
const annotationsShown = 10;

/**
 * What differs between our answer and theirs; undefined when nothing does. Order is looked at where it is defined: `isOrdered` says so of
 * a vector, by its values, since equal ones come in any order. A matrix is always ordered.
 */
export function findDifference(ours: Answer, theirs: Answer, isOrdered: boolean): string | undefined {
  if (ours.status !== theirs.status || ours.error !== theirs.error || ours.errorType !== theirs.errorType)
    return `${describe(ours)}, expected ${describe(theirs)}`;
  return (
    compareTexts("warnings", ours.warnings, theirs.warnings) ??
    compareTexts("infos", ours.infos, theirs.infos) ??
    (theirs.data && compareData(ours.data!, theirs.data, isOrdered))
  );
}

function describe({ status, errorType, error }: Answer): string {
  return status === "error" ? `${errorType}: ${error}` : status;
}

function compareTexts(what: string, ours: string[] = [], theirs: string[] = []): string | undefined {
  const isCut = theirs.length > annotationsShown;
  // What is written twice is computed once, and its samples are counted once.
  const count = (text: string): string =>
    text.replace(/over \d+ samples/, "over … samples").replace(/ \(\d+ occurrences\)/, "");
  const [a, b] = [ours, theirs]
    .map((texts) => texts.map(count))
    .map((texts) => (isCut ? texts.slice(-1) : texts.toSorted()).join("\n"));
  return a === b ? undefined : `${what} ${JSON.stringify(ours)}, expected ${JSON.stringify(theirs)}`;
}

function compareData(
  ours: NonNullable<Answer["data"]>,
  theirs: NonNullable<Answer["data"]>,
  isOrdered: boolean,
): string | undefined {
  if (ours.resultType !== theirs.resultType) return `a ${ours.resultType}, expected a ${theirs.resultType}`;
  if (theirs.resultType === "scalar" || theirs.resultType === "string")
    return comparePoints(
      theirs.resultType,
      [ours.result as PointJson],
      [theirs.result as PointJson],
      compareValues,
    );
  const [a, b] = [ours.result as SeriesJson[], theirs.result as SeriesJson[]];
  const byLabels = new Map(a.map((series) => [keyOf(series), series]));
  for (const wanted of b) {
    const key = keyOf(wanted);
    const found = byLabels.get(key);
    if (found === undefined) return `${key} is missing`;
    const difference = compareSeries(key, found, wanted);
    if (difference !== undefined) return difference;
    byLabels.delete(key);
  }
  for (const key of byLabels.keys()) return `${key} is not expected`;
  if (a.length !== b.length) return `${a.length} series, expected ${b.length}`;
  return compareOrder(theirs.resultType, a, b, isOrdered);
}

function compareOrder(
  type: string,
  a: SeriesJson[],
  b: SeriesJson[],
  isOrdered: boolean,
): string | undefined {
  const order = (all: SeriesJson[]): string[] =>
    type === "matrix" ? all.map(keyOf) : all.map(({ value }) => value?.[1] ?? "");
  if (type === "vector" && !isOrdered) return undefined;
  const [left, right] = [order(a), order(b)];
  const i = right.findIndex((each, index) => compareKey(left[index]!, each, type));
  return i < 0 ? undefined : `at place ${i + 1} comes ${left[i]}, expected ${right[i]}`;
}

function compareKey(a: string, b: string, type: string): boolean {
  return type === "matrix" ? a !== b : !areClose(a, b);
}

function keyOf({ metric }: SeriesJson): string {
  return JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function compareSeries(key: string, ours: SeriesJson, theirs: SeriesJson): string | undefined {
  const floats = ({ value, values }: SeriesJson): PointJson[] => values ?? (value ? [value] : []);
  const histograms = ({ histogram, histograms: all }: SeriesJson): HistogramPointJson[] =>
    all ?? (histogram ? [histogram] : []);
  return (
    comparePoints(key, floats(ours), floats(theirs), compareValues) ??
    comparePoints(key, histograms(ours), histograms(theirs), compareHistograms)
  );
}

function comparePoints<T>(
  key: string,
  ours: [number, T][],
  theirs: [number, T][],
  compare: (ours: T, theirs: T) => string | undefined,
): string | undefined {
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const [x, y] = [ours[i], theirs[i]];
    if (x === undefined || (y !== undefined && x[0] > y[0]))
      return `${key} @ ${y![0]} is missing, ${show(y![1])} expected`;
    if (y === undefined || y[0] > x[0]) return `${key} @ ${x[0]} is ${show(x[1])}, not expected`;
    const difference = compare(x[1], y[1]);
    if (difference !== undefined) return `${key} @ ${x[0]} ${difference}`;
  }
  return undefined;
}

function show(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function compareValues(ours: string, theirs: string): string | undefined {
  return areClose(ours, theirs) ? undefined : `is ${ours}, expected ${theirs}`;
}

function compareHistograms(ours: HistogramJson, theirs: HistogramJson): string | undefined {
  const buckets = ({ buckets: all = [] }: HistogramJson): [string, string, string, string][] =>
    all.filter(isCounted).map(([rule, ...rest]) => [String(rule), ...rest]);
  const [a, b] = [ours, theirs].map((each) => [each.count, each.sum, ...buckets(each).flat()]);
  const isEqual = a!.length === b!.length && a!.every((text, i) => areClose(text, b![i]!));
  return isEqual ? undefined : `is ${JSON.stringify(ours)}, expected ${JSON.stringify(theirs)}`;
}

/** Which empty buckets a storage keeps is its own affair, and NaN or infinitely many times nothing is NaN. */
function isCounted([, , , count]: readonly unknown[]): boolean {
  return count !== "NaN";
}

function areClose(a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [Number(a), Number(b)];
  return (
    Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y)) &&
    Number.isFinite(x) &&
    x !== 0 &&
    y !== 0
  );
}
