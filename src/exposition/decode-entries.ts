import { convertClassicHistograms } from "./convert-classic.ts";
import { createParser, type TextFormat } from "./create-parser.ts";
import type { EntryOptions, ScrapedEntry } from "./entry.ts";
import { readStartTimestamps, type StartTimestamps } from "./start-timestamps.ts";
import type { BodyFormat } from "./format.ts";
import { decodeProtobuf } from "./protobuf.ts";

/**
 * Reads a scraped body of any format entry by entry: of each family what is said of it, then its samples in upstream's order. Throws
 * `bad_data` or ExpositionError where the bytes are malformed; what came before stands.
 */
export function decodeEntries(
  bytes: Uint8Array,
  format: BodyFormat,
  options: EntryOptions,
): Iterable<ScrapedEntry> {
  if (format === "protobuf") return decodeProtobuf(bytes, options);
  const starts =
    options.readStartTimestamps === true && format === "openmetrics" ? readStartTimestamps(bytes) : undefined;
  const entries = decodeText(bytes, format, starts);
  return options.convertClassicHistograms === true
    ? convertClassicHistograms(entries, options.keepClassicHistograms === true)
    : entries;
}

function* decodeText(
  bytes: Uint8Array,
  format: TextFormat,
  starts: StartTimestamps | undefined,
): Generator<ScrapedEntry> {
  const parser = createParser(bytes, format);
  for (let kind = parser.next(); kind !== "end"; kind = parser.next()) {
    if (kind !== "series") starts?.enter(kind, parser);
    if (kind === "type") yield { kind: "family", name: parser.metricName(), type: parser.type };
    else if (kind === "help") yield { kind: "family", name: parser.metricName(), help: parser.text() };
    else if (kind === "unit") yield { kind: "family", name: parser.metricName(), unit: parser.text() };
    else if (kind === "series") {
      const labels = parser.labels();
      if (starts?.isStart(labels) === true) continue;
      const exemplar = parser.exemplar();
      yield {
        kind: "float",
        key: labels.key(),
        labels: () => labels,
        value: parser.value,
        timestampMs: parser.timestampMs,
        startTimestampMs: starts?.of(labels),
        exemplars: exemplar === undefined ? [] : [exemplar],
      };
    }
  }
}
