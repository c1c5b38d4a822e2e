import type { RequestListener } from "node:http";
import https from "node:https";
import type { TLSSocket } from "node:tls";
import { type Disk, errorMessage, type Logger } from "../base/index.ts";
import { tlsOptions, type WebConfig } from "./web-config.ts";
import { rereadMs, type WebConfigSource } from "./web-config-source.ts";

/** An HTTPS server that takes over renewed certificates while it runs. */
export function createSecureServer(
  web: WebConfigSource,
  disk: Disk,
  listener: RequestListener,
  logger: Logger,
): https.Server {
  let used = tlsOptions(web.initial, disk);
  let fingerprint = JSON.stringify(used);
  let readAtMs = performance.now();
  const server = https.createServer(used, listener);
  server.prependListener("connection", () => {
    if (performance.now() - readAtMs < rereadMs) return;
    readAtMs = performance.now();
    try {
      const fresh = tlsOptions(web.current(), disk);
      const freshFingerprint = JSON.stringify(fresh);
      if (freshFingerprint === fingerprint) return;
      server.setSecureContext(fresh);
      used = fresh;
      fingerprint = freshFingerprint;
    } catch (error) {
      logger.error("TLS certificates could not be read again; the old ones stay in use", {
        err: errorMessage(error),
      });
    }
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const fault = clientCertificateFault(socket, web.initial.tls);
    if (fault === undefined) return;
    logger.warn("client certificate refused", { err: fault });
    socket.destroy();
  });
  return server;
}

function clientCertificateFault(socket: TLSSocket, tls: WebConfig["tls"]): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  switch (tls.clientAuthType) {
    case "RequireAnyClientCert":
    case "RequireClientCert":
      if (!certificate) return "tls: client didn't provide a certificate";
      break;
    case "VerifyClientCertIfGiven":
      if (certificate && !socket.authorized) return `tls: ${socket.authorizationError}`;
      break;
  }
  if (!certificate || tls.clientAllowedSans.length === 0) return undefined;
  const names = (certificate.subjectAltName ?? "")
    .split(", ")
    .map((name) => name.replace(/^[^:]+:/, "").replace(/^"|"$/g, ""));
  if (names.some((name) => tls.clientAllowedSans.includes(name))) return undefined;
  return `could not find allowed SANs in client cert, found: ${names.join(" ")}`;
}
