/** `webex_configs`. */
import { type CodecValue, field, object, text } from "../../codec/index.ts";
import { common, httpUrl, standard } from "./codecs.ts";
import { integrationType } from "./integration-type.ts";

const codec = object(
  "config.plain",
  {
    ...common(true),
    apiUrl: field("api_url", httpUrl, ""),
    message: field("message", text, standard("webex.default.message")),
    roomId: field("room_id", text, ""),
  },
  (value, mapping) => {
    if (value.roomId === "") mapping.at.fail("missing room_id on webex_config");
    if (value.httpConfig?.authorization === undefined) {
      mapping.at.fail("missing webex_configs.http_config.authorization");
    }
    return value;
  },
);

export type WebexConfig = CodecValue<typeof codec>;

export const webex = integrationType<WebexConfig>({
  name: "webex",
  codec,
  complete(config, global) {
    config.apiUrl ||= global.webexApiUrl;
  },
});
