import { Labels, LabelsBuilder } from "../model/index.ts";
import { relabelBuilder, type RelabelConfig } from "../codec/index.ts";
import type { OutgoingAlert } from "../rules/index.ts";

/** The alerts with external labels, where they have none of that name, and relabelled; without those the rules drop. */
export function relabelAlerts(
  alerts: readonly OutgoingAlert[],
  configs: readonly RelabelConfig[],
  externalLabels: Labels = Labels.empty,
): readonly OutgoingAlert[] {
  if (configs.length === 0 && externalLabels.size === 0) return alerts;
  return alerts.flatMap((alert) => {
    const builder = new LabelsBuilder(alert.labels);
    for (const [name, value] of externalLabels) if (!alert.labels.has(name)) builder.set(name, value);
    return relabelBuilder(builder, configs) ? [{ ...alert, labels: builder.labels() }] : [];
  });
}
