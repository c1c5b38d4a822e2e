/** What templates and webhooks get to see of a notification. */
import { type Labels, compareStrings } from "../../model/index.ts";
import {
  formatRfc3339,
  ListValue,
  MapValue,
  stringList,
  stringMap,
  StructValue,
  templateFunction,
  TimeValue,
  types,
  type Value,
  zeroTimeMs,
} from "../../template/index.ts";
import { type Alert, alertNameLabel, isResolvedAt } from "../alert.ts";
import type { NotificationReason } from "./deduplicate.ts";

type Pairs = ReadonlyMap<string, string>;
type Status = "firing" | "resolved";

export interface AlertData {
  readonly status: Status;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number;
  /** Of a firing alert Go's zero time. */
  readonly endsAtMs: number;
  readonly generatorUrl: string;
  readonly fingerprint: string;
}

export interface NotificationData {
  /** The receiver's name with the special characters of regular expressions escaped. */
  readonly receiver: string;
  readonly status: Status;
  readonly alerts: readonly AlertData[];
  readonly reason: NotificationReason;
  readonly groupLabels: Pairs;
  /** What all alerts have in common. */
  readonly commonLabels: Pairs;
  readonly commonAnnotations: Pairs;
  readonly routeLabels: Pairs;
  readonly externalUrl: string;
}

export interface DataSource {
  readonly receiver: string;
  readonly groupLabels: Pairs;
  readonly routeLabels: Pairs;
  readonly reason: NotificationReason;
  readonly timeMs: number;
}

export function notificationData(
  source: DataSource,
  alerts: readonly Alert[],
  externalUrl: string,
): NotificationData {
  const list = alerts.map((alert) => alertData(alert, source.timeMs));
  return {
    receiver: quoteMeta(source.receiver),
    status: list.some(({ status }) => status === "firing") ? "firing" : "resolved",
    alerts: list,
    reason: source.reason,
    groupLabels: source.groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    routeLabels: source.routeLabels,
    externalUrl,
  };
}

function alertData(alert: Alert, timeMs: number): AlertData {
  const resolved = isResolvedAt(alert, timeMs);
  return {
    status: resolved ? "resolved" : "firing",
    labels: alert.labels,
    annotations: alert.annotations,
    startsAtMs: alert.startsAtMs,
    endsAtMs: resolved ? alert.endsAtMs! : zeroTimeMs,
    generatorUrl: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}

function common(sets: readonly Labels[]): Pairs {
  const [first, ...others] = sets;
  return new Map(
    [...(first ?? [])].filter(([name, value]) => others.every((set) => set.get(name) === value)),
  );
}

/** Go's regexp.QuoteMeta. */
function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

// For templates.

const joining = (list: ListValue) =>
  templateFunction([types.string], (separator: string) => (list.items as string[]).join(separator));

/** Strings that can join themselves. */
function strings(items: readonly string[]): ListValue {
  return stringList(items, { typeName: "template.Strings", methods: new Map([["Join", joining]]) });
}

type Pair = readonly [name: string, value: string];

const getter = (read: () => Value) => templateFunction([], read);

/** Name-value pairs in a fixed order. */
function pairList(pairs: readonly Pair[]): ListValue {
  const printed = pairs.map(([name, value]) => `${name}=${value}`).join(", ");
  const items = pairs.map(([name, value]) => {
    const fields = new Map([
      ["Name", name],
      ["Value", value],
    ]);
    return new StructValue(fields, { typeName: "template.Pair" });
  });
  return new ListValue(items, {
    typeName: "template.Pairs",
    text: () => printed,
    methods: new Map([
      ["Names", () => getter(() => strings(pairs.map(([name]) => name)))],
      ["Values", () => getter(() => strings(pairs.map(([, value]) => value)))],
      ["String", () => getter(() => printed)],
    ]),
  });
}

/** alertname first, then by name. */
function sortedPairs(pairs: Iterable<Pair>): Pair[] {
  const rank = ([name]: Pair): number => (name === alertNameLabel ? 0 : 1);
  return [...pairs].sort((a, b) => rank(a) - rank(b) || compareStrings(a[0], b[0]));
}

/** Labels or annotations, with the methods that templates call on them. */
function pairMap(source: Iterable<Pair>): MapValue {
  const pairs = sortedPairs(source);
  const list = pairList(pairs);
  const remove = (names: ListValue | null): MapValue =>
    pairMap(pairs.filter(([name]) => !names?.items.includes(name)));
  return stringMap(pairs, {
    typeName: "template.KV",
    text: () => list.text() ?? "",
    methods: new Map([
      ["SortedPairs", () => getter(() => list)],
      ["Remove", () => templateFunction([types.strings], remove)],
      ["Names", () => list.method("Names")!],
      ["Values", () => list.method("Values")!],
      ["String", () => list.method("String")!],
    ]),
  });
}

const lowerFirst = (field: string): string => field[0]!.toLowerCase() + field.slice(1);

function alertValue(alert: AlertData): StructValue {
  const fields = new Map<string, Value>([
    ["Status", alert.status],
    ["Labels", pairMap(alert.labels)],
    ["Annotations", pairMap(alert.annotations)],
    ["StartsAt", new TimeValue(alert.startsAtMs)],
    ["EndsAt", new TimeValue(alert.endsAtMs)],
    ["GeneratorURL", alert.generatorUrl],
    ["Fingerprint", alert.fingerprint],
  ]);
  return new StructValue(fields, { typeName: "template.Alert", jsonName: lowerFirst });
}

function alertList(alerts: readonly AlertData[]): ListValue {
  const values = alerts.map(alertValue);
  const ofStatus = (status: Status): ListValue =>
    new ListValue(
      values.filter((value) => value.fields.get("Status") === status),
      { typeName: "[]template.Alert" },
    );
  return new ListValue(values, {
    typeName: "template.Alerts",
    methods: new Map([
      ["Firing", () => getter(() => ofStatus("firing"))],
      ["Resolved", () => getter(() => ofStatus("resolved"))],
    ]),
  });
}

const jsonNames: Record<string, string> = {
  NotificationReason: "notification_reason",
  ExternalURL: "externalURL",
};

/** Dot for a notification's templates. */
export function templateValue(data: NotificationData): StructValue {
  const fields = new Map<string, Value>([
    ["Receiver", data.receiver],
    ["Status", data.status],
    ["Alerts", alertList(data.alerts)],
    ["NotificationReason", data.reason],
    ["GroupLabels", pairMap(data.groupLabels)],
    ["CommonLabels", pairMap(data.commonLabels)],
    ["CommonAnnotations", pairMap(data.commonAnnotations)],
    ["RouteLabels", pairMap(data.routeLabels)],
    ["ExternalURL", data.externalUrl],
  ]);
  return new StructValue(fields, {
    typeName: "*template.Data",
    jsonName: (field) => jsonNames[field] ?? lowerFirst(field),
  });
}

// For webhooks.

function sortedObject(pairs: Iterable<Pair>): Record<string, string> {
  const object = Object.create(null) as Record<string, string>;
  for (const [name, value] of [...pairs].sort((a, b) => compareStrings(a[0], b[0]))) object[name] = value;
  return object;
}

/** The JSON of a webhook's message, version 4, without its last four fields. */
export function jsonData(data: NotificationData): Record<string, unknown> {
  return {
    receiver: data.receiver,
    status: data.status,
    alerts: data.alerts.map((alert) => ({
      status: alert.status,
      labels: sortedObject(alert.labels),
      annotations: sortedObject(alert.annotations),
      startsAt: formatRfc3339(alert.startsAtMs),
      endsAt: formatRfc3339(alert.endsAtMs),
      generatorURL: alert.generatorUrl,
      fingerprint: alert.fingerprint,
    })),
    notification_reason: data.reason,
    groupLabels: sortedObject(data.groupLabels),
    commonLabels: sortedObject(data.commonLabels),
    commonAnnotations: sortedObject(data.commonAnnotations),
    routeLabels: sortedObject(data.routeLabels),
    externalURL: data.externalUrl,
  };
}
