/** Literals as arguments: each takes the type that is asked for, where Go's untyped constants would. */
import { type BoolNode, nodeText, type NumberNode, type StringNode } from "./ast.ts";
import { type ParamType, types, type Value } from "./value.ts";

/** A number where no type is asked for: its syntax decides. */
export function untypedNumber(node: NumberNode): Value {
  return node.isFloat ? node.float : node.int;
}

/** The literal as a value of the parameter's type; calls `fail` with the reason when it is none. */
export function constantFor(
  type: ParamType,
  node: BoolNode | NumberNode | StringNode,
  fail: (message: string) => never,
): Value {
  const expected = (what: string): never => fail(`expected ${what}; found ${nodeText(node)}`);
  switch (type) {
    case types.any:
      if (node.kind === "number") return untypedNumber(node);
      return node.kind === "bool" ? node.value : node.text;
    case types.string:
      return node.kind === "string" ? node.text : expected("string");
    case types.bool:
      return node.kind === "bool" ? node.value : expected("bool");
    case types.int:
      return (node.kind === "number" ? node.int : undefined) ?? expected("integer");
    case types.float:
      return node.kind === "number" ? node.float : expected("float");
    default:
      return fail(`can't handle ${nodeText(node)} for arg of type ${type.name}`);
  }
}
