import { Secret } from "../base/index.ts";
import {
  anything,
  bool,
  type Codec,
  type CodecValue,
  field,
  filePath,
  inline,
  list,
  type Mapping,
  mapOf,
  mapped,
  object,
  oneOf,
  secret,
  section,
  text,
} from "../codec/index.ts";

const noSecret = new Secret("");

/** A URL as written; printed with its password masked. */
export const url: Codec<string> = mapped(
  text,
  (value) => {
    if (/[\p{Cc} ]/u.test(value))
      throw new Error(`parse ${JSON.stringify(value)}: net/url: invalid character in URL`);
    return value;
  },
  (value) => value.replace(/^([a-z][a-z\d+.-]*:\/\/[^/?#@:]*):[^/?#@]*@/i, "$1:xxxxx@"),
);

const tlsVersions = { TLS10: "TLSv1", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3" } as const;
type TlsVersionName = keyof typeof tlsVersions;
const tlsVersion = oneOf(
  Object.keys(tlsVersions) as TlsVersionName[],
  (value) => `unknown TLS version: ${value}`,
);

/** The name Node knows a configured TLS version by. */
export function nodeTlsVersion(name: TlsVersionName): (typeof tlsVersions)[TlsVersionName] {
  return tlsVersions[name];
}

export const tlsConfig = object(
  "config.TLSConfig",
  {
    ca: field("ca", text, ""),
    cert: field("cert", text, ""),
    key: field("key", secret, noSecret),
    caFile: field("ca_file", filePath, ""),
    certFile: field("cert_file", filePath, ""),
    keyFile: field("key_file", filePath, ""),
    serverName: field("server_name", text, ""),
    insecureSkipVerify: field("insecure_skip_verify", bool, false),
    minVersion: field("min_version", tlsVersion),
    maxVersion: field("max_version", tlsVersion),
  },
  (value, mapping) => {
    atMostOne(mapping, "at most one of ca and ca_file must be configured", ["ca", "ca_file"]);
    atMostOne(mapping, "at most one of cert and cert_file must be configured", ["cert", "cert_file"]);
    atMostOne(mapping, "at most one of key and key_file must be configured", ["key", "key_file"]);
    const certificate = value.cert !== "" || value.certFile !== "";
    const key = value.key.reveal() !== "" || value.keyFile !== "";
    if (certificate && !key)
      mapping.at.fail(
        "exactly one of key or key_file must be configured when a client certificate is configured",
      );
    if (key && !certificate)
      mapping.at.fail("exactly one of cert or cert_file must be configured when a client key is configured");
    return value;
  },
);
export type TlsConfig = CodecValue<typeof tlsConfig>;

const basicAuth = object("config.BasicAuth", {
  username: field("username", text, ""),
  usernameFile: field("username_file", filePath, ""),
  password: field("password", secret, noSecret),
  passwordFile: field("password_file", filePath, ""),
});

const authorization = object("config.Authorization", {
  type: field("type", text, ""),
  credentials: field("credentials", secret, noSecret),
  credentialsFile: field("credentials_file", filePath, ""),
});

const proxyConfig = object(
  "config.ProxyConfig",
  {
    proxyUrl: field("proxy_url", url, ""),
    noProxy: field("no_proxy", text, ""),
    proxyFromEnvironment: field("proxy_from_environment", bool, false),
    proxyConnectHeader: field("proxy_connect_header", mapOf(list(secret)), new Map()),
  },
  (value, mapping) => {
    if (value.proxyConnectHeader.size > 0 && !value.proxyFromEnvironment && value.proxyUrl === "") {
      mapping
        .place("proxy_connect_header")
        .fail(
          "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
        );
    }
    if (value.proxyFromEnvironment && value.proxyUrl !== "") {
      mapping
        .place("proxy_url")
        .fail("if proxy_from_environment is configured, proxy_url must not be configured");
    }
    if (value.proxyFromEnvironment && value.noProxy !== "") {
      mapping
        .place("no_proxy")
        .fail("if proxy_from_environment is configured, no_proxy must not be configured");
    }
    if (value.proxyUrl === "" && value.noProxy !== "") {
      mapping.place("no_proxy").fail("if no_proxy is configured, proxy_url must also be configured");
    }
    return value;
  },
);
export type ProxyConfig = CodecValue<typeof proxyConfig>;

export const jwtBearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

export const oauth2 = object(
  "config.plain",
  {
    clientId: field("client_id", text, ""),
    clientSecret: field("client_secret", secret, noSecret),
    clientSecretFile: field("client_secret_file", filePath, ""),
    clientCertificateKeyId: field("client_certificate_key_id", text, ""),
    clientCertificateKey: field("client_certificate_key", secret, noSecret),
    clientCertificateKeyFile: field("client_certificate_key_file", filePath, ""),
    grantType: field("grant_type", text, ""),
    signatureAlgorithm: field("signature_algorithm", text, ""),
    iss: field("iss", text, ""),
    audience: field("audience", text, ""),
    claims: field("claims", mapOf(anything), new Map()),
    scopes: field("scopes", list(text), []),
    tokenUrl: field("token_url", url, ""),
    endpointParams: field("endpoint_params", mapOf(text), new Map()),
    tls: section("tls_config", tlsConfig),
    proxy: inline(proxyConfig),
  },
  (value, mapping) => {
    if (value.clientId === "") mapping.at.fail("oauth2 client_id must be configured");
    if (value.tokenUrl === "") mapping.at.fail("oauth2 token_url must be configured");
    if (value.grantType === jwtBearerGrant) {
      atMostOne(
        mapping,
        `at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must be configured using grant-type=${jwtBearerGrant}`,
        ["client_certificate_key", "client_certificate_key_file"],
      );
      if (!["", "RS256", "RS384", "RS512"].includes(value.signatureAlgorithm)) {
        mapping.place("signature_algorithm").fail("valid signature algorithms are RS256, RS384 and RS512");
      }
    } else {
      atMostOne(
        mapping,
        "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured using grant-type=client_credentials",
        ["client_secret", "client_secret_file"],
      );
    }
    return value;
  },
);
export type Oauth2Config = CodecValue<typeof oauth2>;

/** Headers that change the connection or are set by the programs themselves, here or in remote write and read. */
export const reservedHeaders: ReadonlySet<string> = new Set([
  "host",
  "content-encoding",
  "content-length",
  "content-type",
  "user-agent",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "www-authenticate",
  "accept-encoding",
  "x-prometheus-remote-write-version",
  "x-prometheus-remote-read-version",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
]);
/** And those that have options of their own. */
const reservedHere = new Set([...reservedHeaders, "authorization", "x-prometheus-scrape-timeout-seconds"]);

const httpHeader = object("config.Header", {
  values: field("values", list(text), []),
  secrets: field("secrets", list(secret), []),
  files: field("files", list(filePath), []),
});

const httpHeaders: Codec<Map<string, CodecValue<typeof httpHeader>>> = mapped(
  mapOf(httpHeader),
  (headers) => {
    for (const name of headers.keys()) {
      if (reservedHere.has(name.toLowerCase()))
        throw new Error(`setting header "${canonicalHeader(name)}" is not allowed`);
    }
    return headers;
  },
  (headers) => headers,
);

/** `x-my-header` → `X-My-Header`, as Go spells header names. */
function canonicalHeader(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function httpClientObject(http2Default: boolean) {
  return object(
    "config.HTTPClientConfig",
    {
      basicAuth: field("basic_auth", basicAuth),
      authorization: field("authorization", authorization),
      oauth2: field("oauth2", oauth2),
      bearerToken: field("bearer_token", secret, noSecret),
      bearerTokenFile: field("bearer_token_file", filePath, ""),
      tls: section("tls_config", tlsConfig),
      followRedirects: field("follow_redirects", bool, true, { printAlways: true }),
      enableHttp2: field("enable_http2", bool, http2Default, { printAlways: true }),
      proxy: inline(proxyConfig),
      headers: field("http_headers", httpHeaders, new Map()),
    },
    (value, mapping) => {
      const bearer =
        mapping.get("bearer_token") !== undefined || mapping.get("bearer_token_file") !== undefined;
      atMostOne(mapping, "at most one of bearer_token & bearer_token_file must be configured", [
        "bearer_token",
        "bearer_token_file",
      ]);
      if (bearer && (value.basicAuth || value.oauth2)) {
        mapping.at.fail(
          "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
        );
      }
      const basic = value.basicAuth;
      if (basic && basic.username !== "" && basic.usernameFile !== "") {
        mapping
          .place("basic_auth")
          .fail("at most one of basic_auth username, username_file & username_ref must be configured");
      }
      if (basic && basic.password.reveal() !== "" && basic.passwordFile !== "") {
        mapping
          .place("basic_auth")
          .fail("at most one of basic_auth password, password_file & password_ref must be configured");
      }
      if (value.authorization) checkAuthorization(value.authorization, bearer, mapping);
      const several = [value.basicAuth, value.oauth2, value.authorization].filter(
        (auth) => auth !== undefined,
      );
      if (several.length > 1)
        mapping.at.fail("at most one of basic_auth, oauth2 & authorization must be configured");
      if (!bearer) return value;
      // The legacy keys are another spelling of `authorization`.
      value.authorization = {
        type: "Bearer",
        credentials: value.bearerToken,
        credentialsFile: value.bearerTokenFile,
      };
      return { ...value, bearerToken: noSecret, bearerTokenFile: "" };
    },
  );
}

function checkAuthorization(
  value: CodecValue<typeof authorization>,
  bearer: boolean,
  mapping: Mapping,
): void {
  const at = mapping.place("authorization");
  if (bearer) at.fail("authorization is not compatible with bearer_token & bearer_token_file");
  if (value.credentials.reveal() !== "" && value.credentialsFile !== "") {
    at.fail("at most one of authorization credentials & credentials_file must be configured");
  }
  value.type = value.type.trim() || "Bearer";
  if (value.type.toLowerCase() === "basic")
    at.fail('authorization type cannot be set to "basic", use "basic_auth" instead');
}

/** Fails when more than one of the keys is written with a value. */
export function atMostOne(mapping: Mapping, message: string, keys: readonly string[]): void {
  const written = keys.filter((key) => mapping.get(key)?.scalar()?.text);
  if (written.length > 1) mapping.place(written[1]!).fail(message);
}

/** The `http_config` keys, to stand inline in scrape configs, Alertmanagers and service discovery. */
export const httpClientConfig = httpClientObject(true);
export type HttpClientConfig = CodecValue<typeof httpClientConfig>;
/** The same with HTTP/2 off, as remote write has it. */
export const httpClientConfigWithoutHttp2 = httpClientObject(false);
