/** Remembers which group's notification last reached which receiver, so that nobody is told the same twice. */
import { type Clock, type Disk, errorMessage, type Logger, NarthexError } from "../base/index.ts";
import type { Cluster } from "./cluster.ts";
import type { StoreMetrics } from "./metrics.ts";
import {
  delimit,
  MessageWriter,
  readDelimited,
  readDouble,
  readFields,
  readString,
  readTimestamp,
  readVarints,
} from "./protobuf.ts";
import { Snapshot } from "./snapshot.ts";

/** One integration of one receiver. */
export interface ReceiverKey {
  readonly receiver: string;
  readonly integration: string;
  readonly index: number;
}

/** What an integration keeps from one notification of a group to the next (a message id to update, say). */
export type ReceiverData = ReadonlyMap<string, string | bigint | number>;

export interface NotificationEntry {
  readonly groupKey: string;
  readonly receiver: ReceiverKey;
  readonly timestampMs: number;
  /** Hashes of the alerts that the notification told of. */
  readonly firing: ReadonlySet<bigint>;
  readonly resolved: ReadonlySet<bigint>;
  readonly data: ReceiverData;
  /** When the entry may be forgotten. */
  readonly expiresAtMs: number;
}

export interface NotificationLogOptions {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
  readonly cluster: Cluster;
  /** The file, `nflog` in the storage directory. */
  readonly path: string;
  readonly retentionMs: number;
  readonly maintenanceIntervalMs: number;
}

/** A crash forgets at most the notifications of so long, and repeats them. */
const writeDelayMs = 5000;

export class NotificationLog {
  readonly #options: NotificationLogOptions;
  readonly #entries = new Map<string, NotificationEntry>();
  readonly #snapshot: Snapshot;

  constructor(options: NotificationLogOptions) {
    this.#options = options;
    this.#snapshot = new Snapshot({
      ...options,
      writeDelayMs,
      collectGarbage: () => this.#collectGarbage(),
      encode: () => Buffer.concat([...this.#entries.values()].map((entry) => delimit(encodeEntry(entry)))),
    });
    this.#snapshot.load((file) => {
      for (const bytes of readDelimited(file)) this.#read(bytes);
    });
  }

  /** The last notification of the group to that integration. */
  get(groupKey: string, receiver: ReceiverKey): NotificationEntry | undefined {
    this.#options.metrics.queries.inc();
    return this.#entries.get(keyOf(groupKey, receiver));
  }

  /** Notes a notification that went out at `timestampMs`; it is kept for the retention, or `expiryMs` if that is shorter. */
  put(entry: Omit<NotificationEntry, "expiresAtMs">, expiryMs: number): void {
    const key = keyOf(entry.groupKey, entry.receiver);
    const known = this.#entries.get(key);
    if (known !== undefined && known.timestampMs > entry.timestampMs) return;
    const keptMs = expiryMs > 0 ? Math.min(this.#options.retentionMs, expiryMs) : this.#options.retentionMs;
    const stored = { ...entry, expiresAtMs: entry.timestampMs + keptMs };
    this.#entries.set(key, stored);
    this.#options.cluster.broadcast("nflog", encodeEntry(stored));
    this.#snapshot.touch();
  }

  /** Takes over an entry from another node, unless what is known is newer. */
  merge(bytes: Uint8Array): void {
    const entry = decodeEntry(bytes);
    if (entry.expiresAtMs <= this.#options.clock.nowMs()) return;
    const key = keyOf(entry.groupKey, entry.receiver);
    const known = this.#entries.get(key);
    if (known !== undefined && known.timestampMs >= entry.timestampMs) return;
    this.#entries.set(key, entry);
    this.#snapshot.touch();
  }

  close(): void {
    this.#snapshot.close();
  }

  #read(bytes: Uint8Array): void {
    try {
      const entry = decodeEntry(bytes);
      this.#entries.set(keyOf(entry.groupKey, entry.receiver), entry);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      this.#options.logger.error("entry of the notification log dropped: it cannot be read", {
        err: errorMessage(error),
      });
    }
  }

  #collectGarbage(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [key, entry] of this.#entries) if (entry.expiresAtMs <= nowMs) this.#entries.delete(key);
  }
}

function keyOf(groupKey: string, { receiver, integration, index }: ReceiverKey): string {
  return `${groupKey}:${receiver}/${integration}/${index}`;
}

// The stored form: upstream's nflogpb.MeshEntry.

function encodeEntry(entry: NotificationEntry): Uint8Array {
  const { receiver, integration, index } = entry.receiver;
  const body = new MessageWriter()
    .string(1, entry.groupKey)
    .message(2, new MessageWriter().string(1, receiver).string(2, integration).varint(3, index).finish())
    .timestamp(5, entry.timestampMs)
    .packedVarints(6, entry.firing)
    .packedVarints(7, entry.resolved);
  for (const [name, value] of entry.data) {
    body.message(8, new MessageWriter().string(1, name).message(2, encodeDatum(value)).finish());
  }
  return new MessageWriter().message(1, body.finish()).timestamp(2, entry.expiresAtMs).finish();
}

function encodeDatum(value: string | bigint | number): Uint8Array {
  if (typeof value === "string") return new MessageWriter().message(1, Buffer.from(value)).finish();
  if (typeof value === "number") return new MessageWriter().double(3, value).finish();
  return new MessageWriter().varint(2, value).finish();
}

function decodeEntry(mesh: Uint8Array): NotificationEntry {
  let body = new Uint8Array();
  let expiresAtMs = 0;
  for (const field of readFields(mesh)) {
    if (field.number === 1) body = new Uint8Array(field.bytes);
    if (field.number === 2) expiresAtMs = readTimestamp(field.bytes);
  }
  let groupKey = "";
  let receiver: ReceiverKey = { receiver: "", integration: "", index: 0 };
  let timestampMs = 0;
  const firing = new Set<bigint>();
  const resolved = new Set<bigint>();
  const data = new Map<string, string | bigint | number>();
  for (const field of readFields(body)) {
    if (field.number === 1) groupKey = readString(field.bytes);
    else if (field.number === 2) receiver = decodeReceiver(field.bytes);
    else if (field.number === 5) timestampMs = readTimestamp(field.bytes);
    else if (field.number === 6) for (const hash of readVarints(field)) firing.add(hash);
    else if (field.number === 7) for (const hash of readVarints(field)) resolved.add(hash);
    else if (field.number === 8) data.set(...decodePair(field.bytes));
  }
  return { groupKey, receiver, timestampMs, firing, resolved, data, expiresAtMs };
}

function decodeReceiver(bytes: Uint8Array): ReceiverKey {
  let [receiver, integration, index] = ["", "", 0];
  for (const field of readFields(bytes)) {
    if (field.number === 1) receiver = readString(field.bytes);
    if (field.number === 2) integration = readString(field.bytes);
    if (field.number === 3) index = Number(field.integer);
  }
  return { receiver, integration, index };
}

function decodePair(bytes: Uint8Array): [string, string | bigint | number] {
  let name = "";
  let value: string | bigint | number = "";
  for (const field of readFields(bytes)) {
    if (field.number === 1) name = readString(field.bytes);
    if (field.number !== 2) continue;
    for (const datum of readFields(field.bytes)) {
      if (datum.number === 1) value = readString(datum.bytes);
      if (datum.number === 2) value = BigInt.asIntN(64, datum.integer);
      if (datum.number === 3) value = readDouble(datum.bytes);
    }
  }
  return [name, value];
}
