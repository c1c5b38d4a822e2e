import { createHmac, randomBytes } from "node:crypto";
import type { Clock, Secret } from "../base/index.ts";
import type { WebConfig } from "./web-config.ts";

/** Remembered outcomes of password checks; the oldest goes first. */
const verifiedMax = 100;
/** A hash that no one knows the password of, so that an unknown user costs as much time as a known one. */
const decoyHash = "$2b$10$C6UzMDM.H6dfI/f/IKcEeO7ZUWzQDX1k4xRtr5IQq6bVd5Oeqwdq2";

/** Basic authentication against bcrypt hashes. */
export class PasswordGate {
  /** Outcomes by a keyed digest over user, hash and password, each with its length: no two triples share an entry. */
  readonly #verified = new Map<string, boolean>();
  readonly #key = randomBytes(32);
  /** bcrypt is heavy on purpose: one check at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  /** Whether `header` (an Authorization header) names one of the users with its password. */
  async admits(header: string | undefined, users: ReadonlyMap<string, Secret>): Promise<boolean> {
    const given = parseBasic(header);
    if (!given) return false;
    const known = users.get(given.user);
    const hash = known?.reveal() ?? decoyHash;
    const key = this.#digest(given.user, hash, given.password);
    const remembered = this.#verified.get(key);
    if (remembered !== undefined) return remembered && known !== undefined;
    // Loaded when the first password comes.
    const check = this.#queue.then(async () =>
      (await import("@node-rs/bcrypt")).verify(given.password, hash),
    );
    this.#queue = check.catch(() => {});
    const admitted = (await check) && known !== undefined;
    this.#remember(key, admitted);
    return admitted;
  }

  #digest(...parts: string[]): string {
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
    return hmac.digest("base64");
  }

  #remember(key: string, admitted: boolean): void {
    this.#verified.set(key, admitted);
    if (this.#verified.size > verifiedMax) this.#verified.delete(this.#verified.keys().next().value!);
  }
}

function parseBasic(header: string | undefined): { user: string; password: string } | undefined {
  const match = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header ?? "");
  if (!match) return undefined;
  const decoded = Buffer.from(match[1]!, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon < 0 ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** A token bucket over all requests: `burst` at once, one more each `interval`. */
export class RateLimiter {
  readonly #clock: Clock;
  #tokens: number | undefined;
  #atMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  admits({ burst, intervalMs }: WebConfig["rateLimit"]): boolean {
    if (intervalMs === 0) return true;
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(burst, (this.#tokens ?? burst) + (nowMs - this.#atMs) / intervalMs);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
