/** Sending alerts on to Alertmanagers. */
export {
  type AlertingConfig,
  alertingConfig,
  type AlertmanagerConfig,
  alertmanagerConfig,
  completeAlertingConfig,
} from "./config.ts";
