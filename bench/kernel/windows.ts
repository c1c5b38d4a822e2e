// Window functions over decoded columns, and aggregation of their rows. Run: node bench/kernel/windows.ts
import {
  type WindowFunctionName,
  aggregateStateBytes,
  createKernel,
  windowFunction,
} from "../../src/kernel/index.ts";
import { measure } from "./measure.ts";

const kernel = createKernel({ limitBytes: 256 * 1024 * 1024 });
const { f64 } = kernel.views;
const count = 360;
const steps = 60;
const tsPtr = kernel.scratch.allocate(8 * count);
const vsPtr = kernel.scratch.allocate(8 * count);
for (let i = 0; i < count; i++) {
  f64[tsPtr / 8 + i] = i * 1000;
  f64[vsPtr / 8 + i] = i * 3 + (i % 5);
}
const valuesPtr = kernel.scratch.allocate(8 * steps);
const presentPtr = kernel.scratch.allocate(steps);
const argPtr = kernel.scratch.allocate(8 * steps);
f64.fill(0.9, argPtr / 8, argPtr / 8 + steps);
const row = { valuesPtr, presentPtr };
const columns = { tsPtr, vsPtr, count };
const query = { startMs: 60_000, stepMs: 5000, count: steps };

console.log(`${count} samples, ${steps} steps 5 s apart, range 1 min; per sample of the series`);
for (const name of Object.keys(windowFunction) as WindowFunctionName[])
  measure(
    name,
    count * 1000,
    () => {
      for (let i = 0; i < 1000; i++) kernel.window(name, columns, query, 60_000, row, { argPtr });
    },
    300,
  );
measure("selectInstant", count * 1000, () => {
  for (let i = 0; i < 1000; i++) kernel.selectInstant(columns, query, 300_000, row);
});
console.log("\nrows of 60 steps; per step");
const statePtr = kernel.scratch.allocate(steps * aggregateStateBytes);
for (const name of ["sum", "avg", "max", "stddev"] as const) {
  kernel.aggregateBegin(name, statePtr, steps);
  measure(
    `aggregateAdd ${name}`,
    steps * 1000,
    () => {
      for (let i = 0; i < 1000; i++) kernel.aggregateAdd(name, statePtr, row, steps);
    },
    300,
  );
}
for (const name of ["divide", "greater"] as const)
  measure(
    `binaryRows ${name}`,
    steps * 1000,
    () => {
      for (let i = 0; i < 1000; i++) kernel.binaryRows(name, row, row, row, steps, { returnBool: true });
    },
    300,
  );
