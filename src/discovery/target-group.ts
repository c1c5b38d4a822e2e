import { Labels } from "../model/index.ts";
import { type Codec, field, list, mapOf, mapped, object, Place, text } from "../codec/index.ts";

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

const targetGroups = list(targetGroup, "nil target group item found");

/**
 * The groups in a file or an answer, YAML or JSON; the sources are for the reader to set. Throws `bad_data` naming `file`, line and column.
 * JSON without a fault takes a short way: reading ten thousand targets with their positions would hold up scrapes.
 */
export function parseTargetGroups(source: string, file: string): TargetGroup[] {
  const quick = quickGroups(source);
  if (quick) return quick;
  const at = Place.parse(source, file);
  return at.isNull() ? [] : targetGroups.decode(at);
}

function quickGroups(source: string): TargetGroup[] | undefined {
  if (!/^\s*\[/.test(source)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(source);
  } catch {
    return undefined;
  }
  const groups: TargetGroup[] = [];
  for (const item of parsed as unknown[]) {
    if (!isPlainGroup(item)) return undefined;
    const targets = (item.targets ?? []).map((address) => Labels.from({ [addressLabel]: address }));
    groups.push({ source: "", targets, labels: Labels.from(item.labels ?? {}) });
  }
  return groups;
}

function isPlainGroup(item: unknown): item is { targets?: string[]; labels?: Record<string, string> } {
  if (typeof item !== "object" || item === null) return false;
  const { targets = [], labels = {}, ...others } = item as Record<string, unknown>;
  const isText = (value: unknown): boolean => typeof value === "string";
  return (
    Object.keys(others).length === 0 &&
    Array.isArray(targets) &&
    targets.every(isText) &&
    typeof labels === "object" &&
    labels !== null &&
    !Array.isArray(labels) &&
    Object.values(labels).every(isText)
  );
}
