import type { Row } from "../../kernel/index.ts";
import { floatPresent } from "../histogram/column.ts";
import type { HistogramRemarks } from "../histogram/remarks.ts";
import type { ScalarBinaryNode, VectorBinaryNode } from "../plan/plan.ts";
import type { Evaluation } from "./evaluation.ts";

/** Tells that `</` and `>/` met floats, of which they make nothing. */
export function remarkTrim(
  evaluation: Evaluation,
  { op, grid }: ScalarBinaryNode | VectorBinaryNode,
  left: Row,
  right: Row,
  remarks: (step: number) => HistogramRemarks,
): void {
  if (op !== "</" && op !== ">/") return;
  const { u8 } = evaluation;
  for (let step = 0; step < grid.steps; step++) {
    if (u8[left.presentPtr + step] !== floatPresent || u8[right.presentPtr + step] !== floatPresent) continue;
    remarks(step).incompatibleTypes("float", op, "float");
  }
}
