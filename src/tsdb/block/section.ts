import type { Kernel } from "../../kernel/index.ts";
import { ByteCursor } from "./bytes.ts";
import { checksumOf } from "./checksum.ts";
import { BlockDamagedError } from "./damage.ts";
import type { BlockFile } from "./file.ts";

/** Bytes looked at at a time when a section is walked over. */
const scanBytes = 65_536;
/** In front of the content: u32 length. */
const lengthBytes = 4;
const checksumBytes = 4;

/** The content of a section { u32 length, content, u32 CRC-32C of the content }. */
export interface Section {
  /** File offset of the content. */
  readonly start: number;
  readonly end: number;
}

/** Where a section's content lies. Throws BlockDamagedError when it is not within the file. */
export function findSection(file: BlockFile, offset: number): Section {
  const length = file.view(offset, lengthBytes, new ByteCursor()).u32();
  const start = offset + lengthBytes;
  file.check(start, length + checksumBytes);
  return { start, end: start + length };
}

/**
 * Reads a section from front to back, checking its checksum on the way, and calls `visit` for each of its `count` entries with the entry's offset and a
 * cursor at its first byte, which `visit` must move behind the last. `entryBytesMax` bounds an entry. Content before
 * `entriesStart` and behind the last entry is only checked.
 */
export function scanSection(
  kernel: Kernel,
  file: BlockFile,
  section: Section,
  entriesStart: number,
  count: number,
  visit: (cursor: ByteCursor, offset: number) => void,
): void {
  const cursor = new ByteCursor();
  let seen = 0;
  let at = entriesStart;
  let crc = checksumOf(kernel, file.bytes(section.start, entriesStart - section.start));
  let windowBytes = scanBytes;
  while (at < section.end) {
    const bytes = file.bytes(at, Math.min(windowBytes, section.end - at));
    cursor.set(file.path, at, bytes, 0, bytes.length);
    const isLast = at + bytes.length === section.end;
    let done = 0;
    while (seen < count && cursor.left > 0) {
      try {
        visit(cursor, at + done);
      } catch (error) {
        // An entry that is cut off by the window is read again at the start of the next.
        if (!(error instanceof BlockDamagedError) || isLast) throw error;
        break;
      }
      done = cursor.at;
      seen++;
    }
    if (isLast || seen === count) done = bytes.length;
    if (done === 0) windowBytes *= 4;
    crc = checksumOf(kernel, bytes.subarray(0, done), crc);
    at += done;
  }
  if (seen < count)
    throw new BlockDamagedError(file.path, section.start, `${count} entries expected, ${seen} found`);
  const expected = file.view(section.end, checksumBytes, cursor).u32();
  if (crc !== expected) throw new BlockDamagedError(file.path, section.start, "wrong checksum");
}

/** The content of a section as a whole, its checksum verified. For small ones: the caller checks the length. */
export function readSection(kernel: Kernel, file: BlockFile, section: Section): Buffer {
  const all = file.bytes(section.start, section.end - section.start + checksumBytes);
  const content = all.subarray(0, -checksumBytes);
  if (checksumOf(kernel, content) !== all.readUInt32BE(content.length))
    throw new BlockDamagedError(file.path, section.start, "wrong checksum");
  return content;
}
