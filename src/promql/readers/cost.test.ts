import assert from "node:assert/strict";
import test from "node:test";
import type { Querier, Queryable } from "../../storage/index.ts";
import { parseExpr } from "../parser.ts";
import { type Cost, estimateCost, isQuickToParse } from "./cost.ts";

/** A head that has so many series of the metric `known`, and nothing else. */
function headWith(seriesCount: number): Queryable {
  const querier = {
    seriesCountMax: (matchers) => (matchers.some(({ value }) => value === "known") ? seriesCount : 0),
    close: () => undefined,
  } as Partial<Querier> as Querier;
  return { querier: () => querier };
}

/** As dense as samples usually are. */
const stepMs = 15_000;

test("a query costs by series and by what each step and window looks at", () => {
  const cost = (text: string, steps: number): number =>
    estimateCost(parseExpr(text), { count: steps, stepMs }, headWith(1000), () => 0).most;
  assert.equal(cost("known", 1), 2000);
  assert.equal(cost("known", 60), 61_000);
  assert.ok(cost("rate(known[1h])", 1) > 100 * cost("rate(known[15s])", 1) - 1e6);
  assert.ok(cost("max_over_time(known[1h:1m])", 60) > 50 * cost("known", 60));
  assert.equal(cost("unknown", 1), 2);
});

test("samples between the steps are read as well, unless they lie far apart", () => {
  const cost = (text: string, count: number, apartMs: number): number =>
    estimateCost(parseExpr(text), { count, stepMs: apartMs }, headWith(10), () => 0).most;
  assert.equal(cost("known", 60, 60_000), 10 * (240 + 1));
  assert.equal(cost("rate(known[5m])", 60, 60_000), 10 * (240 + 21));
  assert.ok(cost("known", 60, 86_400_000) < cost("known", 60, 3_600_000) * 2);
});

test("what the head does not know may be any of the series in files", () => {
  const cost = (text: string): Cost =>
    estimateCost(parseExpr(text), { count: 60, stepMs }, headWith(10), () => 100_000);
  assert.ok(cost("gone").most > 5_000_000);
  assert.ok(cost("gone").isGuess);
  assert.deepEqual(cost("known"), { most: 610, isGuess: false });
});

test("files are not looked at for what the head knows", () => {
  const never = (): number => assert.fail("asked");
  estimateCost(parseExpr("known + known offset 1w"), { count: 60, stepMs }, headWith(10), never);
});

test("long texts and large regular expressions are not quick to parse", () => {
  assert.ok(isQuickToParse("sum(rate(known[5m]))"));
  assert.ok(!isQuickToParse("1+".repeat(20_000)));
  assert.ok(!isQuickToParse(`{id=~"(a{1,999}){1,99}"}`));
});
