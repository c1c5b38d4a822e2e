import { assert } from "../base/index.ts";
import type { Arena } from "./arena.ts";
import type { ByteBuffer } from "./byte-buffer.ts";
import { MemoryFullError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import type { SampleBatch } from "./sample-batch.ts";
import type { Views } from "./views.ts";

/** Ref of a line whose series relabelling drops: parsed, checked, and not put into the batch. */
export const lineDropped = 0xffff_ffff;
/** Ref of a comment line that was looked at. */
export const lineComment = 0xffff_fffe;

/**
 * What `LineTable.resume` stopped for. A ref given to `addEntry` is remembered for as long as the line comes, so a released ref
 * must rest before it names another series; a target that fails forgets its lines.
 */
export const lineEvent = {
  /** The body is read. Next: `finish`. */
  done: 0,
  /** A series part never seen: resolve it to a ref and call `addEntry(ref)`, then `resume`. */
  unknownSeries: 1,
  /** A comment line never seen: read its metadata, call `addEntry(lineComment)`, then `resume`. */
  unknownComment: 2,
  /**
   * A known series whose rest is outside the fast grammar (odd number, timestamp or exemplar, or simply wrong): read the line with the reference
   * parser, push its sample unless the ref is `lineDropped`, then `resume`.
   */
  complexLine: 3,
  /** The text is wrong at `eventStart`: the reference parser has the message. Next: `fail`. */
  syntaxError: 4,
  /** The batch has no room: commit and clear it, then `resume`. */
  batchFull: 5,
  /**
   * The sample before was taken; behind it stands an exemplar, another than when its line was reported last. The event's text begins with the
   * blank before `# {` and ends with the line. A hash of 32 bits tells the texts apart. Next: `resume`.
   */
  exemplar: 6,
} as const;
export type LineEvent = (typeof lineEvent)[keyof typeof lineEvent];

export interface LineTableInput {
  readonly body: ByteBuffer;
  readonly batch: SampleBatch;
  /** The scrape's time, for lines without a timestamp of their own. */
  readonly timestampMs: number;
  /** Text 0.0.4 or OpenMetrics 1.0 (which demands `# EOF` and has timestamps in seconds). */
  readonly format: "text" | "openmetrics";
  /** Whether a line's own timestamp is used; it is checked either way. */
  readonly honorTimestamps: boolean;
  /** Whether series with a timestamp of their own get stale markers too. Default false. */
  readonly trackTimestampsStaleness?: boolean;
  /** Whether exemplars are reported; they are checked either way. Default false. */
  readonly reportExemplars?: boolean;
}

/** Offsets of the state that the kernel works on (see kernel/line-table.ts). */
export const lineTableState = {
  bytes: 192,
  entriesPtr: 0,
  entriesCapacity: 4,
  entriesCount: 8,
  liveCount: 12,
  previousPtr: 32,
  previousCount: 36,
  currentPtr: 40,
  currentCount: 44,
  orderCapacity: 48,
  indexPtr: 52,
  indexCapacity: 56,
  scrapeNumber: 60,
  bodyPtr: 64,
  bodyBytes: 68,
  position: 72,
  flags: 76,
  eventStart: 80,
  eventEnd: 84,
  eventRef: 88,
  eventEntry: 92,
  /** f64 */
  timestampMs: 96,
  refsPtr: 104,
  timestampsPtr: 108,
  valuesPtr: 112,
  batchCapacity: 116,
  batchCount: 120,
  vanishedPtr: 124,
  vanishedCapacity: 132,
  cursor: 136,
  samplesScraped: 140,
  /** Entry + 1 of the line at `position`, whose key ends at `eventEnd`; 0 = the line is to be looked up. */
  pending: 144,
} as const;
/** An entry of the table: { u64 key's hash, u32 ref, u32 scrape, u32 key bytes, u32 position, u32 flags, u32 exemplar's hash }. */
const entryBytes = 32;
const entryRef = 8;
const entryFlags = 24;
const entryTracked = 1;
const flagOpenMetrics = 1;
const flagHonorTimestamps = 2;
const flagTrackTimestamps = 4;
const flagReportExemplars = 8;

/**
 * One target's previous scrape, line by line, so that a line that comes again costs one compare. **Main thread only**; owned by
 * the scrape loop, which must `close` it.
 *
 *     table.begin(input);
 *     for (let event = table.resume(); event !== lineEvent.done; event = table.resume()) { …see lineEvent… }
 *     const vanished = table.finish();       // refs that were there last time and are not now
 */
export class LineTable {
  readonly #exports: KernelExports;
  readonly #views: Views;
  readonly #arena: Arena;
  readonly #state: number;
  #batch: SampleBatch | undefined;

  constructor(exports: KernelExports, views: Views, arena: Arena) {
    this.#exports = exports;
    this.#views = views;
    this.#arena = arena;
    this.#state = arena.allocateZeroed(lineTableState.bytes, "line table");
  }

  /** Starts on a body, which must stay as it is until `finish` or `fail`. */
  begin(input: LineTableInput): void {
    assert(this.#batch === undefined, "the scrape before has ended with finish or fail");
    this.#batch = input.batch;
    const flags =
      (input.format === "openmetrics" ? flagOpenMetrics : 0) |
      (input.honorTimestamps ? flagHonorTimestamps : 0) |
      (input.trackTimestampsStaleness === true ? flagTrackTimestamps : 0) |
      (input.reportExemplars === true ? flagReportExemplars : 0);
    this.#set(lineTableState.bodyPtr, input.body.ptr);
    this.#set(lineTableState.bodyBytes, input.body.bytes);
    this.#set(lineTableState.position, 0);
    this.#set(lineTableState.flags, flags);
    this.#set(lineTableState.currentCount, 0);
    this.#set(lineTableState.cursor, 0);
    this.#set(lineTableState.pending, 0);
    this.#set(lineTableState.samplesScraped, 0);
    this.#set(lineTableState.scrapeNumber, this.#get(lineTableState.scrapeNumber) + 1);
    this.#set(lineTableState.refsPtr, input.batch.refsPtr);
    this.#set(lineTableState.timestampsPtr, input.batch.timestampsPtr);
    this.#set(lineTableState.valuesPtr, input.batch.valuesPtr);
    this.#set(lineTableState.batchCapacity, input.batch.capacity);
    this.#views.f64[(this.#state + lineTableState.timestampMs) / 8] = input.timestampMs;
  }

  /** Reads on until something needs the caller. Throws MemoryFullError. */
  resume(): LineEvent {
    const batch = this.#batch;
    assert(batch !== undefined, "LineTable.begin comes before resume");
    this.#set(lineTableState.batchCount, batch.count);
    const event = this.#exports.lineTableParse(this.#state);
    batch.count = this.#get(lineTableState.batchCount);
    if (event < 0) throw new MemoryFullError("line table", this.memoryBytes);
    return event as LineEvent;
  }

  /** Start of the event's text in the body: of the series part, the comment, or the whole line of a complex one. */
  get eventStart(): number {
    return this.#get(lineTableState.eventStart);
  }

  /** End of the event's text in the body, exclusive. */
  get eventEnd(): number {
    return this.#get(lineTableState.eventEnd);
  }

  /** The ref of a complex line or of an exemplar's series. */
  get eventRef(): number {
    return this.#get(lineTableState.eventRef);
  }

  /** Takes the complex line just reported out of the staleness tracking: it had a timestamp of its own that was honoured. */
  excludeFromStaleness(): void {
    const entry = this.#get(lineTableState.entriesPtr) + this.#get(lineTableState.eventEntry) * entryBytes;
    this.#views.u32[(entry + entryFlags) >>> 2]! &= ~entryTracked;
  }

  /** Remembers the unknown line's text under `ref` (or lineDropped, lineComment). Throws MemoryFullError. */
  addEntry(ref: number): void {
    if (this.#exports.lineTableAddEntry(this.#state, ref) === 0)
      throw new MemoryFullError("line table", this.memoryBytes);
  }

  /** Sample lines read in this scrape, the dropped ones included. */
  get samplesScraped(): number {
    return this.#get(lineTableState.samplesScraped);
  }

  /**
   * Ends a scrape that was read to `done`: returns the refs (a copy) that the last good scrape had and this one has not under any
   * line, and forgets the lines that did not come again.
   */
  finish(): Uint32Array {
    this.#batch = undefined;
    const vanished = this.#vanished(this.#exports.lineTableFinish(this.#state));
    if (vanished.length === 0) return vanished;
    const current = this.#currentRefs();
    return vanished.filter((ref) => !current.has(ref));
  }

  /**
   * Ends a scrape that failed (or never came: `begin` is not needed): returns every ref of the last good scrape, once, and
   * forgets all lines. The next good scrape learns them anew.
   */
  fail(): Uint32Array {
    this.#batch = undefined;
    return Uint32Array.from(new Set(this.#vanished(this.#exports.lineTableFail(this.#state))));
  }

  /** Forgets every line: when relabelling changed, or a check said `unknownSeries` for a ref that the table knows. */
  clear(): void {
    this.#exports.lineTableFree(this.#state);
    this.#batch = undefined;
  }

  /** Lines remembered. */
  get entryCount(): number {
    return this.#get(lineTableState.liveCount);
  }

  /** Shared memory held. */
  get memoryBytes(): number {
    return (
      lineTableState.bytes +
      this.#get(lineTableState.entriesCapacity) * entryBytes +
      this.#get(lineTableState.orderCapacity) * 8 +
      this.#get(lineTableState.indexCapacity) * 4 +
      this.#get(lineTableState.vanishedCapacity) * 4
    );
  }

  close(): void {
    this.clear();
    this.#arena.free(this.#state, lineTableState.bytes);
  }

  #currentRefs(): Set<number> {
    const { u32 } = this.#views;
    const order = this.#get(lineTableState.previousPtr) >>> 2;
    const entries = this.#get(lineTableState.entriesPtr);
    const refs = new Set<number>();
    for (let i = 0; i < this.#get(lineTableState.previousCount); i++)
      refs.add(u32[(entries + u32[order + i]! * entryBytes + entryRef) >>> 2]!);
    return refs;
  }

  #vanished(count: number): Uint32Array {
    if (count < 0) throw new MemoryFullError("line table", this.memoryBytes);
    const start = this.#get(lineTableState.vanishedPtr) >>> 2;
    return Uint32Array.from(this.#views.u32.subarray(start, start + count));
  }

  #get(offset: number): number {
    return this.#views.u32[(this.#state + offset) >>> 2]!;
  }

  #set(offset: number, value: number): void {
    this.#views.u32[(this.#state + offset) >>> 2] = value;
  }
}
