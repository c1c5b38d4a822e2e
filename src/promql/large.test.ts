/** More of something than a function takes arguments, on whatever thread. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "../base/index.ts";
import { Place, text } from "../codec/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { MemoryHead } from "../tsdb/index.ts";
import { defaultLimits, type QueryContext } from "./context.ts";
import { Engine } from "./engine.ts";
import { parseExpr } from "./parser.ts";

const many = 200_000;
const kernel = createKernel({ limitBytes: 256 * 1024 * 1024 });
const head = new MemoryHead(kernel);
const engine = new Engine({ parser: { extendedRangeSelectors: true } });
const context: QueryContext = {
  queryable: head.queryable,
  kernel,
  clock: new SimulatedClock(),
  limits: defaultLimits,
  lookbackDeltaMs: 300_000,
  defaultEvalIntervalMs: 60_000,
  features: { delayedNameRemoval: true },
};

test("groups without names", () => {
  const appender = head.appender();
  for (let id = 0; id < many; id++)
    appender.append(appender.reference(Labels.from({ __name__: "wide", id: `${id}` })), 1000, 1);
  appender.commit();
  const { value } = engine.instant("sum by (id) (abs(wide))", 1000, context);
  assert.equal(value.type === "vector" && value.samples.length, many);
});

test("samples of a window with its boundaries", () => {
  const appender = head.appender();
  const ref = appender.reference(Labels.from({ __name__: "long" }));
  for (let i = 0; i < many; i++) appender.append(ref, i, i);
  appender.commit();
  const { value } = engine.instant(`long[${many - 1}ms] anchored`, many - 1, context);
  assert.equal(value.type === "matrix" && value.series[0]!.values.length, many);
});

test("bytes that are no UTF-8", () => {
  const literal = parseExpr(`"${String.raw`\xff`.repeat(many)}"`);
  assert.equal(literal.kind === "stringLiteral" && literal.value.length, many);
  const base64 = Buffer.alloc(many, 0xff).toString("base64");
  assert.equal(text.decode(Place.parse(`!!binary ${base64}`, "large.yml")).length, many);
});
