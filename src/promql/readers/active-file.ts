import { join } from "node:path";
import { type Disk, type Logger, errorMessage } from "../../base/index.ts";

const fileName = "queries.active";
/** One running query's place in the file. */
const slotBytes = 1000;

/** A query that had not ended when the process did. */
export interface UnfinishedQuery {
  query: string;
  timestamp_sec: number;
}

/**
 * `queries.active` in the data directory: "[", then a slot of 1000 bytes for each query that may run at once, which holds a JSON object,
 * zeros and a comma while a query runs and zeros while none does. What is in it when the process starts had not ended when the one before did. It is
 * written without sync: it is to outlive the process, not the machine. Nothing fails because it cannot be written.
 */
export class ActiveFile {
  readonly #disk: Disk;
  readonly #logger: Logger;
  readonly #freeSlots: number[];
  #fd: number | undefined;

  /** Logs what is left of the last run, and begins a new file with `slots` places. */
  constructor(options: { directory: string; slots: number; disk: Disk; logger: Logger }) {
    const { directory, slots, disk, logger } = options;
    this.#disk = disk;
    this.#logger = logger;
    this.#freeSlots = Array.from({ length: slots }, (_, slot) => slot).toReversed();
    const path = join(directory, fileName);
    try {
      const unfinished = disk.stat(path) === undefined ? [] : decodeUnfinished(disk.readFile(path));
      if (unfinished.length > 0) {
        const queries = JSON.stringify(unfinished);
        logger.warn("These queries did not end in the last run", { queries });
      }
      this.#fd = disk.open(path, "w");
      disk.write(this.#fd, emptyFile(slots), 0);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Enters a query that begins to run; what it returns takes it out again. */
  enter(text: string, startedMs: number): () => void {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) return () => undefined;
    this.#write(slot, encodeSlot(text, startedMs));
    return () => {
      this.#write(slot, new Uint8Array(slotBytes));
      this.#freeSlots.push(slot);
    };
  }

  close(): void {
    if (this.#fd === undefined) return;
    this.#disk.close(this.#fd);
    this.#fd = undefined;
  }

  #write(slot: number, bytes: Uint8Array): void {
    if (this.#fd === undefined) return;
    try {
      this.#disk.write(this.#fd, bytes, 1 + slot * slotBytes);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    this.#logger.warn("Running queries cannot be noted in the data directory", { err: errorMessage(error) });
    this.close();
  }
}

function emptyFile(slots: number): Uint8Array {
  const bytes = new Uint8Array(1 + slots * slotBytes);
  bytes[0] = 0x5b;
  return bytes;
}

/** The query is cut until its object and the comma fit. */
function encodeSlot(query: string, startedMs: number): Uint8Array {
  const encode = (text: string): Buffer =>
    Buffer.from(JSON.stringify({ query: text, timestamp_sec: Math.floor(startedMs / 1000) }));
  let text = query.slice(0, slotBytes);
  let json = encode(text);
  while (json.length >= slotBytes) {
    text = text.slice(0, Math.max(0, text.length - Math.ceil((json.length - slotBytes + 1) / 6)));
    json = encode(text);
  }
  const bytes = new Uint8Array(slotBytes);
  bytes.set(json);
  bytes[slotBytes - 1] = 0x2c;
  return bytes;
}

/** The queries that a file holds; a slot that was half written is left out. */
export function decodeUnfinished(bytes: Uint8Array): UnfinishedQuery[] {
  const found: UnfinishedQuery[] = [];
  for (let start = 1; start < bytes.length; start += slotBytes) {
    const slot = bytes.subarray(start, start + slotBytes - 1);
    const end = slot.indexOf(0);
    const json = Buffer.from(end < 0 ? slot : slot.subarray(0, end)).toString();
    if (json === "") continue;
    try {
      found.push(JSON.parse(json) as UnfinishedQuery);
    } catch {
      continue;
    }
  }
  return found;
}
