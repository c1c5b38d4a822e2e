/** Sends notifications to telephones by Pushover. */
import type { PushoverConfig } from "../config/pushover.ts";
import type { Deliver } from "./delivery.ts";

const apiUrl = "https://api.pushover.net/1/messages.json";
const titleCharactersMax = 250;
const messageCharactersMax = 1024;
const urlCharactersMax = 512;

/** `url` is replaced by tests. */
export function deliverToPushover(config: PushoverConfig, url = apiUrl): Deliver {
  return async (delivery) => {
    const { text } = delivery;
    const seconds = (durationMs: number): string => String(Math.trunc(durationMs / 1000));
    const message = config.html ? delivery.html(config.message) : text(config.message);
    const parameters = new URLSearchParams({
      token: text(delivery.secret(config.token, config.tokenFile, "token_file")),
      user: text(delivery.secret(config.userKey, config.userKeyFile, "user_key_file")),
      title: delivery.limit(text(config.title), titleCharactersMax, "title"),
      message: delivery.limit(message, messageCharactersMax, "message").trim() || "(no details)",
      url: delivery.limit(text(config.url), urlCharactersMax, "URL"),
      url_title: text(config.urlTitle),
      priority: text(config.priority),
      retry: seconds(config.retryMs),
      expire: seconds(config.expireMs),
      device: text(config.device),
      sound: text(config.sound),
      ...(config.html && { html: "1" }),
      ...(config.monospace && { monospace: "1" }),
      ...(config.ttlMs >= 1000 && { ttl: seconds(config.ttlMs) }),
    });
    await delivery.send({ url: `${url}?${parameters.toString()}` });
  };
}
