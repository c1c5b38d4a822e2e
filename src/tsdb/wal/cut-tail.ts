import type { Disk } from "../../base/index.ts";
import type { SegmentEnd } from "./reader.ts";

/** Cuts what was being written to a segment when the process or machine went down: it is no record, and would hide what is written after it from others. Throws the disk's error. */
export function cutTail(disk: Disk, path: string, { goodBytes }: SegmentEnd): void {
  const fd = disk.open(path, "r+");
  try {
    disk.truncate(fd, goodBytes);
  } finally {
    disk.close(fd);
  }
}
