/** Makes receivers from their configuration. */
import type { Clock, Disk, Logger } from "../base/index.ts";
import { createHttpClient, type HttpClientConfig } from "../http/index.ts";
import type { Config } from "./config/config.ts";
import type { EmailConfig } from "./config/email.ts";
import type { IntegrationConfig, ReceiverConfig } from "./config/receiver.ts";
import type { Metrics } from "./metrics.ts";
import { Integration } from "./notify/integration.ts";
import type { Notifier } from "./notify/notifier.ts";
import type { NotificationTemplates } from "./notify/templates.ts";
import { HttpNotifier } from "./receiver/delivery.ts";
import { EmailNotifier } from "./receiver/email.ts";
import { deliverTo } from "./receiver/index.ts";
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

/** The receivers that some route leads to, by name. */
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
    const notifier = createNotifier({ type, index, sendResolved, config }, parts, logger);
    const key = { receiver: name, integration: type, index };
    created.push(new Integration({ key, sendResolved, notifier, clock, logger, metrics }));
  }
  return { name, labels, integrations: created };
}

function createNotifier({ type, config }: IntegrationConfig, parts: ReceiverParts, logger: Logger): Notifier {
  const { clock, disk, templates, userAgent } = parts;
  if (type === "email") return new EmailNotifier(config as EmailConfig, templates, disk, clock);
  const { httpConfig } = config as { httpConfig: HttpClientConfig };
  const client = createHttpClient(httpConfig, { userAgent, disk, clock });
  return new HttpNotifier(deliverTo(type, config), { clock, templates, client, disk, logger });
}
