import type { Answer } from "./compare.ts";

/** Something that upstream does otherwise than the installed version, in one of three ways to compare nevertheless. */
export interface Change {
  readonly what: string;
  /** Queries that are not compared. */
  readonly skip?: RegExp;
  /** Where our error is this, the installed version has a result or another error. */
  readonly error?: RegExp;
  /** Brings the answers of both to what they have in common. */
  readonly common?: (answer: Answer) => Answer;
}

const ambiguousPair: Change = {
  what: "the two series of an ambiguous match are told in the order of their names",
  common: (answer) => (answer.error === undefined ? answer : { ...answer, error: sortPair(answer.error) }),
};

/**
 * All changes that queries of the generator can meet. What is new since is not drawn for 2.42 (see `Dialect`), and samples and times are chosen
 * so that none lies where a window begins: windows are left-open since 3.0.
 */
export const changesSince242: readonly Change[] = [
  {
    what: "warnings and infos are told",
    common: (answer) => ({ ...answer, warnings: [], infos: [] }),
  },
  ambiguousPair,
  {
    what: "the steps of nested subqueries lie on the inner windows' ends",
    skip: /\[2m:30s\]\)\[5m:1m\]/,
  },
  {
    what: "atan2 drops the metric name",
    skip: /temperature.* atan2/,
  },
  {
    what: "what is predicted from a window that @ pins changes with the step",
    skip: /predict_linear\(.*@/,
  },
  {
    what: "which of equal values are among the first",
    skip: /(?:topk|bottomk)[^(]*\((?!1,|0,|-1,|100,)/,
  },
  {
    what: "values are counted under a label that is also grouped by",
    skip: /count_values (?:by|without) \([^)]*\b(\w+)\b[^)]*\) \("\1"|count_values\("(\w+)",.*(?:by|without) \([^)]*\b\2\b/,
  },
  {
    what: "the parameter of what @ pins",
    skip: /quantile(?:_over_time)?[^(]*\((?:scalar|time|-|\().*@/,
  },
  {
    what: "a range as the result of an instant query is ordered by labels",
    common: ({ data, ...rest }) => (data === undefined ? rest : { ...rest, data: sortMatrix(data) }),
  },
  {
    what: "a match is ambiguous even where the comparison does not hold",
    error: /^multiple matches for labels/,
  },
  {
    what: "of contradicting matchers absent forgets the label, as they come out of the storage",
    skip: /absent.*\b(\w+)(?:!=|=~|!~)[^}]*\b\1="/,
  },
  {
    what: "a value that is infinite or NaN has no spread",
    skip: /^stddev\(odd\)/,
  },
  {
    what: "sums are compensated, which makes 0 of −0",
    common: (answer) => withoutNegativeZero(answer),
  },
];

/** Between 3.14 and the version after it, whose test data ours is measured by. */
export const changesSince314: readonly Change[] = [
  ambiguousPair,
  {
    what: "info series are looked for where `offset` and `@` say, and as far back as any, even in a query that reads shorter ranges",
    skip: /\binfo\(.*(?:offset|@|\[)/,
  },
  {
    what: "start() and end() say when in the parameter of an aggregation, too, which upstream overlooks",
    skip: /\b(?:topk|bottomk|limitk|limit_ratio|quantile)\b(?: (?:by|without) \([^)]*\))? ?\([^,]*@ (?:start|end)\(\)/,
  },
  {
    what: "the quantile where counts are negative is the end of the last bucket, which may be an empty one that the chunk has room for",
    skip: /histogram_quantiles?\(.*-\(*(?:sizes|mixed|custom|\{)/,
  },
  {
    what: "a literal in parentheses stays a computed duration",
    skip: /(?:offset|\[|:)[^\]]*\(\s*[+-]?\s*[\d.]+\w*\s*\)/,
  },
];

function sortPair(error: string): string {
  return error.replace(
    /operation: \[(\{.*?\}), (\{.*?\})\]/,
    (_, ...[a, b]: string[]) => `operation: [${[a, b].toSorted().join(", ")}]`,
  );
}

function withoutNegativeZero(answer: Answer): Answer {
  const text = JSON.stringify(answer.data);
  return answer.data === undefined
    ? answer
    : { ...answer, data: JSON.parse(text.replaceAll(',"-0"]', ',"0"]')) as Answer["data"] & object };
}

function sortMatrix(data: NonNullable<Answer["data"]>): NonNullable<Answer["data"]> {
  if (data.resultType !== "matrix") return data;
  const keys = (data.result as { metric: object }[]).map(
    (series) => [JSON.stringify(series.metric), series] as const,
  );
  return { ...data, result: keys.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, series]) => series) };
}
