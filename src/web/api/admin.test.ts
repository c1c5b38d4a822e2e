import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import { errorResponse } from "../../http/index.ts";
import type { SeriesDeletion } from "../../tsdb/index.ts";
import { addAdminRoutes } from "./admin.ts";
import { maxTimestampMs, minTimestampMs } from "./params.ts";

interface SetUp {
  ask: (path: string, method?: string, form?: string) => Promise<[status: number, body: string]>;
  deletions: SeriesDeletion[];
  cleanings: () => number;
}

function setUp(adminEnabled: boolean, failure?: NarthexError): SetUp {
  const deletions: SeriesDeletion[] = [];
  let cleanings = 0;
  const storage = {
    deleteSeries(deletion: SeriesDeletion) {
      deletions.push(deletion);
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    },
    cleanTombstones() {
      cleanings++;
      return Promise.resolve();
    },
    async snapshot({ withHead }: { withHead: boolean }) {
      if (failure !== undefined) throw failure;
      return withHead ? "with-head" : "without";
    },
  };
  const app = new Hono();
  app.onError((error) => errorResponse(error));
  addAdminRoutes(app, { storage, adminEnabled });
  const ask = async (path: string, method = "POST", form?: string): Promise<[number, string]> => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const init = form === undefined ? { method } : { method, body: form, headers };
    const response = await app.request(`/admin/tsdb/${path}`, init);
    return [response.status, await response.text()];
  };
  return { ask, deletions, cleanings: () => cleanings };
}

function failed(errorType: string, error: string): string {
  return JSON.stringify({ status: "error", errorType, error });
}

test("series are deleted by selectors and time, from the URL or a form", async () => {
  const { ask, deletions, cleanings } = setUp(true);
  assert.deepEqual(await ask('delete_series?match[]=up&match[]={a="b"}&start=1.5&end=2'), [204, ""]);
  assert.deepEqual(await ask("delete_series", "PUT", "match[]=up"), [204, ""]);
  const seen = deletions.map(({ selectors, minTimestampMs, maxTimestampMs }) => [
    selectors.map((matchers) => matchers.map(({ name, type, value }) => `${name}${type}${value}`)),
    minTimestampMs,
    maxTimestampMs,
  ]);
  assert.deepEqual(seen, [
    [[["__name__=up"], ["a=b"]], 1500, 2000],
    [[["__name__=up"]], minTimestampMs, maxTimestampMs],
  ]);
  assert.deepEqual(await ask("clean_tombstones", "PUT"), [204, ""]);
  assert.equal(cleanings(), 1);
});

test("what is wrong is said, and nothing is deleted", async () => {
  const { ask, deletions } = setUp(true);
  assert.deepEqual(await ask("delete_series"), [400, failed("bad_data", "no match[] parameter provided")]);
  for (const [query, reason] of [
    ["match[]={}", /at least one non-empty matcher/],
    ["match[]=up&match[]=up[", /invalid parameter \\"match\[\]\\"/],
    ["match[]=up&start=x", /invalid parameter \\"start\\"/],
  ] as const) {
    const [status, body] = await ask(`delete_series?${query}`);
    assert.equal(status, 400);
    assert.match(body, reason);
  }
  assert.deepEqual(deletions, []);
  assert.equal((await ask("delete_series?match[]=up", "GET"))[0], 404);
  const refusing = setUp(true, new NarthexError("execution", "not now"));
  assert.deepEqual(await refusing.ask("delete_series?match[]=up"), [422, failed("execution", "not now")]);
});

test("snapshots are named, with the head unless it is to be left out", async () => {
  const { ask } = setUp(true);
  const named = (name: string): string => JSON.stringify({ status: "success", data: { name } });
  assert.deepEqual(await ask("snapshot"), [200, named("with-head")]);
  assert.deepEqual(await ask("snapshot?skip_head=false", "PUT"), [200, named("with-head")]);
  assert.deepEqual(await ask("snapshot", "POST", "skip_head=T"), [200, named("without")]);
  const detail = 'unable to parse boolean: strconv.ParseBool: parsing "yes": invalid syntax';
  const invalid = failed("bad_data", `invalid parameter "skip_head": ${detail}`);
  assert.deepEqual(await ask("snapshot?skip_head=yes"), [400, invalid]);
  const full = setUp(true, new NarthexError("internal", "ENOSPC: no space"));
  assert.deepEqual(await full.ask("snapshot"), [
    500,
    failed("internal", "create snapshot: ENOSPC: no space"),
  ]);
});

test("without the flag nothing can be changed", async () => {
  const { ask, deletions, cleanings } = setUp(false);
  const disabled = [500, failed("unavailable", "admin APIs disabled")];
  assert.deepEqual(await ask("delete_series?match[]=up"), disabled);
  assert.deepEqual(await ask("clean_tombstones"), disabled);
  assert.deepEqual(await ask("snapshot"), disabled);
  assert.deepEqual([deletions, cleanings()], [[], 0]);
});
