// Rows of values as JSON, by the kernel and in plain TypeScript. Run: node bench/kernel/format.ts
import { createKernel } from "../../src/kernel/index.ts";
import { formatValue } from "../../src/model/index.ts";
import { measure } from "./measure.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const { f64, u8, u32 } = kernel.views;
// Many, because the engine remembers the texts of recent numbers.
const steps = 100_000;
const valuesPtr = kernel.scratch.allocate(8 * steps);
const presentPtr = kernel.scratch.allocate(steps);
const timesPtr = kernel.scratch.allocate(24 * steps);
const offsetsPtr = kernel.scratch.allocate(4 * (steps + 1));
const outPtr = kernel.scratch.allocate(72 * steps);
u8.fill(1, presentPtr, presentPtr + steps);
let at = 0;
const times = Array.from({ length: steps }, (_, step) => `[${1_700_000_000 + step * 15},"`);
times.forEach((time, step) => {
  u32[offsetsPtr / 4 + step] = at;
  for (const unit of time) u8[timesPtr + at++] = unit.charCodeAt(0);
});
u32[offsetsPtr / 4 + steps] = at;

const kinds: Record<string, () => number> = {
  "17 digits": () => Math.random(),
  "three decimals": () => Math.floor(Math.random() * 1e6) / 1000,
  integers: () => Math.floor(Math.random() * 1e6),
};
for (const [name, value] of Object.entries(kinds)) {
  for (let step = 0; step < steps; step++) f64[valuesPtr / 8 + step] = value();
  measure(
    `${name}, kernel`,
    steps,
    () => {
      kernel.formatRow({ valuesPtr, presentPtr }, steps, timesPtr, offsetsPtr, outPtr);
    },
    500,
  );
  const bytes = Buffer.alloc(72 * steps);
  measure(
    `${name}, TypeScript`,
    steps,
    () => {
      const texts = times.map((time, step) => `${time}${formatValue(f64[valuesPtr / 8 + step]!)}"]`);
      bytes.write(texts.join(","), "latin1");
    },
    500,
  );
}
