/** Opens and recovers incidents of VictorOps. */
import type { VictoropsConfig } from "../config/victorops.ts";
import type { Deliver } from "./delivery.ts";

const messageCharactersMax = 20_480;
const firingTypes = ["INFO", "WARNING", "CRITICAL"];

export function deliverToVictorops(config: VictoropsConfig): Deliver {
  return async (delivery) => {
    const { text, isFiring } = delivery;
    const key = delivery.secret(config.apiKey, config.apiKeyFile, "api_key_file");
    const type = text(config.messageType);
    const firingType = firingTypes.includes(type) ? type : "CRITICAL";
    await delivery.send({
      url: `${config.apiUrl}${key}/${text(config.routingKey)}`,
      json: {
        message_type: isFiring ? firingType : "RECOVERY",
        entity_id: delivery.groupHash,
        entity_display_name: text(config.entityDisplayName),
        state_message: delivery.limit(text(config.stateMessage), messageCharactersMax, "state_message"),
        monitoring_tool: text(config.monitoringTool),
        ...Object.fromEntries([...config.customFields].map(([name, value]) => [name, text(value)])),
      },
    });
  };
}
