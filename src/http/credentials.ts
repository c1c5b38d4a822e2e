import type { Disk } from "../base/index.ts";
import type { HttpClientConfig } from "./config.ts";
import type { TokenSource } from "./oauth2.ts";
import { basicCredentials, readSecret } from "./secrets.ts";

/** Header names and values, flat: name, value, name, value … */
export type HeaderList = string[];

/** The bytes of its UTF-8, a character each: a header can carry no other characters. */
function headerValue(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/**
 * What a request carries for its own host only: the Authorization header and the configured headers. Whatever leads to another
 * host is sent without them.
 */
export class Credentials {
  readonly #config: HttpClientConfig;
  readonly #disk: Disk;
  readonly #tokens: TokenSource | undefined;
  /** The headers when no file and no token is involved: made once. */
  readonly #fixed: HeaderList | undefined;

  constructor(config: HttpClientConfig, disk: Disk, tokens: TokenSource | undefined) {
    this.#config = config;
    this.#disk = disk;
    this.#tokens = tokens;
    const headerFiles = [...config.headers.values()].some(({ files }) => files.length > 0);
    const { basicAuth, authorization } = config;
    const authFiles = basicAuth?.usernameFile || basicAuth?.passwordFile || authorization?.credentialsFile;
    if (!headerFiles && !authFiles && !tokens) this.#fixed = this.#assemble();
  }

  /** The headers to send, or a promise while a token has to be fetched first. */
  headers(): HeaderList | Promise<HeaderList> {
    if (this.#fixed) return this.#fixed;
    if (!this.#tokens) return this.#assemble();
    return this.#tokens.token().then((token) => this.#assemble(token));
  }

  #assemble(token?: string): HeaderList {
    const { basicAuth, authorization, headers } = this.#config;
    const list: HeaderList = [];
    if (token !== undefined) list.push("authorization", token);
    if (basicAuth) {
      const username = readSecret(
        basicAuth.username,
        basicAuth.usernameFile,
        this.#disk,
        "basic auth username",
      );
      const password = readSecret(
        basicAuth.password,
        basicAuth.passwordFile,
        this.#disk,
        "basic auth password",
      );
      list.push("authorization", basicCredentials(username, password));
    }
    if (authorization) {
      const { type, credentials, credentialsFile } = authorization;
      const secret = readSecret(credentials, credentialsFile, this.#disk, "authorization credentials");
      list.push("authorization", headerValue(`${type} ${secret}`));
    }
    for (const [name, { values, secrets, files }] of headers) {
      for (const value of values) list.push(name, headerValue(value));
      for (const value of secrets) list.push(name, headerValue(value.reveal()));
      for (const file of files) list.push(name, headerValue(readSecret("", file, this.#disk, "header")));
    }
    return list;
  }
}
