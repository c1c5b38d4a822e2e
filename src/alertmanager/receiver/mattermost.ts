/** Posts notifications to a Mattermost channel by an incoming webhook. */
import type { MattermostConfig } from "../config/mattermost.ts";
import { type Deliver, type Delivery, withoutEmpty } from "./delivery.ts";
import { inChannel } from "./slack.ts";

const textCharactersMax = 16_383;

export function deliverToMattermost(config: MattermostConfig): Deliver {
  return (delivery) => {
    const message = mattermostMessage(config, delivery);
    const url = delivery.secret(config.webhookUrl, config.webhookUrlFile, "webhook_url_file");
    return inChannel(message.channel, async () => void (await delivery.send({ url, json: message })));
  };
}

/** Without attachments of its own, the configuration's texts are the one attachment. */
function mattermostMessage(config: MattermostConfig, delivery: Delivery) {
  const { text } = delivery;
  const hasAttachments = config.attachments.length > 0;
  const attachments = (hasAttachments ? config.attachments : [config]).map((each) =>
    expandAttachment(each, text),
  );
  const content = hasAttachments ? delivery.limit(text(config.text), textCharactersMax, "text") : "";
  return withoutEmpty({
    text: content,
    channel: text(config.channel),
    username: text(config.username),
    icon_url: text(config.iconUrl),
    icon_emoji: text(config.iconEmoji),
    attachments,
    type: text(config.type),
    props: config.props?.card ? { card: text(config.props.card) } : undefined,
    priority: messagePriority(config, delivery),
  });
}

type Attachment = MattermostConfig["attachments"][number];

function expandAttachment(attachment: Attachment, text: (source: string) => string) {
  return withoutEmpty({
    fallback: text(attachment.fallback),
    color: text(attachment.color),
    pretext: text(attachment.pretext),
    text: text(attachment.text),
    author_name: text(attachment.authorName),
    author_link: text(attachment.authorLink),
    author_icon: text(attachment.authorIcon),
    title: text(attachment.title),
    title_link: text(attachment.titleLink),
    fields: attachment.fields.map(({ title, value, short }) => ({
      title: text(title),
      value: text(value),
      ...(short !== undefined && { short }),
    })),
    thumb_url: text(attachment.thumbUrl),
    footer: text(attachment.footer),
    footer_icon: text(attachment.footerIcon),
    image_url: text(attachment.imageUrl),
  });
}

/** Mattermost refuses what does not go together, so it is taken back here. */
function messagePriority({ priority }: MattermostConfig, delivery: Delivery) {
  if (!priority?.priority) return undefined;
  const wanted = delivery.text(priority.priority).toLowerCase();
  const level = ["urgent", "important", "standard"].includes(wanted) ? wanted : "standard";
  if (level !== wanted) delivery.warn("Priority is set to standard due to invalid value");
  return {
    priority: level,
    ...withoutEmpty({
      requested_ack: priority.requestedAck && level !== "standard",
      persistent_notifications: priority.persistentNotifications && level === "urgent",
    }),
  };
}
