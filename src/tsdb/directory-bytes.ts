import type { Disk } from "../base/index.ts";

/** Bytes of all files below a directory; 0 when it is not there. Throws the disk's error. */
export function directoryBytes(disk: Disk, directory: string): number {
  if (disk.stat(directory) === undefined) return 0;
  return disk.list(directory).reduce((bytes, name) => {
    const path = `${directory}/${name}`;
    // What is deleted meanwhile takes no room.
    const stat = disk.stat(path);
    return bytes + (stat?.isDirectory ? directoryBytes(disk, path) : (stat?.sizeBytes ?? 0));
  }, 0);
}
