/** What sends a notification to one place, and how it says that it could not. */
import { NarthexError } from "../../base/index.ts";
import type { Alert } from "../alert.ts";
import type { FailureReason } from "../metrics.ts";
import type { ReceiverData } from "../notification-log.ts";
import type { NotificationReason } from "./deduplicate.ts";

/** What is true for all alerts of one notification. */
export interface NotificationContext {
  readonly receiver: string;
  /** Names the group across restarts. */
  readonly groupKey: string;
  readonly groupLabels: ReadonlyMap<string, string>;
  /** Expanded. */
  readonly routeLabels: ReadonlyMap<string, string>;
  readonly reason: NotificationReason;
  /** When the flush that this belongs to began. */
  readonly timeMs: number;
  /** Aborts when the notification has taken too long or the program ends. */
  readonly signal: AbortSignal;
  /** What this integration kept from the group's last notification. */
  readonly previousData: ReceiverData;
}

export interface Notifier {
  /**
   * Tells of the alerts; resolves when the other side has taken it, with what to keep for the group's next one. Rejects with
   * a NotifyError, whose `retry` says whether another attempt may help. Any other error is not tried again.
   */
  notify(context: NotificationContext, alerts: readonly Alert[]): Promise<ReceiverData | undefined>;
  /** Ends connections. */
  close(): Promise<void>;
}

export class NotifyError extends NarthexError {
  readonly retry: boolean;
  readonly reason: FailureReason;

  constructor(message: string, retry: boolean, reason: FailureReason = "other", options?: ErrorOptions) {
    super("unavailable", message, options);
    this.name = "NotifyError";
    this.retry = retry;
    this.reason = reason;
  }
}

/** Bytes of an answer that go into an error message. */
const answerCharactersMax = 1024;

/** The error that an HTTP answer is, or undefined when it is none. Server errors are worth another attempt. */
export function statusError(
  status: number,
  body: string,
  retryCodes: readonly number[] = [],
): NotifyError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const shown = body === "" ? "" : `: ${body.slice(0, answerCharactersMax)}`;
  const retry = (status >= 500 && status < 600) || retryCodes.includes(status);
  return new NotifyError(`unexpected status code ${status}${shown}`, retry, reasonOf(status));
}

function reasonOf(status: number): FailureReason {
  if (status === 401 || status === 403) return "authError";
  if (status === 429) return "rateLimited";
  if (status >= 400 && status < 500) return "clientError";
  return status >= 500 && status < 600 ? "serverError" : "other";
}
