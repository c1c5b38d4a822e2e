import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import { errorResponse } from "../../http/index.ts";
import type { QueryService, SearchHit, SearchOptions } from "../../promql/index.ts";
import type { ScrapeView } from "../../scrape/index.ts";
import { addSearchRoutes } from "./search.ts";

const hits: SearchHit[] = [
  ["a_total", 1],
  ["b", 0.5],
  ["c", 0.25],
];

interface Asked {
  name: string | undefined;
  range: unknown;
  options: SearchOptions;
}

function setUp(isEnabled = true, limitMax = 10) {
  const asked: Asked[] = [];
  const queries = {
    search: (name: string | undefined, range: { selectors: string[] }, options: SearchOptions) => {
      asked.push({ name, range, options });
      if (range.selectors.includes("{"))
        return Promise.reject(new NarthexError("bad_data", "wrong selector"));
      return Promise.resolve(hits.slice(0, options.limit));
    },
  } as unknown as QueryService;
  const described = new Map([["a_total", { type: "counter", help: "A.", unit: "" }]]);
  const scrape = { metadataOf: () => described } as unknown as ScrapeView;
  const app = new Hono();
  app.onError((error) => errorResponse(error));
  addSearchRoutes(app, { queries, scrape, search: { isEnabled, limitMax }, nowMs: () => 7_200_000 });
  const ask = async (path: string, form?: string): Promise<string[]> => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await app.request(
      `/search/${path}`,
      form === undefined ? {} : { method: "POST", body: form, headers },
    );
    const text = await response.text();
    if (response.ok)
      assert.equal(response.headers.get("content-type"), "application/x-ndjson; charset=utf-8");
    return response.ok
      ? text.trimEnd().split("\n")
      : [String(response.status), (JSON.parse(text) as { error: string }).error];
  };
  return { ask, asked };
}

test("results come in lines, the last one says whether there is more", async () => {
  const { ask, asked } = setUp();
  assert.deepEqual(await ask("metric_names?limit=3&batch_size=2"), [
    '{"results":[{"name":"a_total"},{"name":"b"}]}',
    '{"results":[{"name":"c"}]}',
    '{"status":"success","has_more":false}',
  ]);
  assert.deepEqual(await ask("metric_names?limit=1&include_metadata=true&include_score=1"), [
    '{"results":[{"name":"a_total","score":1,"type":"counter","help":"A."}]}',
    '{"status":"success","has_more":true}',
  ]);
  const form =
    "search[]=x&search[]=Y&match[]=up&fuzz_threshold=40&fuzz_alg=jarowinkler&case_sensitive=f&sort_by=score&start=1&end=2&limit=2";
  assert.deepEqual(await ask("label_names", form), [
    '{"results":[{"name":"a_total"},{"name":"b"}]}',
    '{"status":"success","has_more":true}',
  ]);
  assert.deepEqual(
    (await ask("label_values?label=job&sort_by=alpha&sort_dir=dsc"))[0],
    '{"results":[{"value":"a_total"},{"value":"b"},{"value":"c"}]}',
  );
  const defaults = {
    terms: [],
    threshold: 0,
    algorithm: "subsequence",
    isCaseSensitive: true,
    order: "ascending",
  };
  const lastHour = { selectors: [], startMs: 3_600_000, endMs: 7_200_000 };
  assert.deepEqual(asked.slice(1), [
    { name: "__name__", range: lastHour, options: { ...defaults, limit: 2 } },
    {
      name: undefined,
      range: { selectors: ["up"], startMs: 1000, endMs: 2000 },
      options: {
        terms: ["x", "Y"],
        threshold: 0.4,
        algorithm: "jarowinkler",
        isCaseSensitive: false,
        order: "score",
        limit: 3,
      },
    },
    { name: "job", range: lastHour, options: { ...defaults, order: "descending", limit: 11 } },
  ]);
});

test("what is wrong is said as upstream says it", async () => {
  const { ask } = setUp();
  for (const [query, error] of [
    ["end=1&start=2", "end timestamp must not be before start timestamp"],
    ["match[]={", "wrong selector"],
    [
      Array.from({ length: 33 }, () => "search[]=x").join("&"),
      "too many search[] terms: got 33, maximum is 32",
    ],
    ["fuzz_threshold=101", 'invalid fuzz_threshold "101": must be 0-100'],
    ["fuzz_alg=x", 'unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]'],
    ["case_sensitive=x", 'invalid case_sensitive "x": must be boolean'],
    ["sort_dir=asc", "sort_dir is only valid when sort_by is set"],
    ["sort_by=score&sort_dir=asc", "sort_dir is not supported for sort_by=score"],
    ["sort_by=alpha&sort_dir=up", 'invalid sort_dir "up": must be "asc" or "dsc"'],
    ["sort_by=score", "sort_by=score requires search[] to be set"],
    ["sort_by=x", 'invalid sort_by "x" for metric_names: must be "alpha" or "score"'],
    ["limit=0", 'invalid limit "0": must be a positive integer'],
    ["limit=11", "limit 11 exceeds the configured maximum (10, see --web.search.max-limit)"],
    ["batch_size=-1", 'invalid batch_size "-1": must be a positive integer'],
  ] as const)
    assert.deepEqual(await ask(`metric_names?${query}`), ["400", error]);
  assert.deepEqual(await ask("label_values"), ["400", 'missing required parameter "label"']);
  assert.deepEqual(await setUp(false).ask("metric_names"), ["500", "search API disabled"]);
});
