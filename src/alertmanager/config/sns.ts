/** `sns_configs`. */
import { bool, type CodecValue, field, mapOf, object, secret, section, text } from "../../codec/index.ts";
import { common, noSecret, standard } from "./codecs.ts";
import { integrationType } from "./integration-type.ts";

const sigv4 = object("sigv4.SigV4Config", {
  region: field("region", text, ""),
  accessKey: field("access_key", text, ""),
  secretKey: field("secret_key", secret, noSecret),
  profile: field("profile", text, ""),
  roleArn: field("role_arn", text, ""),
  externalId: field("external_id", text, ""),
  useFipsStsEndpoint: field("use_fips_sts_endpoint", bool, false),
  serviceName: field("service_name", text, ""),
});

const codec = object(
  "sns.plain",
  {
    ...common(true),
    apiUrl: field("api_url", text, ""),
    sigv4: section("sigv4", sigv4),
    topicArn: field("topic_arn", text, ""),
    phoneNumber: field("phone_number", text, ""),
    targetArn: field("target_arn", text, ""),
    subject: field("subject", text, standard("sns.default.subject")),
    message: field("message", text, standard("sns.default.message")),
    attributes: field("attributes", mapOf(text), new Map<string, string>()),
    useAwsHttpClient: field("use_aws_http_client", bool, false),
  },
  (value, mapping) => {
    const targets = [value.topicArn, value.phoneNumber, value.targetArn].filter((target) => target !== "");
    if (targets.length !== 1) {
      mapping.at.fail("must provide either a Target ARN, Topic ARN, or Phone Number for SNS config");
    }
    return value;
  },
);

export type SnsConfig = CodecValue<typeof codec>;

export const sns = integrationType<SnsConfig>({
  name: "sns",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});
