/** Posts notifications as JSON, upstream's message version "4", or as a payload of the configuration's own shape. */
import type { WebhookConfig } from "../config/webhook.ts";
import { jsonData } from "../notify/data.ts";
import { NotifyError } from "../notify/notifier.ts";
import type { Deliver, Delivery } from "./delivery.ts";

export function deliverToWebhook(config: WebhookConfig): Deliver {
  return async (all) => {
    const delivery = all.first(config.maxAlerts);
    const url = delivery.text(delivery.secret(config.url, config.urlFile, "url_file")).trim();
    if (url === "") throw new NotifyError("webhook URL is empty after templating", false);
    const json =
      config.payload === undefined ? webhookMessage(delivery, "4") : delivery.expand(config.payload);
    await delivery.send({ url, json, timeoutMs: config.timeoutMs });
  };
}

/** The message that upstream gave its version. */
export function webhookMessage(delivery: Delivery, version: string): Record<string, unknown> {
  const { data, context, truncatedAlerts } = delivery;
  return { ...jsonData(data), version, groupKey: context.groupKey, truncatedAlerts };
}
