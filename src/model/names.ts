/** How names of metrics and labels are checked; upstream's `metric_name_validation_scheme`. */
export type NameValidationScheme = "utf8" | "legacy";

const legacyLabelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const legacyMetricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

export function isLegacyLabelName(name: string): boolean {
  return legacyLabelName.test(name);
}

export function isLegacyMetricName(name: string): boolean {
  return legacyMetricName.test(name);
}

/** Under UTF-8 validation any well-formed, non-empty string is a name. */
export function isLabelName(name: string, scheme: NameValidationScheme = "utf8"): boolean {
  return scheme === "legacy" ? isLegacyLabelName(name) : name !== "" && name.isWellFormed();
}

export function isMetricName(name: string, scheme: NameValidationScheme = "utf8"): boolean {
  return scheme === "legacy" ? isLegacyMetricName(name) : name !== "" && name.isWellFormed();
}
