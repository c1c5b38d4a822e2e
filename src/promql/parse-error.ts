import { NarthexError } from "../base/index.ts";
import type { PositionRange } from "./ast.ts";

/** A query that is not PromQL. Its message starts with line and column, both from 1, the column in UTF-8 bytes. */
export class ParseError extends NarthexError {
  readonly query: string;
  readonly position: PositionRange;
  /** What is wrong, without the place. */
  readonly reason: string;

  /** `linesBefore` is how many lines of the text that the query stands in come before it. */
  constructor(query: string, position: PositionRange, reason: string, linesBefore = 0) {
    super("bad_data", `${lineAndColumn(query, position.start, linesBefore)}: parse error: ${reason}`);
    this.name = "ParseError";
    this.query = query;
    this.position = position;
    this.reason = reason;
  }
}

const encoder = new TextEncoder();

function lineAndColumn(query: string, offset: number, linesBefore: number): string {
  if (query === "") return "unknown position";
  const before = query.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = linesBefore + before.split("\n").length;
  return `${line}:${encoder.encode(before.slice(lineStart)).length + 1}`;
}
