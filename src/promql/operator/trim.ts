import type { Row } from "../../kernel/index.ts";
import { quoteGo } from "../../model/index.ts";
import { floatPresent } from "../histogram/column.ts";
import type { ScalarBinaryNode, VectorBinaryNode } from "../plan/plan.ts";
import type { Evaluation } from "./evaluation.ts";

/** Tells that `</` and `>/` met floats, of which they make nothing. */
export function remarkTrim(
  evaluation: Evaluation,
  { op, grid, position }: ScalarBinaryNode | VectorBinaryNode,
  left: Row,
  right: Row,
): void {
  if (op !== "</" && op !== ">/") return;
  const { u8, annotations } = evaluation;
  for (let step = 0; step < grid.steps; step++) {
    if (u8[left.presentPtr + step] !== floatPresent || u8[right.presentPtr + step] !== floatPresent) continue;
    const text = `incompatible sample types encountered for binary operator ${quoteGo(op)}: float ${op} float`;
    return annotations.inform(text, position);
  }
}
