/** Makes receivers from their configuration. */
import type { Clock, Disk, Logger } from "../base/index.ts";
import { createHttpClient } from "../http/index.ts";
import type { Config } from "./config/config.ts";
import type { EmailConfig } from "./config/email.ts";
import type { IntegrationConfig, ReceiverConfig } from "./config/receiver.ts";
import type { WebhookConfig } from "./config/webhook.ts";
import type { Metrics } from "./metrics.ts";
import { Integration } from "./notify/integration.ts";
import type { Notifier } from "./notify/notifier.ts";
import type { NotificationTemplates } from "./notify/templates.ts";
import { EmailNotifier } from "./receiver/email.ts";
import { WebhookNotifier } from "./receiver/webhook.ts";
import type { Route } from "./route.ts";

/** A receiver as it is in force. */
export interface Receiver {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly integrations: readonly Integration[];
}

export interface ReceiverParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly templates: NotificationTemplates;
  /** Sent with HTTP requests. */
  readonly userAgent: string;
}

/** The receivers that some route leads to, by name. Those of other kinds than are sent yet are warned of. */
export function createReceivers(config: Config, root: Route, parts: ReceiverParts): Map<string, Receiver> {
  const used = new Set([...root.walk()].map(({ options }) => options.receiver));
  const receivers = new Map<string, Receiver>();
  for (const receiver of config.receivers) {
    if (used.has(receiver.name)) receivers.set(receiver.name, createReceiver(receiver, parts));
    else {
      const fields = { receiver: receiver.name };
      parts.logger.info("skipping creation of receiver not referenced by any route", fields);
    }
  }
  return receivers;
}

export async function closeReceivers(receivers: ReadonlyMap<string, Receiver>): Promise<void> {
  const all = [...receivers.values()].flatMap(({ integrations }) => integrations);
  await Promise.all(all.map((integration) => integration.close()));
}

function createReceiver({ name, labels, integrations }: ReceiverConfig, parts: ReceiverParts): Receiver {
  const { clock, metrics } = parts;
  const created: Integration[] = [];
  for (const { type, index, sendResolved, config } of integrations) {
    const logger = parts.logger.with({ receiver: name, integration: `${type}[${index}]` });
    const notifier = createNotifier({ type, index, sendResolved, config }, parts);
    if (notifier === undefined) {
      logger.warn(
        "this kind of integration is not sent yet: its configuration is accepted, its notifications go nowhere",
      );
      continue;
    }
    const key = { receiver: name, integration: type, index };
    created.push(new Integration({ key, sendResolved, notifier, clock, logger, metrics }));
  }
  return { name, labels, integrations: created };
}

function createNotifier({ type, config }: IntegrationConfig, parts: ReceiverParts): Notifier | undefined {
  const { clock, disk, templates, userAgent } = parts;
  switch (type) {
    case "webhook": {
      const webhook = config as WebhookConfig;
      const client = createHttpClient(webhook.httpConfig!, { userAgent, disk });
      return new WebhookNotifier(webhook, templates, client, disk);
    }
    case "email":
      return new EmailNotifier(config as EmailConfig, templates, disk, clock);
    default:
      return undefined;
  }
}
