import { metricNameLabel, quoteGo } from "../model/index.ts";
import type {
  AggregateExpr,
  AggregationOperator,
  BinaryExpr,
  BinaryOperator,
  Call,
  Expr,
  PositionRange,
  ValueType,
  VectorSelector,
} from "./ast.ts";
import { ParseError } from "./parse-error.ts";
import { children } from "./walk.ts";

/** Levels of a whole tree; a chain of binary operators counts one for each. Whatever recurses over it relies on this bound. */
export const treeDepthMax = 2000;

const comparisonOperators = new Set<BinaryOperator>(["==", "!=", "<", "<=", ">", ">="]);
const setOperators = new Set<BinaryOperator>(["and", "or", "unless"]);
const scalarParameter = new Set<AggregationOperator>([
  "topk",
  "bottomk",
  "quantile",
  "limitk",
  "limit_ratio",
]);

/** The type an expression evaluates to. */
export function exprType(expr: Expr): ValueType {
  switch (expr.kind) {
    case "numberLiteral":
      return "scalar";
    case "stringLiteral":
      return "string";
    case "parenExpr":
    case "unaryExpr":
      return exprType(expr.expr);
    case "binaryExpr":
      return exprType(expr.lhs) === "scalar" && exprType(expr.rhs) === "scalar" ? "scalar" : "vector";
    case "aggregation":
    case "vectorSelector":
      return "vector";
    case "matrixSelector":
    case "subquery":
      return "matrix";
    case "call":
      return expr.func.returnType;
  }
}

const documentedTypes: Record<ValueType, string> = {
  none: "none",
  scalar: "scalar",
  string: "string",
  vector: "instant vector",
  matrix: "range vector",
};

/** Checks types and what else the grammar alone does not say, operands before their operators. Throws ParseError. */
export function checkExpr(expr: Expr, query: string): void {
  checkDepth(expr, query);
  new Checker(query).check(expr);
}

function checkDepth(root: Expr, query: string): void {
  let level: Expr[] = [root];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > treeDepthMax) {
      throw new ParseError(query, level[0]!.position, `expression has more than ${treeDepthMax} levels`);
    }
    level = level.flatMap(children);
  }
}

class Checker {
  readonly #query: string;

  constructor(query: string) {
    this.#query = query;
  }

  /** Returns the type, so that no part is visited twice. */
  check(expr: Expr): ValueType {
    switch (expr.kind) {
      case "numberLiteral":
        return "scalar";
      case "stringLiteral":
        return "string";
      case "parenExpr":
        return this.check(expr.expr);
      case "unaryExpr":
        return this.#unary(expr.expr, expr.position);
      case "binaryExpr":
        return this.#binary(expr);
      case "aggregation":
        return this.#aggregation(expr);
      case "call":
        return this.#call(expr);
      case "vectorSelector":
        return this.#selector(expr, true);
      case "matrixSelector":
        this.#selector(expr.selector, true);
        return "matrix";
      case "subquery": {
        const type = this.check(expr.expr);
        if (type !== "vector") {
          this.#fail(expr.position, `subquery is only allowed on instant vector, got ${type} instead`);
        }
        return "matrix";
      }
    }
  }

  #unary(operand: Expr, position: PositionRange): ValueType {
    const type = this.check(operand);
    if (type === "scalar" || type === "vector") return type;
    const got = quoteGo(documentedTypes[type]);
    return this.#fail(
      position,
      `unary expression only allowed on expressions of type scalar or instant vector, got ${got}`,
    );
  }

  #aggregation({ op, expr, param }: AggregateExpr): ValueType {
    this.#expect(expr, "vector", "aggregation expression");
    if (param) this.#expect(param, scalarParameter.has(op) ? "scalar" : "string", "aggregation parameter");
    return "vector";
  }

  #expect(expr: Expr, wanted: ValueType, place: string): void {
    const type = this.check(expr);
    if (type !== wanted) this.#fail(expr.position, typeMismatch(wanted, place, type));
  }

  #binary(expr: BinaryExpr): ValueType {
    const lhsType = this.check(expr.lhs);
    const rhsType = this.check(expr.rhs);
    const { op, returnBool } = expr;
    const isComparison = comparisonOperators.has(op);
    if (returnBool && !isComparison) {
      this.#fail(this.#operatorPosition(expr), "bool modifier can only be used on comparison operators");
    }
    if (isComparison && !returnBool && lhsType === "scalar" && rhsType === "scalar") {
      this.#fail(this.#operatorPosition(expr), "comparisons between scalars must use BOOL modifier");
    }
    for (const label of expr.matching!.on ? expr.matching!.labels : []) {
      if (!expr.matching!.include.includes(label)) continue;
      const reason = `label ${quoteGo(label)} must not occur in ON and GROUP clause at once`;
      this.#fail(this.#operatorPosition(expr), reason);
    }
    for (const [side, type] of [
      [expr.lhs, lhsType],
      [expr.rhs, rhsType],
    ] as const) {
      if (type !== "scalar" && type !== "vector") {
        this.#fail(side.position, "binary expression must contain only scalar and instant vector types");
      }
    }
    if (lhsType === "vector" && rhsType === "vector") {
      this.#vectorMatching(expr);
      return "vector";
    }
    this.#noVectorMatching(expr, lhsType === "scalar" || rhsType === "scalar");
    return lhsType === "scalar" && rhsType === "scalar" ? "scalar" : "vector";
  }

  #vectorMatching({ op, matching, position }: BinaryExpr): void {
    if (!setOperators.has(op)) return;
    if (matching!.card !== "one-to-one")
      this.#fail(position, `no grouping allowed for ${quoteGo(op)} operation`);
    matching!.card = "many-to-many";
    if (matching!.fillLeft !== undefined || matching!.fillRight !== undefined) {
      this.#fail(position, "filling in missing series not allowed for set operators");
    }
  }

  #noVectorMatching(expr: BinaryExpr, hasScalar: boolean): void {
    const { op, matching, position } = expr;
    if (matching!.labels.length > 0) {
      this.#fail(position, "vector matching only allowed between instant vectors");
    }
    if (matching!.fillLeft !== undefined || matching!.fillRight !== undefined) {
      this.#fail(position, "filling in missing series only allowed between instant vectors");
    }
    if (hasScalar && setOperators.has(op)) {
      this.#fail(position, `set operator ${quoteGo(op)} not allowed in binary scalar expression`);
    }
    delete expr.matching;
  }

  /** Where the operator with its modifiers stands. */
  #operatorPosition({ lhs, rhs }: BinaryExpr): PositionRange {
    const between = this.#query.slice(lhs.position.end, rhs.position.start);
    const start = lhs.position.end + (between.length - between.trimStart().length);
    return { start, end: start + between.trim().length };
  }

  #call({ func, args, position }: Call): ValueType {
    const { name, argTypes, variadic } = func;
    const wrongCount = (expected: string): never =>
      this.#fail(
        position,
        `expected ${expected} argument(s) in call to ${quoteGo(name)}, got ${args.length}`,
      );
    if (variadic === 0) {
      if (args.length !== argTypes.length) wrongCount(String(argTypes.length));
    } else {
      const countMin = argTypes.length - 1;
      if (args.length < countMin) wrongCount(`at least ${countMin}`);
      if (variadic > 0 && args.length > countMin + variadic) wrongCount(`at most ${countMin + variadic}`);
    }
    if (name === "info" && args.length > 1) this.#infoSelector(args[1]!, position);
    args.forEach((arg, i) => {
      const wanted = argTypes[Math.min(i, argTypes.length - 1)]!;
      const isInfoSelector = name === "info" && i === 1 && arg.kind === "vectorSelector";
      const type = isInfoSelector ? this.#selector(arg, false) : this.check(arg);
      if (type !== wanted)
        this.#fail(arg.position, typeMismatch(wanted, `call to function ${quoteGo(name)}`, type));
    });
    return func.returnType;
  }

  #infoSelector(arg: Expr, position: PositionRange): void {
    const type = exprType(arg);
    if (type !== "vector") this.#fail(position, typeMismatch("vector", 'call to function "info"', type));
    if (arg.kind !== "vectorSelector") this.#fail(arg.position, "expected label selectors only");
    if (arg.name !== "") {
      this.#fail(arg.position, "expected label selectors only, got vector selector instead");
    }
  }

  #selector({ name, matchers, position }: VectorSelector, mustSelect: boolean): ValueType {
    if (name !== "") {
      const other = matchers.slice(0, -1).find((matcher) => matcher.name === metricNameLabel);
      if (other) {
        const names = `${quoteGo(name)} or ${quoteGo(other.value)}`;
        this.#fail(position, `metric name must not be set twice: ${names}`);
      }
    } else if (mustSelect && matchers.every((matcher) => matcher.matchesEmpty())) {
      this.#fail(position, "vector selector must contain at least one non-empty matcher");
    }
    return "vector";
  }

  #fail(position: PositionRange, reason: string): never {
    throw new ParseError(this.#query, position, reason);
  }
}

function typeMismatch(wanted: ValueType, place: string, got: ValueType): string {
  return `expected type ${documentedTypes[wanted]} in ${place}, got ${documentedTypes[got]}`;
}
