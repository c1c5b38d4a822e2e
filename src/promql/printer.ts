import {
  compareStrings,
  formatDuration,
  formatPlain,
  formatShortest,
  isLegacyLabelName,
  metricNameLabel,
  quoteGo,
} from "../model/index.ts";
import type {
  AggregateExpr,
  BinaryExpr,
  DurationExpr,
  Expr,
  Subquery,
  TimeModifiers,
  VectorSelector,
} from "./ast.ts";

/** Lines longer than this, in UTF-8 bytes, are split by `prettyPrint`. */
const lineLengthMax = 100;
const indentation = "  ";
const encoder = new TextEncoder();

/** The normal form of an expression on one line, upstream's `String()`. Parsing it gives an equal expression. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case "numberLiteral":
      return printNumber(expr.value, expr.duration);
    case "stringLiteral":
      return quoteGo(expr.value);
    case "parenExpr":
      return `(${printExpr(expr.expr)})`;
    case "unaryExpr":
      return expr.op + printExpr(expr.expr);
    case "binaryExpr":
      return `${printExpr(expr.lhs)} ${operatorText(expr)} ${printExpr(expr.rhs)}`;
    case "aggregation":
      return `${aggregationText(expr)}(${operands(expr).map(printExpr).join(", ")})`;
    case "call":
      return `${expr.func.name}(${expr.args.map(printExpr).join(", ")})`;
    case "vectorSelector":
      return selectorText(expr) + atText(expr) + extensionText(expr) + offsetText(expr);
    case "matrixSelector": {
      const { selector } = expr;
      const range = durationText(expr.rangeMs, expr.rangeExpr);
      const modifiers = extensionText(selector) + atText(selector) + offsetText(selector);
      return `${selectorText(selector)}[${range}]${modifiers}`;
    }
    case "subquery":
      return printExpr(expr.expr) + subqueryText(expr);
  }
}

/** The normal form split over lines where one would be longer than 100 bytes, upstream's `format_query`. */
export function prettyPrint(expr: Expr): string {
  return pretty(expr, 0);
}

function pretty(expr: Expr, level: number): string {
  const indent = indentation.repeat(level);
  const line = printExpr(expr);
  const fits = encoder.encode(line).length <= lineLengthMax;
  switch (expr.kind) {
    case "unaryExpr":
      return indent + expr.op + pretty(expr.expr, level).trim();
    case "subquery":
      // A subquery that fits is not indented; upstream prints it so.
      return fits ? line : pretty(expr.expr, level) + subqueryText(expr);
  }
  if (fits) return indent + line;
  switch (expr.kind) {
    case "parenExpr":
      return `${indent}(\n${pretty(expr.expr, level + 1)}\n${indent})`;
    case "binaryExpr": {
      const [lhs, rhs] = [pretty(expr.lhs, level + 1), pretty(expr.rhs, level + 1)];
      return `${lhs}\n${indent}${operatorText(expr)}\n${rhs}`;
    }
    case "aggregation":
      return `${indent}${aggregationText(expr)}(\n${prettyList(operands(expr), level + 1)}\n${indent})`;
    case "call":
      return `${indent}${expr.func.name}(\n${prettyList(expr.args, level + 1)}\n${indent})`;
    default:
      return indent + line;
  }
}

function prettyList(exprs: readonly Expr[], level: number): string {
  return exprs.map((expr) => pretty(expr, level)).join(",\n");
}

function operands({ param, expr }: AggregateExpr): Expr[] {
  return param ? [param, expr] : [expr];
}

function printNumber(value: number, duration: boolean): string {
  return duration ? formatDuration(Math.round(value * 1000)) : formatPlain(value);
}

function aggregationText({ op, grouping, without }: AggregateExpr): string {
  if (without) return `${op} without (${labelList(grouping)}) `;
  return grouping.length > 0 ? `${op} by (${labelList(grouping)}) ` : op;
}

/** The operator with everything that modifies it. */
function operatorText({ op, returnBool, matching }: BinaryExpr): string {
  let text: string = returnBool ? `${op} bool` : op;
  if (!matching) return text;
  const { card, labels, on, include, fillLeft, fillRight } = matching;
  const grouped = card === "many-to-one" || card === "one-to-many";
  if (labels.length > 0 || on || grouped) text += ` ${on ? "on" : "ignoring"} (${labelList(labels)})`;
  if (grouped) text += ` ${card === "many-to-one" ? "group_left" : "group_right"} (${labelList(include)})`;
  if (fillLeft !== undefined && fillLeft === fillRight) return `${text} fill (${fillText(fillLeft)})`;
  if (fillLeft !== undefined) text += ` fill_left (${fillText(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${fillText(fillRight)})`;
  return text;
}

/** Go's `%v`: an exponent only from 1e21 on. */
function fillText(value: number): string {
  const magnitude = Math.abs(value);
  return magnitude >= 1e6 && magnitude < 1e21 ? formatPlain(value) : formatShortest(value);
}

function labelList(labels: readonly string[]): string {
  return labels.map((label) => (isLegacyLabelName(label) ? label : quoteGo(label))).join(", ");
}

function selectorText({ name, matchers }: VectorSelector): string {
  const shown = matchers
    .filter(
      (matcher) =>
        name === "" || matcher.name !== metricNameLabel || matcher.type !== "=" || matcher.value !== name,
    )
    .map(String)
    .sort(compareStrings);
  return shown.length > 0 || name === "" ? `${name}{${shown.join(",")}}` : name;
}

function extensionText({ anchored, smoothed }: VectorSelector): string {
  if (anchored) return " anchored";
  return smoothed ? " smoothed" : "";
}

function atText({ atMs, atBound }: TimeModifiers): string {
  if (atMs !== undefined) return ` @ ${(atMs / 1000).toFixed(3)}`;
  return atBound ? ` @ ${atBound}()` : "";
}

function offsetText({ offsetMs, offsetExpr }: TimeModifiers): string {
  if (offsetExpr) return ` offset ${printDurationExpr(offsetExpr)}`;
  return offsetMs === 0 ? "" : ` offset ${formatDuration(offsetMs)}`;
}

function subqueryText(subquery: Subquery): string {
  const { stepMs, stepExpr } = subquery;
  const step = stepMs === 0 && !stepExpr ? "" : durationText(stepMs, stepExpr);
  const range = durationText(subquery.rangeMs, subquery.rangeExpr);
  return `[${range}:${step}]${atText(subquery)}${offsetText(subquery)}`;
}

function durationText(durationMs: number, expr: DurationExpr | undefined): string {
  return expr ? printDurationExpr(expr) : formatDuration(durationMs);
}

/** The normal form of a computed duration. */
export function printDurationExpr(expr: DurationExpr): string {
  const text = bareDurationText(expr);
  return expr.wrapped ? `(${text})` : text;
}

function bareDurationText({ op, value, duration, lhs, rhs }: DurationExpr): string {
  switch (op) {
    case "number":
      return printNumber(value!, duration ?? false);
    case "step":
    case "range":
      return `${op}()`;
    case "min_of":
    case "max_of":
      return `${op}(${printDurationExpr(lhs!)}, ${printDurationExpr(rhs!)})`;
  }
  if (lhs) return `${printDurationExpr(lhs)} ${op} ${printDurationExpr(rhs!)}`;
  // A plus in front only says that a number was parenthesised.
  return (op === "-" ? "-" : "") + printDurationExpr(rhs!);
}
