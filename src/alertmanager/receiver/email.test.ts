import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { systemClock, systemDisk } from "../../base/index.ts";
import type { EmailConfig } from "../config/email.ts";
import { NotifyError } from "../notify/notifier.ts";
import { EmailNotifier } from "./email.ts";
import { alerts, configOf, context, templates, temporaryFile } from "./testing.ts";

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly hello: string;
  readonly text: string;
}

async function mailServer(
  t: TestContext,
  options: SMTPServerOptions = {},
): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    ...options,
    onAuth(auth, _session, done) {
      const right =
        auth.method === "CRAM-MD5" ? auth.validatePassword("secret") : auth.password === "password";
      if (right) done(null, { user: `${auth.method} ${auth.username}` });
      else done(new Error("wrong password"));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { envelope } = session;
        mails.push({
          from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          user: session.user as string | undefined,
          secure: session.secure,
          hello: session.hostNameAppearsAs,
          text: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise<void>((resolve) => server.close(resolve)));
  return { port: (server.server.address() as AddressInfo).port, mails };
}

function email(yaml: string): EmailNotifier {
  return new EmailNotifier(
    configOf(`email_configs: [${yaml}]`) as EmailConfig,
    templates,
    systemDisk,
    systemClock,
  );
}

const address = "to: 'Ops <ops@example.org>, second@example.org', from: 'Alerts <alerts@example.org>'";

/** Undoes quoted-printable. */
function decoded(text: string): string {
  const octets = text
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(octets, "latin1").toString("utf8");
}

test("a mail with both parts, headers and a subject of its own", async (t) => {
  const { port, mails } = await mailServer(t);
  const yaml = `{${address}, hello: me.example.org, smarthost: "127.0.0.1:${port}", require_tls: false, text: "{{ len .Alerts }} alerts ä", headers: {x-team: "{{ .RouteLabels.owner }}", subject: "{{ .Status }} ü"}, threading: {enabled: true, thread_by_date: daily}}`;
  await email(yaml).notify(context(), alerts);
  const [mail] = mails;
  assert.deepEqual(
    [mail!.from, mail!.to, mail!.hello],
    ["alerts@example.org", ["ops@example.org", "second@example.org"], "me.example.org"],
  );
  const head = mail!.text.slice(0, mail!.text.indexOf("\r\n\r\n"));
  assert.match(head, /^X-Team: ops$/im);
  assert.match(head, /^Subject: =\?UTF-8\?Q\?firing_=C3=BC\?=$/m);
  assert.match(head, /^To: Ops <ops@example.org>, second@example.org$/m);
  assert.match(head, /^References: <alert-[0-9a-f]{16}-2026-01-02@alertmanager>$/m);
  assert.match(head, /^Content-Type: multipart\/alternative;/m);
  const body = decoded(mail!.text);
  assert.ok(body.indexOf("2 alerts ä") < body.indexOf("<!DOCTYPE html>"));
  assert.ok(body.includes("&lt;b&gt;down&lt;/b&gt;") && !body.includes("<b>down</b>"));
  assert.ok(
    body.includes("[1] Firing") && body.includes("[1] Resolved") && body.includes("View in Alertmanager"),
  );
  assert.ok(body.includes(`href="http://am:9093/#/alerts?receiver=team-a%5C.b"`), body);
});

test("the default subject, and html alone", async (t) => {
  const { port, mails } = await mailServer(t);
  await email(`{${address}, smarthost: "127.0.0.1:${port}", require_tls: false}`).notify(context(), alerts);
  assert.match(mails[0]!.text, /^Subject: \[FIRING:1\] X \(page\)$/m);
  assert.ok(!mails[0]!.text.includes("text/plain"));
});

test("STARTTLS, implicit TLS and authentication", async (t) => {
  const insecure = "tls_config: {insecure_skip_verify: true}";
  const { port, mails } = await mailServer(t, { authMethods: ["PLAIN", "LOGIN", "CRAM-MD5"] });
  const start = `${address}, smarthost: "127.0.0.1:${port}", ${insecure}, auth_username: u`;
  await email(`{${start}, auth_password: password}`).notify(context(), alerts);
  await email(`{${start}, auth_secret: secret}`).notify(context(), alerts);
  await email(`{${start}, auth_password_file: ${temporaryFile(t, "password\n")}, auth_identity: i}`).notify(
    context(),
    alerts,
  );
  assert.deepEqual(
    mails.map(({ secure, user }) => [secure, user]),
    [
      [true, "PLAIN u"],
      [true, "CRAM-MD5 u"],
      [true, "PLAIN u"],
    ],
  );
  const implicit = await mailServer(t, { secure: true });
  await email(
    `{${address}, smarthost: "127.0.0.1:${implicit.port}", ${insecure}, force_implicit_tls: true}`,
  ).notify(context(), alerts);
  assert.equal(implicit.mails.length, 1);
});

test("what goes wrong with mail, and whether it is worth another attempt", async (t) => {
  const plain = await mailServer(t, { hideSTARTTLS: true, disabledCommands: ["STARTTLS"] });
  const at = (port: number) => `${address}, smarthost: "127.0.0.1:${port}"`;
  const { port } = await mailServer(t);
  const cases: [string, boolean, RegExp][] = [
    // TLS is required, and not offered.
    [`{${at(plain.port)}}`, true, /STARTTLS|TLS/],
    // The certificate is nobody's.
    [`{${at(port)}}`, true, /self-signed|certificate/],
    [`{${at(1)}}`, true, /establish connection to server/],
    [
      `{${at(port)}, require_tls: false, html: "{{ .Nope }}"}`,
      false,
      /execute html template: .*can't evaluate field Nope/,
    ],
    [
      `{to: nobody, from: a@b, smarthost: "127.0.0.1:${port}", require_tls: false}`,
      false,
      /invalid address "nobody"/,
    ],
    [
      `{to: a@b, from: "a@b, c@d", smarthost: "127.0.0.1:${port}", require_tls: false}`,
      false,
      /exactly one 'from' address/,
    ],
    [
      `{${at(port)}, tls_config: {insecure_skip_verify: true}, auth_username: u, auth_password: wrong}`,
      true,
      /wrong password|Invalid login/,
    ],
  ];
  for (const [yaml, retry, message] of cases) {
    await assert.rejects(email(yaml).notify(context(), alerts), (error: NotifyError) => {
      assert.ok(error instanceof NotifyError, String(error));
      assert.match(error.message, message);
      assert.equal(error.retry, retry, error.message);
      return true;
    });
  }
});
