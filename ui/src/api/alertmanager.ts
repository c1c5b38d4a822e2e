/** The Alertmanager that the all-in-one serves on the same origin: its API v2, as far as the pages use it. */
import type { Labels } from "../base/labels.ts";
import { request, requestJson } from "./http.ts";

export const alertmanagerPath = "/alertmanager/api/v2";

export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  /** Absent in answers of old versions, which know no negative matchers. */
  isEqual?: boolean;
}

export interface PostableSilence {
  id?: string;
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}

export interface Silence extends PostableSilence {
  id: string;
  status: { state: "active" | "pending" | "expired" };
  updatedAt: string;
}

export interface ManagedAlert {
  labels: Labels;
  annotations: Labels;
  fingerprint: string;
  startsAt: string;
  endsAt: string;
  generatorURL?: string;
  receivers: { name: string }[];
  status: {
    state: "unprocessed" | "active" | "suppressed";
    silencedBy: string[];
    inhibitedBy: string[];
    mutedBy?: string[];
  };
}

export interface AlertGroup {
  labels: Labels;
  receiver: { name: string };
  alerts: ManagedAlert[];
}

/** Returns the silence's id: a new one when it could not be changed in place. */
export async function postSilence(silence: PostableSilence): Promise<string> {
  const { silenceID } = await requestJson<{ silenceID: string }>(`${alertmanagerPath}/silences`, {
    method: "POST",
    body: silence,
  });
  return silenceID;
}

/** Ends a silence now. */
export async function expireSilence(id: string): Promise<void> {
  await request(`${alertmanagerPath}/silence/${encodeURIComponent(id)}`, { method: "DELETE" });
}
