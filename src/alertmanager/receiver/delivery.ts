/** What all receivers that are told over HTTP have in common. */
import { createHash } from "node:crypto";
import {
  type Clock,
  type Disk,
  errorMessage,
  type Logger,
  NarthexError,
  type Secret,
} from "../../base/index.ts";
import { Place } from "../../codec/index.ts";
import type { HttpClient } from "../../http/index.ts";
import type { Alert } from "../alert.ts";
import { type NotificationData, notificationData } from "../notify/data.ts";
import { type NotificationContext, type Notifier, NotifyError, statusError } from "../notify/notifier.ts";
import type { NotificationTemplates } from "../notify/templates.ts";
import type { ReceiverData } from "../notification-log.ts";

/** Longest that one request may take where the flush allows more. */
const requestTimeoutMsMax = 10 * 60_000;
const answerBytesMax = 1024 * 1024;

export interface DeliveryParts {
  readonly clock: Clock;
  readonly templates: NotificationTemplates;
  readonly client: HttpClient;
  readonly disk: Disk;
  readonly logger: Logger;
}

/** Delivers one notification; resolves with what to keep for the group's next one. */
export type Deliver = (delivery: Delivery) => Promise<ReceiverData | undefined | void>;

/** A receiver that is told by HTTP requests, in whatever shape `deliver` gives them. */
export class HttpNotifier implements Notifier {
  readonly #deliver: Deliver;
  readonly #parts: DeliveryParts;

  /** Owns the client. */
  constructor(deliver: Deliver, parts: DeliveryParts) {
    this.#deliver = deliver;
    this.#parts = parts;
  }

  async notify(context: NotificationContext, alerts: readonly Alert[]): Promise<ReceiverData | undefined> {
    return (await this.#deliver(new Delivery(context, alerts, this.#parts))) ?? undefined;
  }

  async close(): Promise<void> {
    await this.#parts.client.close();
  }
}

export interface DeliveryRequest {
  /** Default POST. */
  readonly method?: "GET" | "POST" | "PUT";
  readonly url: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent where there is no JSON. */
  readonly form?: URLSearchParams;
  /** name, value, name, value … that no other host may see. */
  readonly credentials?: string[];
  /** 0 leaves the flush's own deadline. */
  readonly timeoutMs?: number;
  /** Statuses beside the server's errors after which another attempt may help. */
  readonly retryStatuses?: readonly number[];
  /** What an answer that refuses says; default its body. */
  readonly refusal?: (body: string) => string;
}

export interface Answer {
  readonly isJson: boolean;
  readonly body: string;
}

/** One notification on its way: expands texts, reads secrets, sends requests. What it throws is a NarthexError. */
export class Delivery {
  readonly context: NotificationContext;
  readonly alerts: readonly Alert[];
  /** How many further alerts are not told of. */
  readonly truncatedAlerts: number;
  readonly #parts: DeliveryParts;
  #data: NotificationData | undefined;

  constructor(
    context: NotificationContext,
    alerts: readonly Alert[],
    parts: DeliveryParts,
    truncatedAlerts = 0,
  ) {
    this.context = context;
    this.alerts = alerts;
    this.truncatedAlerts = truncatedAlerts;
    this.#parts = parts;
  }

  /** The same with at most so many alerts; 0 leaves all. */
  first(alertsMax: number): Delivery {
    if (alertsMax === 0 || this.alerts.length <= alertsMax) return this;
    const left = this.truncatedAlerts + this.alerts.length - alertsMax;
    return new Delivery(this.context, this.alerts.slice(0, alertsMax), this.#parts, left);
  }

  get data(): NotificationData {
    const { externalUrl } = this.#parts.templates;
    return (this.#data ??= notificationData(this.context, this.alerts, externalUrl));
  }

  get isFiring(): boolean {
    return this.data.status === "firing";
  }

  /** Names the group to systems that join what belongs to one incident. */
  get groupHash(): string {
    return createHash("sha256").update(this.context.groupKey).digest("hex");
  }

  nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  warn(message: string): void {
    this.#parts.logger.warn(message, { aggrGroup: this.context.groupKey });
  }

  readonly text = (source: string): string => this.#parts.templates.text(source, this.data);

  html(source: string): string {
    return this.#parts.templates.html(source, this.data);
  }

  /** Expands every text in a structure, keys included. What a text expands to counts as YAML: a number or list becomes one. */
  expand(value: unknown): unknown {
    if (typeof value === "string") return readYaml(this.text(value));
    if (Array.isArray(value)) return value.map((item) => this.expand(item));
    if (typeof value !== "object" || value === null) return value;
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [this.text(String(key)), this.expand(item)]));
  }

  /** The first `charactersMax` characters; when there are more, the last of these is an ellipsis. */
  limit(text: string, charactersMax: number, what: string): string {
    if (text.length <= charactersMax) return text;
    const characters = Array.from(text);
    if (characters.length <= charactersMax) return text;
    this.warn(`Truncated ${what} to ${charactersMax} characters`);
    return `${characters.slice(0, charactersMax - 1).join("")}…`;
  }

  /** A secret given in place, or else in a file that is read each time it is used. */
  secret(value: Secret | undefined, file: string, what: string): string {
    const given = value?.reveal() ?? "";
    if (given !== "" || file === "") return given;
    try {
      return Buffer.from(this.#parts.disk.readFile(file)).toString("utf8").trim();
    } catch (error) {
      throw new NotifyError(`read ${what}: ${errorMessage(error)}`, false, "other", { cause: error });
    }
  }

  /** Rejects with a NotifyError unless the status is one of success. Neither the URL nor what it holds is in its message. */
  async send(request: DeliveryRequest): Promise<Answer> {
    const answer = await this.#request(request);
    const body = Buffer.from(answer.body).toString("utf8");
    const refusal = request.refusal?.(body) ?? body;
    const error = statusError(answer.status, refusal, request.retryStatuses);
    if (error !== undefined) throw error;
    return { isJson: /^application\/json\b/i.test(answer.headers["content-type"] ?? ""), body };
  }

  async #request({ method = "POST", url, json, form, credentials = [], timeoutMs = 0 }: DeliveryRequest) {
    const body = json === undefined ? form?.toString() : JSON.stringify(json);
    const type = json === undefined ? "application/x-www-form-urlencoded" : "application/json";
    try {
      return await this.#parts.client.request({
        method,
        url,
        credentials,
        ...(body !== undefined && { headers: ["Content-Type", type], body }),
        signal: this.context.signal,
        timeoutMs: timeoutMs > 0 ? timeoutMs : requestTimeoutMsMax,
        bodyBytesMax: answerBytesMax,
      });
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      const message = error.message.replace(/"(?:[^"\\]|\\.)*"/, `"<redacted>"`);
      throw new NotifyError(message, error.code !== "bad_data", "other", { cause: error });
    }
  }
}

/** The text itself unless it reads as something else than a string. */
function readYaml(text: string): unknown {
  try {
    const value = Place.parse(text, "payload").toPlain();
    return typeof value === "string" ? text : value;
  } catch (error) {
    if (error instanceof NarthexError) return text;
    throw error;
  }
}

/** The answer as JSON. Throws a NotifyError that is worth another attempt when it is none. */
export function parseAnswer<T>({ body }: Answer): Partial<T> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Below.
  }
  throw new NotifyError(`could not unmarshal JSON response ${JSON.stringify(body.slice(0, 256))}`, true);
}

/** An object without the members that are empty: upstream leaves them out. */
export function withoutEmpty<T extends object>(members: T): Partial<T> {
  const isEmpty = (value: unknown): boolean =>
    value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value))) as Partial<T>;
}
