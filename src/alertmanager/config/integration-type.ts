/** What the kinds of receiver integrations have in common, and how they take over what `global` gives. */
import type { Secret } from "../../base/index.ts";
import { failAt, type ObjectCodec } from "../../codec/index.ts";
import type { GlobalConfig } from "./global.ts";

/** One kind of receiver integration: its key under a receiver, how it is read, and what it takes from `global`. */
export interface IntegrationType<T extends object> {
  /** As in `<name>_configs` and in metrics. */
  readonly name: string;
  readonly codec: ObjectCodec<T>;
  /** Whether an empty list item means "all defaults" rather than a mistake. */
  readonly mayBeEmpty?: boolean;
  /** Fills in what `global` gives. Throws `bad_data` when something is then still missing. */
  readonly complete: (config: T, global: GlobalConfig) => void;
}

/** Forgets what exactly the type's configurations are: each is only ever handed back to the type that read it. */
export function integrationType<T extends object>(type: IntegrationType<T>): IntegrationType<object> {
  return type as unknown as IntegrationType<object>;
}

/** Fails at the place where `config` stands in the file. */
export function fail(config: object, message: string): never {
  return failAt(config, message);
}

/** A secret by the name `K`, in place, or in a file by the name `KFile`. */
type SecretPair<K extends string> = Record<K, Secret | undefined> & Record<`${K}File`, string>;

/** Names of the global secrets that may also stand in a file. */
type GlobalSecret = {
  [K in keyof GlobalConfig]: GlobalConfig extends SecretPair<K> ? K : never;
}[keyof GlobalConfig];

export function hasSecret<K extends string>(config: SecretPair<K>, key: K): boolean {
  return Boolean(config[key]?.reveal()) || config[`${key}File`] !== "";
}

/** Takes over the global secret, wherever that stands, unless the integration has its own. Returns whether it has one then. */
export function inheritSecret<K extends string>(
  config: SecretPair<K>,
  key: K,
  global: GlobalConfig,
  globalKey: GlobalSecret,
): boolean {
  if (!hasSecret(config, key)) {
    const own: SecretPair<string> = config;
    own[key] = global[globalKey];
    own[`${key}File`] = global[`${globalKey}File`];
  }
  return hasSecret(config, key);
}
