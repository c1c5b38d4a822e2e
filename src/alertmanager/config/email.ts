/** `email_configs`. */
import { tlsConfig } from "../../http/index.ts";
import { quoteGo } from "../../model/index.ts";
import {
  bool,
  type CodecValue,
  field,
  filePath,
  type Mapping,
  mapOf,
  object,
  secret,
  section,
  text,
} from "../../codec/index.ts";
import { common, noSecret } from "./codecs.ts";
import { fail, inheritSecret, integrationType } from "./integration-type.ts";
import { hostPort } from "./global.ts";

const { sendResolved } = common(false);

const threading = object("config.ThreadingConfig", {
  enabled: field("enabled", bool, false),
  threadByDate: field("thread_by_date", text, ""),
});

const codec = object(
  "config.plain",
  {
    sendResolved,
    to: field("to", text, ""),
    from: field("from", text, ""),
    hello: field("hello", text, ""),
    smarthost: field("smarthost", hostPort, ""),
    authUsername: field("auth_username", text, ""),
    authPassword: field("auth_password", secret, noSecret),
    authPasswordFile: field("auth_password_file", filePath, ""),
    authSecret: field("auth_secret", secret, noSecret),
    authSecretFile: field("auth_secret_file", filePath, ""),
    authIdentity: field("auth_identity", text, ""),
    headers: field("headers", mapOf(text), new Map<string, string>()),
    html: field("html", text, `{{ template "email.default.html" . }}`),
    text: field("text", text, ""),
    requireTls: field("require_tls", bool),
    tls: field("tls_config", tlsConfig),
    /** Absent: TLS from the first byte on port 465 only. */
    forceImplicitTls: field("force_implicit_tls", bool),
    threading: section("threading", threading),
  },
  (value, mapping) => {
    if (value.to === "") mapping.at.fail("missing to address in email config");
    const headers = canonicalHeaders(value.headers, mapping);
    if (value.threading.enabled) {
      for (const name of ["References", "In-Reply-To"]) {
        if (headers.has(name)) {
          mapping
            .place("headers")
            .fail(`conflicting configuration: threading.enabled conflicts with custom ${name} header`);
        }
      }
      if (!["none", "daily"].includes(value.threading.threadByDate)) {
        mapping.place("threading").fail("threading.thread_by_date must be either 'none' or 'daily'");
      }
    }
    return { ...value, headers };
  },
);

export type EmailConfig = CodecValue<typeof codec>;

/** Header names compare without regard to case; each may be given once. */
function canonicalHeaders(headers: ReadonlyMap<string, string>, mapping: Mapping): Map<string, string> {
  const canonical = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = /^[!#$%&'*+.^_`|~\w-]+$/.test(name)
      ? name.toLowerCase().replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase())
      : name;
    if (canonical.has(key)) mapping.place("headers").fail(`duplicate header ${quoteGo(key)} in email config`);
    canonical.set(key, value);
  }
  return canonical;
}

export const email = integrationType<EmailConfig>({
  name: "email",
  codec,
  complete(config, global) {
    config.tls ??= global.smtpTls;
    config.smarthost ||= global.smtpSmarthost;
    if (config.smarthost === "") fail(config, "no global SMTP smarthost set");
    config.from ||= global.smtpFrom;
    if (config.from === "") fail(config, "no global SMTP from set");
    config.hello ||= global.smtpHello;
    config.authUsername ||= global.smtpAuthUsername;
    inheritSecret(config, "authPassword", global, "smtpAuthPassword");
    inheritSecret(config, "authSecret", global, "smtpAuthSecret");
    config.authIdentity ||= global.smtpAuthIdentity;
    config.requireTls ??= global.smtpRequireTls;
    config.forceImplicitTls ??= global.smtpForceImplicitTls;
  },
});
