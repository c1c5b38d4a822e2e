/** Upstream's chunk segment files; docs/formats/block.md draws them. All numbers are big-endian. */
export const chunksMagic = 0x85bd40dd;
export const chunksVersion = 1;
/** u32 magic, u8 version, 3 bytes of padding. */
export const chunksHeaderBytes = 8;
/** A segment ends before it grows beyond this. */
export const chunkSegmentBytesMax = 512 * 1024 * 1024;
/** In front of a chunk's data: uvarint length, u8 encoding; behind it the u32 CRC-32C of encoding and data. */
export const chunkLengthBytesMax = 5;
export const chunkEncodingBytes = 1;
export const chunkChecksumBytes = 4;
/** Larger chunks are taken for damage: 65,535 samples of the worst kind need a tenth. */
export const chunkBytesMax = 16 * 1024 * 1024;

const segmentScale = 2 ** 32;

/** A chunk's number in the index: its segment's place among the segments, from 0, and its offset there. */
export function chunkRef(segment: number, offset: number): number {
  return segment * segmentScale + offset;
}

export function chunkSegment(ref: number): number {
  return Math.floor(ref / segmentScale);
}

export function chunkOffset(ref: number): number {
  return ref % segmentScale;
}

export function chunkSegmentName(segment: number): string {
  return String(segment + 1).padStart(6, "0");
}
