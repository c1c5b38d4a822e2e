import path from "node:path";
import type { SecureVersion, TlsOptions } from "node:tls";
import { type Disk, errorMessage, NarthexError, Secret } from "../base/index.ts";
import {
  bool,
  checkAt,
  type Codec,
  type CodecValue,
  durationMs,
  field,
  filePath,
  integer,
  list,
  mapOf,
  mapped,
  object,
  oneOf,
  Place,
  secret,
  section,
  text,
} from "../codec/index.ts";

const noSecret = new Secret("");
const tlsVersions: Readonly<Record<string, SecureVersion>> = {
  TLS10: "TLSv1",
  TLS11: "TLSv1.1",
  TLS12: "TLSv1.2",
  TLS13: "TLSv1.3",
};
const tlsVersion = oneOf(Object.keys(tlsVersions), (value) => `unknown TLS version: ${value}`);

const curves: Readonly<Record<string, string>> = {
  CurveP256: "P-256",
  CurveP384: "P-384",
  CurveP521: "P-521",
  X25519: "X25519",
};

const clientAuthTypes = [
  "",
  "NoClientCert",
  "RequestClientCert",
  "RequireAnyClientCert",
  "RequireClientCert",
  "VerifyClientCertIfGiven",
  "RequireAndVerifyClientCert",
] as const;

const tlsServerConfig = object(
  "web.TLSConfig",
  {
    cert: field("cert", text, ""),
    key: field("key", secret, noSecret),
    clientCa: field("client_ca", text, ""),
    certFile: field("cert_file", filePath, ""),
    keyFile: field("key_file", filePath, ""),
    clientAuthType: field(
      "client_auth_type",
      oneOf(clientAuthTypes, (value) => `invalid ClientAuth: "${value}"`),
      "",
    ),
    clientCaFile: field("client_ca_file", filePath, ""),
    cipherSuites: field("cipher_suites", list(text), []),
    curvePreferences: field(
      "curve_preferences",
      list(oneOf(Object.keys(curves), (value) => `unknown curve: ${value}`)),
      [],
    ),
    minVersion: field("min_version", tlsVersion, "TLS12"),
    maxVersion: field("max_version", tlsVersion, "TLS13"),
    preferServerCipherSuites: field("prefer_server_cipher_suites", bool, true),
    clientAllowedSans: field("client_allowed_sans", list(text), []),
  },
  (value, mapping) => {
    const written = (...keys: string[]): boolean => keys.some((key) => mapping.get(key)?.scalar()?.text);
    const hasCa = written("client_ca", "client_ca_file");
    if (!written("cert", "cert_file", "key", "key_file", "client_ca", "client_ca_file", "client_auth_type"))
      return value;
    if (!written("cert", "cert_file")) mapping.at.fail("missing one of cert or cert_file");
    if (!written("key", "key_file")) mapping.at.fail("missing one of key or key_file");
    const without = value.clientAuthType === "" || value.clientAuthType === "NoClientCert";
    if (hasCa && without) mapping.at.fail("Client CA's have been configured without a Client Auth Policy");
    if (!hasCa && /Verify/.test(value.clientAuthType))
      mapping.at.fail(`Client Auth Policy ${value.clientAuthType} needs client_ca or client_ca_file`);
    return value;
  },
);

/** Response headers that may be set, with their values where those are fixed. */
const settableHeaders: Readonly<Record<string, readonly string[]>> = {
  "Strict-Transport-Security": [],
  "X-Content-Type-Options": ["nosniff"],
  "X-Frame-Options": ["deny", "sameorigin"],
  "X-XSS-Protection": [],
  "Content-Security-Policy": [],
};

const responseHeaders: Codec<Map<string, string>> = mapped(
  mapOf(text),
  (headers) => {
    for (const [name, value] of headers) {
      const values = Object.hasOwn(settableHeaders, name) ? settableHeaders[name] : undefined;
      if (!values) throw new Error(`HTTP header "${name}" can not be configured`);
      if (values.length > 0 && !values.includes(value)) {
        throw new Error(
          `invalid value for ${name}. Expected one of: ${JSON.stringify(values)}, but got: "${value}"`,
        );
      }
    }
    return headers;
  },
  (headers) => headers,
);

const passwordHash: Codec<Secret> = {
  decode(at) {
    const value = secret.decode(at);
    if (!/^\$2[abxy]?\$\d\d\$[./A-Za-z\d]{53}$/.test(value.reveal()))
      at.fail("password is not a bcrypt hash");
    return value;
  },
  encode: (value) => secret.encode(value),
};

const httpServerConfig = object("web.HTTPConfig", {
  http2: field("http2", bool, true),
  headers: field("headers", responseHeaders, new Map()),
});

const rateLimiterConfig = object("web.RateLimiterConfig", {
  burst: field("burst", integer("int"), 0),
  intervalMs: field("interval", durationMs, 0),
});

const webConfig = object("web.Config", {
  tls: section("tls_server_config", tlsServerConfig),
  http: section("http_server_config", httpServerConfig),
  rateLimit: section("rate_limit", rateLimiterConfig),
  users: field("basic_auth_users", mapOf(passwordHash), new Map()),
});
export type WebConfig = CodecValue<typeof webConfig>;

/** Without a file: no TLS, no users. */
export const emptyWebConfig: WebConfig = webConfig.default();

/** Reads and checks a `web.config.file`; relative names in it start at its directory. Throws `bad_data` with the place. */
export function loadWebConfig(file: string, disk: Disk): WebConfig {
  const at = Place.parse(readText(disk, file), file, path.dirname(file));
  if (at.isNull()) return emptyWebConfig;
  const config = webConfig.decode(at);
  // Files that cannot be read are an error of the configuration too.
  if (tlsEnabled(config)) checkAt(at, () => tlsOptions(config, disk));
  return config;
}

function readText(disk: Disk, file: string): string {
  try {
    return Buffer.from(disk.readFile(file)).toString("utf8");
  } catch (error) {
    throw new NarthexError("bad_data", `cannot read web config file: ${errorMessage(error)}`);
  }
}

export function tlsEnabled({ tls }: WebConfig): boolean {
  return tls.cert !== "" || tls.certFile !== "";
}

/** What node:tls needs, certificates read from their files now. Throws `bad_data` when one cannot be read. */
export function tlsOptions({ tls }: WebConfig, disk: Disk): TlsOptions {
  const ca = content(tls.clientCa, tls.clientCaFile, "client_ca_file", disk);
  const asks = tls.clientAuthType !== "" && tls.clientAuthType !== "NoClientCert";
  return {
    cert: content(tls.cert, tls.certFile, "cert_file", disk),
    key: content(tls.key.reveal(), tls.keyFile, "key_file", disk),
    ...(ca !== "" && { ca }),
    minVersion: tlsVersions[tls.minVersion]!,
    maxVersion: tlsVersions[tls.maxVersion]!,
    ...(tls.cipherSuites.length > 0 && { ciphers: tls.cipherSuites.map(opensslCipher).join(":") }),
    ...(tls.curvePreferences.length > 0 && {
      ecdhCurve: tls.curvePreferences.map((curve) => curves[curve]!).join(":"),
    }),
    honorCipherOrder: tls.preferServerCipherSuites,
    requestCert: asks,
    rejectUnauthorized: tls.clientAuthType === "RequireAndVerifyClientCert",
  };
}

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` → `ECDHE-RSA-AES128-GCM-SHA256`; the names of TLS 1.3 are the same. */
function opensslCipher(name: string): string {
  if (!name.includes("_WITH_")) return name;
  return name
    .replace(/^TLS_/, "")
    .replace("_WITH_", "_")
    .replace(/^RSA_/, "")
    .replace(/AES_(\d+)_CBC_/, "AES$1-")
    .replace(/AES_(\d+)/, "AES$1")
    .replace(/CHACHA20_POLY1305.*/, "CHACHA20-POLY1305")
    .replaceAll("_", "-");
}

function content(inlineText: string, file: string, what: string, disk: Disk): string {
  if (file === "") return inlineText;
  try {
    return Buffer.from(disk.readFile(file)).toString("utf8");
  } catch (error) {
    throw new NarthexError("bad_data", `failed to read ${what} (${file}): ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
