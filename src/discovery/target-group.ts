import { type Codec, field, Labels, list, mapOf, mapped, object, text } from "../model/index.ts";

export const addressLabel = "__address__";

/** Targets that share labels. A group replaces the one with the same source; without targets it removes it. */
export interface TargetGroup {
  /** Unique within its mechanism: a file's name and index, say. */
  readonly source: string;
  /** Each has at least `__address__`. */
  readonly targets: readonly Labels[];
  readonly labels: Labels;
}

const labelSet: Codec<Labels> = mapped(
  mapOf(text),
  (values) => Labels.from(values),
  (labels) => new Map(labels),
);

/** A group as it is written in a configuration or a file: `targets` are addresses. The source is for the reader to set. */
export const targetGroup: Codec<TargetGroup> = object(
  "struct { Targets []string; Labels model.LabelSet }",
  {
    targets: field("targets", list(addressOnly()), [], { printAlways: true }),
    labels: field("labels", labelSet, Labels.empty),
  },
  (parts): TargetGroup => ({ ...parts, source: "" }),
);

function addressOnly(): Codec<Labels> {
  return mapped(
    text,
    (address) => Labels.from({ [addressLabel]: address }),
    (labels) => labels.get(addressLabel),
  );
}
