/** Kinds of values that only Alertmanager's configuration has. */
import { Secret, secretMask } from "../../base/index.ts";
import { httpClientConfig } from "../../http/index.ts";
import { bool, type Codec, field, type Mapping, mapped, secret, text } from "../../codec/index.ts";
import { formatGoDuration, parseGoDuration } from "../../model/index.ts";
import { alertmanagerFunctions, Template } from "../../template/index.ts";

export const noSecret = new Secret("");

function checkUrl(source: string): void {
  // A configuration as it was printed can be read again, to be looked at.
  if (source === secretMask) return;
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(source)?.[1] ?? "";
  if (scheme !== "http" && scheme !== "https")
    throw new Error(`unsupported scheme ${JSON.stringify(scheme)} for URL`);
  const parsed = URL.parse(source);
  if (parsed === null || parsed.host === "") throw new Error("missing host for URL");
}

/** An http or https URL. */
export const httpUrl: Codec<string> = mapped(
  text,
  (source) => {
    checkUrl(source);
    return source;
  },
  (source) => source,
);

/** The same with the whole of it kept secret: whoever knows it may post. */
export const secretUrl: Codec<Secret> = mapped(
  secret,
  (value) => {
    checkUrl(value.reveal());
    return value;
  },
  (value) => value,
);

/** Throws `bad_data` when the text is no template; tells whether there is anything to expand in it. */
export function isTemplated(source: string): boolean {
  new Template({ functions: alertmanagerFunctions(Date.now) }).parse("", source);
  return source.includes("{{");
}

/** A secret URL in which templates may stand; only one without can be checked before it is used. */
export const secretTemplateUrl: Codec<Secret> = mapped(
  secret,
  (value) => {
    let templated: boolean;
    try {
      templated = isTemplated(value.reveal());
    } catch (error) {
      throw new Error(`invalid template syntax: ${(error as Error).message}`, { cause: error });
    }
    try {
      if (value.reveal() !== "" && !templated) checkUrl(value.reveal());
    } catch (error) {
      throw new Error(`invalid URL: ${(error as Error).message}`, { cause: error });
    }
    return value;
  },
  (value) => value,
);

/** Go's own durations, `1h2m3.5s`, in milliseconds: what receivers' timeouts are written in. */
export const goDurationMs: Codec<number> = mapped(text, parseGoDuration, (durationMs) =>
  formatGoDuration(BigInt(Math.round(durationMs * 1e6))),
);

/** The keys that every integration has. */
export const common = (sendResolved: boolean) => ({
  sendResolved: field("send_resolved", bool, sendResolved, { printAlways: true }),
  httpConfig: field("http_config", httpClientConfig),
});

/** Fails when both a value and the file it could come from are written. */
export function exclusive(mapping: Mapping, value: string, file: string): void {
  if (mapping.get(value)?.scalar()?.text && mapping.get(file)?.scalar()?.text) {
    mapping.place(file).fail(`at most one of ${value} & ${file} must be configured`);
  }
}

/** Fails when neither is written, nor both may be. */
export function exactlyOne(mapping: Mapping, value: string, file: string): void {
  if (!mapping.get(value)?.scalar()?.text && !mapping.get(file)?.scalar()?.text) {
    mapping.at.fail(`one of ${value} or ${file} must be configured`);
  }
  exclusive(mapping, value, file);
}

/** Makes `url` end in a slash, as paths are appended to it. */
export function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}

/** What most texts are unless they are written: the built-in template of that name. */
export function standard(name: string): string {
  return `{{ template "${name}" . }}`;
}
