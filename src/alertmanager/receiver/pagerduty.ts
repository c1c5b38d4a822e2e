/** Triggers and resolves PagerDuty's incidents: version 2 of its events API with a routing key, version 1 with a service key. */
import type { PagerdutyConfig } from "../config/pagerduty.ts";
import { hasSecret } from "../config/integration-type.ts";
import { NotifyError } from "../notify/notifier.ts";
import { type Deliver, type Delivery, withoutEmpty } from "./delivery.ts";

const firstVersionUrl = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";
const descriptionCharactersMax = 1024;
const eventBytesMax = 512_000;

/** `firstVersionUrl` is replaced by tests. */
export function deliverToPagerduty(config: PagerdutyConfig, v1Url = firstVersionUrl): Deliver {
  const isFirstVersion = hasSecret(config, "serviceKey");
  return async (delivery) => {
    const details = delivery.expand(config.details) as Record<string, unknown>;
    const event = isFirstVersion ? eventV1 : eventV2;
    await delivery.send({
      url: isFirstVersion ? v1Url : config.url,
      json: fitting((shown) => event(config, delivery, shown), details, delivery),
      timeoutMs: config.timeoutMs,
      // Version 1 says 403 where version 2 says 429.
      retryStatuses: [isFirstVersion ? 403 : 429],
      refusal: readRefusal,
    });
  };
}

/** The event, or where that is too large, the event without its details. */
function fitting(
  event: (details: Record<string, unknown>) => object,
  details: Record<string, unknown>,
  delivery: Delivery,
): object {
  const whole = event(details);
  if (Buffer.byteLength(JSON.stringify(whole)) <= eventBytesMax) return whole;
  delivery.warn(`Truncated details because the message exceeds ${eventBytesMax} bytes`);
  return event({
    error: "Custom details have been removed because the original event exceeds the maximum size of 512KB",
  });
}

function eventV1(config: PagerdutyConfig, delivery: Delivery, details: Record<string, unknown>): object {
  const { text, isFiring } = delivery;
  const key = notEmpty(text(delivery.secret(config.serviceKey, config.serviceKeyFile, "service_key_file")));
  return withoutEmpty({
    service_key: key,
    incident_key: delivery.groupHash,
    event_type: isFiring ? "trigger" : "resolve",
    description: delivery.limit(text(config.description), descriptionCharactersMax, "description"),
    ...(isFiring && { client: text(config.client), client_url: text(config.clientUrl) }),
    details,
  });
}

function eventV2(config: PagerdutyConfig, delivery: Delivery, details: Record<string, unknown>): object {
  const { text, isFiring } = delivery;
  const key = notEmpty(text(delivery.secret(config.routingKey, config.routingKeyFile, "routing_key_file")));
  const images = config.images.map(({ src, alt, href }) => ({
    src: text(src),
    alt: text(alt),
    href: text(href),
  }));
  const links = config.links.map((link) => ({ href: text(link.href), text: text(link.text) }));
  return {
    routing_key: key,
    dedup_key: delivery.groupHash,
    event_action: isFiring ? "trigger" : "resolve",
    payload: {
      summary: delivery.limit(text(config.description), descriptionCharactersMax, "summary"),
      source: text(config.source),
      severity: text(config.severity || "error"),
      ...withoutEmpty({
        class: text(config.class),
        component: text(config.component),
        group: text(config.group),
      }),
      custom_details: details,
    },
    ...withoutEmpty({
      client: text(config.client),
      client_url: text(config.clientUrl),
      images: images.filter(({ src }) => src !== ""),
      links: links.filter(({ href }) => href !== ""),
    }),
  };
}

function notEmpty(key: string): string {
  if (key === "") throw new NotifyError("PagerDuty's key cannot be empty", false);
  return key;
}

function readRefusal(body: string): string {
  try {
    const { message, errors } = JSON.parse(body) as { message?: string; errors?: string[] };
    return message === undefined ? "" : `${message}: ${(errors ?? []).join(",")}`;
  } catch {
    return "";
  }
}
