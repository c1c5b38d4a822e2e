import { formatPlain, type Matcher } from "../model/index.ts";
import type { DurationExpr, Expr, TimeModifiers, VectorMatching, VectorSelector } from "./ast.ts";

/** A value as `JSON.stringify` takes it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The tree that `/api/v1/parse_query` answers with; durations in milliseconds. */
export function exprToJson(expr: Expr): Json {
  switch (expr.kind) {
    case "numberLiteral":
      return { type: expr.kind, val: formatPlain(expr.value) };
    case "stringLiteral":
      // Bytes that are no UTF-8 are lone surrogates here; JSON has a sign for what cannot be read.
      return { type: expr.kind, val: expr.value.toWellFormed() };
    case "parenExpr":
      return { type: expr.kind, expr: exprToJson(expr.expr) };
    case "unaryExpr":
      return { type: expr.kind, op: expr.op, expr: exprToJson(expr.expr) };
    case "binaryExpr":
      return {
        type: expr.kind,
        op: expr.op,
        lhs: exprToJson(expr.lhs),
        rhs: exprToJson(expr.rhs),
        matching: expr.matching ? matchingToJson(expr.matching) : null,
        bool: expr.returnBool,
      };
    case "aggregation":
      return {
        type: expr.kind,
        op: expr.op,
        expr: exprToJson(expr.expr),
        param: expr.param ? exprToJson(expr.param) : null,
        grouping: expr.grouping,
        without: expr.without,
      };
    case "call": {
      const { name, argTypes, variadic, returnType } = expr.func;
      return {
        type: expr.kind,
        func: { name, argTypes: [...argTypes], variadic, returnType },
        args: expr.args.map(exprToJson),
      };
    }
    case "vectorSelector":
      return { type: expr.kind, ...selectorFields(expr) };
    case "matrixSelector":
      return {
        type: expr.kind,
        range: expr.rangeMs,
        rangeExpr: durationToJson(expr.rangeExpr),
        ...selectorFields(expr.selector),
      };
    case "subquery":
      return {
        type: expr.kind,
        expr: exprToJson(expr.expr),
        range: expr.rangeMs,
        rangeExpr: durationToJson(expr.rangeExpr),
        step: expr.stepMs,
        stepExpr: durationToJson(expr.stepExpr),
        ...timeFields(expr),
      };
  }
}

function selectorFields(selector: VectorSelector): Record<string, Json> {
  const { name, matchers, anchored, smoothed } = selector;
  return { name, matchers: matchers.map(matcherToJson), anchored, smoothed, ...timeFields(selector) };
}

function matcherToJson({ name, value, type }: Matcher): Json {
  return { name, value, type };
}

function timeFields({ offsetMs, offsetExpr, atMs, atBound }: TimeModifiers): Record<string, Json> {
  return {
    offset: offsetMs,
    offsetExpr: durationToJson(offsetExpr),
    timestamp: atMs ?? null,
    startOrEnd: atBound ?? null,
  };
}

function matchingToJson({ card, labels, on, include, fillLeft, fillRight }: VectorMatching): Json {
  return { card, labels, on, include, fillValues: { lhs: fillLeft ?? null, rhs: fillRight ?? null } };
}

function durationToJson(expr: DurationExpr | undefined): Json {
  if (!expr) return null;
  if (expr.op === "number") {
    return { type: "numberLiteral", val: formatPlain(expr.value!), duration: expr.duration ?? false };
  }
  return {
    type: expr.kind,
    op: expr.op,
    lhs: durationToJson(expr.lhs),
    rhs: durationToJson(expr.rhs),
    wrapped: expr.wrapped,
  };
}
