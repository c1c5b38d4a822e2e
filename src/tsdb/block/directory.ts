import { randomBytes } from "node:crypto";
import type { Disk } from "../../base/index.ts";
import { setAside, setAsideDirectory } from "../set-aside.ts";
import { isUlid } from "./ulid.ts";

export const creationSuffix = ".tmp-for-creation";
export const deletionSuffix = ".tmp-for-deletion";
/** Where snapshots are, in the data directory. */
export const snapshotsName = "snapshots";
/** Left behind by early versions of upstream. */
const legacySuffix = ".tmp";

/** ULIDs of a data directory's blocks, oldest creation first. Throws the disk's error. */
export function listBlockUlids(disk: Disk, dataDirectory: string): string[] {
  return disk.list(dataDirectory).filter(isUlid).sort();
}

/** Removes what half-done creations and deletions left. Returns how many there were. Throws the disk's error. */
export function removeLeftovers(disk: Disk, dataDirectory: string): number {
  let count = removeHalfSnapshots(disk, `${dataDirectory}/${snapshotsName}`);
  for (const name of disk.list(dataDirectory)) {
    const suffix = [creationSuffix, deletionSuffix, legacySuffix].find((suffix) => name.endsWith(suffix));
    if (suffix === undefined || !isUlid(name.slice(0, -suffix.length))) continue;
    disk.remove(`${dataDirectory}/${name}`);
    count++;
  }
  return count;
}

function removeHalfSnapshots(disk: Disk, snapshots: string): number {
  if (disk.stat(snapshots) === undefined) return 0;
  const half = disk.list(snapshots).filter((name) => name.endsWith(creationSuffix));
  for (const name of half) disk.remove(`${snapshots}/${name}`);
  return half.length;
}

/** Deletes a block: it is gone at once, or not at all. Threads that have it open go on reading. Throws the disk's error. */
export function deleteBlock(disk: Disk, dataDirectory: string, ulid: string): void {
  const directory = `${dataDirectory}/${ulid}`;
  disk.remove(directory + deletionSuffix);
  disk.rename(directory, directory + deletionSuffix);
  disk.syncDirectory(dataDirectory);
  disk.remove(directory + deletionSuffix);
}

/** Moves a damaged block away, so that it is not opened again and can be looked into. Throws the disk's error. */
export function setBlockAside(disk: Disk, dataDirectory: string, ulid: string): void {
  setAside(disk, `${dataDirectory}/${ulid}`, setAsideDirectory(dataDirectory));
  disk.syncDirectory(dataDirectory);
}

/** As upstream's, such as `20240131T235959Z-00c0ffee00c0ffee`: when it was made, and a number so that no two are the same. */
export function snapshotName(nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${time}-${randomBytes(8).toString("hex")}`;
}
