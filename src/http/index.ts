/** Asking and answering over HTTP with upstream's options for TLS, authentication, proxies and limits. */
export {
  createHttpClient,
  HttpClient,
  type HttpClientOptions,
  type HttpRequest,
  type HttpResponse,
  type HttpSession,
} from "./client.ts";
export {
  atMostOne,
  type HttpClientConfig,
  httpClientConfig,
  httpClientConfigWithoutHttp2,
  type ProxyConfig,
  reservedHeaders,
  type TlsConfig,
  tlsConfig,
  url,
} from "./config.ts";
export {
  BodyTooLargeError,
  type ContentEncoding,
  decompress,
  decompressNow,
  parseContentEncoding,
} from "./decompress.ts";
export { DialMetrics } from "./dials.ts";
export { errorEnvelope, errorResponse, httpStatus, successResponse } from "./envelope.ts";
export type { ResponseSink } from "./exchange.ts";
export type { FetchHandler } from "./fetch-handler.ts";
export { type Params, PlainParams } from "./plain-params.ts";
export type { PlainRequest } from "./plain-request.ts";
export type { PlainAnswer, PlainCall, PlainRoute, PlainRoutes } from "./plain-session.ts";
export { type AwsCredentials, sigv4Headers } from "./sigv4.ts";
export { createServer, type HttpServer, type ServerOptions } from "./server.ts";
export { nodeTlsOptions, TlsSource } from "./tls.ts";
export { loadWebConfig, type WebConfig } from "./web-config.ts";
