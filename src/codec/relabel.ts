import { hash } from "node:crypto";
import { type Codec, failAt, field, list, mapped, object, type Part, integer, text } from "./codec.ts";
import {
  expandTemplate,
  isLabelName,
  Labels,
  LabelsBuilder,
  type NameValidationScheme,
  quoteGo,
  Regexp,
} from "../model/index.ts";

const actions = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
] as const;
export type RelabelAction = (typeof actions)[number];

const separatorDefault = ";";
const replacementDefault = "$1";
const regexDefault = Regexp.compile("(.*)");

/** One rule that rewrites or refuses a label set. */
export interface RelabelConfig {
  sourceLabels: string[];
  separator: string;
  /** `regexDefault` itself when none was written: upstream tells the two apart. */
  regex: Regexp;
  modulus: number;
  targetLabel: string;
  replacement: string;
  action: RelabelAction;
  /** How names the rule makes are checked; set by `validateRelabelConfigs`. */
  scheme: NameValidationScheme;
}

const emptyAction = "relabel action cannot be empty";

const actionCodec: Codec<RelabelAction> = mapped(
  text,
  (value) => {
    if (value === "") throw new Error(emptyAction);
    const action = actions.find((each) => each === value.toLowerCase());
    if (action === undefined) throw new Error(`unknown relabel action ${quoteGo(value.toLowerCase())}`);
    return action;
  },
  (value) => value,
);

const regexCodec: Codec<Regexp> = mapped(
  text,
  (source) => Regexp.compile(source),
  (regex) => regex.source,
);

/** A `regex:` with nothing after it is the empty pattern, as upstream reads it; only an absent key is the default. */
const regexField: Part<Regexp> = {
  keys: ["regex"],
  decode(mapping) {
    const at = mapping.get("regex");
    if (at) return regexCodec.decode(at);
    return mapping.has("regex") ? Regexp.compile("") : regexDefault;
  },
  encode(regex, into) {
    if (regex !== regexDefault) into["regex"] = regex.source;
  },
};

/** Likewise an `action:` with nothing after it is no action. */
const actionField: Part<RelabelAction> = {
  keys: ["action"],
  decode(mapping) {
    const at = mapping.get("action");
    if (at) return actionCodec.decode(at);
    return mapping.has("action") ? mapping.place("action").fail(emptyAction) : "replace";
  },
  encode(action, into) {
    into["action"] = action;
  },
};

export const relabelConfig: Codec<RelabelConfig> = object(
  "relabel.plain",
  {
    sourceLabels: field("source_labels", list(text), []),
    separator: field("separator", text, separatorDefault, { printAlways: true }),
    regex: regexField,
    modulus: field("modulus", integer("uint"), 0),
    targetLabel: field("target_label", text, ""),
    replacement: field("replacement", text, replacementDefault, { printAlways: true }),
    action: actionField,
  },
  (parts): RelabelConfig => ({ ...parts, scheme: "utf8" }),
);

/** A list of rules; `nullMessage` is the error for an item that is null. */
export function relabelConfigs(nullMessage: string): Codec<RelabelConfig[]> {
  return list(relabelConfig, nullMessage);
}

/** A rule from its parts, with upstream's defaults, checked. Throws `bad_data`. */
export function createRelabelConfig(
  parts: Partial<Omit<RelabelConfig, "regex">> & { regex?: string },
): RelabelConfig {
  const config: RelabelConfig = {
    sourceLabels: [],
    separator: separatorDefault,
    modulus: 0,
    targetLabel: "",
    replacement: replacementDefault,
    action: "replace",
    scheme: "utf8",
    ...parts,
    regex: parts.regex === undefined ? regexDefault : Regexp.compile(parts.regex),
  };
  validateRelabelConfigs([config], config.scheme);
  return config;
}

const needsTarget: readonly RelabelAction[] = [
  "replace",
  "hashmod",
  "lowercase",
  "uppercase",
  "keepequal",
  "dropequal",
];

/** Sets the naming scheme and refuses, with upstream's texts, what an action cannot use. Throws `bad_data` with the rule's place. */
export function validateRelabelConfigs(
  configs: readonly RelabelConfig[],
  scheme: NameValidationScheme,
): void {
  for (const config of configs) {
    config.scheme = scheme;
    const fault = faultOf(config);
    if (fault !== undefined) failAt(config, fault);
  }
}

function faultOf(config: RelabelConfig): string | undefined {
  const { action, targetLabel, replacement, scheme } = config;
  if (action === "hashmod" && config.modulus === 0) {
    return "relabel configuration for hashmod requires non-zero modulus";
  }
  if (needsTarget.includes(action)) {
    if (targetLabel === "") return `relabel configuration for ${action} action requires 'target_label' value`;
    const valid =
      action === "replace" ? isNameTemplate(targetLabel, scheme) : isLabelName(targetLabel, scheme);
    if (!valid) return `${quoteGo(targetLabel)} is invalid 'target_label' for ${action} action`;
  }
  const plainReplacement = replacement === replacementDefault;
  const nothingElse = config.modulus === 0 && config.separator === separatorDefault && plainReplacement;
  switch (action) {
    case "keepequal":
    case "dropequal":
      if (!plainReplacement) return `'replacement' can not be set for ${action} action`;
      if (config.regex !== regexDefault || !nothingElse) {
        return `${action} action requires only 'source_labels' and \`target_label\`, and no other fields`;
      }
      return undefined;
    case "lowercase":
    case "uppercase":
      return plainReplacement ? undefined : `'replacement' can not be set for ${action} action`;
    case "labelmap":
      if (isNameTemplate(replacement, scheme)) return undefined;
      return `${quoteGo(replacement)} is invalid 'replacement' for labelmap action`;
    case "labeldrop":
    case "labelkeep":
      if (config.sourceLabels.length === 0 && targetLabel === "" && nothingElse) return undefined;
      return `${action} action requires only 'regex', and no other fields`;
    default:
      return undefined;
  }
}

const templateVariable = /\$(?:\{\w+\}|\w+)/g;

/** A label name that may hold `$1` or `${name}`. UTF-8 names allow those characters anyway. */
function isNameTemplate(template: string, scheme: NameValidationScheme): boolean {
  return isLabelName(scheme === "utf8" ? template : template.replace(templateVariable, "_"), scheme);
}

/** The labels after all rules, or undefined when a rule drops them. Without rules that is the set itself. */
export function relabel(labels: Labels, configs: readonly RelabelConfig[]): Labels | undefined {
  if (configs.length === 0) return labels;
  const builder = new LabelsBuilder(labels);
  return relabelBuilder(builder, configs) ? builder.labels() : undefined;
}

/** Applies the rules in order; false when one of them drops the set. */
export function relabelBuilder(builder: LabelsBuilder, configs: readonly RelabelConfig[]): boolean {
  return configs.every((config) => apply(config, builder));
}

function apply(config: RelabelConfig, builder: LabelsBuilder): boolean {
  const { regex, targetLabel } = config;
  const joined = (): string => config.sourceLabels.map((name) => builder.get(name)).join(config.separator);
  switch (config.action) {
    case "keep":
      return regex.matches(joined());
    case "drop":
      return !regex.matches(joined());
    case "keepequal":
      return builder.get(targetLabel) === joined();
    case "dropequal":
      return builder.get(targetLabel) !== joined();
    case "replace":
      replace(config, joined(), builder);
      return true;
    case "lowercase":
      builder.set(
        targetLabel,
        mapRunes(joined(), (rune) => rune.toLowerCase()),
      );
      return true;
    case "uppercase":
      builder.set(
        targetLabel,
        mapRunes(joined(), (rune) => rune.toUpperCase()),
      );
      return true;
    case "hashmod":
      builder.set(targetLabel, hashMod(joined(), config.modulus));
      return true;
    case "labelmap":
      for (const name of builder.names()) {
        const captures = regex.captures(name);
        const value = builder.get(name);
        if (captures) builder.set(expandTemplate(config.replacement, captures), value);
      }
      return true;
    case "labeldrop":
      for (const name of builder.names()) if (regex.matches(name)) builder.delete(name);
      return true;
    case "labelkeep":
      for (const name of builder.names()) if (!regex.matches(name)) builder.delete(name);
      return true;
  }
}

function replace(config: RelabelConfig, value: string, builder: LabelsBuilder): void {
  const { regex, targetLabel, replacement } = config;
  if (!targetLabel.includes("$") && !replacement.includes("$")) {
    if (regex === regexDefault || regex.matches(value)) builder.set(targetLabel, replacement);
    return;
  }
  if (regex === regexDefault && replacement === replacementDefault && !targetLabel.includes("$")) {
    builder.set(targetLabel, value);
    return;
  }
  const captures = regex.captures(value);
  if (!captures) return;
  const target = expandTemplate(targetLabel, captures);
  if (isLabelName(target, config.scheme)) builder.set(target, expandTemplate(replacement, captures));
}

/** The last eight bytes of the MD5, as upstream has always taken them. */
function hashMod(value: string, modulus: number): string {
  const digest = hash("md5", value, "buffer");
  return String(digest.readBigUInt64BE(8) % BigInt(modulus));
}

/** Go maps case rune by rune; where JavaScript would make several runes of one (ß → SS), the rune stays. */
function mapRunes(value: string, map: (rune: string) => string): string {
  let out = "";
  for (const rune of value) {
    const mappedRune = map(rune);
    const isOneRune = mappedRune.length === (mappedRune.codePointAt(0)! > 0xffff ? 2 : 1);
    out += isOneRune ? mappedRune : rune;
  }
  return out;
}
