import { createHash, createHmac } from "node:crypto";

export interface AwsCredentials {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Of temporary credentials; "" otherwise. */
  readonly sessionToken: string;
}

export interface SignableRequest {
  readonly method: string;
  readonly url: URL;
  readonly contentType: string;
  readonly body: string;
}

/** The headers that sign a request to an AWS service (signature version 4), as name, value, name, value … */
export function sigv4Headers(
  request: SignableRequest,
  credentials: AwsCredentials,
  region: string,
  service: string,
  nowMs: number,
): string[] {
  const { method, url, contentType, body } = request;
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const signed: [string, string][] = [
    ["content-type", contentType],
    ["host", url.host],
    ["x-amz-date", time],
  ];
  if (credentials.sessionToken !== "") signed.push(["x-amz-security-token", credentials.sessionToken]);
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    method,
    url.pathname,
    canonicalQuery(url),
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    sha256(body),
  ].join("\n");
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const stringToSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = scope
    .split("/")
    .reduce<Buffer | string>((parent, part) => hmac(parent, part), `AWS4${credentials.secretKey}`);
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope}, SignedHeaders=${names}, Signature=${hmac(key, stringToSign).toString("hex")}`;
  const sent = signed.filter(([name]) => name.startsWith("x-amz-")).flat();
  return ["authorization", authorization, ...sent];
}

function canonicalQuery(url: URL): string {
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  return [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
