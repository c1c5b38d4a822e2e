/** The text formats of scraped metrics, read and written. The writers are those of the client library. */

export { encodeOpenMetrics, encodeText } from "@narthex/client";
export type { Exemplar, LabelPair, MetricFamily, Sample } from "@narthex/client";
export { createParser, type TextFormat } from "./create-parser.ts";
export { ExpositionError } from "./error.ts";
export { decodeFamilies } from "./families.ts";
export {
  acceptHeader,
  type BodyFormat,
  type EscapingScheme,
  type ScrapeProtocol,
  scrapeProtocols,
  selectFormat,
} from "./format.ts";
export type { EntryKind, ExpositionParser, ParsedExemplar, ParserOptions } from "./parser.ts";
export { parseSeriesLine, type SeriesLine } from "./series-line.ts";
