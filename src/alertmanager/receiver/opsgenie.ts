/** Creates and closes OpsGenie's alerts. */
import type { OpsgenieConfig } from "../config/opsgenie.ts";
import { type Deliver, type Delivery, type DeliveryRequest, withoutEmpty } from "./delivery.ts";

const messageCharactersMax = 130;

export function deliverToOpsgenie(config: OpsgenieConfig): Deliver {
  return async (delivery) => {
    const key = delivery.text(delivery.secret(config.apiKey, config.apiKeyFile, "api_key_file")).trim();
    const requests = delivery.isFiring ? opening(config, delivery) : [closing(config, delivery)];
    for (const request of requests) {
      await delivery.send({
        ...request,
        credentials: ["Authorization", `GenieKey ${key}`],
        retryStatuses: [429],
      });
    }
  };
}

function alertUrl(config: OpsgenieConfig, delivery: Delivery, action: string): string {
  return `${config.apiUrl}v2/alerts/${delivery.groupHash}/${action}?identifierType=alias`;
}

function closing(config: OpsgenieConfig, delivery: Delivery): DeliveryRequest {
  return { url: alertUrl(config, delivery, "close"), json: { source: delivery.text(config.source) } };
}

/** Creating an alert that is there changes nothing about it, so its texts are updated apart. */
function opening(config: OpsgenieConfig, delivery: Delivery): DeliveryRequest[] {
  const { text, data } = delivery;
  const message = delivery.limit(text(config.message), messageCharactersMax, "message");
  const description = text(config.description);
  const details = new Map([
    ...data.commonLabels,
    ...[...config.details].map(([name, value]) => [name, text(value)] as const),
  ]);
  const create: DeliveryRequest = {
    url: `${config.apiUrl}v2/alerts`,
    json: {
      alias: delivery.groupHash,
      message,
      details: Object.fromEntries(details),
      source: text(config.source),
      ...withoutEmpty({
        description,
        responders: config.responders.flatMap((responder) => expandResponder(responder, text)),
        tags: splitList(text(config.tags)),
        note: text(config.note),
        priority: text(config.priority),
        entity: text(config.entity),
        actions: splitList(text(config.actions)),
      }),
    },
  };
  if (!config.updateAlerts) return [create];
  return [
    create,
    { method: "PUT", url: alertUrl(config, delivery, "message"), json: withoutEmpty({ message }) },
    { method: "PUT", url: alertUrl(config, delivery, "description"), json: withoutEmpty({ description }) },
  ];
}

type Responder = OpsgenieConfig["responders"][number];

/** One that is empty after expansion is left out; `teams` names several, separated by commas. */
function expandResponder(responder: Responder, text: (source: string) => string): object[] {
  const [id, name, username, type] = [responder.id, responder.name, responder.username, responder.type].map(
    text,
  );
  if (type === "teams") return splitList(name!).map((team) => ({ name: team, type: "team" }));
  const named = withoutEmpty({ id, name, username });
  return Object.keys(named).length === 0 && type === "" ? [] : [{ ...named, type }];
}

function splitList(list: string): string[] {
  return list
    .trim()
    .split(",")
    .filter((item) => item !== "");
}
