/** Sends notifications to a Telegram chat by a bot. */
import type { TelegramConfig } from "../config/telegram.ts";
import { NotifyError } from "../notify/notifier.ts";
import { type Deliver, type Delivery, withoutEmpty } from "./delivery.ts";

const messageCharactersMax = 4096;
const tooLongText =
  "The notification could not be sent: its length exceeds Telegram's limit. Please check the template that makes it.";

export function deliverToTelegram(config: TelegramConfig): Deliver {
  return async (delivery) => {
    const token = delivery.secret(config.botToken, config.botTokenFile, "bot_token_file");
    await delivery.send({
      url: `${config.apiUrl}/bot${token}/sendMessage`,
      json: {
        chat_id: String(chatId(config, delivery)),
        text: messageText(config, delivery),
        ...withoutEmpty({
          parse_mode: config.parseMode,
          disable_notification: config.disableNotifications,
          message_thread_id: config.messageThreadId === 0 ? undefined : config.messageThreadId,
        }),
        disable_web_page_preview: true,
      },
      retryStatuses: [429],
      refusal: readRefusal,
    });
  };
}

/** Markup that is cut off in the middle would be refused, so a text with markup is sent whole or not at all. */
function messageText(config: TelegramConfig, delivery: Delivery): string {
  if (config.parseMode !== "HTML")
    return delivery.limit(delivery.text(config.message), messageCharactersMax, "message");
  const text = delivery.html(config.message);
  return Array.from(text).length > messageCharactersMax ? tooLongText : text;
}

function chatId(config: TelegramConfig, delivery: Delivery): number {
  if (config.chatIdFile === "") return config.chatId;
  const text = delivery.secret(undefined, config.chatIdFile, "chat_id_file");
  if (!/^-?\d{1,15}$/.test(text))
    throw new NotifyError(`could not parse chat_id from ${config.chatIdFile}`, true);
  return Number(text);
}

function readRefusal(body: string): string {
  try {
    return (JSON.parse(body) as { description?: string }).description ?? body;
  } catch {
    return body;
  }
}
