import type { Expr } from "./ast.ts";

/** The direct operands of an expression, in the order they are written. */
export function children(expr: Expr): Expr[] {
  switch (expr.kind) {
    case "numberLiteral":
    case "stringLiteral":
    case "vectorSelector":
      return [];
    case "parenExpr":
    case "unaryExpr":
    case "subquery":
      return [expr.expr];
    case "binaryExpr":
      return [expr.lhs, expr.rhs];
    case "aggregation":
      return expr.param ? [expr.param, expr.expr] : [expr.expr];
    case "call":
      return expr.args;
    case "matrixSelector":
      return [expr.selector];
  }
}

/** Visits an expression and all below it, parents first; `path` holds the ancestors, the root first. */
export function walk(expr: Expr, visit: (expr: Expr, path: readonly Expr[]) => void): void {
  const path: Expr[] = [];
  const step = (node: Expr): void => {
    visit(node, path);
    path.push(node);
    children(node).forEach(step);
    path.pop();
  };
  step(expr);
}

/** The first node, parents first, for which `test` holds. */
export function find(expr: Expr, test: (expr: Expr) => boolean): Expr | undefined {
  if (test(expr)) return expr;
  for (const child of children(expr)) {
    const found = find(child, test);
    if (found) return found;
  }
  return undefined;
}
