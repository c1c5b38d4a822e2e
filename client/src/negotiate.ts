/** Which text format a request gets, from its Accept header. */

export type ExpositionFormat = "text" | "openmetrics";

const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export function contentTypeOf(format: ExpositionFormat): string {
  return CONTENT_TYPES[format];
}

/** The known format the header likes best; the text format when it names none. */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  let best: ExpositionFormat = "text";
  let bestQuality = 0;
  for (const clause of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = clause.split(";").map((part) => part.trim().toLowerCase());
    const quality = Number(parameter(parameters, "q") ?? 1);
    const format = formatOf(type, parameter(parameters, "version"));
    if (format !== undefined && quality > bestQuality) {
      best = format;
      bestQuality = quality;
    }
  }
  return best;
}

function formatOf(type: string, version: string | undefined): ExpositionFormat | undefined {
  if (type === "application/openmetrics-text" && [undefined, "0.0.1", "1.0.0"].includes(version)) {
    return "openmetrics";
  }
  if (type === "text/plain" && (version === undefined || version === "0.0.4")) return "text";
  return type === "*/*" || type === "text/*" ? "text" : undefined;
}

function parameter(parameters: readonly string[], name: string): string | undefined {
  const found = parameters.find((entry) => entry.startsWith(`${name}=`));
  return found?.slice(name.length + 1).replaceAll('"', "");
}
