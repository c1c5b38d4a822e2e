import type { Clock, Disk, Logger } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { BlockCache } from "./block/cache.ts";
import { recoverBlocks } from "./block/maintenance.ts";
import type { BlockMeta } from "./block/meta.ts";
import { DirectoryLock } from "./lock.ts";
import { blocksChanged } from "./shared-blocks.ts";

export interface DataDirectoryParts {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly directory: string;
}

/** A data directory that this process holds, as it was when it was opened. */
export interface DataDirectory {
  /** Whoever opened the directory must release it. */
  readonly lock: DirectoryLock;
  /** The sound blocks. */
  readonly blocks: BlockMeta[];
  /** The names of the damaged ones, which were set aside. */
  readonly blocksSetAside: string[];
}

/**
 * Makes the directory when it is missing, takes its lock, and clears away blocks that are damaged or half made. Throws `unavailable` when another process has it or
 * it cannot be written, and the disk's error; then it is not locked.
 */
export function openDataDirectory(parts: DataDirectoryParts): DataDirectory {
  const { kernel, disk, clock, logger, directory } = parts;
  disk.makeDirectory(directory);
  const lock = DirectoryLock.acquire(disk, directory);
  const context = { kernel, disk, cache: new BlockCache() };
  const onChange = (): void => blocksChanged(kernel);
  try {
    const { blocks, setAside } = recoverBlocks({
      context,
      clock,
      logger,
      dataDirectory: directory,
      onChange,
    });
    return { lock, blocks, blocksSetAside: setAside };
  } catch (error) {
    lock.release();
    throw error;
  }
}
