import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../base/index.ts";
import { MatcherParser } from "../matcher/index.ts";
import { parseConfig } from "./config.ts";

const parser = new MatcherParser("fallback", silentLogger);
const parse = (text: string) => parseConfig(text, "am.yml", parser);

const conformance = path.join(
  process.env["CONFORMANCE_DIR"] ?? path.join(import.meta.dirname, "../../../../shared/conformance"),
  "alertmanager-config",
);

/** What upstream says to the files it refuses. */
const refusals: Readonly<Record<string, string>> = {
  "mattermost-both-webhook-url-and-file":
    "at most one of mattermost_webhook_url & mattermost_webhook_url_file",
  "mattermost-no-webhook-url": "missing webhook_url or webhook_url_file on mattermost_config",
  "mattermost-valid-receiver-both-webhook-url-and-file": "at most one of mattermost_webhook_url &",
  "nil-match_re-route": "invalid_label",
  "nil-source_match_re-inhibition": "invalid_source_label",
  "nil-target_match_re-inhibition": "invalid_target_label",
  "opsgenie-both-file-and-apikey":
    "at most one of opsgenie_api_key & opsgenie_api_key_file must be configured",
  "opsgenie-default-apikey-old-team": "field teams not found in type opsgenie.plain",
  "opsgenie-no-apikey": "no global OpsGenie API Key set either inline or in a file",
  "rocketchat-both-token-and-tokenfile":
    "at most one of rocketchat_token & rocketchat_token_file must be configured",
  "rocketchat-both-tokenid-and-tokenidfile": "at most one of rocketchat_token_id & rocketchat_token_id_file",
  "rocketchat-no-token": "no global Rocketchat Token set either inline or in a file",
  "slack-both-file-and-token": "at most one of slack_app_token & slack_app_token_file must be configured",
  "slack-both-file-and-url": "at most one of slack_api_url & slack_api_url_file must be configured",
  "slack-both-url-and-token":
    "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured",
  "slack-no-api-url-or-token": "no Slack API URL nor App token set either inline or in a file",
  "slack-update-message-and-webhook": "update_message can only be used with bot tokens.",
  "smtp-both-password-and-file":
    "at most one of smtp_auth_password & smtp_auth_password_file must be configured",
  "sns-invalid": "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config",
  "telegram-both-bot-token-and-file":
    "at most one of telegram_bot_token & telegram_bot_token_file must be configured",
  "telegram-no-bot-token": "missing bot_token or bot_token_file on telegram_config",
  "telegram-valid-receiver-both-bot-token-and-file":
    "at most one of telegram_bot_token & telegram_bot_token_file",
  "victorops-both-file-and-apikey":
    "at most one of victorops_api_key & victorops_api_key_file must be configured",
  "victorops-no-apikey": "no global VictorOps API Key set",
  "wechat-both-file-and-secret":
    "at most one of wechat_api_secret & wechat_api_secret_file must be configured",
  "wechat-no-api-secret": "no global Wechat Api Secret set either inline or in a file",
};

test("upstream's configurations load or are refused as there", (t) => {
  if (!existsSync(conformance)) return t.skip(`no conformance data at ${conformance}`);
  for (const file of readdirSync(conformance)) {
    const text = readFileSync(path.join(conformance, file), "utf8");
    const refusal = refusals[file.slice("conf.".length, -".yml".length)];
    if (refusal === undefined) {
      const { yaml } = parse(text);
      // With its URL masked, Slack's token can no longer be told to belong to it.
      if (!file.includes("slack-default-app-token")) {
        assert.equal(parse(yaml).yaml, yaml, `${file}: what is printed reads as the same`);
      }
    } else
      assert.throws(
        () => parse(text),
        (error: Error) => error.message.includes(refusal),
        file,
      );
  }
});

const minimal = "route: {receiver: a}\nreceivers: [{name: a}]\n";

test("errors name line and column, and what was expected", () => {
  const cases: [string, string][] = [
    ["", "am.yml:1:1: no route provided in config"],
    ["receivers: [{name: a}]", "am.yml:1:1: no routes provided"],
    ["route: {}\nreceivers: [{name: a}]", "am.yml:1:8: root route must specify a default receiver"],
    [`${minimal}bogus: 1`, "am.yml:3:1: field bogus not found in type config.plain"],
    ["route: {receiver: b}\nreceivers: [{name: a}]", `am.yml:1:8: undefined receiver "b" used in route`],
    [
      "route: {receiver: a, continue: true}\nreceivers: [{name: a}]",
      "am.yml:1:8: cannot have continue in root route",
    ],
    [
      "route: {receiver: a, matchers: [a=b]}\nreceivers: [{name: a}]",
      "am.yml:1:8: root route must not have any matchers",
    ],
    [
      "route: {receiver: a, group_interval: 0s}\nreceivers: [{name: a}]",
      "am.yml:1:38: group_interval cannot be zero",
    ],
    [
      "route: {receiver: a, repeat_interval: 0s}\nreceivers: [{name: a}]",
      "am.yml:1:39: repeat_interval cannot be zero",
    ],
    [
      "route: {receiver: a, group_by: [a, a]}\nreceivers: [{name: a}]",
      `am.yml:1:32: duplicated label "a" in group_by`,
    ],
    [
      "route: {receiver: a, group_by: ['...', a]}\nreceivers: [{name: a}]",
      "am.yml:1:32: cannot have wildcard group_by (`...`) and other labels at the same time",
    ],
    [
      "route:\n  receiver: a\n  routes:\n  - mute_time_intervals: [x]\nreceivers: [{name: a}]",
      `am.yml:4:5: undefined time interval "x" used in route`,
    ],
    ["route:\n  receiver: a\n  routes:\n  - matchers: ['a=~(']\nreceivers: [{name: a}]", "am.yml:4:16: "],
    [
      "route: {receiver: a, mute_time_intervals: [x]}\nreceivers: [{name: a}]",
      "root route must not have any mute",
    ],
    ["route: {receiver: a}\nreceivers: [{name: a}, {name: a}]", `notification config name "a" is not unique`],
    [
      "route: {receiver: a}\nreceivers: [{name: a, labels: {name: b}}]",
      `receiver label "name" must match receiver name "a"`,
    ],
    ["route: {receiver: a}\nreceivers: [{}]", "am.yml:2:13: missing name in receiver"],
    [
      "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{}]}]",
      "one of url or url_file must be configured",
    ],
    ["route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [null]}]", "missing webhook config"],
    [
      "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: ftp://x}]}]",
      `invalid URL: unsupported scheme "ftp" for URL`,
    ],
    [
      "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'http://{{ if'}]}]",
      "invalid template syntax: template: :1: unclosed action",
    ],
    [
      "route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: a@b}]}]",
      "no global SMTP smarthost set",
    ],
    [
      "route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: a@b, headers: {subject: x, SUBJECT: y}}]}]",
      `duplicate header "Subject" in email config`,
    ],
    [`${minimal}time_intervals: [{name: x}, {name: x}]`, `time interval "x" is not unique`],
    [`${minimal}time_intervals: [{time_intervals: []}]`, "missing name in time interval"],
  ];
  for (const [text, expected] of cases) {
    assert.throws(
      () => parse(text),
      (error: Error) => error.message.startsWith(expected) || error.message.includes(`: ${expected}`),
      `${text}\n→ ${expected}`,
    );
  }
});

test("secrets are never printed", () => {
  const { yaml } = parse(`
global:
  smtp_auth_password: hunter2
  slack_api_url: https://hooks.slack.example/hunter2
  http_config: {basic_auth: {username: u, password: hunter2}}
route: {receiver: a}
receivers:
- name: a
  webhook_configs: [{url: "https://x/hunter2"}]
  pagerduty_configs: [{routing_key: hunter2}]
  telegram_configs: [{bot_token: hunter2, chat_id: 1}]
`);
  assert.ok(!yaml.includes("hunter2"), yaml);
  assert.ok(yaml.includes("url: <secret>"), yaml);
});

test("receivers take from global what they leave out, and http_config as a whole", () => {
  const { receivers } = parse(`
global: {smtp_smarthost: "mail:25", smtp_from: a@b, smtp_require_tls: false, http_config: {follow_redirects: false}}
route: {receiver: a}
receivers:
- name: a
  email_configs: [{to: c@d}, {to: c@d, require_tls: true, from: e@f}]
  webhook_configs: [{url: http://x}, {url: http://x, http_config: {enable_http2: false}}]
`);
  const configs = receivers[0]!.integrations.map(({ config }) => config as Record<string, never>);
  const [first, second, third, fourth] = configs as [any: any, any: any, any: any, any: any];
  assert.equal(first.httpConfig.followRedirects, false);
  assert.deepEqual([second.httpConfig.followRedirects, second.httpConfig.enableHttp2], [true, false]);
  assert.deepEqual(
    [third.smarthost, third.from, third.requireTls, third.hello],
    ["mail:25", "a@b", false, "localhost"],
  );
  assert.deepEqual([fourth.from, fourth.requireTls], ["e@f", true]);
});

test("every integration is read with all its keys", () => {
  const { receivers } = parse(`
route: {receiver: a}
receivers:
- name: a
  labels: {team: x}
  webhook_configs: [{url: "http://x/{{ .Status }}", max_alerts: 3, timeout: 5s, send_resolved: false, payload: {a: [1, "{{ .Status }}"]}}, {url_file: u}]
  email_configs: [{to: a@b, from: c@d, hello: h, smarthost: "m:25", auth_username: u, auth_password: p, auth_secret: s, auth_identity: i, headers: {x-y: z}, html: h, text: t, require_tls: false, tls_config: {insecure_skip_verify: true}, force_implicit_tls: true, threading: {enabled: true, thread_by_date: daily}}]
  pagerduty_configs: [{routing_key: k, url: "http://x", client: c, client_url: u, description: d, details: {a: {b: c}}, images: [{src: s, alt: a, href: h}], links: [{href: h, text: t}], source: s, severity: s, class: c, component: c, group: g, timeout: 1m30s}]
  slack_configs: [{api_url: "http://x", channel: c, username: u, color: c, title: t, title_link: l, pretext: p, text: t, message_text: m, fields: [{title: t, value: v, short: true}], short_fields: true, footer: f, fallback: f, callback_id: c, icon_emoji: i, icon_url: i, image_url: i, thumb_url: t, link_names: true, mrkdwn_in: [text], actions: [{type: button, text: t, url: u}, {type: button, text: t, name: n, value: v, style: s, confirm: {text: t, title: t, ok_text: o, dismiss_text: d}}], timeout: 0s}]
  opsgenie_configs: [{api_key: k, api_url: "http://x", message: m, description: d, source: s, details: {a: b}, entity: e, responders: [{name: n, type: TEAM}, {id: i, type: "{{ .Status }}"}], actions: a, tags: t, note: n, priority: p, update_alerts: true}]
  victorops_configs: [{api_key: k, api_url: "http://x", routing_key: r, message_type: m, state_message: s, entity_display_name: e, monitoring_tool: m, custom_fields: {a: b}}]
  pushover_configs: [{user_key: u, token: t, title: t, message: m, url: u, url_title: u, device: d, sound: s, priority: p, retry: 1m, expire: 1h, ttl: 1h, html: true}]
  sns_configs: [{api_url: u, sigv4: {region: r, access_key: a, secret_key: s, profile: p, role_arn: r, external_id: e}, topic_arn: t, subject: s, message: m, attributes: {a: b}, use_aws_http_client: true}]
  telegram_configs: [{api_url: "http://x", bot_token: t, chat_id: -100, message_thread_id: 3, message: m, disable_notifications: true, parse_mode: MarkdownV2}]
  discord_configs: [{webhook_url: "http://x", content: c, title: t, message: m, username: u, avatar_url: a}]
  msteams_configs: [{webhook_url: "http://x", title: t, summary: s, text: t}]
  msteamsv2_configs: [{webhook_url_file: f, title: t, text: t}]
  webex_configs: [{api_url: "http://x", message: m, room_id: r, http_config: {authorization: {credentials: c}}}]
  wechat_configs: [{api_secret: s, corp_id: c, api_url: "http://x", message: m, message_type: markdown, to_user: u, to_party: p, to_tag: t, agent_id: a}]
  jira_configs: [{api_url: "http://x", api_type: cloud, project: p, issue_type: i, summary: s, description: {template: d, enable_update: false}, labels: [l], priority: p, reopen_transition: r, resolve_transition: r, wont_fix_resolution: w, reopen_duration: 1h, fields: {a: {b: c}}}]
  rocketchat_configs: [{api_url: "http://x", token: t, token_id: i, channel: c, color: c, title: t, title_link: l, text: t, fields: [{short: true, title: t, value: v}], short_fields: true, emoji: e, icon_url: i, image_url: i, thumb_url: t, link_names: true, actions: [{type: button, text: t}]}]
  mattermost_configs: [{webhook_url: "http://x", channel: c, username: u, text: t, fallback: f, color: c, pretext: p, author_name: a, author_link: a, author_icon: a, title: t, title_link: l, fields: [{title: t, value: v}], thumb_url: t, footer: f, footer_icon: f, image_url: i, icon_url: i, icon_emoji: e, attachments: [{text: t}], type: t, props: {card: c}, priority: {priority: urgent, requested_ack: true, persistent_notifications: true}}]
  incidentio_configs: [{url: "http://x", alert_source_token: t, max_alerts: 3, timeout: 5s}]
event_recorder: {file_outputs: [{path: x}]}
tracing: {endpoint: x}
templates: ["*.tmpl"]
`);
  const types = new Set(receivers[0]!.integrations.map(({ type }) => type));
  assert.equal(types.size, 18);
});
