// Mirrors src/kernel/layout.ts, which explains every field; a test there compares the two through the exports below.

export const PAGE_BYTES: u32 = 65536;
export const TABLES: usize = 98304;
export const SLAB_OF_PAGE: usize = 131072;
export const SPANS_FIRST_PAGE: u32 = 4;
export const SLACK: u32 = 16;

// Control block.
export const PAGE_COUNT: usize = 8;
export const SPAN_LOCK: usize = 12;
export const PAGES_USED: usize = 16;
export const SPAN_HINT: usize = 20;
export const GLOBAL_EPOCH: usize = 64;
export const RETIRED_HEAD: usize = 136;
export const RETIRED_TAIL: usize = 140;
export const ARENA_USED: usize = 144;
export const ARENA_RETIRED: usize = 152;
export const ARENA_RESERVED: usize = 160;
export const ARENA_SLABS: usize = 256;
export const SERIES_HIGHEST_REF: usize = 1024;
export const SERIES_COUNT: usize = 1028;
export const CHUNK_TOTAL: usize = 1032;
export const ISOLATION_NEXT: usize = 1040;
export const ISOLATION_DONE: usize = 1044;
export const ISOLATION_WRITTEN: usize = 1048;
export const ISOLATION_END: usize = 1052;
export const ISOLATION_FIRST: usize = 1056;
export const ISOLATION_LOST: usize = 1072;
export const NOTE_BYTES: u32 = 16;
export const NOTE_BLOCK_BYTES: u32 = 65536;
export const CLOSED_QUEUE: usize = 1088;
export const CLOSED_CAPACITY: usize = 1092;
export const CLOSED_COUNT: usize = 1096;
export const CLOSED_TAKEN: usize = 1100;
export const FLOAT_ENCODING: usize = 1104;
export const READERS: usize = 4096;
export const READER_BYTES: u32 = 64;
export const READER_SLOTS: u32 = 64;
export const SPAN_BITMAP: usize = 8192;
export const SERIES_DIRECTORY: usize = 16384;
export const TOUCHED_BITMAP: usize = 57344;

// The head's roots.
export const SYMBOLS: usize = 32768;
export const NAMES: usize = 32772;
export const ALL_SERIES: usize = 32776;
export const SERIES_VERSION: usize = 32816;
export const SERIES_BUCKETS: usize = 32840;
export const SERIES_BUCKETS_CAPACITY: usize = 32844;
export const SERIES_INDEXED: usize = 32848;

// Series slot.
export const SLOT_BYTES: u32 = 64;
export const SLOTS_PER_PAGE: u32 = 16384;
export const SLOT_PAGES_MAX: u32 = 4096;
export const SLOT_LABELS: usize = 0;
export const SLOT_CHUNK: usize = 4;
export const SLOT_LAST_TIMESTAMP: usize = 8;
export const SLOT_LAST_VALUE: usize = 16;
export const SLOT_LAST_DELTA: usize = 24;
export const SLOT_BIT_POS: usize = 32;
export const SLOT_LEADING: usize = 36;
export const SLOT_TRAILING: usize = 37;
export const SLOT_FLAGS: usize = 38;
export const SLOT_QUEUED: u8 = 2;
export const SLOT_NEXT_CUT: usize = 40;
export const SLOT_HASH_CHAIN: usize = 52;
export const SLOT_REF: usize = 56;
export const SLOT_HASH: usize = 60;

// Chunk header.
export const CHUNK_HEADER: u32 = 32;
export const CHUNK_OLDER: usize = 0;
export const CHUNK_COUNT: usize = 4;
export const CHUNK_ENCODING: usize = 6;
export const CHUNK_FLAGS: usize = 7;
export const CHUNK_MIN: usize = 8;
export const CHUNK_MAX: usize = 16;
export const CHUNK_CAPACITY: usize = 24;
export const CHUNK_DATA_BYTES: usize = 28;
export const CHUNK_PLACE: usize = 24;
export const CHUNK_CLOSED: u8 = 1;
export const CHUNK_IN_FILE: u8 = 2;
export const ENCODING_XOR: u8 = 1;
export const ENCODING_XOR2: u8 = 4;

export const STALE_BITS: u64 = 0x7ff0000000000002;
export const NORMAL_NAN_BITS: u64 = 0x7ff8000000000001;

// State of a line table.
export const LT_ENTRIES: usize = 0;
export const LT_ENTRIES_CAPACITY: usize = 4;
export const LT_ENTRIES_COUNT: usize = 8;
export const LT_LIVE: usize = 12;
export const LT_PREVIOUS: usize = 32;
export const LT_PREVIOUS_COUNT: usize = 36;
export const LT_CURRENT: usize = 40;
export const LT_CURRENT_COUNT: usize = 44;
export const LT_ORDER_CAPACITY: usize = 48;
export const LT_INDEX: usize = 52;
export const LT_INDEX_CAPACITY: usize = 56;
export const LT_SCRAPE: usize = 60;
export const LT_BODY: usize = 64;
export const LT_BODY_BYTES: usize = 68;
export const LT_POSITION: usize = 72;
export const LT_FLAGS: usize = 76;
export const LT_EVENT_START: usize = 80;
export const LT_EVENT_END: usize = 84;
export const LT_EVENT_REF: usize = 88;
export const LT_EVENT_ENTRY: usize = 92;
export const LT_TIMESTAMP: usize = 96;
export const LT_BATCH_REFS: usize = 104;
export const LT_BATCH_TIMESTAMPS: usize = 108;
export const LT_BATCH_VALUES: usize = 112;
export const LT_BATCH_CAPACITY: usize = 116;
export const LT_BATCH_COUNT: usize = 120;
export const LT_VANISHED: usize = 124;
export const LT_VANISHED_CAPACITY: usize = 132;
export const LT_CURSOR: usize = 136;
export const LT_SAMPLES: usize = 140;
export const LT_PENDING: usize = 144;
export const LT_STATE_BYTES: u32 = 192;

// State of a series writer.
export const SW_LABELS: usize = 0;
export const SW_CAPACITY: usize = 4;
export const SW_KNOWN: usize = 8;
export const SW_COUNT: usize = 16;
export const SW_HASH: usize = 20;
export const SW_AT: usize = 24;
export const SW_END: usize = 28;
export const SW_ENTRY: usize = 32;
export const SW_MODE: usize = 36;
export const SW_LIMIT: usize = 40;
export const SW_CREATED: usize = 44;
export const SW_HIGHEST: usize = 48;
export const SW_REF: usize = 52;
export const SW_LOG_REF: usize = 56;
export const SW_STATE_BYTES: u32 = 64;
export const SW_LABEL_BYTES: u32 = 24;

// A series and a chunk of a block that is written.
export const BLOCK_SERIES_BYTES: u32 = 16;
export const BLOCK_SERIES_WORDS: usize = 0;
export const BLOCK_SERIES_CHUNKS: usize = 4;
export const BLOCK_SERIES_REF: usize = 8;
export const BLOCK_SERIES_ALONE: usize = 12;
export const BLOCK_CHUNK_BYTES: u32 = 32;
export const BLOCK_CHUNK_MIN: usize = 0;
export const BLOCK_CHUNK_MAX: usize = 8;
export const BLOCK_CHUNK_REF: usize = 16;
export const BLOCK_CHUNK_SAMPLES: usize = 24;
export const BLOCK_CHUNK_DATA_BYTES: usize = 28;

// State of a copy of series to a block.
export const BR_REFS: usize = 0;
export const BR_UNTILS: usize = 4;
export const BR_COUNT: usize = 8;
export const BR_FILES: usize = 12;
export const BR_FILES_COUNT: usize = 16;
export const BR_NOTES: usize = 20;
export const BR_MIN_MS: usize = 24;
export const BR_MAX_MS: usize = 32;
export const BR_CHUNK_REF: usize = 40;
export const BR_OUT: usize = 48;
export const BR_OUT_END: usize = 52;
export const BR_CHUNKS: usize = 56;
export const BR_CHUNKS_END: usize = 60;
export const BR_SERIES: usize = 64;
export const BR_COLUMNS: usize = 68;
export const BR_SAMPLES_MAX: usize = 72;
export const BR_DONE: usize = 76;
export const BR_STATE_BYTES: u32 = 80;
