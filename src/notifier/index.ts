/** Sending alerts on to Alertmanagers. */
export {
  type AlertingConfig,
  alertingConfig,
  type AlertmanagerConfig,
  alertmanagerConfig,
  completeAlertingConfig,
} from "./config.ts";
export type { Deliver } from "./delivery.ts";
export { Notifier, type NotifierOptions } from "./manager.ts";
