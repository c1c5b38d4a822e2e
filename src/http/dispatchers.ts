import type { buildConnector, Client, Dispatcher } from "undici";
import type { Clock, Disk } from "../base/index.ts";
import type { ProxyConfig, TlsConfig } from "./config.ts";
import { basicCredentials } from "./secrets.ts";
import type { Dialer } from "./dials.ts";
import { type Exchanger, exchangerOn } from "./exchange.ts";
import { PlainConnection, plainConnectionsWork } from "./plain-connection.ts";
import { proxyFor } from "./proxy.ts";
import { TlsSource } from "./tls.ts";

/** Loaded when first needed: a server whose targets speak plain HTTP never is, and saves the memory. */
const loadUndici = (): Promise<typeof import("undici")> => import("undici");
type Undici = Awaited<ReturnType<typeof loadUndici>>;

/** Longer than any sane scrape interval, so that scrapes find their connection open. */
const idleConnectionMsMax = 5 * 60_000;

/** The connections behind a client: undici's, remade when a certificate file has changed, and our own. */
export class Dispatchers {
  readonly #tls: TlsSource;
  readonly #proxy: ProxyConfig;
  readonly #http2: boolean;
  /** Counts connections, those to proxies excepted. */
  readonly #dialer: Dialer | undefined;
  #version = -1;
  #direct: Dispatcher | undefined;
  readonly #byProxy = new Map<string, Dispatcher>();

  constructor(
    tls: TlsConfig,
    proxy: ProxyConfig,
    http2: boolean,
    disk: Disk,
    clock: Clock,
    dialer: Dialer | undefined,
  ) {
    this.#dialer = dialer;
    this.#tls = new TlsSource(tls, disk, clock);
    this.#proxy = proxy;
    this.#http2 = http2;
  }

  /** Connections shared by all who ask the same origin. */
  exchanger(url: URL): Exchanger {
    return async (...parameters) => exchangerOn(this.#for(url, await loadUndici()))(...parameters);
  }

  #for(url: URL, undici: Undici): Dispatcher {
    const tls = url.protocol === "https:" || this.#proxied() ? this.#tls.options() : {};
    if (this.#tls.version !== this.#version) this.#renew();
    const proxy = this.#proxied() ? proxyFor(this.#proxy, url) : undefined;
    if (proxy === undefined) return (this.#direct ??= new undici.Agent(this.#options(tls, undici)));
    let dispatcher = this.#byProxy.get(proxy);
    if (!dispatcher) this.#byProxy.set(proxy, (dispatcher = this.#viaProxy(undici, proxy, tls)));
    return dispatcher;
  }

  /** A connection for one origin alone: our own where there is neither TLS nor proxy, else undici's, remade when certificates change. */
  openOwn(origin: string, socketPath: string | undefined): { exchanger(): Exchanger; close(): void } {
    const url = new URL(origin);
    const proxied = this.#proxied() && socketPath === undefined && proxyFor(this.#proxy, url) !== undefined;
    if (proxied) return { exchanger: () => this.exchanger(url), close: () => {} };
    if (url.protocol === "http:" && plainConnectionsWork) {
      const connection = new PlainConnection(url, socketPath, this.#dialer);
      const exchanger: Exchanger = (...parameters) => connection.exchange(...parameters);
      return { exchanger: () => exchanger, close: () => connection.close() };
    }
    let client: Client | undefined;
    let version = -1;
    const exchange: Exchanger = async (...parameters) => {
      const undici = await loadUndici();
      const tls = url.protocol === "https:" ? this.#tls.options() : {};
      if (client && version !== this.#tls.version) finish(client);
      if (!client || version !== this.#tls.version) {
        client = new undici.Client(origin, this.#options(socketPath ? { ...tls, socketPath } : tls, undici));
      }
      version = this.#tls.version;
      return exchangerOn(client)(...parameters);
    };
    return {
      exchanger: () => exchange,
      close: () => {
        if (client) destroy(client);
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#direct?.destroy(),
      ...[...this.#byProxy.values()].map((each) => each.destroy()),
    ]);
  }

  #proxied(): boolean {
    return this.#proxy.proxyUrl !== "" || this.#proxy.proxyFromEnvironment;
  }

  #options(tls: buildConnector.BuildOptions, undici: Undici): Client.Options {
    const options = { ...tls, allowH2: this.#http2 };
    return {
      keepAliveTimeout: idleConnectionMsMax,
      keepAliveMaxTimeout: idleConnectionMsMax,
      allowH2: this.#http2,
      connect: this.#dialer ? this.#dialer.counting(undici.buildConnector(options)) : options,
    };
  }

  #viaProxy(undici: Undici, proxy: string, tls: buildConnector.BuildOptions): Dispatcher {
    const url = new URL(proxy);
    if (url.protocol.startsWith("socks5")) return new undici.Socks5ProxyAgent(url, { requestTls: tls });
    const headers: Record<string, string[]> = {};
    for (const [name, values] of this.#proxy.proxyConnectHeader)
      headers[name] = values.map((value) => value.reveal());
    const token =
      url.username !== "" &&
      basicCredentials(decodeURIComponent(url.username), decodeURIComponent(url.password));
    return new undici.ProxyAgent({ uri: url.href, headers, requestTls: tls, ...(token && { token }) });
  }

  #renew(): void {
    this.#version = this.#tls.version;
    for (const each of [this.#direct, ...this.#byProxy.values()]) if (each) finish(each);
    this.#direct = undefined;
    this.#byProxy.clear();
  }
}

/** Lets what runs run out. */
function finish(dispatcher: Dispatcher): void {
  dispatcher.close().catch(() => {});
}

function destroy(dispatcher: Dispatcher): void {
  dispatcher.destroy(null).catch(() => {});
}
