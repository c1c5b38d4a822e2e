/** Posts notifications to a Rocket.Chat channel. */
import type { RocketchatConfig } from "../config/rocketchat.ts";
import { NotifyError } from "../notify/notifier.ts";
import { type Deliver, type Delivery, parseAnswer, withoutEmpty } from "./delivery.ts";
import { inChannel } from "./slack.ts";

const titleCharactersMax = 1024;

export function deliverToRocketchat(config: RocketchatConfig): Deliver {
  return (delivery) => {
    const message = rocketchatMessage(config, delivery);
    return inChannel(message.channel, async () => {
      const answer = await delivery.send({
        url: `${config.apiUrl.replace(/\/$/, "")}/api/v1/chat.postMessage`,
        json: message,
        credentials: [
          "X-Auth-Token",
          delivery.secret(config.token, config.tokenFile, "token_file"),
          "X-User-Id",
          delivery.secret(config.tokenId, config.tokenIdFile, "token_id_file"),
        ],
      });
      const { success, error } = parseAnswer<{ success: boolean; error: string }>(answer);
      if (success !== true)
        throw new NotifyError(`error response from Rocketchat: ${error ?? ""}`, false, "clientError");
    });
  };
}

function rocketchatMessage(config: RocketchatConfig, delivery: Delivery) {
  const { text } = delivery;
  const attachment = withoutEmpty({
    title: delivery.limit(text(config.title), titleCharactersMax, "title"),
    title_link: text(config.titleLink),
    text: text(config.text),
    image_url: text(config.imageUrl),
    thumb_url: text(config.thumbUrl),
    color: text(config.color),
    fields: config.fields.map(({ title, value, short }) => ({
      short: short ?? config.shortFields,
      ...withoutEmpty({ title: text(title), value: text(value) }),
    })),
    // Buttons are all there is.
    actions: config.actions.map((action) => ({
      type: "button",
      ...withoutEmpty({ text: text(action.text), url: text(action.url), msg: text(action.msg) }),
    })),
  });
  return withoutEmpty({
    channel: text(config.channel),
    emoji: text(config.emoji),
    avatar: text(config.iconUrl),
    attachments: [attachment],
  });
}
