import type { Labels } from "../model/index.ts";
import { createParser, type TextFormat } from "./create-parser.ts";
import { OpenMetricsParser } from "./openmetrics.ts";
import type { ParsedExemplar, ParserOptions } from "./parser.ts";

export interface SeriesLine {
  readonly labels: Labels;
  /** Where the series part (name and labels) starts and ends in the bytes. */
  readonly seriesStart: number;
  readonly seriesEnd: number;
  readonly value: number;
  readonly timestampMs: number | undefined;
  readonly exemplar: ParsedExemplar | undefined;
}

/**
 * Reads the one sample line in `bytes[start, end)`, line break excluded; undefined when the line is blank, a comment or
 * metadata. `type` is the metric type declared last, on which the form of `le` and `quantile` depends; `firstLine` is the
 * line's number in its text. Throws `ExpositionError`.
 */
export function parseSeriesLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  format: TextFormat,
  { type, firstLine }: Pick<ParserOptions, "type" | "firstLine"> = {},
): SeriesLine | undefined {
  const options: ParserOptions = {
    start,
    end,
    singleLine: true,
    ...(type !== undefined && { type }),
    ...(firstLine !== undefined && { firstLine }),
  };
  const parser = createParser(bytes, format, options);
  if (parser.next() !== "series") return undefined;
  const { seriesStart, seriesEnd, value, timestampMs } = parser;
  return { labels: parser.labels(), seriesStart, seriesEnd, value, timestampMs, exemplar: parser.exemplar() };
}

/** Reads the exemplar in `bytes[start, end)`, from the blank before `# {` to the line's end. Throws `ExpositionError`. */
export function parseExemplar(bytes: Uint8Array, start: number, end: number): ParsedExemplar {
  return new OpenMetricsParser(bytes, { start, end, singleLine: true }).readExemplarAlone();
}
