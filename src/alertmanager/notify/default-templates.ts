/** The templates that every configuration can use and override, under the names that configurations know. */

/** The alerts of both states, each list under its heading and written by the template `list`. */
function bothLists(list: string, headingPrefix = ""): string {
  const section = (state: "Firing" | "Resolved"): string =>
    `{{ with .Alerts.${state} }}\n${headingPrefix}Alerts ${state}:\n{{ template "${list}" . }}{{ end }}`;
  return section("Firing") + section("Resolved");
}

const plainLists = bothLists("__text_alert_list");
const markdownLists = bothLists("__text_alert_list_markdown", "# ");
const annotations = `{{ join " " .CommonAnnotations.Values }}`;
const subject = `{{ template "__subject" . }}`;
const link = `{{ template "__alertmanagerURL" . }}`;
const sender = `{{ template "__alertmanager" . }}`;
const nothing = "";

/** Raises $priority to the highest severity among the alerts, in Jira's words. */
function raisePriority(alerts: string): string {
  return `{{- range ${alerts} -}}
{{- if eq .Labels.severity "critical" -}}{{ $priority = "High" }}
{{- else if and (eq .Labels.severity "warning") (ne $priority "High") -}}{{ $priority = "Medium" }}
{{- else if and (eq .Labels.severity "info") (not $priority) -}}{{ $priority = "Low" }}{{- end -}}
{{- end -}}`;
}

const definitions: Readonly<Record<string, string>> = {
  __alertmanager: "Alertmanager",
  __alertmanagerURL: "{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}",
  __subject: `[{{ toUpper .Status }}{{ if eq .Status "firing" }}:{{ len .Alerts.Firing }}{{ end }}] {{ join " " .GroupLabels.Values }} {{ if lt (len .GroupLabels) (len .CommonLabels) }}({{ join " " (.CommonLabels.Remove .GroupLabels.Names).Values }}){{ end }}`,
  __description: nothing,
  __text_alert_list: `{{ range . }}Labels:
{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}Annotations:
{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}Source: {{ .GeneratorURL }}
{{ end }}`,
  __text_alert_list_markdown: `{{ range . }}
Labels:
{{ range .Labels.SortedPairs }}  - {{ .Name }} = {{ .Value }}
{{ end }}
Annotations:
{{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value }}
{{ end }}
Source: {{ .GeneratorURL }}
{{ end }}`,

  "slack.default.title": subject,
  "slack.default.username": sender,
  "slack.default.fallback": `${subject} | ${link}`,
  "slack.default.callbackid": nothing,
  "slack.default.pretext": nothing,
  "slack.default.titlelink": link,
  "slack.default.iconemoji": nothing,
  "slack.default.iconurl": nothing,
  "slack.default.text": nothing,
  "slack.default.footer": nothing,
  "slack.default.color": `{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}`,

  "pagerduty.default.description": subject,
  "pagerduty.default.client": sender,
  "pagerduty.default.clientURL": link,
  "pagerduty.default.instances": `{{ template "__text_alert_list" . }}`,

  "opsgenie.default.message": subject,
  "opsgenie.default.description": annotations + plainLists,
  "opsgenie.default.source": link,

  "wechat.default.message": `${subject}\n${annotations}${plainLists}\nAlertmanagerUrl:\n${link}`,
  "wechat.default.to_user": nothing,
  "wechat.default.to_party": nothing,
  "wechat.default.to_tag": nothing,
  "wechat.default.agent_id": nothing,

  "victorops.default.state_message": annotations + plainLists,
  "victorops.default.entity_display_name": subject,
  "victorops.default.monitoring_tool": sender,

  "pushover.default.title": subject,
  "pushover.default.message": annotations + plainLists,
  "pushover.default.url": link,

  "sns.default.subject": subject,
  "sns.default.message": annotations + plainLists,

  "telegram.default.message": plainLists,

  "discord.default.content": nothing,
  "discord.default.title": subject,
  "discord.default.message": plainLists,

  "webex.default.message": annotations + plainLists,

  "msteams.default.summary": subject,
  "msteams.default.title": subject,
  "msteams.default.text": markdownLists,

  "msteamsv2.default.title": subject,
  "msteamsv2.default.text": markdownLists,

  "jira.default.summary": subject,
  "jira.default.description": markdownLists,
  "jira.default.priority": `{{- $priority := "" -}}${raisePriority(".Alerts.Firing")}{{- if not $priority -}}${raisePriority(".Alerts.Resolved")}{{- end -}}{{- $priority -}}`,

  "rocketchat.default.title": subject,
  "rocketchat.default.alias": sender,
  "rocketchat.default.titlelink": link,
  "rocketchat.default.emoji": nothing,
  "rocketchat.default.iconurl": nothing,
  "rocketchat.default.text": nothing,

  "mattermost.default.color": `{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}`,
  "mattermost.default.username": sender,
  "mattermost.default.title": subject,
  "mattermost.default.titlelink": link,
  "mattermost.default.fallback": `${subject} | ${link}`,
  "mattermost.default.text": markdownLists,

  "email.default.subject": subject,
  __email_alert: `<div style="border:1px solid #d9dde3;border-radius:6px;padding:12px 16px;margin:0 0 12px">
{{ range .Labels.SortedPairs }}<div><span style="color:#5b6470">{{ .Name }}</span> <b>{{ .Value }}</b></div>
{{ end }}{{ with .Annotations.SortedPairs }}<div style="margin-top:8px">
{{ range . }}<div><span style="color:#5b6470">{{ .Name }}</span> {{ .Value }}</div>
{{ end }}</div>
{{ end }}<div style="margin-top:8px;color:#5b6470">since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}{{ if eq .Status "resolved" }}, resolved {{ .EndsAt.Format "2006-01-02 15:04:05 MST" }}{{ end }}{{ if .GeneratorURL }} · <a href="{{ .GeneratorURL }}" style="color:#2f6fde">Source</a>{{ end }}</div>
</div>
`,
  "email.default.html": `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ template "__subject" . }}</title>
</head>
<body style="margin:0;padding:24px 12px;background:#f4f5f7;color:#1d2530;font:14px/1.5 -apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif">
<div style="max-width:640px;margin:0 auto;background:#fff;border-radius:8px;overflow:hidden">
<div style="padding:16px 20px;color:#fff;background:{{ if eq .Status "firing" }}#c0392b{{ else }}#2e8b57{{ end }};font-size:16px">
{{ len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for {{ range .GroupLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}
</div>
<div style="padding:20px">
<p style="margin:0 0 20px"><a href="{{ template "__alertmanagerURL" . }}" style="display:inline-block;padding:8px 14px;border-radius:6px;background:#2f6fde;color:#fff;text-decoration:none">View in {{ template "__alertmanager" . }}</a></p>
{{ with .Alerts.Firing }}<h2 style="font-size:15px;margin:0 0 8px">[{{ len . }}] Firing</h2>
{{ range . }}{{ template "__email_alert" . }}{{ end }}{{ end }}
{{- with .Alerts.Resolved }}<h2 style="font-size:15px;margin:16px 0 8px">[{{ len . }}] Resolved</h2>
{{ range . }}{{ template "__email_alert" . }}{{ end }}{{ end -}}
</div>
<div style="padding:12px 20px;border-top:1px solid #e6e9ee;color:#5b6470;font-size:12px"><a href="{{ .ExternalURL }}" style="color:#5b6470">Sent by {{ template "__alertmanager" . }}</a></div>
</div>
</body>
</html>
`,
};

/** All of them as one text of definitions. */
export const defaultTemplates: string = Object.entries(definitions)
  .map(([name, text]) => `{{ define "${name}" }}${text}{{ end }}`)
  .join("\n");
