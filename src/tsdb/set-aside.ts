import type { Disk } from "../base/index.ts";

/** Where in a data directory the files go that are damaged, or may hold more than was understood. They are never deleted. */
export function setAsideDirectory(dataDirectory: string): string {
  return `${dataDirectory}/set-aside`;
}

/** Moves a file or directory out of the way, never over another. Throws the disk's error. */
export function setAside(disk: Disk, path: string, directory: string): void {
  disk.makeDirectory(directory);
  const name = path.slice(path.lastIndexOf("/") + 1);
  let target = `${directory}/${name}`;
  for (let copy = 1; disk.stat(target) !== undefined; copy++) target = `${directory}/${name}.${copy}`;
  disk.rename(path, target);
}
