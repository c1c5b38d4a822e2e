/** The kinds of receivers that are told over HTTP. */
import { assert } from "../../base/index.ts";
import type { Deliver } from "./delivery.ts";
import { deliverToDiscord } from "./discord.ts";
import { deliverToIncidentio } from "./incidentio.ts";
import { deliverToJira } from "./jira.ts";
import { deliverToMattermost } from "./mattermost.ts";
import { deliverToMsteams, deliverToMsteamsV2 } from "./msteams.ts";
import { deliverToOpsgenie } from "./opsgenie.ts";
import { deliverToPagerduty } from "./pagerduty.ts";
import { deliverToPushover } from "./pushover.ts";
import { deliverToRocketchat } from "./rocketchat.ts";
import { deliverToSlack } from "./slack.ts";
import { deliverToSns } from "./sns.ts";
import { deliverToTelegram } from "./telegram.ts";
import { deliverToVictorops } from "./victorops.ts";
import { deliverToWebex } from "./webex.ts";
import { deliverToWebhook } from "./webhook.ts";
import { deliverToWechat } from "./wechat.ts";

type Create = (config: object) => Deliver;

/** Forgets what exactly a kind's configurations are: each comes from the codec of the same name. */
function kind(create: (config: never) => Deliver): Create {
  return create as Create;
}

const kinds: ReadonlyMap<string, Create> = new Map([
  ["discord", kind(deliverToDiscord)],
  ["incidentio", kind(deliverToIncidentio)],
  ["jira", kind(deliverToJira)],
  ["mattermost", kind(deliverToMattermost)],
  ["msteams", kind(deliverToMsteams)],
  ["msteamsv2", kind(deliverToMsteamsV2)],
  ["opsgenie", kind(deliverToOpsgenie)],
  ["pagerduty", kind(deliverToPagerduty)],
  ["pushover", kind(deliverToPushover)],
  ["rocketchat", kind(deliverToRocketchat)],
  ["slack", kind(deliverToSlack)],
  ["sns", kind(deliverToSns)],
  ["telegram", kind(deliverToTelegram)],
  ["victorops", kind(deliverToVictorops)],
  ["webex", kind(deliverToWebex)],
  ["webhook", kind(deliverToWebhook)],
  ["wechat", kind(deliverToWechat)],
]);

/** How to tell a receiver of this kind (as in `<type>_configs`). */
export function deliverTo(type: string, config: object): Deliver {
  const create = kinds.get(type);
  assert(create !== undefined, `no way to deliver to ${type}`);
  return create(config);
}
