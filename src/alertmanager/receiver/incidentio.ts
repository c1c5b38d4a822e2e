/** Posts notifications to an alert source of incident.io. */
import type { IncidentioConfig } from "../config/incidentio.ts";
import { hasSecret } from "../config/integration-type.ts";
import { type Deliver, type Delivery } from "./delivery.ts";
import { webhookMessage } from "./webhook.ts";

const messageBytesMax = 512 * 1024;

export function deliverToIncidentio(config: IncidentioConfig): Deliver {
  return async (all) => {
    const delivery = fitting(all.first(config.maxAlerts));
    const token = delivery.secret(
      config.alertSourceToken,
      config.alertSourceTokenFile,
      "alert_source_token_file",
    );
    await delivery.send({
      url: config.url ?? delivery.secret(undefined, config.urlFile, "url_file"),
      json: webhookMessage(delivery, "1"),
      timeoutMs: config.timeoutMs,
      ...(hasSecret(config, "alertSourceToken") && { credentials: ["Authorization", `Bearer ${token}`] }),
      retryStatuses: [429],
      refusal: readRefusal,
    });
  };
}

/** The whole of it where that fits, else the first alert. */
function fitting(delivery: Delivery): Delivery {
  const bytes = Buffer.byteLength(JSON.stringify(webhookMessage(delivery, "1")));
  if (bytes <= messageBytesMax) return delivery;
  delivery.warn(`Truncated alerts because the message exceeds ${messageBytesMax} bytes`);
  return delivery.first(1);
}

function readRefusal(body: string): string {
  try {
    const {
      message,
      error,
      errors = [],
    } = JSON.parse(body) as { message?: string; error?: string; errors?: string[] };
    return [message, error, errors.join(", ")].filter(Boolean).join(": ");
  } catch {
    return "";
  }
}
