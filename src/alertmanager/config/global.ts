/** The `global` section: defaults for receivers, and the accounts they share. */
import { httpClientConfig, tlsConfig } from "../../http/index.ts";
import {
  bool,
  type Codec,
  type CodecValue,
  durationMs,
  field,
  filePath,
  type Mapping,
  mapped,
  object,
  secret,
  section,
  text,
} from "../../codec/index.ts";
import { exclusive, httpUrl, noSecret, secretUrl } from "./codecs.ts";

/** `host:port` of a mail server. */
export const hostPort: Codec<string> = mapped(
  text,
  (address) => {
    if (address === "") return "";
    const match = /^(?:\[[^\]]*\]|[^:]*):(.*)$/.exec(address);
    if (match === null) throw new Error(`address ${address}: missing port in address`);
    if (match[1] === "") throw new Error(`address ${JSON.stringify(address)}: port cannot be empty`);
    return address;
  },
  (address) => address,
);

export const globalConfig = object(
  "config.plain",
  {
    resolveTimeoutMs: field("resolve_timeout", durationMs, 5 * 60_000),
    httpConfig: section("http_config", httpClientConfig),
    smtpFrom: field("smtp_from", text, ""),
    smtpHello: field("smtp_hello", text, "localhost"),
    smtpSmarthost: field("smtp_smarthost", hostPort, ""),
    smtpAuthUsername: field("smtp_auth_username", text, ""),
    smtpAuthPassword: field("smtp_auth_password", secret, noSecret),
    smtpAuthPasswordFile: field("smtp_auth_password_file", filePath, ""),
    smtpAuthSecret: field("smtp_auth_secret", secret, noSecret),
    smtpAuthSecretFile: field("smtp_auth_secret_file", filePath, ""),
    smtpAuthIdentity: field("smtp_auth_identity", text, ""),
    smtpRequireTls: field("smtp_require_tls", bool, true, { printAlways: true }),
    smtpTls: section("smtp_tls_config", tlsConfig),
    smtpForceImplicitTls: field("smtp_force_implicit_tls", bool),
    slackApiUrl: field("slack_api_url", secretUrl),
    slackApiUrlFile: field("slack_api_url_file", filePath, ""),
    slackAppToken: field("slack_app_token", secret, noSecret),
    slackAppTokenFile: field("slack_app_token_file", filePath, ""),
    slackAppUrl: field("slack_app_url", httpUrl, "https://slack.com/api/chat.postMessage"),
    pagerdutyUrl: field("pagerduty_url", httpUrl, "https://events.pagerduty.com/v2/enqueue"),
    opsgenieApiUrl: field("opsgenie_api_url", httpUrl, "https://api.opsgenie.com/"),
    opsgenieApiKey: field("opsgenie_api_key", secret, noSecret),
    opsgenieApiKeyFile: field("opsgenie_api_key_file", filePath, ""),
    wechatApiUrl: field("wechat_api_url", httpUrl, "https://qyapi.weixin.qq.com/cgi-bin/"),
    wechatApiSecret: field("wechat_api_secret", secret, noSecret),
    wechatApiSecretFile: field("wechat_api_secret_file", filePath, ""),
    wechatApiCorpId: field("wechat_api_corp_id", text, ""),
    victoropsApiUrl: field(
      "victorops_api_url",
      httpUrl,
      "https://alert.victorops.com/integrations/generic/20131114/alert/",
    ),
    victoropsApiKey: field("victorops_api_key", secret, noSecret),
    victoropsApiKeyFile: field("victorops_api_key_file", filePath, ""),
    telegramApiUrl: field("telegram_api_url", httpUrl, "https://api.telegram.org"),
    telegramBotToken: field("telegram_bot_token", secret, noSecret),
    telegramBotTokenFile: field("telegram_bot_token_file", filePath, ""),
    webexApiUrl: field("webex_api_url", httpUrl, "https://webexapis.com/v1/messages"),
    rocketchatApiUrl: field("rocketchat_api_url", httpUrl, "https://open.rocket.chat/"),
    rocketchatToken: field("rocketchat_token", secret),
    rocketchatTokenFile: field("rocketchat_token_file", filePath, ""),
    rocketchatTokenId: field("rocketchat_token_id", secret),
    rocketchatTokenIdFile: field("rocketchat_token_id_file", filePath, ""),
    mattermostWebhookUrl: field("mattermost_webhook_url", secretUrl),
    mattermostWebhookUrlFile: field("mattermost_webhook_url_file", filePath, ""),
    jiraApiUrl: field("jira_api_url", httpUrl),
  },
  (value, mapping) => {
    for (const key of [
      "slack_app_token",
      "slack_api_url",
      "opsgenie_api_key",
      "victorops_api_key",
      "telegram_bot_token",
      "smtp_auth_password",
      "rocketchat_token",
      "rocketchat_token_id",
      "smtp_auth_secret",
      "wechat_api_secret",
      "mattermost_webhook_url",
    ]) {
      exclusive(mapping, key, `${key}_file`);
    }
    checkSlack(value.slackApiUrl?.reveal(), value.slackAppUrl, mapping);
    return value;
  },
);

export type GlobalConfig = CodecValue<typeof globalConfig>;

/** A token and a URL exclude each other, unless the URL is just the one that takes tokens. */
function checkSlack(apiUrl: string | undefined, appUrl: string, mapping: Mapping): void {
  const written = (key: string): boolean => Boolean(mapping.get(key)?.scalar()?.text);
  const token = written("slack_app_token") || written("slack_app_token_file");
  const url = written("slack_api_url") || written("slack_api_url_file");
  if (token && url && apiUrl !== appUrl) {
    mapping
      .place("slack_api_url")
      .fail(
        "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured",
      );
  }
}
