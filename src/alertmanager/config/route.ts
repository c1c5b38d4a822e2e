/** The `route` section and the matchers it and inhibition rules are written with. */
import { Matcher, quoteGo } from "../../model/index.ts";
import {
  bool,
  type Codec,
  durationMs,
  field,
  list,
  mapOf,
  type Mapping,
  object,
  type Part,
  text,
} from "../../codec/index.ts";
import { type MatcherParser, printMatcher } from "../matcher/index.ts";

export interface RouteConfig {
  readonly receiver: string;
  readonly groupBy: ReadonlySet<string> | "all" | undefined;
  readonly matchers: readonly Matcher[];
  readonly continue: boolean;
  readonly groupWaitMs: number | undefined;
  readonly groupIntervalMs: number | undefined;
  readonly repeatIntervalMs: number | undefined;
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  readonly routes: readonly RouteConfig[];
}

export interface InhibitRuleConfig {
  readonly name: string;
  readonly sourceMatchers: readonly Matcher[];
  readonly targetMatchers: readonly Matcher[];
  readonly equal: readonly string[];
}

/** Reads one matcher written by hand, which may hold several separated by commas, at its place. */
function matcherList(parser: MatcherParser): Codec<Matcher[]> {
  return {
    decode: (at) => {
      const items = at.items() ?? at.fail(`cannot unmarshal ${at.describe()} into []string`);
      return items.flatMap((item) => {
        const source = text.decode(item);
        try {
          return parser.parse(source, "config");
        } catch (error) {
          return item.fail((error as Error).message);
        }
      });
    },
    encode: (matchers) => matchers.map(printMatcher),
  };
}

/** A map of label names to values or patterns, the way matchers were written before they had a syntax. */
function legacyMatchers(type: "=" | "=~"): Codec<Matcher[]> {
  return {
    decode: (at) => {
      const entries = at.entries() ?? at.fail(`cannot unmarshal ${at.describe()} into map[string]string`);
      return entries.map(({ key, at: keyAt, value }) => {
        if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(key)) keyAt.fail(`invalid label name ${quoteGo(key)}`);
        if (type === "=~" && value.isNull()) keyAt.fail(`expected a regular expression for ${quoteGo(key)}`);
        const source = value.isNull() ? "" : text.decode(value);
        try {
          return new Matcher(type, key, source);
        } catch (error) {
          return value.fail((error as Error).message);
        }
      });
    },
    encode: (matchers) => Object.fromEntries(matchers.map(({ name, value }) => [name, value])),
  };
}

/** All three spellings together. They are printed in the new one, which says the same. */
function matchers(prefix: "" | "source_" | "target_", parser: MatcherParser): Part<Matcher[]> {
  const parts = [
    field(`${prefix}match`, legacyMatchers("="), []),
    field(`${prefix}match_re`, legacyMatchers("=~"), []),
    field(`${prefix}matchers`, matcherList(parser), []),
  ];
  return {
    keys: parts.flatMap((part) => part.keys),
    decode: (mapping) => parts.flatMap((part) => part.decode(mapping)),
    encode: (value, into) => parts[2]!.encode(value, into),
  };
}

function groupBy(
  names: readonly string[] | undefined,
  mapping: Mapping,
  parser: MatcherParser,
): RouteConfig["groupBy"] {
  if (names === undefined) return undefined;
  const at = mapping.place("group_by");
  for (const name of names) {
    if (name !== "..." && !parser.isLabelName(name))
      at.fail(`invalid label name ${quoteGo(name)} in group_by list`);
  }
  if (names.includes("...")) {
    if (names.length > 1) at.fail("cannot have wildcard group_by (`...`) and other labels at the same time");
    return "all";
  }
  const unique = new Set<string>();
  for (const name of names) {
    if (unique.has(name)) at.fail(`duplicated label ${quoteGo(name)} in group_by`);
    unique.add(name);
  }
  return unique;
}

function labelNames(labels: ReadonlyMap<string, string>, mapping: Mapping, parser: MatcherParser): void {
  for (const name of labels.keys()) {
    if (!parser.isLabelName(name)) {
      mapping.place("labels").fail(`invalid label name ${quoteGo(name)} in route labels`);
    }
  }
}

/** The codec of a route, whose children are routes again. */
export function routeCodec(parser: MatcherParser): Codec<RouteConfig> {
  const route: Codec<RouteConfig> = {
    decode: (at) => written.decode(at),
    encode: (value) => {
      const { groupBy: names, ...rest } = value;
      const printed = names === "all" ? ["..."] : names && [...names];
      return written.encode({ ...rest, groupBy: printed } as never);
    },
  };
  const written = object(
    "config.Route",
    {
      receiver: field("receiver", text, ""),
      groupBy: field("group_by", list(text)),
      matchers: matchers("", parser),
      continue: field("continue", bool, false),
      groupWaitMs: field("group_wait", durationMs),
      groupIntervalMs: field("group_interval", durationMs),
      repeatIntervalMs: field("repeat_interval", durationMs),
      muteTimeIntervals: field("mute_time_intervals", list(text), []),
      activeTimeIntervals: field("active_time_intervals", list(text), []),
      labels: field("labels", mapOf(text), new Map<string, string>()),
      routes: field("routes", list(route), []),
    },
    (value, mapping) => {
      if (value.groupIntervalMs === 0) mapping.place("group_interval").fail("group_interval cannot be zero");
      if (value.repeatIntervalMs === 0)
        mapping.place("repeat_interval").fail("repeat_interval cannot be zero");
      labelNames(value.labels, mapping, parser);
      return { ...value, groupBy: groupBy(value.groupBy, mapping, parser) };
    },
  );
  return route;
}

export function inhibitRuleCodec(parser: MatcherParser): Codec<InhibitRuleConfig> {
  return object(
    "config.InhibitRule",
    {
      name: field("name", text, ""),
      sourceMatchers: matchers("source_", parser),
      targetMatchers: matchers("target_", parser),
      equal: field("equal", list(text), []),
    },
    (value, mapping) => {
      for (const name of value.equal) {
        if (!parser.isLabelName(name))
          mapping.place("equal").fail(`invalid label name ${quoteGo(name)} in equal list`);
      }
      return value;
    },
  );
}
