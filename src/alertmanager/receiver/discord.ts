/** Posts notifications to a Discord channel by its webhook. */
import type { DiscordConfig } from "../config/discord.ts";
import { type Deliver, withoutEmpty } from "./delivery.ts";

const titleCharactersMax = 256;
const descriptionCharactersMax = 4096;
const contentCharactersMax = 2000;
const color = { firing: 0x992d22, resolved: 0x2ecc71 } as const;

export function deliverToDiscord(config: DiscordConfig): Deliver {
  return async (delivery) => {
    const { text, data } = delivery;
    const avatarUrl = URL.canParse(config.avatarUrl) ? config.avatarUrl : "";
    if (avatarUrl !== config.avatarUrl) delivery.warn("Bad avatar url");
    await delivery.send({
      url: delivery.secret(config.webhookUrl, config.webhookUrlFile, "webhook_url_file"),
      json: {
        content: delivery.limit(text(config.content), contentCharactersMax, "content"),
        embeds: [
          {
            title: delivery.limit(text(config.title), titleCharactersMax, "title"),
            description: delivery.limit(text(config.message), descriptionCharactersMax, "message"),
            color: color[data.status],
          },
        ],
        ...withoutEmpty({ username: config.username, avatar_url: avatarUrl }),
      },
    });
  };
}
