/** Posts notifications as JSON, upstream's message version "4", or as a payload of the configuration's own shape. */
import { type Disk, NarthexError } from "../../base/index.ts";
import { type HttpClient } from "../../http/index.ts";
import { Place } from "../../codec/index.ts";
import type { Alert } from "../alert.ts";
import type { WebhookConfig } from "../config/webhook.ts";
import { jsonData, type NotificationData, notificationData } from "../notify/data.ts";
import { type NotificationContext, type Notifier, NotifyError, statusError } from "../notify/notifier.ts";
import type { NotificationTemplates } from "../notify/templates.ts";

/** Longest that one request may take where the flush allows more. */
const requestTimeoutMsMax = 10 * 60_000;
const answerBytesMax = 64 * 1024;

export class WebhookNotifier implements Notifier {
  readonly #config: WebhookConfig;
  readonly #templates: NotificationTemplates;
  readonly #client: HttpClient;
  readonly #disk: Disk;

  /** Owns `client`. */
  constructor(config: WebhookConfig, templates: NotificationTemplates, client: HttpClient, disk: Disk) {
    this.#config = config;
    this.#templates = templates;
    this.#client = client;
    this.#disk = disk;
  }

  async notify(context: NotificationContext, alerts: readonly Alert[]): Promise<undefined> {
    const { maxAlerts, timeoutMs } = this.#config;
    const told = maxAlerts > 0 ? alerts.slice(0, maxAlerts) : alerts;
    const data = notificationData(context, told, this.#templates.externalUrl);
    const url = this.#url(data);
    const body = this.#body(data, context.groupKey, alerts.length - told.length);
    const answer = await this.#post(url, body, context.signal, timeoutMs);
    const error = statusError(answer.status, Buffer.from(answer.body).toString("utf8"));
    if (error !== undefined) throw error;
    return undefined;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #url(data: NotificationData): string {
    const source = this.#config.urlFile === "" ? this.#config.url.reveal() : this.#readUrl();
    const url = this.#templates.text(source, data).trim();
    if (url === "") throw new NotifyError("webhook URL is empty after templating", false);
    return url;
  }

  #readUrl(): string {
    try {
      return Buffer.from(this.#disk.readFile(this.#config.urlFile)).toString("utf8").trim();
    } catch (error) {
      throw new NotifyError(`read url_file: ${(error as Error).message}`, false, "other", { cause: error });
    }
  }

  #body(data: NotificationData, groupKey: string, truncatedAlerts: number): string {
    const message = { ...jsonData(data), version: "4", groupKey, truncatedAlerts };
    if (this.#config.payload === undefined) return JSON.stringify(message);
    return JSON.stringify(this.#expand(this.#config.payload, data));
  }

  /** Expands every text in a structure. What a text expands to counts as YAML: a number or list becomes one. */
  #expand(value: unknown, data: NotificationData): unknown {
    if (typeof value === "string") return readYaml(this.#templates.text(value, data));
    if (Array.isArray(value)) return value.map((item) => this.#expand(item, data));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => [
      this.#templates.text(key, data),
      this.#expand(item, data),
    ]);
    return Object.fromEntries(entries);
  }

  async #post(url: string, body: string, signal: AbortSignal, timeoutMs: number) {
    try {
      return await this.#client.request({
        method: "POST",
        url,
        headers: ["Content-Type", "application/json"],
        body,
        signal,
        timeoutMs: timeoutMs > 0 ? timeoutMs : requestTimeoutMsMax,
        bodyBytesMax: answerBytesMax,
      });
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      throw new NotifyError(redact(error.message, url), error.code !== "bad_data", "other", { cause: error });
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

/** A webhook's URL may itself be the secret. */
function redact(message: string, url: string): string {
  const shown = URL.parse(url)?.href ?? url;
  return message.replaceAll(shown, "<redacted>").replaceAll(url, "<redacted>");
}
