/**
 * Where everything lies in the shared memory: the single truth on offsets. `kernel/layout.ts` mirrors the parts the
 * WebAssembly code needs, and `layout.test.ts` compares the two. All offsets and sizes are in bytes unless named otherwise.
 *
 *     [0, 64 Ki)        control block (below)
 *     [64 Ki, 96 Ki)    static data of kernel.wasm: constants, identical in every thread
 *     [96 Ki, 128 Ki)   tables computed once by the main thread: CRC32C, powers of five
 *     [128 Ki, 256 Ki)  u16 for each page: the first page of the arena's slab that it belongs to
 *     [256 Ki, limit)   spans of n × 64 KiB
 */
export const pageBytes = 65_536;
export const memoryPagesMax = 65_536;
export const memoryBytesMin = 64 * 1024 * 1024;
export const memoryBytesMax = pageBytes * memoryPagesMax;

export const staticDataStart = 65_536;
export const tablesStart = 98_304;
export const slabOfPageStart = 131_072;
/** First byte that spans may use. */
export const spansStart = slabOfPageStart + 2 * memoryPagesMax;

/** Bytes after a chunk's data, a body, or a column that may be loaded (never used) by 64 and 128-bit accesses. */
export const slackBytes = 16;

/** u32 words of the control block. */
export const control = {
  magic: 0,
  version: 4,
  /** Pages of 64 KiB in the memory, the control block's own included. */
  pageCount: 8,
  /** 0 = free, else reader slot + 1 of the thread that holds the span lock. */
  spanLock: 12,
  /** Pages in use, those before the spans included. */
  pagesUsed: 16,
  /** Where the next search for a free span begins, a page number. */
  spanHint: 20,
  globalEpoch: 64,
  /** First and last node of the queue of retired blocks. */
  retiredHead: 136,
  retiredTail: 140,
  /** f64: bytes handed out by the arena, rounded to their size class. */
  arenaUsedBytes: 144,
  /** f64: bytes retired and not yet free. */
  arenaRetiredBytes: 152,
  /** f64: bytes the arena took from the spans. */
  arenaReservedBytes: 160,
  /** { u32 first, u32 last } × 64: the slabs with room, one list per size class. */
  arenaSlabs: 256,
  seriesHighestRef: 1024,
  seriesCount: 1028,
  /** Chunks of all series. */
  chunkCount: 1032,
  /** Notes for readers, see kernel/isolation.ts: where the next one goes, as shown to readers; the same when the last commit was whole. */
  isolationNext: 1040,
  isolationDone: 1044,
  /** For the writer: where the next note goes, and the end of its block. */
  isolationWritten: 1048,
  isolationEnd: 1052,
  /** The first note's place, which leads to the first block. */
  isolationFirst: 1056,
  /** f64: notes for which there was no memory. */
  isolationLost: 1072,
  /** Series with closed chunks that are not in a file yet: u32 pointer to an array of refs, its capacity, the refs in it, those taken from it. */
  closedQueue: 1088,
  closedCapacity: 1092,
  closedCount: 1096,
  closedTaken: 1100,
  /** u32: the encoding of chunks of floats that are begun. */
  floatEncoding: 1104,
  /** 64 reader records of 64 bytes: see `reader`. */
  readers: 4096,
  /** One bit per page: 8 KiB. */
  spanBitmap: 8192,
  /** u32 × 4096: pointers to pages of series slots. */
  seriesDirectory: 16_384,
  /** 24 KiB of words for the head's own use (symbol table, postings directory, bounds); zero at start. */
  headWords: 32_768,
  headWordsEnd: 57_344,
  /** One bit per page of the spans that was used since it was given back to the system: 8 KiB. */
  touchedBitmap: 57_344,
} as const;

/**
 * The head's roots, offsets in the control block (within `headWords`). Written by the main thread, u32 words with atomic stores, read by
 * all; src/tsdb/head owns what they lead to.
 */
export const headWord = {
  /** u32 → hash table of symbols. */
  symbols: 32_768,
  /** u32 → hash table: name symbol → hash table: value symbol → posting list. */
  names: 32_772,
  /** u32: posting list of all series. */
  allSeries: 32_776,
  /** u32: grows each time that symbols are freed, so that threads may cache their texts. */
  symbolGeneration: 32_780,
  /** f64: times of the head's oldest and newest sample; meaningless while `allSeries` is 0. */
  minTimeMs: 32_784,
  maxTimeMs: 32_792,
  /** u32: grows with every change of the set of blocks on disk, so that threads know when to look again. */
  blocksVersion: 32_800,
  /** u32 → { u32 lengthBytes, UTF-8 bytes }: the directory that the blocks are in; 0 while there is none. */
  dataDirectory: 32_804,
  /** u32: how often queries on all threads had to leave out a damaged place of a block. */
  blockDamages: 32_808,
  /** u32 → hash table: series ref + 1 → what is deleted of it. */
  tombstones: 32_832,
  /** u32 → hash table: series ref + 1 → its samples that came out of order. */
  outOfOrder: 32_836,
  /** u32 → u32 ref × capacity, the capacity, the series in it: chains of series by the hash of their labels. For the writer alone. */
  seriesBuckets: 32_840,
  seriesBucketsCapacity: 32_844,
  seriesIndexed: 32_848,
  /** u32: files of head chunks below this number are gone. */
  headChunksFirstFile: 32_812,
  /** u32: grows when a series can be found in the index, so that threads may remember what they found there. */
  seriesVersion: 32_816,
} as const;

export const controlMagic = 0x4e525458;
export const layoutVersion = 1;

/** What a commit notes of a series that it appends to: { u32 ref, u32 next, f64 newestMs }; ref 0 leads to `next`. */
export const isolationNote = { bytes: 16, blockBytes: 65_536, ref: 0, next: 4, newestMs: 8 } as const;

/** One cache line per reader. Slot 0 is the main thread's. */
export const reader = {
  bytes: 64,
  slots: 64,
  /** u32: the epoch the reader runs in; 0 = outside. */
  epoch: 0,
  /** u32: newest span of the reader's scratch, linked through its first word; 0 = none. */
  scratchSpans: 4,
  /** u32: 1 while a thread has the record. */
  claimed: 8,
} as const;

/** A series slot: 64 bytes, in pages of 16,384 slots, found by `Kernel.series.slot(ref)`. */
export const slot = {
  bytes: 64,
  perPage: 16_384,
  pagesMax: 4096,
  /** u32 → { u32 hash, u32 pairs, (u32 nameSymbol, u32 valueSymbol) × pairs }; 0 = free slot. */
  labelsPtr: 0,
  /** u32 newest chunk, published atomically; 0 = none. */
  chunkPtr: 4,
  /** i64; meaningful only while chunkPtr ≠ 0. */
  lastTimestampMs: 8,
  /** u64: the bits of the newest value. */
  lastValueBits: 16,
  /** i64: distance of the two newest timestamps in the open chunk. */
  lastDeltaMs: 24,
  /** u32: bits written to the open chunk's data. */
  bitPos: 32,
  /** u8: leading zeros of the last value window; 0xff = none yet. */
  leading: 36,
  /** u8: trailing zeros of the last value window. */
  trailing: 37,
  /** u8: bit 0 for the head, bit 1 while the series is in the queue of those with closed chunks. */
  flags: 38,
  /** i64: the open chunk is cut at the first sample at or after this time. */
  nextCutMs: 40,
  /** u32: for isolation; reserved. */
  appendId: 48,
  /** u32: next slot's ref in the chain of equal label hashes. */
  hashChain: 52,
  /** u32: whose slot it is, since refs that differ by `perPage` × `pagesMax` share it. */
  ref: 56,
  /** u32: the hash of the labels again, so that the head walks a chain without reading labels. */
  labelsHash: 60,
} as const;
/** Refs are 31 bits, so that a posting list of one can be told from a pointer. */
export const seriesRefMax = 2 ** 31 - 1;

/**
 * Head of a chunk. In memory, its data (upstream's bytes and `slackBytes`, where the writer of an open XOR2 chunk keeps notes) follows. Once its data is in a file of `chunks_head`, a head alone
 * stands for it, with the file's place where else the sizes are.
 */
export const chunk = {
  headerBytes: 32,
  /** u32: next older chunk; 0 = none. */
  older: 0,
  /** u16, atomic: samples a reader may see. */
  count: 4,
  /** u8: 1 = XOR or 4 = XOR2, which the kernel reads and writes; it only closes and drops chunks of other encodings. */
  encoding: 6,
  /** u8, atomic: bit 0 = closed, bit 1 = in a file. */
  flags: 7,
  /** i64. */
  minTimestampMs: 8,
  /** i64: of the samples so far. */
  maxTimestampMs: 16,
  /** u32: bytes of the data area, slack not included. */
  capacity: 24,
  /** u32: bytes of data once closed; 0 while open. */
  dataBytes: 28,
  /** u64: where the record is. Bits 0–15: its length in units of 64 bytes, rounded up; 16–42: offset in the file; 43–63: number of the file. */
  place: 24,
} as const;
export const chunkEncodingXor = 1;
export const chunkEncodingXor2 = 4;
/** How floats are encoded. XOR2 takes less space and can keep since when they count. */
export type FloatEncoding = typeof chunkEncodingXor | typeof chunkEncodingXor2;
export function isFloatEncoding(encoding: number): encoding is FloatEncoding {
  return encoding === chunkEncodingXor || encoding === chunkEncodingXor2;
}
export const chunkFlagClosed = 1;
export const chunkFlagInFile = 2;
export const slotFlagQueued = 2;

/** Status of a sample in a batch. */
export const sampleStatus = {
  ok: 0,
  /** Older than the series' newest sample. */
  outOfOrder: 1,
  /** The newest timestamp again, with another value. */
  duplicate: 2,
  /** The newest timestamp again, with the same bits: accepted in silence and not stored. */
  repeated: 3,
  /** Before the head's lowest valid time. */
  outOfBounds: 4,
  /** Beyond the highest acceptable time. */
  tooFarInFuture: 5,
  /** The shared memory is full. */
  memoryFull: 6,
  /** The ref names no series. */
  unknownSeries: 7,
  /** Refused by the kernel, and stored as having come out of order. */
  late: 8,
  /** Refused by the kernel, and too old for that. */
  tooOld: 9,
} as const;
export type SampleStatus = (typeof sampleStatus)[keyof typeof sampleStatus];

/** The bits of upstream's staleness marker, a NaN of its own, and of the NaN that every other NaN becomes when parsed. */
export const staleMarkerBits = 0x7ff0000000000002n;
export const normalNaNBits = 0x7ff8000000000001n;
