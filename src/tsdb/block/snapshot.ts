import type { Disk } from "../../base/index.ts";
import { creationSuffix, snapshotsName } from "./directory.ts";
import { type BlockMaintenance, listBlocks } from "./maintenance.ts";
import { supersededBlocks } from "./retention.ts";

/**
 * Makes `snapshots/<name>` in the data directory: the blocks there are, as second names of their files, and what `writeHead` adds to the directory it is given. The
 * snapshot appears under its name when all of it is on the medium. Throws the disk's error; then nothing is left behind.
 */
export function writeSnapshot(
  maintenance: BlockMaintenance,
  name: string,
  writeHead: (directory: string) => void,
): void {
  const { context, dataDirectory } = maintenance;
  const { disk } = context;
  const snapshots = `${dataDirectory}/${snapshotsName}`;
  const unfinished = `${snapshots}/${name}${creationSuffix}`;
  try {
    disk.makeDirectory(unfinished);
    disk.syncDirectory(dataDirectory);
    const blocks = listBlocks(maintenance);
    const superseded = new Set(supersededBlocks(blocks));
    for (const { ulid } of blocks)
      if (!superseded.has(ulid)) linkFiles(disk, `${dataDirectory}/${ulid}`, `${unfinished}/${ulid}`);
    writeHead(unfinished);
    disk.syncDirectory(unfinished);
    disk.rename(unfinished, `${snapshots}/${name}`);
    disk.syncDirectory(snapshots);
  } catch (error) {
    disk.remove(unfinished);
    throw error;
  }
}

/** Gives all files below a directory second names below another one. */
function linkFiles(disk: Disk, from: string, to: string): void {
  disk.makeDirectory(to);
  for (const name of disk.list(from)) {
    const path = `${from}/${name}`;
    if (disk.stat(path)?.isDirectory) linkFiles(disk, path, `${to}/${name}`);
    else disk.link(path, `${to}/${name}`);
  }
  disk.syncDirectory(to);
}
