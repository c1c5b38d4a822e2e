/** Posts notifications to a Webex room. */
import type { WebexConfig } from "../config/webex.ts";
import type { Deliver } from "./delivery.ts";

const messageBytesMax = 7439;
const ellipsis = "…";

export function deliverToWebex(config: WebexConfig): Deliver {
  return async (delivery) => {
    const roomId = delivery.text(config.roomId);
    const markdown = limitBytes(delivery.text(config.message), messageBytesMax);
    await delivery.send({ url: config.apiUrl, json: { markdown, ...(roomId !== "" && { roomId }) } });
  };
}

/** As many whole characters as fit, and an ellipsis where some do not. */
function limitBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax - Buffer.byteLength(ellipsis);
  // Not inside a character.
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end) + ellipsis;
}
