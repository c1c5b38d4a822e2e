/** `jira_configs`. */
import {
  anything,
  bool,
  type Codec,
  type CodecValue,
  durationMs,
  field,
  list,
  mapOf,
  object,
  text,
} from "../../codec/index.ts";
import { common, httpUrl, standard } from "./codecs.ts";
import { fail, integrationType } from "./integration-type.ts";

interface JiraText {
  readonly template: string;
  /** Whether an issue that exists gets the new text. */
  readonly enableUpdate: boolean;
}

const jiraTextObject = object("jira.plain", {
  template: field("template", text, ""),
  enableUpdate: field("enable_update", bool, true),
});

/** A text, or a mapping that also says whether to update it. */
const jiraText: Codec<JiraText> = {
  decode: (at) =>
    at.entries() === undefined
      ? { template: text.decode(at), enableUpdate: true }
      : jiraTextObject.decode(at),
  encode: (value) => (value.enableUpdate ? value.template : jiraTextObject.encode({ ...value })),
};

const codec = object(
  "jira.plain",
  {
    ...common(true),
    apiUrl: field("api_url", httpUrl),
    apiType: field("api_type", text, "auto"),
    project: field("project", text, ""),
    summary: field("summary", jiraText, { template: standard("jira.default.summary"), enableUpdate: true }),
    description: field("description", jiraText, {
      template: standard("jira.default.description"),
      enableUpdate: true,
    }),
    labels: field("labels", list(text), []),
    priority: field("priority", text, standard("jira.default.priority")),
    issueType: field("issue_type", text, ""),
    reopenTransition: field("reopen_transition", text, ""),
    resolveTransition: field("resolve_transition", text, ""),
    wontFixResolution: field("wont_fix_resolution", text, ""),
    reopenDurationMs: field("reopen_duration", durationMs, 0),
    fields: field("fields", mapOf(anything), new Map<string, unknown>()),
  },
  (value, mapping) => {
    if (value.project === "") mapping.at.fail("missing project in jira_config");
    if (value.issueType === "") mapping.at.fail("missing issue_type in jira_config");
    if (!["auto", "cloud", "datacenter"].includes(value.apiType)) {
      mapping.place("api_type").fail("unknown api_type on jira_config, must be auto, cloud or datacenter");
    }
    return value;
  },
);

export type JiraConfig = CodecValue<typeof codec>;

export const jira = integrationType<JiraConfig>({
  name: "jira",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl ??= global.jiraApiUrl;
    if (config.apiUrl === undefined) fail(config, "no global Jira Cloud URL set");
  },
});
