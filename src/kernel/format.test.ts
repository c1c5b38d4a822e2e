import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { testKernel, valueOf } from "./testing.ts";

const kernel = testKernel();
const { f64, u8, u32 } = kernel.views;
const decoder = new TextDecoder();

/** What `formatRow` writes: the shortest digits, plain from 1e-6 up to below 1e21. */
function twin(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

function format(values: readonly (number | undefined)[]): string | undefined {
  const mark = kernel.scratch.mark();
  const valuesPtr = kernel.scratch.allocate(values.length * 8);
  const presentPtr = kernel.scratch.allocate(values.length);
  const timesPtr = kernel.scratch.allocate(values.length * 8);
  const offsetsPtr = kernel.scratch.allocate((values.length + 1) * 4);
  const outPtr = kernel.scratch.allocate(values.length * 72);
  let offset = 0;
  values.forEach((value, step) => {
    f64[valuesPtr / 8 + step] = value ?? 0;
    u8[presentPtr + step] = value === undefined ? 0 : 1;
    u32[offsetsPtr / 4 + step] = offset;
    for (const unit of `[${step},"`) u8[timesPtr + offset++] = unit.charCodeAt(0);
  });
  u32[offsetsPtr / 4 + values.length] = offset;
  const bytes = kernel.formatRow({ valuesPtr, presentPtr }, values.length, timesPtr, offsetsPtr, outPtr);
  const text = bytes < 0 ? undefined : decoder.decode(u8.slice(outPtr, outPtr + bytes));
  kernel.scratch.release(mark);
  return text;
}

test("numbers are the shortest that read back", () => {
  const anyBits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(valueOf);
  const places = fc.integer({ min: 0, max: 9 });
  const decimals = fc.tuple(fc.oneof(fc.integer(), fc.maxSafeInteger()), places).map(([n, p]) => n / 10 ** p);
  const numbers = fc.oneof(
    anyBits,
    decimals,
    decimals.map((value) => value * (1 + 2 ** -52)),
    fc.double(),
    fc.double({ min: -1e9, max: 1e9 }),
    fc.integer(),
    fc.maxSafeInteger(),
  );
  fc.assert(
    fc.property(numbers, (value) => {
      const text = format([value]);
      if (text === undefined) assert.ok(Math.abs(value) < 1e-290, String(value));
      else assert.equal(text, `[0,"${twin(value)}"]`);
    }),
    { numRuns: 20_000 },
  );
});

test("at the edges", () => {
  const powers = Array.from({ length: 300 }, (_, i) => [2 ** (i * 3 - 450), 10 ** (i - 280)]).flat();
  const near = powers.flatMap((power) => [power, power * (1 + 2 ** -52), power * (1 - 2 ** -53), -power]);
  const others = [
    0,
    -0,
    NaN,
    Infinity,
    -Infinity,
    0.1,
    1 / 3,
    1e21,
    1e-6,
    1e-7,
    9.5e-7,
    123_456_789.125,
    2 ** 53,
    2 ** 53 + 2,
  ];
  const most = [
    Number.MAX_VALUE,
    1.7976931348623155e308,
    5e22,
    9007199254740992,
    1e15 + 0.5,
    4.35,
    0.000035,
    100,
    1e20,
  ];
  for (const value of [...near, ...others, ...most]) assert.equal(format([value]), `[0,"${twin(value)}"]`);
  assert.equal(format([5e-324]), undefined);
});

test("absent steps are left out", () => {
  assert.equal(format([undefined, 1.5, undefined, 2, NaN]), '[1,"1.5"],[3,"2"],[4,"NaN"]');
  assert.equal(format([undefined, undefined]), "");
});
