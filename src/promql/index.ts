/** PromQL: the language, and the engine that answers it. */
export { exprToJson, type Json } from "./ast-json.ts";
export type * from "./ast.ts";
export { exprType } from "./checker.ts";
export { functions } from "./functions.ts";
export { ParseError } from "./parse-error.ts";
export { parseExpr, parseMetricSelector, type ParserOptions, parseSeriesLabels } from "./parser.ts";
export { prettyPrint, printExpr } from "./printer.ts";
export { children, find, walk } from "./walk.ts";
