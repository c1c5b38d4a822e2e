import { type Disk, errorMessage } from "../../base/index.ts";
import { isUlid } from "./ulid.ts";

export const creationSuffix = ".tmp-for-creation";
export const deletionSuffix = ".tmp-for-deletion";
/** What is appended to a damaged block's name, so that nobody takes it for a block. It is never deleted. */
export const damagedSuffix = ".damaged";
/** Left behind by early versions of upstream. */
const legacySuffix = ".tmp";

/** ULIDs of a data directory's blocks, oldest creation first. Throws the disk's error. */
export function listBlockUlids(disk: Disk, dataDirectory: string): string[] {
  return disk.list(dataDirectory).filter(isUlid).sort();
}

/** Removes what half-done creations and deletions left. Returns how many there were. Throws the disk's error. */
export function removeLeftovers(disk: Disk, dataDirectory: string): number {
  let count = 0;
  for (const name of disk.list(dataDirectory)) {
    const suffix = [creationSuffix, deletionSuffix, legacySuffix].find((suffix) => name.endsWith(suffix));
    if (suffix === undefined || !isUlid(name.slice(0, -suffix.length))) continue;
    disk.remove(`${dataDirectory}/${name}`);
    count++;
  }
  return count;
}

/** Deletes a block: it is gone at once, or not at all. Threads that have it open go on reading. Throws the disk's error. */
export function deleteBlock(disk: Disk, dataDirectory: string, ulid: string): void {
  const directory = `${dataDirectory}/${ulid}`;
  disk.remove(directory + deletionSuffix);
  disk.rename(directory, directory + deletionSuffix);
  disk.syncDirectory(dataDirectory);
  disk.remove(directory + deletionSuffix);
}

/** Renames a damaged block, so that it is not opened again and can be looked into. Returns why not, when that fails. */
export function setBlockAside(disk: Disk, dataDirectory: string, ulid: string): string | undefined {
  const directory = `${dataDirectory}/${ulid}`;
  try {
    let target = directory + damagedSuffix;
    for (let i = 2; disk.stat(target) !== undefined; i++) target = `${directory}${damagedSuffix}-${i}`;
    disk.rename(directory, target);
    disk.syncDirectory(dataDirectory);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
