/** Sends notifications by mail. */
import { createHash, randomUUID } from "node:crypto";
import { isIP } from "node:net";
import { hostname } from "node:os";
import type { SendMailOptions } from "nodemailer";
import type { Clock, Disk } from "../../base/index.ts";
import { TlsSource } from "../../http/index.ts";
import type { Alert } from "../alert.ts";
import type { EmailConfig } from "../config/email.ts";
import { type NotificationData, notificationData } from "../notify/data.ts";
import { type NotificationContext, type Notifier, NotifyError } from "../notify/notifier.ts";
import type { NotificationTemplates } from "../notify/templates.ts";

/** What nodemailer gives a handler of its own authentication methods. */
interface AuthenticationContext {
  readonly sendCommand: (command: string) => Promise<{ status: number; text: string }>;
}

const connectTimeoutMs = 30_000;
/** A server that says nothing for so long is given up. */
const silenceTimeoutMs = 60_000;
const implicitTlsPort = 465;

export class EmailNotifier implements Notifier {
  readonly #config: EmailConfig;
  readonly #templates: NotificationTemplates;
  readonly #disk: Disk;
  readonly #tls: TlsSource;

  constructor(config: EmailConfig, templates: NotificationTemplates, disk: Disk, clock: Clock) {
    this.#config = config;
    this.#templates = templates;
    this.#disk = disk;
    this.#tls = new TlsSource(config.tls!, disk, clock);
  }

  async notify(context: NotificationContext, alerts: readonly Alert[]): Promise<undefined> {
    const data = notificationData(context, alerts, this.#templates.externalUrl);
    const mail = this.#mail(data, context);
    // Loaded with the first mail: most installations never send one.
    const { createTransport } = await import("nodemailer");
    const transport = createTransport(this.#transportOptions());
    const ended = new Promise<never>((_, reject) => {
      const end = (): void => reject(new NotifyError("sending was cut short", true));
      context.signal.addEventListener("abort", end, { once: true });
    });
    try {
      await Promise.race([transport.sendMail(mail), ended]);
    } catch (error) {
      if (error instanceof NotifyError) throw error;
      throw this.#failure(error as NodeJS.ErrnoException & { command?: string });
    } finally {
      transport.close();
    }
    return undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #mail(data: NotificationData, context: NotificationContext): SendMailOptions {
    const { config, templates } = { config: this.#config, templates: this.#templates };
    const expand = (what: string, source: string): string => {
      try {
        return templates.text(source, data);
      } catch (error) {
        throw new NotifyError(`execute ${what} template: ${(error as Error).message}`, false, "other", {
          cause: error,
        });
      }
    };
    const headers = new Map(
      [...config.headers].map(([name, value]) => [name, expand(`${name} header`, value)]),
    );
    const take = (name: string, source: string): string => {
      const value = headers.get(name) ?? expand(name.toLowerCase(), source);
      headers.delete(name);
      return value;
    };
    const from = expand("from", config.from);
    const to = expand("to", config.to);
    const html = this.#html(data);
    const text = expand("text", config.text);
    return {
      envelope: { from: oneAddress(from), to: addresses(to) },
      from: take("From", config.from),
      to: take("To", config.to),
      subject: take("Subject", `{{ template "email.default.subject" . }}`),
      messageId: `<${Math.floor(context.timeMs)}.${randomUUID()}@${hostname()}>`,
      headers: [...headers, ...this.#threading(context)].map(([key, value]) => ({ key, value })),
      textEncoding: "quoted-printable",
      ...(text !== "" && { text }),
      ...(html !== "" && { html }),
      ...(text === "" && html === "" && { text: "" }),
      disableFileAccess: true,
      disableUrlAccess: true,
    };
  }

  #html(data: NotificationData): string {
    try {
      return this.#templates.html(this.#config.html, data);
    } catch (error) {
      throw new NotifyError(`execute html template: ${(error as Error).message}`, false, "other", {
        cause: error,
      });
    }
  }

  /** Headers that let mail programs show a group's notifications together. */
  #threading({ groupKey, timeMs }: NotificationContext): [string, string][] {
    const { enabled, threadByDate } = this.#config.threading;
    if (!enabled) return [];
    const hash = createHash("sha256").update(groupKey).digest("hex").slice(0, 16);
    const date = threadByDate === "daily" ? new Date(timeMs).toISOString().slice(0, 10) : "";
    const reference = `<alert-${hash}-${date}@alertmanager>`;
    return [
      ["References", reference],
      ["In-Reply-To", reference],
    ];
  }

  #transportOptions() {
    const { smarthost, hello, forceImplicitTls, requireTls } = this.#config;
    const { host, port } = splitAddress(smarthost);
    const secure = forceImplicitTls ?? port === implicitTlsPort;
    return {
      host,
      port,
      name: hello,
      secure,
      requireTLS: !secure && requireTls === true,
      ignoreTLS: !secure && requireTls !== true,
      tls: { ...(isIP(host) === 0 && { servername: host }), ...this.#tls.options() },
      connectionTimeout: connectTimeoutMs,
      greetingTimeout: connectTimeoutMs,
      socketTimeout: silenceTimeoutMs,
      ...this.#authentication(),
    };
  }

  /** The secret is for CRAM-MD5, which never sends it; the password for the mechanisms that do. */
  #authentication() {
    const {
      authUsername: user,
      authPassword,
      authPasswordFile,
      authSecret,
      authSecretFile,
      authIdentity,
    } = this.#config;
    if (user === "") return {};
    const secret = authSecret.reveal() || this.#readSecret("auth_secret_file", authSecretFile);
    if (secret !== "") return { auth: { user, pass: secret, method: "CRAM-MD5" } };
    const password = authPassword.reveal() || this.#readSecret("auth_password_file", authPasswordFile);
    if (password === "") return {};
    if (authIdentity === "") return { auth: { user, pass: password } };
    // PLAIN alone can act for another identity than the one that logs in.
    const answer = Buffer.from([authIdentity, user, password].join("\0")).toString("base64");
    const plain = async ({ sendCommand }: AuthenticationContext): Promise<void> => {
      const { status, text } = await sendCommand(`AUTH PLAIN ${answer}`);
      if (status !== 235) throw new Error(`Invalid login: ${text}`);
    };
    return {
      auth: { type: "Custom" as const, method: "PLAIN-IDENTITY", user, pass: password },
      customAuth: { "PLAIN-IDENTITY": plain },
    };
  }

  #readSecret(key: string, file: string): string {
    if (file === "") return "";
    try {
      return Buffer.from(this.#disk.readFile(file)).toString("utf8").trim();
    } catch (error) {
      throw new NotifyError(`could not read ${key}: ${(error as Error).message}`, false, "other", {
        cause: error,
      });
    }
  }

  /** Whatever happens on the wire may be over soon. */
  #failure(error: NodeJS.ErrnoException & { command?: string }): NotifyError {
    const step =
      error.command === undefined || error.command === "CONN"
        ? "establish connection to server"
        : `send ${error.command}`;
    const reason = error.code === "EAUTH" ? "authError" : "other";
    return new NotifyError(`${step}: ${error.message}`, true, reason, { cause: error });
  }
}

function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(address.slice(at + 1)) };
}

/** The bare addresses of a header's list: `A <a@x>, b@y` → a@x, b@y. */
function addresses(list: string): string[] {
  const found: string[] = [];
  for (const entry of list.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []) {
    const bare = (/<([^<>]*)>\s*$/.exec(entry)?.[1] ?? entry).trim();
    if (bare === "") continue;
    if (!/^[^\s@]+@[^\s@]+$/.test(bare))
      throw new NotifyError(`parse addresses: invalid address ${JSON.stringify(entry.trim())}`, false);
    found.push(bare);
  }
  if (found.length === 0) throw new NotifyError("parse addresses: no address", false);
  return found;
}

function oneAddress(list: string): string {
  const [first, ...others] = addresses(list);
  if (others.length > 0) throw new NotifyError("must be exactly one 'from' address", false);
  return first!;
}
