/** The formats of scraped metrics: texts read and written (the writers are those of the client library), protobuf read. */

export { encodeOpenMetrics, encodeText } from "@narthex/client";
export type { Exemplar, LabelPair, MetricFamily, Sample } from "@narthex/client";
export { createParser, type TextFormat } from "./create-parser.ts";
export { decodeEntries } from "./decode-entries.ts";
export type { EntryOptions, FamilyEntry, FloatEntry, HistogramEntry, ScrapedEntry } from "./entry.ts";
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
export { decodeProtobuf } from "./protobuf.ts";
export { parseExemplar, parseSeriesLine, type SeriesLine } from "./series-line.ts";
