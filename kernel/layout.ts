// Mirrors src/kernel/layout.ts, which explains every field; a test there compares the two through the exports below.

export const PAGE_BYTES: u32 = 65536;
export const TABLES: usize = 98304;
export const SLACK: u32 = 16;

// Control block.
export const PAGE_COUNT: usize = 8;
export const SPAN_LOCK: usize = 12;
export const PAGES_USED: usize = 16;
export const SPAN_HINT: usize = 20;
export const GLOBAL_EPOCH: usize = 64;
export const ARENA_BUMP: usize = 128;
export const ARENA_BUMP_END: usize = 132;
export const RETIRED_HEAD: usize = 136;
export const RETIRED_TAIL: usize = 140;
export const ARENA_USED: usize = 144;
export const ARENA_RETIRED: usize = 152;
export const ARENA_RESERVED: usize = 160;
export const ARENA_FREE_LISTS: usize = 256;
export const SERIES_HIGHEST_REF: usize = 1024;
export const SERIES_COUNT: usize = 1028;
export const READERS: usize = 4096;
export const READER_BYTES: u32 = 64;
export const READER_SLOTS: u32 = 64;
export const SPAN_BITMAP: usize = 8192;
export const SERIES_DIRECTORY: usize = 16384;

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
export const SLOT_NEXT_CUT: usize = 40;

// Chunk header.
export const CHUNK_HEADER: u32 = 40;
export const CHUNK_OLDER: usize = 0;
export const CHUNK_CAPACITY: usize = 4;
export const CHUNK_COUNT: usize = 8;
export const CHUNK_DATA_BYTES: usize = 12;
export const CHUNK_MIN: usize = 16;
export const CHUNK_MAX: usize = 24;
export const CHUNK_ENCODING: usize = 32;
export const CHUNK_FLAGS: usize = 36;
export const CHUNK_CLOSED: u32 = 1;

export const STALE_BITS: u64 = 0x7ff0000000000002;
export const NORMAL_NAN_BITS: u64 = 0x7ff8000000000001;
