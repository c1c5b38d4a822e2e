/** Posts notifications to Microsoft Teams: as a message card to a connector, or as an adaptive card to a workflow. */
import type { MsteamsConfig, MsteamsV2Config } from "../config/msteams.ts";
import type { Deliver } from "./delivery.ts";

const cardColor = { firing: "8C1A1A", resolved: "2DC72D" } as const;
const textColor = { firing: "Attention", resolved: "Good" } as const;

export function deliverToMsteams(config: MsteamsConfig): Deliver {
  return async (delivery) => {
    const { text, data } = delivery;
    await delivery.send({
      url: delivery.secret(config.webhookUrl, config.webhookUrlFile, "webhook_url_file"),
      json: {
        "@context": "http://schema.org/extensions",
        type: "MessageCard",
        title: text(config.title),
        summary: text(config.summary),
        text: text(config.text),
        themeColor: cardColor[data.status],
      },
    });
  };
}

export function deliverToMsteamsV2(config: MsteamsV2Config): Deliver {
  return async (delivery) => {
    const { text, data } = delivery;
    const heading = {
      type: "TextBlock",
      text: text(config.title),
      weight: "Bolder",
      size: "Medium",
      wrap: true,
      style: "heading",
      color: textColor[data.status],
    };
    const content = {
      $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
      type: "AdaptiveCard",
      version: "1.2",
      body: [heading, { type: "TextBlock", text: text(config.text), wrap: true }],
      msteams: { width: "full" },
    };
    await delivery.send({
      url: delivery.secret(config.webhookUrl, config.webhookUrlFile, "webhook_url_file"),
      json: {
        type: "message",
        attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content }],
      },
    });
  };
}
