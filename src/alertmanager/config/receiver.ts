/** Receivers: a name, and the integrations that are told when a notification goes to it. */
import { quoteGo } from "../../model/index.ts";
import {
  type Codec,
  field,
  Mapping,
  mapOf,
  type ObjectCodec,
  type Part,
  type Place,
  text,
} from "../../codec/index.ts";
import { discord } from "./discord.ts";
import { email } from "./email.ts";
import type { GlobalConfig } from "./global.ts";
import { incidentio } from "./incidentio.ts";
import type { IntegrationType } from "./integration-type.ts";
import { jira } from "./jira.ts";
import { mattermost } from "./mattermost.ts";
import { msteams, msteamsV2 } from "./msteams.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { pushover } from "./pushover.ts";
import { rocketchat } from "./rocketchat.ts";
import { slack } from "./slack.ts";
import { sns } from "./sns.ts";
import { telegram } from "./telegram.ts";
import { victorops } from "./victorops.ts";
import { webex } from "./webex.ts";
import { webhook } from "./webhook.ts";
import { wechat } from "./wechat.ts";

/** In the order in which a receiver's integrations are set up. */
export const integrationTypes: readonly IntegrationType<object>[] = [
  webhook,
  email,
  pagerduty,
  opsgenie,
  wechat,
  slack,
  victorops,
  pushover,
  sns,
  telegram,
  discord,
  webex,
  msteams,
  msteamsV2,
  jira,
  incidentio,
  rocketchat,
  mattermost,
];

/** One entry of a receiver's `<name>_configs`. */
export interface IntegrationConfig {
  /** `webhook`, `email` … */
  readonly type: string;
  /** Its position in that list. */
  readonly index: number;
  readonly sendResolved: boolean;
  /** The value that the type's codec gives. */
  readonly config: object;
}

export interface ReceiverConfig {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly integrations: readonly IntegrationConfig[];
}

/** The list of one type's configurations. */
function integrations(type: IntegrationType<object>): Part<IntegrationConfig[]> {
  const key = `${type.name}_configs`;
  // Every integration has `send_resolved`.
  const codec = type.codec as ObjectCodec<object & { sendResolved: boolean }>;
  const decodeOne = (at: Place): object & { sendResolved: boolean } => {
    if (!at.isNull()) return codec.decode(at);
    return type.mayBeEmpty ? codec.default() : at.fail(`missing ${type.name} config`);
  };
  return {
    keys: [key],
    decode: (mapping) => {
      const at = mapping.get(key);
      if (at === undefined) return [];
      const items = at.items() ?? at.fail(`cannot unmarshal ${at.describe()} into a list`);
      return items.map((item, index) => {
        const config = decodeOne(item);
        return { type: type.name, index, config, sendResolved: config.sendResolved };
      });
    },
    encode: (configs, into) => {
      if (configs.length > 0) into[key] = configs.map(({ config }) => type.codec.encode(config));
    },
  };
}

const integrationParts = integrationTypes.map(integrations);
const nameField = field("name", text, "");
const labelsField = field("labels", mapOf(text), new Map<string, string>());
const known = new Set([
  ...nameField.keys,
  ...labelsField.keys,
  ...integrationParts.flatMap((part) => part.keys),
]);

export const receiverCodec: Codec<ReceiverConfig> = {
  decode(at) {
    const mapping = new Mapping(at, "config.plain", known);
    const name = nameField.decode(mapping);
    if (name === "") mapping.at.fail("missing name in receiver");
    return {
      name,
      labels: receiverLabels(name, mapping),
      integrations: integrationParts.flatMap((part) => part.decode(mapping)),
    };
  },
  encode(receiver) {
    const into: Record<string, unknown> = {};
    nameField.encode(receiver.name, into);
    labelsField.encode(new Map([...receiver.labels].filter(([name]) => name !== "name")), into);
    integrationParts.forEach((part, i) => {
      part.encode(
        receiver.integrations.filter(({ type }) => type === integrationTypes[i]!.name),
        into,
      );
    });
    return into;
  },
};

/** The label `name` always is the receiver's name. */
function receiverLabels(name: string, mapping: Mapping): Map<string, string> {
  const labels = labelsField.decode(mapping);
  const given = labels.get("name");
  if (given !== undefined && given !== name) {
    mapping
      .place("labels")
      .fail(`receiver label "name" must match receiver name ${quoteGo(name)}, got ${quoteGo(given)}`);
  }
  return new Map([...labels, ["name", name]]);
}

/** Fills in from `global` what a receiver's integrations leave out. Throws `bad_data` where something is missing. */
export function completeReceiver(receiver: ReceiverConfig, global: GlobalConfig): void {
  for (const { type, config } of receiver.integrations) {
    integrationTypes.find(({ name }) => name === type)?.complete(config, global);
  }
}
