/** What each kind of receiver sends, as upstream's documentation of the other side wants it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test, type TestContext } from "node:test";
import type { PagerdutyConfig } from "../config/pagerduty.ts";
import type { PushoverConfig } from "../config/pushover.ts";
import type { SnsConfig } from "../config/sns.ts";
import { type NotificationContext, NotifyError } from "../notify/notifier.ts";
import type { Deliver } from "./delivery.ts";
import { deliverToPagerduty } from "./pagerduty.ts";
import { deliverToPushover } from "./pushover.ts";
import { deliverToSns } from "./sns.ts";
import {
  alert,
  alerts,
  type Answer,
  context,
  hook,
  httpNotifier,
  type Received,
  temporaryFile,
} from "./testing.ts";

const groupHash = createHash("sha256").update(context().groupKey).digest("hex");
const firing = [alerts[0]!];
const resolved = [alerts[1]!];
const fixed = "title: T, text: 'is {{ .Status }}'";

/** Tells a receiver whose server answers as given; `URL` in the YAML stands for that server. */
async function tell(
  t: TestContext,
  type: string,
  yaml: string,
  told: {
    alerts?: typeof alerts;
    answer?: (request: Received) => Answer;
    context?: NotificationContext;
  } = {},
  create?: (config: object, url: string) => Deliver,
) {
  const { url, received } = await hook(t, told.answer);
  const text = yaml.replaceAll("URL", url);
  const notifier = create
    ? httpNotifier(t, type, text, (config) => create(config, url))
    : httpNotifier(t, type, text);
  const data = await notifier.notify(told.context ?? context(), told.alerts ?? alerts);
  return { received, data };
}

async function refused(promise: Promise<unknown>, message: RegExp, retry: boolean): Promise<void> {
  await assert.rejects(promise, (error: NotifyError) => {
    assert.ok(error instanceof NotifyError, String(error));
    assert.match(error.message, message);
    assert.equal(error.retry, retry, error.message);
    return true;
  });
}

test("Slack: an attachment, by a webhook or with an app's token", async (t) => {
  const ok = (): Answer => ({ text: "ok" });
  const texts = `${fixed}, title_link: L, pretext: '', footer: F, fallback: B, callback_id: C, color: red, username: U`;
  const fields = `short_fields: true, fields: [{title: a, value: '{{ .Status }}'}, {title: b, value: c, short: false}]`;
  const actions = `actions: [{type: button, text: Look, url: 'http://x/{{ .Status }}', confirm: {text: Sure}}]`;
  const { received } = await tell(
    t,
    "slack",
    `{api_url: "URL/hook", channel: "#c", ${texts}, ${fields}, ${actions}}`,
    {
      answer: ok,
    },
  );
  assert.deepEqual([received[0]!.method, received[0]!.url], ["POST", "/hook"]);
  assert.deepEqual(received[0]!.body, {
    channel: "#c",
    username: "U",
    attachments: [
      {
        title: "T",
        title_link: "L",
        text: "is firing",
        fallback: "B",
        callback_id: "C",
        fields: [
          { title: "a", value: "firing", short: true },
          { title: "b", value: "c", short: false },
        ],
        actions: [{ type: "button", text: "Look", url: "http://x/firing" }],
        footer: "F",
        color: "red",
        mrkdwn_in: ["fallback", "pretext", "text"],
      },
    ],
  });
  const file = temporaryFile(t, "xoxb-1\n");
  const json = (): Answer => ({ json: { ok: true } });
  const app = await tell(t, "slack", `{app_token_file: ${file}, app_url: "URL/app", channel: c}`, {
    answer: json,
  });
  assert.equal(app.received[0]!.headers.authorization, "Bearer xoxb-1");
  assert.equal(app.received[0]!.url, "/app");
});

test("Slack: an answer may refuse with status 200", async (t) => {
  const slack = `{api_url: "URL", channel: c}`;
  const cases: [Answer, RegExp, boolean][] = [
    [{ text: "no_channel" }, /channel "c": error response from Slack: no_channel/, false],
    [{ json: { ok: false, error: "invalid_auth" } }, /error response from Slack: invalid_auth/, false],
    [{ status: 503, text: "later" }, /channel "c": unexpected status code 503: later/, true],
    [{ status: 404 }, /unexpected status code 404/, false],
  ];
  for (const [answer, message, retry] of cases)
    await refused(tell(t, "slack", slack, { answer: () => answer }), message, retry);
});

test("PagerDuty: events of version 2, and of version 1 with a service key", async (t) => {
  const texts = `description: D, client: C, client_url: U, severity: "{{ .CommonLabels.severity }}", details: {n: "{{ len .Alerts }}"}, images: [{src: i}, {alt: none}], links: [{href: h, text: t}]`;
  const { received } = await tell(
    t,
    "pagerduty",
    `{routing_key: "{{ .Receiver }}", url: "URL/v2", ${texts}}`,
  );
  const event = received[0]!.body as { payload: { custom_details: Record<string, unknown> } };
  assert.equal(event.payload.custom_details["n"], 2);
  assert.equal(event.payload.custom_details["num_firing"], 1);
  const { custom_details: _, ...payload } = event.payload;
  assert.deepEqual(
    { ...event, payload },
    {
      routing_key: "team-a\\.b",
      dedup_key: groupHash,
      event_action: "trigger",
      payload: { summary: "D", source: "C", severity: "page" },
      client: "C",
      client_url: "U",
      images: [{ src: "i", alt: "", href: "" }],
      links: [{ href: "h", text: "t" }],
    },
  );
  const old = (config: object, url: string) => deliverToPagerduty(config as PagerdutyConfig, `${url}/v1`);
  const v1 = await tell(
    t,
    "pagerduty",
    "{service_key: k, description: D, details: {}}",
    { alerts: resolved },
    old,
  );
  const { details, ...rest } = v1.received[0]!.body as { details: Record<string, unknown> };
  assert.equal(details["num_resolved"], 1);
  assert.equal(v1.received[0]!.url, "/v1");
  assert.deepEqual(rest, {
    service_key: "k",
    incident_key: groupHash,
    event_type: "resolve",
    description: "D",
  });
});

test("PagerDuty: what is too large goes without its details; who refuses is quoted", async (t) => {
  const large = [alert({ alertname: "X" }, { text: "x".repeat(600_000) })];
  const { received } = await tell(t, "pagerduty", `{routing_key: k, url: "URL"}`, { alerts: large });
  const { payload } = received[0]!.body as { payload: { custom_details: object } };
  assert.match(JSON.stringify(payload.custom_details), /^\{"error":"Custom details have been removed/);
  const json = { status: "invalid", message: "Event object is invalid", errors: ["a", "b"] };
  const bad = tell(t, "pagerduty", `{routing_key: k, url: "URL"}`, { answer: () => ({ status: 400, json }) });
  await refused(bad, /unexpected status code 400: Event object is invalid: a,b/, false);
  const busy = tell(t, "pagerduty", `{routing_key: k, url: "URL"}`, { answer: () => ({ status: 429 }) });
  await refused(busy, /unexpected status code 429$/, true);
});

test("OpsGenie: an alert is created and updated, then closed", async (t) => {
  const texts = `message: M, description: D, source: S, tags: "a,,b", priority: P1, details: {k: "{{ .Status }}"}, responders: [{name: "x,y", type: teams}, {name: "{{ .CommonLabels.nope }}", type: "{{ .CommonLabels.nope }}"}]`;
  const yaml = `{api_key: key, api_url: "URL/", update_alerts: true, ${texts}}`;
  const { received } = await tell(t, "opsgenie", yaml);
  assert.deepEqual(
    received.map(({ method, url, headers }) => `${method} ${url} ${headers.authorization}`),
    [
      "POST /v2/alerts GenieKey key",
      `PUT /v2/alerts/${groupHash}/message?identifierType=alias GenieKey key`,
      `PUT /v2/alerts/${groupHash}/description?identifierType=alias GenieKey key`,
    ],
  );
  assert.deepEqual(received[0]!.body, {
    alias: groupHash,
    message: "M",
    description: "D",
    details: { alertname: "X", severity: "page", k: "firing" },
    source: "S",
    responders: [
      { name: "x", type: "team" },
      { name: "y", type: "team" },
    ],
    tags: ["a", "b"],
    priority: "P1",
  });
  assert.deepEqual([received[1]!.body, received[2]!.body], [{ message: "M" }, { description: "D" }]);
  const closed = await tell(t, "opsgenie", yaml, { alerts: resolved });
  assert.equal(closed.received.length, 1);
  assert.equal(closed.received[0]!.url, `/v2/alerts/${groupHash}/close?identifierType=alias`);
  assert.deepEqual(closed.received[0]!.body, { source: "S" });
});

test("VictorOps: a message type of its own, and recovery", async (t) => {
  const yaml = `{api_key: key, api_url: "URL/alert", routing_key: team, message_type: "{{ .CommonLabels.severity }}", state_message: S, entity_display_name: E, monitoring_tool: M, custom_fields: {c: "{{ .Status }}"}}`;
  const { received } = await tell(t, "victorops", yaml);
  assert.equal(received[0]!.url, "/alert/key/team");
  const body = {
    message_type: "CRITICAL",
    entity_id: groupHash,
    entity_display_name: "E",
    state_message: "S",
    monitoring_tool: "M",
    c: "firing",
  };
  assert.deepEqual(received[0]!.body, body);
  const over = await tell(t, "victorops", yaml, { alerts: resolved });
  assert.deepEqual(over.received[0]!.body, { ...body, message_type: "RECOVERY", c: "resolved" });
});

test("Pushover: parameters, and texts within their limits", async (t) => {
  const create = (config: object, url: string) => deliverToPushover(config as PushoverConfig, `${url}/m`);
  const yaml = `{token: tok, user_key: usr, title: "${"é".repeat(300)}", message: "<b>{{ .CommonAnnotations.runbook }}</b>", url: u, html: true, retry: 1m, expire: 1h, ttl: 90s, sound: s}`;
  const { received } = await tell(t, "pushover", yaml, {}, create);
  const url = new URL(received[0]!.url, "http://x");
  const { title, ...rest } = Object.fromEntries(url.searchParams);
  assert.equal(title, `${"é".repeat(249)}…`);
  assert.deepEqual(rest, {
    token: "tok",
    user: "usr",
    message: "<b>r</b>",
    url: "u",
    url_title: "",
    priority: "2",
    retry: "60",
    expire: "3600",
    ttl: "90",
    device: "",
    sound: "s",
    html: "1",
  });
  const nothing = await tell(t, "pushover", `{token: tok, user_key: usr, message: " "}`, {}, create);
  assert.equal(new URL(nothing.received[0]!.url, "http://x").searchParams.get("message"), "(no details)");
});

test("Telegram: the bot's token is part of the address and of no error", async (t) => {
  const chat = temporaryFile(t, "-100123\n");
  const yaml = `{api_url: "URL", bot_token: "1:secret", chat_id_file: ${chat}, message: "{{ .CommonAnnotations.runbook }} & {{ .Status }}", message_thread_id: 7, disable_notifications: true}`;
  const { received } = await tell(t, "telegram", yaml);
  assert.equal(received[0]!.url, "/bot1:secret/sendMessage");
  assert.deepEqual(received[0]!.body, {
    chat_id: "-100123",
    text: "r & firing",
    parse_mode: "HTML",
    disable_notification: true,
    message_thread_id: 7,
    disable_web_page_preview: true,
  });
  const long = [alert({ alertname: "X" }, { text: "x".repeat(5000) })];
  const tooLong = `{api_url: "URL", bot_token: t, chat_id: 1, message: "{{ .CommonAnnotations.text }}"`;
  const html = await tell(t, "telegram", `${tooLong}}`, { alerts: long });
  assert.match((html.received[0]!.body as { text: string }).text, /exceeds Telegram's limit/);
  const plain = await tell(t, "telegram", `${tooLong}, parse_mode: ""}`, { alerts: long });
  assert.equal((plain.received[0]!.body as { text: string }).text, `${"x".repeat(4095)}…`);
  const away = httpNotifier(
    t,
    "telegram",
    `{api_url: "http://127.0.0.1:1", bot_token: "1:secret", chat_id: 1}`,
  );
  await assert.rejects(away.notify(context(), alerts), (error: NotifyError) => {
    assert.ok(error.retry);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  const json = { ok: false, description: "Too Many Requests: retry after 5" };
  await refused(
    tell(t, "telegram", yaml, { answer: () => ({ status: 429, json }) }),
    /429: Too Many Requests/,
    true,
  );
});

test("Discord: an embed in the status' colour", async (t) => {
  const yaml = `{webhook_url: "URL/w", title: T, message: "is {{ .Status }}", content: C, username: U, avatar_url: "not a url"}`;
  for (const [told, color, status] of [
    [firing, 0x992d22, "firing"],
    [resolved, 0x2ecc71, "resolved"],
  ] as const) {
    const { received } = await tell(t, "discord", yaml, { alerts: told });
    assert.deepEqual(received[0]!.body, {
      content: "C",
      embeds: [{ title: "T", description: `is ${status}`, color }],
      username: "U",
    });
  }
});

test("Microsoft Teams: message cards and adaptive cards", async (t) => {
  const card = await tell(t, "msteams", `{webhook_url: "URL", ${fixed}, summary: S}`, { alerts: resolved });
  assert.deepEqual(card.received[0]!.body, {
    "@context": "http://schema.org/extensions",
    type: "MessageCard",
    title: "T",
    summary: "S",
    text: "is resolved",
    themeColor: "2DC72D",
  });
  const adaptive = await tell(t, "msteamsv2", `{webhook_url: "URL", ${fixed}}`);
  const { attachments } = adaptive.received[0]!.body as {
    attachments: { contentType: string; contentUrl: null; content: { body: Record<string, unknown>[] } }[];
  };
  assert.equal(attachments[0]!.contentType, "application/vnd.microsoft.card.adaptive");
  const [heading, text] = attachments[0]!.content.body;
  assert.deepEqual([heading!["text"], heading!["color"], text!["text"]], ["T", "Attention", "is firing"]);
});

test("Webex: whole characters within the limit", async (t) => {
  const long = [alert({ alertname: "X" }, { text: "é".repeat(4000) })];
  const http = "http_config: {authorization: {credentials: s}}";
  const yaml = `{api_url: "URL", room_id: R, message: "{{ .CommonAnnotations.text }}", ${http}}`;
  const { received } = await tell(t, "webex", yaml, { alerts: long });
  const { markdown, roomId } = received[0]!.body as { markdown: string; roomId: string };
  assert.deepEqual([roomId, received[0]!.headers.authorization], ["R", "Bearer s"]);
  assert.equal(markdown, `${"é".repeat(3718)}…`);
  assert.ok(Buffer.byteLength(markdown) <= 7439);
});

test("WeChat: a token is fetched once, and again when it has expired", async (t) => {
  let tokens = 0;
  let code = 0;
  const answer = ({ url }: Received): Answer =>
    url.startsWith("/gettoken")
      ? { json: { access_token: `t${++tokens}` } }
      : { json: { errcode: code, errmsg: "said so" } };
  const { url, received } = await hook(t, answer);
  const yaml = `{api_url: "${url}/", api_secret: s, corp_id: c, message: M, to_user: U, agent_id: A}`;
  const notifier = httpNotifier(t, "wechat", yaml);
  await notifier.notify(context(), alerts);
  await notifier.notify(context(), alerts);
  code = 42_001;
  await refused(notifier.notify(context(), alerts), /said so/, true);
  code = 40_001;
  await refused(notifier.notify(context(), alerts), /said so/, false);
  const send = (token: string) => `/message/send?access_token=${token}`;
  assert.deepEqual(
    received.map((request) => request.url),
    [
      "/gettoken?corpsecret=s&corpid=c",
      send("t1"),
      send("t1"),
      send("t1"),
      "/gettoken?corpsecret=s&corpid=c",
      send("t2"),
    ],
  );
  assert.deepEqual(received[1]!.body, {
    text: { content: "M" },
    touser: "U",
    agentid: "A",
    safe: "0",
    msgtype: "text",
    markdown: { content: "" },
  });
});

test("Rocket.Chat: the tokens are headers, and an answer may refuse with status 200", async (t) => {
  const yaml = `{api_url: "URL/", token: tok, token_id: id, channel: "#c", ${fixed}, title_link: "", emoji: ":x:", icon_url: "", fields: [{title: a, value: b, short: true}], actions: [{type: other, text: Go, url: u}]}`;
  const { received } = await tell(t, "rocketchat", yaml, { answer: () => ({ json: { success: true } }) });
  const { url, headers, body } = received[0]!;
  assert.deepEqual(
    [url, headers["x-auth-token"], headers["x-user-id"]],
    ["/api/v1/chat.postMessage", "tok", "id"],
  );
  assert.deepEqual(body, {
    channel: "#c",
    emoji: ":x:",
    attachments: [
      {
        title: "T",
        text: "is firing",
        color: "red",
        fields: [{ title: "a", value: "b", short: true }],
        actions: [{ type: "button", text: "Go", url: "u" }],
      },
    ],
  });
  const no = tell(t, "rocketchat", yaml, { answer: () => ({ json: { success: false, error: "nope" } }) });
  await refused(no, /channel "#c": error response from Rocketchat: nope/, false);
});

test("Mattermost: one attachment of the texts, or those that are written; priorities that go together", async (t) => {
  const yaml = `{webhook_url: "URL", channel: c, username: U, ${fixed}, title_link: "", fallback: F, color: red, priority: {priority: Nonsense, requested_ack: true}, props: {card: "{{ .Status }}"}`;
  const { received } = await tell(t, "mattermost", `${yaml}}`);
  assert.deepEqual(received[0]!.body, {
    channel: "c",
    username: "U",
    attachments: [{ text: "is firing", fallback: "F", color: "red", title: "T" }],
    props: { card: "firing" },
    priority: { priority: "standard" },
  });
  const written = await tell(t, "mattermost", `${yaml}, attachments: [{text: "{{ len .Alerts }}"}]}`);
  const { text, attachments } = written.received[0]!.body as { text: string; attachments: object[] };
  assert.deepEqual([text, attachments], ["is firing", [{ text: "2" }]]);
});

test("incident.io: the webhook's message, version 1, with a token", async (t) => {
  const file = temporaryFile(t, "tok\n");
  const yaml = `{url: "URL/i", alert_source_token_file: ${file}, max_alerts: 1}`;
  const { received } = await tell(t, "incidentio", yaml);
  const body = received[0]!.body as { version: string; alerts: object[]; truncatedAlerts: number };
  assert.deepEqual([body.version, body.alerts.length, body.truncatedAlerts], ["1", 1, 1]);
  assert.equal(received[0]!.headers.authorization, "Bearer tok");
  const large = ["a", "b"].map((name) => alert({ alertname: name }, { text: "x".repeat(300_000) }));
  const cut = await tell(t, "incidentio", yaml.replace("max_alerts: 1", "max_alerts: 0"), { alerts: large });
  assert.equal((cut.received[0]!.body as { truncatedAlerts: number }).truncatedAlerts, 1);
  const json = { message: "bad", errors: ["a", "b"] };
  await refused(
    tell(t, "incidentio", yaml, { answer: () => ({ status: 429, json }) }),
    /429: bad: a, b$/,
    true,
  );
});

test("Jira: an issue is opened, updated, resolved and reopened", async (t) => {
  let issues: object[] = [];
  const answer = ({ method, url }: Received): Answer => {
    if (url === "/rest/api/2/search") return { json: { issues } };
    if (method === "GET")
      return {
        json: {
          transitions: [
            { id: "31", name: "Done" },
            { id: "11", name: "Reopen" },
          ],
        },
      };
    return { status: 204, text: "" };
  };
  const { url, received } = await hook(t, answer);
  const yaml = `{api_url: "${url}/rest/api/2", project: P, issue_type: Bug, summary: {template: "S {{ .Status }}", enable_update: false}, description: D, labels: [z, "{{ .CommonLabels.severity }}"], priority: High, fields: {customfield_1: "{{ len .Alerts }}"}, resolve_transition: Done, reopen_transition: Reopen, reopen_duration: 2h, wont_fix_resolution: Rejected}`;
  const notifier = httpNotifier(t, "jira", yaml);
  const told = async (some: typeof alerts): Promise<string[]> => {
    received.length = 0;
    await notifier.notify(context(), some);
    return received.map((request) => `${request.method} ${request.url.replace("/rest/api/2/", "")}`);
  };
  assert.deepEqual(await told(resolved), ["POST search"]);
  assert.deepEqual(await told(firing), ["POST search", "POST issue"]);
  const label = `ALERT{${groupHash}}`;
  assert.deepEqual(received[0]!.body, {
    jql: `(resolution is EMPTY or resolution != "Rejected") and (resolutiondate is EMPTY OR resolutiondate >= -120m) and project="P" and labels="${label}" order by status ASC,resolutiondate DESC`,
    maxResults: 2,
    fields: ["status"],
  });
  const fields = {
    project: { key: "P" },
    issuetype: { name: "Bug" },
    description: "D",
    labels: [label, "page", "z"],
    priority: { name: "High" },
    customfield_1: 1,
  };
  assert.deepEqual(received[1]!.body, { fields: { ...fields, summary: "S firing" } });
  const issue = (category: string) => ({
    key: "P-1",
    fields: { status: { statusCategory: { key: category } } },
  });
  issues = [issue("new")];
  assert.deepEqual(await told(firing), ["POST search", "PUT issue/P-1"]);
  assert.deepEqual(received[1]!.body, { fields });
  const move = ["POST search", "PUT issue/P-1", "GET issue/P-1/transitions", "POST issue/P-1/transitions"];
  assert.deepEqual(await told(resolved), move);
  assert.deepEqual(received[3]!.body, { transition: { id: "31" } });
  issues = [issue("done")];
  assert.deepEqual(await told(firing), move);
  assert.deepEqual(received[3]!.body, { transition: { id: "11" } });
});

test("SNS: a signed publication, or one clear reason why there is none", async (t) => {
  const publish = (config: object) => deliverToSns(config as SnsConfig, {});
  const keys = "sigv4: {region: eu-west-1, access_key: AK, secret_key: SK}";
  const yaml = `{api_url: "URL/", topic_arn: "arn:t.fifo", subject: S, message: M, attributes: {k: "{{ .Status }}"}, ${keys}}`;
  const { received } = await tell(t, "sns", yaml, {}, publish);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(received[0]!.body as string)), {
    Action: "Publish",
    Version: "2010-03-31",
    TopicArn: "arn:t.fifo",
    MessageDeduplicationId: groupHash,
    MessageGroupId: groupHash,
    Message: "M",
    Subject: "S",
    "MessageAttributes.entry.1.Name": "k",
    "MessageAttributes.entry.1.Value.DataType": "String",
    "MessageAttributes.entry.1.Value.StringValue": "firing",
  });
  assert.match(
    received[0]!.headers.authorization!,
    /^AWS4-HMAC-SHA256 Credential=AK\/\d{8}\/eu-west-1\/sns\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
  );
  const text = "<ErrorResponse><Error><Code>X</Code><Message>not allowed</Message></Error></ErrorResponse>";
  const no = tell(t, "sns", yaml, { answer: () => ({ status: 403, text }) }, publish);
  await refused(no, /unexpected status code 403: not allowed$/, false);
  const keyless = tell(t, "sns", `{topic_arn: t, sigv4: {region: eu-west-1}}`, {}, publish);
  await refused(keyless, /no AWS credentials/, false);
});
