import { NarthexError } from "../base/index.ts";
import {
  compareStrings,
  isLabelName,
  isMetricName,
  Labels,
  LabelsBuilder,
  metricNameLabel,
  type NameValidationScheme,
  quoteGo,
} from "../model/index.ts";
import { type RelabelConfig, relabelBuilder } from "../codec/index.ts";

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
  const labels = relabelled(exposed, target, rules);
  if (labels === undefined || labels.size === 0) return undefined;
  checkNames(labels, rules.scheme);
  checkLimits(labels, rules);
  return labels;
}

function relabelled(exposed: Labels, target: Labels, rules: SampleLabelRules): Labels | undefined {
  if (rules.metricRelabelConfigs.length === 0) {
    const merged = mergeDisjoint(exposed.pairs, target.pairs);
    if (merged) return Labels.fromSortedPairs(merged);
  }
  const builder = mergeTargetLabels(exposed, target, rules.honorLabels);
  return relabelBuilder(builder, rules.metricRelabelConfigs) ? builder.labels() : undefined;
}

/** Both sets as one, still sorted; undefined when they share a name. The usual case, at a fifth of the cost. */
function mergeDisjoint(a: readonly string[], b: readonly string[]): string[] | undefined {
  const merged: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const order = i === a.length ? 1 : j === b.length ? -1 : compareStrings(a[i]!, b[j]!);
    if (order === 0) return undefined;
    if (order < 0) merged.push(a[i++]!, a[i++]!);
    else merged.push(b[j++]!, b[j++]!);
  }
  return merged;
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
  const { pairs } = labels;
  let named = false;
  let valid = true;
  for (let i = 0; i < pairs.length; i += 2) {
    const isName = pairs[i] === metricNameLabel;
    named ||= isName;
    valid &&= isLabelName(pairs[i]!, scheme) && (!isName || isMetricName(pairs[i + 1]!, scheme));
  }
  if (!named) throw new NarthexError("bad_data", "missing metric name (__name__ label)");
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
