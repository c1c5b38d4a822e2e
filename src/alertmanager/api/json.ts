/** Between the API's JSON and what Alertmanager works with. */
import { NarthexError } from "../../base/index.ts";
import { Labels, Matcher, type MatchType } from "../../model/index.ts";
import { zeroTimeMs } from "../../template/index.ts";
import type { Alert, PostableAlert } from "../alert.ts";
import { type Silence, stateAt } from "../silence/silence.ts";
import type { SilenceDraft } from "../silence/silences.ts";

type JsonObject = Record<string, unknown>;

/** The body does not have the shape that the API describes; answered with 422. */
export class InvalidBody extends NarthexError {
  constructor(message: string) {
    super("bad_data", message);
    this.name = "InvalidBody";
  }
}

export interface AlertStatus {
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
  readonly mutedBy: readonly string[];
}

export function alertJson(alert: Alert, status: AlertStatus, receivers: readonly string[]): JsonObject {
  const suppressed = Object.values(status).some((names: readonly string[]) => names.length > 0);
  return {
    annotations: alert.annotations.toObject(),
    endsAt: timeJson(alert.endsAtMs ?? zeroTimeMs),
    fingerprint: alert.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: timeJson(alert.startsAtMs),
    status: {
      inhibitedBy: status.inhibitedBy,
      mutedBy: status.mutedBy,
      silencedBy: status.silencedBy,
      state: suppressed ? "suppressed" : "active",
    },
    updatedAt: timeJson(alert.updatedAtMs),
    ...(alert.generatorUrl !== "" && { generatorURL: alert.generatorUrl }),
    labels: alert.labels.toObject(),
  };
}

export function silenceJson(silence: Silence, nowMs: number): JsonObject {
  return {
    id: silence.id,
    status: { state: stateAt(silence, nowMs) },
    updatedAt: timeJson(silence.updatedAtMs),
    ...(silence.annotations.size > 0 && { annotations: Object.fromEntries(silence.annotations) }),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: timeJson(silence.endsAtMs),
    matchers: (silence.matcherSets[0] ?? []).map(({ name, value, type }) => ({
      isEqual: type === "=" || type === "=~",
      isRegex: type === "=~" || type === "!~",
      name,
      value,
    })),
    startsAt: timeJson(silence.startsAtMs),
  };
}

function timeJson(timeMs: number): string {
  return new Date(Math.floor(timeMs)).toISOString();
}

/** Reads the body of POST /alerts. Labels with empty values are dropped. */
export function readAlerts(body: unknown): PostableAlert[] {
  if (!Array.isArray(body)) throw new InvalidBody("alerts in body must be of type array");
  return body.map((item: unknown, i) => {
    const at = String(i);
    const alert = readObject(item, at);
    if (alert["labels"] === undefined) throw new InvalidBody(`${at}.labels in body is required`);
    return {
      labels: readLabels(alert["labels"], `${at}.labels`),
      annotations: readLabels(alert["annotations"], `${at}.annotations`),
      generatorUrl: readText(alert, "generatorURL", `${at}.generatorURL`),
      startsAtMs: readTime(alert["startsAt"], `${at}.startsAt`),
      endsAtMs: readTime(alert["endsAt"], `${at}.endsAt`),
    };
  });
}

/** Reads the body of POST /silences. Throws `bad_data` for patterns that are none. */
export function readSilence(body: unknown): SilenceDraft {
  const silence = readObject(body, "silence");
  for (const key of ["comment", "createdBy", "endsAt", "matchers", "startsAt"]) {
    if (silence[key] === undefined || silence[key] === null)
      throw new InvalidBody(`${key} in body is required`);
  }
  const matchers = silence["matchers"];
  if (!Array.isArray(matchers)) throw new InvalidBody("matchers in body must be of type array");
  if (matchers.length === 0) throw new InvalidBody("matchers in body should have at least 1 items");
  return {
    id: readText(silence, "id", "id"),
    matcherSets: [matchers.map((item: unknown, i) => readMatcher(item, `matchers.${i}`))],
    receiverMatcherSets: [],
    startsAtMs: readTime(silence["startsAt"], "startsAt") ?? 0,
    endsAtMs: readTime(silence["endsAt"], "endsAt") ?? 0,
    createdBy: readText(silence, "createdBy", "createdBy"),
    comment: readText(silence, "comment", "comment"),
    annotations: new Map(readLabels(silence["annotations"], "annotations")),
  };
}

function readMatcher(item: unknown, at: string): Matcher {
  const matcher = readObject(item, at);
  for (const key of ["name", "value", "isRegex"]) {
    if (matcher[key] === undefined || matcher[key] === null)
      throw new InvalidBody(`${at}.${key} in body is required`);
  }
  const isRegex = readBool(matcher, "isRegex", false, at);
  const isEqual = readBool(matcher, "isEqual", true, at);
  const type: MatchType = isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=";
  return new Matcher(
    type,
    readText(matcher, "name", `${at}.name`),
    readText(matcher, "value", `${at}.value`),
  );
}

function readObject(value: unknown, at: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new InvalidBody(`${at} in body must be of type object`);
}

function readText(object: JsonObject, key: string, at: string): string {
  const value = object[key];
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw new InvalidBody(`${at} in body must be of type string: ${JSON.stringify(value)}`);
}

function readBool(object: JsonObject, key: string, absent: boolean, at: string): boolean {
  const value = object[key];
  if (value === undefined || value === null) return absent;
  if (typeof value === "boolean") return value;
  throw new InvalidBody(`${at}.${key} in body must be of type boolean: ${JSON.stringify(value)}`);
}

function readLabels(value: unknown, at: string): Labels {
  if (value === undefined || value === null) return Labels.empty;
  const object = readObject(value, at);
  return Labels.from(
    Object.entries(object).map(([name, text]) => [name, labelValue(text, `${at}.${name}`)] as const),
  );
}

function labelValue(value: unknown, at: string): string {
  if (typeof value === "string") return value;
  throw new InvalidBody(`${at} in body must be of type string: ${JSON.stringify(value)}`);
}

const TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:?\d{2})?$/;

/** Unix milliseconds; undefined when absent or Go's zero time, which clients send for "not set". */
function readTime(value: unknown, at: string): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const timeMs = typeof value === "string" && TIME.test(value) ? Date.parse(zoned(value)) : NaN;
  if (Number.isNaN(timeMs))
    throw new InvalidBody(`${at} in body must be of type date-time: ${JSON.stringify(value)}`);
  return timeMs <= zeroTimeMs ? undefined : timeMs;
}

/** A time without a zone is in UTC. */
function zoned(text: string): string {
  return /(?:[Zz]|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`;
}
