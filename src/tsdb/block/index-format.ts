/** Upstream's index file; docs/formats/block.md draws it. All numbers are big-endian. */
export const indexMagic = 0xbaaad700;
export const indexHeaderBytes = 5;
export const tocBytes = 6 * 8 + 4;
/** Version 2 numbers symbols and counts series in steps of 16 bytes; version 1 names both by their offset in the file. */
export const seriesAlignmentBytes = 16;
export type IndexVersion = 1 | 2;

/** Offsets of the sections; 0 where one is missing. */
export interface IndexToc {
  readonly symbols: number;
  readonly series: number;
  readonly labelIndices: number;
  readonly labelIndicesTable: number;
  readonly postings: number;
  readonly postingsTable: number;
}

/** The name and value under which the postings of all series stand. */
export const allPostingsKey = "";
