import { OpenMetricsParser } from "./openmetrics.ts";
import type { ExpositionParser, ParserOptions } from "./parser.ts";
import { TextParser } from "./text.ts";

export type TextFormat = "text" | "openmetrics";

export function createParser(
  bytes: Uint8Array,
  format: TextFormat,
  options?: ParserOptions,
): ExpositionParser {
  return format === "openmetrics" ? new OpenMetricsParser(bytes, options) : new TextParser(bytes, options);
}
