import { NarthexError } from "../base/index.ts";
import { LabelsBuilder, metricNameLabel } from "../model/index.ts";
import { type Evaluation, Rule, type RuleContext, type VectorSample } from "./rule.ts";

/** Stores a query's result under a name of its own. */
export class RecordingRule extends Rule {
  readonly kind = "recording";

  override definition(): string {
    return JSON.stringify([this.identity(), this.query]);
  }

  override async evaluate(evaluation: Evaluation, { query }: RuleContext): Promise<readonly VectorSample[]> {
    const result = await query(this.query, evaluation.queryTimestampMs, evaluation.group);
    const seen = new Set<string>();
    const samples = result.map(({ labels, ...sample }) => {
      const renamed = this.#rename(new LabelsBuilder(labels));
      seen.add(renamed.key());
      return { ...sample, labels: renamed, timestampMs: evaluation.queryTimestampMs };
    });
    if (seen.size < samples.length) {
      throw new NarthexError(
        "execution",
        "vector contains metrics with the same labelset after applying rule labels",
      );
    }
    if (evaluation.limit > 0 && samples.length > evaluation.limit) {
      throw new NarthexError(
        "execution",
        `exceeded limit of ${evaluation.limit} with ${samples.length} series`,
      );
    }
    return samples;
  }

  #rename(builder: LabelsBuilder): VectorSample["labels"] {
    builder.set(metricNameLabel, this.name);
    for (const [name, value] of this.labels) builder.set(name, value);
    return builder.labels();
  }
}
