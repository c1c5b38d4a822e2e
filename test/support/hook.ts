import { startTestServer, type TestServer } from "./targets.ts";

/** A notification as Alertmanager's webhook receiver sends it. */
export interface HookMessage {
  version: string;
  status: "firing" | "resolved";
  receiver: string;
  externalURL: string;
  groupLabels: Record<string, string>;
  alerts: {
    status: "firing" | "resolved";
    labels: Record<string, string>;
    annotations: Record<string, string>;
    startsAt: string;
    endsAt: string;
    generatorURL: string;
    fingerprint: string;
  }[];
}

/** A webhook that keeps what it is sent. */
export interface Hook extends TestServer {
  readonly messages: HookMessage[];
  /** `alertname status` of each alert of each message, in the order of arrival. */
  summary(): string[];
}

export async function startHook(): Promise<Hook> {
  const messages: HookMessage[] = [];
  const server = await startTestServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      messages.push(JSON.parse(Buffer.concat(chunks).toString()) as HookMessage);
      response.end();
    });
  });
  const summary = (): string[] =>
    messages.flatMap(({ alerts }) => alerts.map(({ labels, status }) => `${labels["alertname"]} ${status}`));
  return { ...server, messages, summary };
}
