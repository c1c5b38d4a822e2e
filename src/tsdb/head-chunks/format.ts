import type { Disk } from "../../base/index.ts";

/** Upstream's files of head chunks; docs/formats/head-chunks.md draws them. All numbers are big-endian. */
export const headChunksMagic = 0x0130bc91;
export const headChunksVersion = 1;
/** u32 magic, u8 version, 3 bytes of padding. */
export const headChunksHeaderBytes = 8;
/** A file ends before it grows beyond this. */
export const headChunksFileBytesMax = 128 * 1024 * 1024;
/** A chunk's head in memory has room for file numbers up to this. */
export const headChunksFileMax = 2 ** 21 - 1;
/** Set in the encoding of chunks whose samples came out of order. */
export const outOfOrderMask = 0x80;

export interface HeadChunksFile {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
}

export function headChunksDirectory(dataDirectory: string): string {
  return `${dataDirectory}/chunks_head`;
}

export function headChunksFileName(number: number): string {
  return String(number).padStart(6, "0");
}

/** The files of a directory, by number; none when it is missing. Throws the disk's error. */
export function listHeadChunksFiles(disk: Disk, directory: string): HeadChunksFile[] {
  if (disk.stat(directory) === undefined) return [];
  const files: HeadChunksFile[] = [];
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`;
    if (/^\d+$/.test(name))
      files.push({ number: Number(name), path, sizeBytes: disk.stat(path)?.sizeBytes ?? 0 });
  }
  return files.sort((a, b) => a.number - b.number);
}
