import { createSign } from "node:crypto";
import { type Clock, type Disk, NarthexError } from "../base/index.ts";
import { jwtBearerGrant, type Oauth2Config } from "./config.ts";
import { basicCredentials, readSecret } from "./secrets.ts";

/** A token is renewed this long before it would expire. */
const renewBeforeMs = 10_000;
const assertionLifetimeSeconds = 3600;

/** Posts a form; how the token source reaches its server. */
export type PostForm = (
  url: string,
  form: URLSearchParams,
  headers: string[],
) => Promise<{ status: number; body: Uint8Array }>;

/** Obtains and keeps an OAuth 2 token: client credentials, or a signed assertion (RFC 7523). */
export class TokenSource {
  readonly #config: Oauth2Config;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #post: PostForm;
  #header = "";
  #secret = "";
  #expiresMs = -Infinity;
  #pending: Promise<string> | undefined;
  /** Servers differ in where they want the client's name and secret; what worked is kept. */
  #secretInForm = false;

  constructor(config: Oauth2Config, disk: Disk, clock: Clock, post: PostForm) {
    this.#config = config;
    this.#disk = disk;
    this.#clock = clock;
    this.#post = post;
  }

  /** The Authorization header to send. Concurrent callers share one request. Throws `unavailable`. */
  async token(): Promise<string> {
    const secret = this.#readSecret();
    if (secret === this.#secret && this.#clock.nowMs() < this.#expiresMs - renewBeforeMs) return this.#header;
    this.#pending ??= this.#fetch(secret).finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  #readSecret(): string {
    const config = this.#config;
    if (config.grantType === jwtBearerGrant) {
      return readSecret(
        config.clientCertificateKey,
        config.clientCertificateKeyFile,
        this.#disk,
        "oauth2 client certificate key",
      );
    }
    return readSecret(config.clientSecret, config.clientSecretFile, this.#disk, "oauth2 client secret");
  }

  async #fetch(secret: string): Promise<string> {
    const response =
      this.#config.grantType === jwtBearerGrant
        ? await this.#postAssertion(secret)
        : await this.#postSecret(secret);
    const text = Buffer.from(response.body).toString("utf8");
    if (response.status < 200 || response.status > 299) {
      throw new NarthexError(
        "unavailable",
        `oauth2: cannot fetch token: ${response.status}\nResponse: ${text.slice(0, 256)}`,
      );
    }
    const answer = parseAnswer(text);
    if (typeof answer["access_token"] !== "string")
      throw new NarthexError("unavailable", "oauth2: server response missing access_token");
    const type = typeof answer["token_type"] === "string" ? answer["token_type"] : "Bearer";
    const lifetimeSeconds = Number(answer["expires_in"] ?? 0);
    this.#secret = secret;
    this.#header = `${type.toLowerCase() === "bearer" ? "Bearer" : type} ${answer["access_token"]}`;
    this.#expiresMs = lifetimeSeconds > 0 ? this.#clock.nowMs() + lifetimeSeconds * 1000 : Infinity;
    return this.#header;
  }

  async #postSecret(secret: string): ReturnType<PostForm> {
    const config = this.#config;
    const form = this.#form("client_credentials");
    if (config.scopes.length > 0) form.set("scope", config.scopes.join(" "));
    if (!this.#secretInForm) {
      const basic = basicCredentials(encodeURIComponent(config.clientId), encodeURIComponent(secret));
      const response = await this.#post(config.tokenUrl, form, ["authorization", basic]);
      if (response.status < 400) return response;
    }
    form.set("client_id", config.clientId);
    form.set("client_secret", secret);
    const response = await this.#post(config.tokenUrl, form, []);
    this.#secretInForm = response.status < 400;
    return response;
  }

  #postAssertion(privateKey: string): ReturnType<PostForm> {
    const config = this.#config;
    const nowSeconds = Math.floor(this.#clock.nowMs() / 1000);
    const algorithm = config.signatureAlgorithm || "RS256";
    const header = {
      alg: algorithm,
      typ: "JWT",
      ...(config.clientCertificateKeyId !== "" && { kid: config.clientCertificateKeyId }),
    };
    const claims = {
      ...Object.fromEntries(config.claims),
      iss: config.iss || config.clientId,
      sub: config.clientId,
      aud: config.audience || config.tokenUrl,
      iat: nowSeconds,
      exp: nowSeconds + assertionLifetimeSeconds,
      ...(config.scopes.length > 0 && { scope: config.scopes.join(" ") }),
    };
    const signed = `${base64Json(header)}.${base64Json(claims)}`;
    const signature = createSign(`RSA-SHA${algorithm.slice(2)}`)
      .update(signed)
      .sign(privateKey, "base64url");
    const form = this.#form(jwtBearerGrant);
    form.set("assertion", `${signed}.${signature}`);
    return this.#post(config.tokenUrl, form, []);
  }

  #form(grantType: string): URLSearchParams {
    return new URLSearchParams([["grant_type", grantType], ...this.#config.endpointParams]);
  }
}

function parseAnswer(text: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null) return answer as Record<string, unknown>;
  } catch {
    // Below.
  }
  throw new NarthexError("unavailable", "oauth2: cannot parse json");
}

function base64Json(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
