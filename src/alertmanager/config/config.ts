/** `alertmanager.yml` as a whole. */
import path from "node:path";
import { quoteGo } from "../../model/index.ts";
import {
  checkAt,
  type Codec,
  encodeYaml,
  field,
  failAt,
  filePath,
  list,
  object,
  Place,
  section,
} from "../../codec/index.ts";
import type { MatcherParser } from "../matcher/index.ts";
import { type NamedTimeInterval, namedTimeInterval } from "../time-interval.ts";
import { type GlobalConfig, globalConfig } from "./global.ts";
import { completeReceiver, type ReceiverConfig, receiverCodec } from "./receiver.ts";
import { type InhibitRuleConfig, inhibitRuleCodec, type RouteConfig, routeCodec } from "./route.ts";

export interface Config {
  readonly global: GlobalConfig;
  readonly route: RouteConfig;
  readonly inhibitRules: readonly InhibitRuleConfig[];
  readonly receivers: readonly ReceiverConfig[];
  /** Absolute file names, or relative to the process; with the wildcards of a shell. */
  readonly templates: readonly string[];
  readonly timeIntervals: readonly NamedTimeInterval[];
  /** Sections that are written and have no effect yet. */
  readonly ignoredSections: readonly string[];
  /** The configuration as it is in force, secrets masked: what `/api/v2/status` shows. */
  readonly yaml: string;
}

/**
 * Reads a configuration. `file` is named in errors, and relative file names inside start at its directory. Throws
 * `bad_data` with file, line, column and upstream's message.
 */
export function parseConfig(source: string, file: string, parser: MatcherParser): Config {
  const root = Place.parse(source, file, path.dirname(file));
  if (root.isNull()) root.fail("no route provided in config");
  const codec = configCodec(parser);
  const value = codec.decode(root);
  for (const receiver of value.receivers) completeReceiver(receiver, value.global);
  return {
    global: value.global,
    route: value.route,
    inhibitRules: value.inhibitRules,
    receivers: value.receivers,
    templates: value.templates,
    timeIntervals: [...value.muteTimeIntervals, ...value.timeIntervals],
    ignoredSections: [
      ...(value.tracing === undefined ? [] : ["tracing"]),
      ...(value.eventRecorder === undefined ? [] : ["event_recorder"]),
    ],
    yaml: encodeYaml(codec.encode(value)),
  };
}

/** What nobody here reads may hold secrets, and so is not printed. */
const unread: Codec<unknown> = { decode: (at) => at.toPlain(), encode: () => undefined };

function configCodec(parser: MatcherParser) {
  const route: Codec<RouteConfig> = routeCodec(parser);
  return object(
    "config.plain",
    {
      global: section("global", globalConfig),
      route: field("route", route),
      inhibitRules: field("inhibit_rules", list(inhibitRuleCodec(parser)), []),
      receivers: field("receivers", list(receiverCodec), []),
      templates: field("templates", list(filePath), []),
      muteTimeIntervals: field("mute_time_intervals", list(namedTimeInterval("mute time interval")), []),
      timeIntervals: field("time_intervals", list(namedTimeInterval("time interval")), []),
      tracing: field("tracing", unread),
      eventRecorder: field("event_recorder", unread),
    },
    (value, mapping) => {
      const receivers = new Set<string>();
      for (const { name } of value.receivers) {
        if (receivers.has(name)) {
          mapping.place("receivers").fail(`notification config name ${quoteGo(name)} is not unique`);
        }
        receivers.add(name);
      }
      const { route: root } = value;
      const at = mapping.place("route");
      if (root === undefined) return mapping.at.fail("no routes provided");
      checkAt(at, () => checkRoot(root));
      const intervals = new Set<string>();
      for (const [key, what] of [
        ["muteTimeIntervals", "mute time interval"],
        ["timeIntervals", "time interval"],
      ] as const) {
        for (const interval of value[key]) {
          if (intervals.has(interval.name))
            failAt(interval, `${what} ${quoteGo(interval.name)} is not unique`);
          intervals.add(interval.name);
        }
      }
      checkReferences(root, receivers, intervals);
      return { ...value, route: root };
    },
  );
}

function checkRoot(root: RouteConfig): void {
  if (root.receiver === "") throw new Error("root route must specify a default receiver");
  if (root.matchers.length > 0) throw new Error("root route must not have any matchers");
  if (root.muteTimeIntervals.length > 0) throw new Error("root route must not have any mute time intervals");
  if (root.activeTimeIntervals.length > 0)
    throw new Error("root route must not have any active time intervals");
  if (root.continue) throw new Error("cannot have continue in root route");
}

/** Every receiver and time interval that a route names must exist. */
function checkReferences(
  route: RouteConfig,
  receivers: ReadonlySet<string>,
  intervals: ReadonlySet<string>,
): void {
  for (const child of route.routes) checkReferences(child, receivers, intervals);
  if (route.receiver !== "" && !receivers.has(route.receiver)) {
    failAt(route, `undefined receiver ${quoteGo(route.receiver)} used in route`);
  }
  for (const name of [...route.activeTimeIntervals, ...route.muteTimeIntervals]) {
    if (!intervals.has(name)) failAt(route, `undefined time interval ${quoteGo(name)} used in route`);
  }
}
