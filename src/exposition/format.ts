import { NarthexError } from "../base/index.ts";
import { quoteGo } from "../model/index.ts";

/** How a scraped body is read. */
export type BodyFormat = "text" | "openmetrics" | "protobuf";

/** The names that `scrape_protocols` and `fallback_scrape_protocol` know, with what is asked for and read. */
const protocols = {
  PrometheusProto: {
    format: "protobuf",
    mediaType: "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    escaping: false,
  },
  "OpenMetricsText1.0.0": {
    format: "openmetrics",
    mediaType: "application/openmetrics-text;version=1.0.0",
    escaping: true,
  },
  "OpenMetricsText0.0.1": {
    format: "openmetrics",
    mediaType: "application/openmetrics-text;version=0.0.1",
    escaping: false,
  },
  "PrometheusText1.0.0": { format: "text", mediaType: "text/plain;version=1.0.0", escaping: true },
  "PrometheusText0.0.4": { format: "text", mediaType: "text/plain;version=0.0.4", escaping: false },
} as const satisfies Record<string, { format: BodyFormat; mediaType: string; escaping: boolean }>;

export type ScrapeProtocol = keyof typeof protocols;

export const scrapeProtocols = Object.keys(protocols) as readonly ScrapeProtocol[];

/** How the target is asked to write names that are not of the classic character set. */
export type EscapingScheme = "allow-utf-8" | "underscores" | "dots" | "values";

/** The Accept header that asks for `wanted` in this order of preference, and takes anything rather than nothing. */
export function acceptHeader(wanted: readonly ScrapeProtocol[], escaping: EscapingScheme): string {
  let weight = scrapeProtocols.length + 1;
  const clauses = wanted.map((name) => {
    const { mediaType, escaping: takesEscaping } = protocols[name];
    return `${mediaType}${takesEscaping ? `;escaping=${escaping}` : ""};q=0.${weight--}`;
  });
  return [...clauses, `*/*;q=0.${weight}`].join(",");
}

const mediaTypes: ReadonlyMap<string, BodyFormat> = new Map([
  ["text/plain", "text"],
  ["application/openmetrics-text", "openmetrics"],
  ["application/vnd.google.protobuf", "protobuf"],
]);

/**
 * The format of a body from its Content-Type header. A missing or unknown type is an error, unless a fallback is
 * configured; then the fallback holds and `warning` says why.
 */
export function selectFormat(
  contentType: string | undefined,
  fallback?: ScrapeProtocol,
): { format: BodyFormat; warning?: string } {
  const { format, complaint } = recognise(contentType);
  if (format !== undefined) return { format };
  if (fallback === undefined) {
    throw new NarthexError("bad_data", `${complaint} and no fallback_scrape_protocol specified for target`);
  }
  return {
    format: protocols[fallback].format,
    warning: `${complaint}, using fallback_scrape_protocol ${quoteGo(fallback)}`,
  };
}

function recognise(contentType: string | undefined): { format?: BodyFormat; complaint: string } {
  if (contentType === undefined || contentType === "") {
    return { complaint: "non-compliant scrape target sending blank Content-Type" };
  }
  const mediaType = parseMediaType(contentType);
  if (mediaType === undefined) return { complaint: `cannot parse Content-Type ${quoteGo(contentType)}` };
  const format = mediaTypes.get(mediaType);
  const complaint = `received unsupported Content-Type ${quoteGo(contentType)}`;
  return format === undefined ? { complaint } : { format, complaint };
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const typePattern = new RegExp(`^${token}(?:/${token})?$`);
const parameterPattern = new RegExp(`^\\s*${token}\\s*=\\s*(?:${token}|"(?:[^"\\\\]|\\\\.)*")\\s*$`);

/** The lower-case media type of a Content-Type header; undefined when the header is malformed. */
function parseMediaType(header: string): string | undefined {
  const [type = "", ...parameters] = header.split(";");
  const mediaType = type.trim().toLowerCase();
  if (!typePattern.test(mediaType)) return undefined;
  // A semicolon at the end is common and harmless.
  if (parameters.at(-1)?.trim() === "") parameters.pop();
  return parameters.every((parameter) => parameterPattern.test(parameter)) ? mediaType : undefined;
}
