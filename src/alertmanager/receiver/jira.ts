/** Keeps a Jira issue for each group: opens it, updates it, and moves it to other states as the alerts end and return. */
import type { JiraConfig } from "../config/jira.ts";
import { NotifyError } from "../notify/notifier.ts";
import { type Answer, type Deliver, type Delivery, type DeliveryRequest, parseAnswer } from "./delivery.ts";

const summaryCharactersMax = 255;
const descriptionCharactersMax = 32_767;

interface Issue {
  readonly key: string;
  readonly fields?: { readonly status?: { readonly statusCategory: { readonly key: string } } };
}

export function deliverToJira(config: JiraConfig): Deliver {
  return async (delivery) => {
    const issue = await findIssue(config, delivery);
    if (issue === undefined) {
      if (delivery.isFiring)
        await ask(config, delivery, "POST", "issue", { fields: issueFields(config, delivery) });
      return;
    }
    const { summary, description, ...fields } = issueFields(config, delivery);
    await ask(config, delivery, "PUT", `issue/${issue.key}`, {
      fields: {
        ...fields,
        ...(config.summary.enableUpdate && { summary }),
        ...(config.description.enableUpdate && description !== undefined && { description }),
      },
    });
    await moveIssue(config, delivery, issue);
  };
}

/** Asks below the configured URL. */
function ask(
  config: JiraConfig,
  delivery: Delivery,
  method: DeliveryRequest["method"] & string,
  path: string,
  json?: object,
): Promise<Answer> {
  const url = path.startsWith("http") ? path : `${baseUrl(config)}/${path}`;
  return delivery.send({ method, url, ...(json && { json }), retryStatuses: [429] });
}

function baseUrl({ apiUrl }: JiraConfig): string {
  return apiUrl!.replace(/\/+$/, "");
}

/** Marks the group's issues. */
function groupLabel({ groupHash }: Delivery): string {
  return `ALERT{${groupHash}}`;
}

/** The group's issue that is open, or may be opened again. */
async function findIssue(config: JiraConfig, delivery: Delivery): Promise<Issue | undefined> {
  const answer = await ask(config, delivery, "POST", searchUrl(config), {
    jql: searchQuery(config, delivery),
    maxResults: 2,
    fields: ["status"],
  });
  const issues = parseAnswer<{ issues: Issue[] }>(answer).issues ?? [];
  if (issues.length > 1) delivery.warn("more than one issue matched, selecting the most recently resolved");
  return issues[0];
}

/** Jira's cloud has moved its search. */
function searchUrl(config: JiraConfig): string {
  const url = baseUrl(config);
  const isCloud =
    config.apiType === "cloud" ||
    (config.apiType === "auto" && new URL(url).hostname.endsWith("atlassian.net"));
  return isCloud ? `${url}/search/jql`.replace("/rest/api/2/", "/rest/api/3/") : `${url}/search`;
}

function searchQuery(config: JiraConfig, delivery: Delivery): string {
  const reopenMinutes = Math.trunc(config.reopenDurationMs / 60_000);
  const reopens = delivery.isFiring && config.reopenTransition !== "" && reopenMinutes > 0;
  return [
    ...(config.wontFixResolution === ""
      ? []
      : [`(resolution is EMPTY or resolution != ${JSON.stringify(config.wontFixResolution)})`]),
    reopens ? `(resolutiondate is EMPTY OR resolutiondate >= -${reopenMinutes}m)` : "statusCategory != Done",
    `project=${JSON.stringify(delivery.text(config.project))}`,
    `labels=${JSON.stringify(groupLabel(delivery))} order by status ASC,resolutiondate DESC`,
  ].join(" and ");
}

function issueFields(config: JiraConfig, delivery: Delivery) {
  const { text } = delivery;
  const description = issueDescription(config, delivery);
  const priority = text(config.priority);
  return {
    project: { key: text(config.project) },
    issuetype: { name: text(config.issueType) },
    summary: delivery.limit(text(config.summary.template), summaryCharactersMax, "summary"),
    ...(description !== undefined && { description }),
    labels: [...config.labels.map(text), groupLabel(delivery)].sort(),
    ...(priority !== "" && { priority: { name: priority } }),
    ...(delivery.expand(config.fields) as Record<string, unknown>),
  };
}

/** A text, or for version 3 of the API a document as JSON. */
function issueDescription(config: JiraConfig, delivery: Delivery): unknown {
  const source = delivery.text(config.description.template);
  const text = delivery.limit(source, descriptionCharactersMax, "description");
  if (!baseUrl(config).endsWith("/3")) return text === "" ? undefined : text;
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new NotifyError("description template: invalid JSON for API v3", false, "other", { cause: error });
  }
}

async function moveIssue(config: JiraConfig, delivery: Delivery, issue: Issue): Promise<void> {
  const category = issue.fields?.status?.statusCategory.key;
  if (category === undefined || (category === "done") !== delivery.isFiring) return;
  const name = delivery.isFiring ? config.reopenTransition : config.resolveTransition;
  if (name === "") return;
  const path = `issue/${issue.key}/transitions`;
  const answer = await ask(config, delivery, "GET", path);
  const { transitions = [] } = parseAnswer<{ transitions: { id: string; name: string }[] }>(answer);
  const transition = transitions.find((each) => each.name === name);
  if (transition === undefined)
    throw new NotifyError(`can't find transition ${name} for issue ${issue.key}`, false);
  await ask(config, delivery, "POST", path, { transition: { id: transition.id } });
}
