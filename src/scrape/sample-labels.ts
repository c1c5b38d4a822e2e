import { NarthexError } from "../base/index.ts";
import {
  isLabelName,
  isMetricName,
  type Labels,
  LabelsBuilder,
  metricNameLabel,
  type NameValidationScheme,
  quoteGo,
  type RelabelConfig,
  relabelBuilder,
} from "../model/index.ts";

const exportedPrefix = "exported_";

/** What decides the labels of a stored series. */
export interface SampleLabelRules {
  readonly honorLabels: boolean;
  readonly metricRelabelConfigs: readonly RelabelConfig[];
  readonly scheme: NameValidationScheme;
  /** 0 = no limit, for all three. */
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
}

/** A label limit was exceeded: the scrape fails and is counted. */
export class LabelLimitError extends NarthexError {}

/**
 * The labels to store for those that a target exposes, or undefined when relabelling drops the series. Throws `bad_data` when the
 * name is missing or a name is not allowed, and LabelLimitError.
 */
export function sampleLabels(exposed: Labels, target: Labels, rules: SampleLabelRules): Labels | undefined {
  const builder = mergeTargetLabels(exposed, target, rules.honorLabels);
  if (!relabelBuilder(builder, rules.metricRelabelConfigs)) return undefined;
  const labels = builder.labels();
  if (labels.size === 0) return undefined;
  checkNames(labels, rules.scheme);
  checkLimits(labels, rules);
  return labels;
}

/** Target labels win, and what they displace is kept as `exported_…`; with `honor` the exposed labels win. */
function mergeTargetLabels(exposed: Labels, target: Labels, honor: boolean): LabelsBuilder {
  const builder = new LabelsBuilder(exposed);
  const displaced: [name: string, value: string][] = [];
  for (const [name, value] of target) {
    const exposedValue = exposed.get(name);
    if (honor && exposedValue !== "") continue;
    if (exposedValue !== "") displaced.push([name, exposedValue]);
    builder.set(name, value);
  }
  displaced.sort(([a], [b]) => a.length - b.length);
  for (const [name, value] of displaced) {
    let exported = exportedPrefix + name;
    while (builder.get(exported) !== "") exported = exportedPrefix + exported;
    builder.set(exported, value);
  }
  return builder;
}

/** The labels of a series about the scrape itself, `up` and the like. */
export function reportLabels(metric: string, target: Labels): Labels {
  return new LabelsBuilder(target).set(metricNameLabel, metric).labels();
}

function checkNames(labels: Labels, scheme: NameValidationScheme): void {
  const metric = labels.get(metricNameLabel);
  if (metric === "") throw new NarthexError("bad_data", "missing metric name (__name__ label)");
  const valid = isMetricName(metric, scheme) && [...labels].every(([name]) => isLabelName(name, scheme));
  if (!valid) throw new NarthexError("bad_data", `invalid metric name or label names: ${labels.toString()}`);
}

function checkLimits(labels: Labels, rules: SampleLabelRules): void {
  const { labelLimit, labelNameLengthLimit, labelValueLengthLimit } = rules;
  if (labelLimit === 0 && labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return;
  const metric = labels.get(metricNameLabel).slice(0, 50);
  if (labelLimit > 0 && labels.size > labelLimit) {
    throw new LabelLimitError(
      "bad_data",
      `label_limit exceeded (metric: ${metric}, number of labels: ${labels.size}, limit: ${labelLimit})`,
    );
  }
  for (const [name, value] of labels) {
    const nameLength = Buffer.byteLength(name);
    if (labelNameLengthLimit > 0 && nameLength > labelNameLengthLimit) {
      throw new LabelLimitError(
        "bad_data",
        `label_name_length_limit exceeded (metric: ${metric}, label name: ${name.slice(0, 50)}, length: ${nameLength}, limit: ${labelNameLengthLimit})`,
      );
    }
    const valueLength = Buffer.byteLength(value);
    if (labelValueLengthLimit > 0 && valueLength > labelValueLengthLimit) {
      throw new LabelLimitError(
        "bad_data",
        `label_value_length_limit exceeded (metric: ${metric}, label name: ${name.slice(0, 50)}, value: ${quoteGo(value.slice(0, 50))}, length: ${valueLength}, limit: ${labelValueLengthLimit})`,
      );
    }
  }
}
