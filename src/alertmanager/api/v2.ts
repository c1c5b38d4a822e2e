/** `/api/v2`: what people and programs ask of Alertmanager, and how alerts and silences come in. */
import { type Context, Hono } from "hono";
import { errorMessage, NarthexError } from "../../base/index.ts";
import { type Labels, type Matcher, Regexp } from "../../model/index.ts";
import type { Alert } from "../alert.ts";
import { compareLabelSets, isResolvedAt } from "../alert.ts";
import { silenceHasMatchers } from "../silence/silences.ts";
import { stateAt } from "../silence/silence.ts";
import { alertJson, type AlertStatus, InvalidBody, readAlerts, readSilence, silenceJson } from "./json.ts";
import type { Backend } from "./backend.ts";

/** Bytes of a request's body. */
const bodyBytesMax = 64 * 1024 * 1024;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function createApiV2(backend: Backend): Hono {
  const api = new Hono();
  api.use(async (c, next) => {
    await next();
    c.header("Access-Control-Allow-Origin", "*");
    c.header("Cache-Control", "no-store");
    c.header("Vary", "Origin");
  });
  api.options("*", (c) => {
    c.header("Access-Control-Allow-Methods", "GET,POST,DELETE");
    c.header("Access-Control-Allow-Headers", "Accept,Content-Type,X-Requested-With");
    return c.body(null, 204);
  });
  api.onError((error, c) => {
    if (error instanceof InvalidBody) return c.json({ code: 602, message: error.message }, 422);
    if (!(error instanceof NarthexError)) throw error;
    if (error.code === "not_found") return c.json(error.message, 404);
    return c.json(error.message, error.code === "bad_data" ? 400 : 500);
  });
  api.get("/status", (c) => c.json(status(backend)));
  api.get("/receivers", (c) => c.json(receivers(backend, c)));
  api.get("/alerts", (c) => c.json(alerts(backend, c)));
  api.post("/alerts", async (c) => {
    backend.receive(readAlerts(await readJson(c)));
    return c.body(null, 200);
  });
  api.get("/alerts/groups", (c) => c.json(groups(backend, c)));
  api.get("/silences", (c) => c.json(silences(backend, c)));
  api.post("/silences", async (c) => c.json({ silenceID: createSilence(backend, await readJson(c)) }));
  api.get("/silence/:id", (c) => {
    const id = silenceId(c);
    if (id === undefined) return notUuid(c);
    const silence = backend.silences.get(id);
    return silence === undefined ? c.body(null, 404) : c.json(silenceJson(silence, backend.nowMs()));
  });
  api.delete("/silence/:id", (c) => {
    const id = silenceId(c);
    if (id === undefined) return notUuid(c);
    const silence = backend.silences.get(id);
    if (silence === undefined) return c.body(null, 404);
    // Ending what has ended already is fine.
    if (stateAt(silence, backend.nowMs()) !== "expired") backend.silences.expire(id);
    return c.body(null, 200);
  });
  return api;
}

function silenceId(c: Context): string | undefined {
  const id = c.req.param("id") ?? "";
  return UUID.test(id) ? id : undefined;
}

function notUuid(c: Context): Response {
  const message = `silenceID in path must be of type uuid: ${JSON.stringify(c.req.param("id"))}`;
  return c.json({ code: 601, message }, 422);
}

/** The body as JSON. Throws `bad_data` when it is too large or no JSON. */
async function readJson(c: Context): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.length;
    if (size > bodyBytesMax) throw new NarthexError("bad_data", `request body exceeds ${bodyBytesMax} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw new NarthexError("bad_data", `parsing body failed, because ${errorMessage(error)}`);
  }
}

// Query parameters.

function matchers(backend: Backend, c: Context, name: string): Matcher[] {
  return (c.req.queries(name) ?? []).map((source) => {
    try {
      return backend.parser.parseOne(source, "api");
    } catch (error) {
      const prefix = name === "filter" ? "" : `failed to parse ${name} param: `;
      throw new NarthexError("bad_data", prefix + errorMessage(error));
    }
  });
}

function flag(c: Context, name: string): boolean {
  const value = c.req.query(name);
  if (value === undefined || value === "") return true;
  if (/^(?:1|t|true|yes|y|on|ok|enable|enabled|checked|selected)$/i.test(value)) return true;
  return false;
}

/** Whether a receiver of that name is asked for. */
function receiverFilter(backend: Backend, c: Context): (name: string) => boolean {
  const pattern = c.req.query("receiver");
  const labelMatchers = matchers(backend, c, "receiver_matchers");
  let regexp: Regexp | undefined;
  try {
    regexp = pattern === undefined ? undefined : Regexp.compile(pattern);
  } catch (error) {
    throw new NarthexError("bad_data", `failed to parse receiver param: ${errorMessage(error)}`);
  }
  return (name) => {
    if (regexp !== undefined && !regexp.matches(name)) return false;
    if (labelMatchers.length === 0) return true;
    const labels = backend.receiverLabels(name);
    return (
      labels !== undefined &&
      labelMatchers.every((matcher) => matcher.matches(labels.get(matcher.name) ?? ""))
    );
  };
}

/** Whether an alert is asked for, and its status if it is. */
function alertFilter(backend: Backend, c: Context): (alert: Alert) => AlertStatus | undefined {
  const wanted = matchers(backend, c, "filter");
  const [active, silenced, inhibited] = [flag(c, "active"), flag(c, "silenced"), flag(c, "inhibited")];
  const nowMs = backend.nowMs();
  return (alert) => {
    if (isResolvedAt(alert, nowMs)) return undefined;
    if (!wanted.every((matcher) => matcher.matches(alert.labels.get(matcher.name)))) return undefined;
    const found = statusOf(backend, alert.labels);
    const isSilenced = found.silencedBy.length > 0;
    const isInhibited = found.inhibitedBy.length > 0;
    if (!active && !isSilenced && !isInhibited) return undefined;
    if ((!silenced && isSilenced) || (!inhibited && isInhibited)) return undefined;
    return found;
  };
}

function statusOf(backend: Backend, labels: Labels): AlertStatus {
  const source = backend.inhibiting(labels);
  return {
    silencedBy: backend.silences.muting(labels),
    inhibitedBy: source === undefined ? [] : [source],
    mutedBy: [],
  };
}

// Answers.

function status(backend: Backend) {
  const { cluster } = backend;
  return {
    cluster: {
      ...(cluster.name !== "" && { name: cluster.name }),
      peers: cluster.peers(),
      status: cluster.status(),
    },
    config: { original: backend.configYaml() },
    uptime: new Date(Math.floor(backend.startMs)).toISOString(),
    versionInfo: backend.build,
  };
}

function receivers(backend: Backend, c: Context) {
  const wanted = matchers(backend, c, "receiver_matchers");
  return backend
    .receivers()
    .filter(({ labels }) => wanted.every((matcher) => matcher.matches(labels.get(matcher.name) ?? "")))
    .map(({ name, labels }) => ({ name, labels: Object.fromEntries(labels) }));
}

function alerts(backend: Backend, c: Context) {
  const statusIfWanted = alertFilter(backend, c);
  const isWantedReceiver = receiverFilter(backend, c);
  const found: { alert: Alert; json: object }[] = [];
  for (const alert of backend.alerts()) {
    const names = backend.receiversOf(alert.labels);
    if (!names.some(isWantedReceiver)) continue;
    const alertStatus = statusIfWanted(alert);
    if (alertStatus !== undefined) found.push({ alert, json: alertJson(alert, alertStatus, names) });
  }
  return found.sort((a, b) => (a.alert.fingerprint < b.alert.fingerprint ? -1 : 1)).map(({ json }) => json);
}

function groups(backend: Backend, c: Context) {
  const statusIfWanted = alertFilter(backend, c);
  const isWantedReceiver = receiverFilter(backend, c);
  const showMuted = flag(c, "muted");
  const receiversOf = new Map<string, Set<string>>();
  const shown = backend
    .groups()
    .filter(({ group }) => isWantedReceiver(group.route.options.receiver))
    .map(({ group, alerts: members }) => {
      const { receiver } = group.route.options;
      const kept = members.flatMap((alert) => {
        const alertStatus = statusIfWanted(alert);
        if (alertStatus === undefined) return [];
        const names = receiversOf.get(alert.fingerprint) ?? new Set();
        receiversOf.set(alert.fingerprint, names.add(receiver));
        return [{ alert, alertStatus }];
      });
      return { group, receiver, kept, mutedBy: backend.groupMutedBy(group) };
    })
    .filter(({ kept, mutedBy }) => kept.length > 0 && (showMuted || mutedBy.length === 0))
    .sort((a, b) => compareLabelSets(a.group.labels, b.group.labels) || (a.receiver < b.receiver ? -1 : 1));
  return shown.map(({ group, receiver, kept, mutedBy }) => ({
    alerts: kept.map(({ alert, alertStatus }) =>
      alertJson(alert, { ...alertStatus, mutedBy }, [...receiversOf.get(alert.fingerprint)!].sort()),
    ),
    labels: group.labels.toObject(),
    receiver: { name: receiver },
    routeLabels: Object.fromEntries(
      backend.groupRouteLabels(
        group,
        kept.map(({ alert }) => alert),
      ),
    ),
  }));
}

function silences(backend: Backend, c: Context) {
  const wanted = matchers(backend, c, "filter");
  const states = { active: flag(c, "active"), pending: flag(c, "pending"), expired: flag(c, "expired") };
  const nowMs = backend.nowMs();
  return backend.silences
    .list()
    .filter((silence) => states[stateAt(silence, nowMs)] && silenceHasMatchers(silence, wanted))
    .map((silence) => silenceJson(silence, nowMs));
}

function createSilence(backend: Backend, body: unknown): string {
  const draft = readSilence(body);
  if (draft.startsAtMs >= draft.endsAtMs) {
    throw new NarthexError("bad_data", "Failed to create silence: start time must be before end time");
  }
  if (draft.endsAtMs < backend.nowMs()) {
    throw new NarthexError("bad_data", "Failed to create silence: end time can't be in the past");
  }
  return backend.silences.set(draft);
}
