/** The rules for names of our own: the classic character set, so that every reader of the text formats understands them. */

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** A metric that was declared or used wrongly; the message names the metric and what was expected. */
export class MetricError extends Error {
  override name = "MetricError";
}

export function isMetricName(name: string): boolean {
  return METRIC_NAME.test(name);
}

/** Whether users may give this name to a label; those that start with `__` are reserved. */
export function isLabelName(name: string): boolean {
  return isPlainLabelName(name) && !name.startsWith("__");
}

/** Whether the formats can print this label name without quotes. */
export function isPlainLabelName(name: string): boolean {
  return LABEL_NAME.test(name);
}

export function checkMetricName(name: string): void {
  if (!isMetricName(name)) {
    throw new MetricError(`invalid metric name ${JSON.stringify(name)}: expected [a-zA-Z_:][a-zA-Z0-9_:]*`);
  }
}

/** `reserved` is the label the metric type itself writes: `le` for histograms, `quantile` for summaries. */
export function checkLabelNames(metric: string, names: readonly string[], reserved?: string): void {
  for (const [index, name] of names.entries()) {
    if (!isLabelName(name)) {
      throw new MetricError(
        `${metric}: invalid label name ${JSON.stringify(name)}: expected [a-zA-Z_][a-zA-Z0-9_]* not starting with __`,
      );
    }
    if (name === reserved)
      throw new MetricError(`${metric}: the label ${name} is written by the metric itself`);
    if (names.indexOf(name) !== index) throw new MetricError(`${metric}: label ${name} is declared twice`);
  }
}
