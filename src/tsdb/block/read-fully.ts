import type { Disk } from "../../base/index.ts";
import { BlockDamagedError, BlockUnreadableError } from "./damage.ts";

/** Fills `bytes` from `offset` on. Throws BlockDamagedError when the file ends before, BlockUnreadableError when the disk fails. */
export function readFully(disk: Disk, fd: number, path: string, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;) {
    let count: number;
    try {
      count = disk.read(fd, bytes.subarray(done), offset + done);
    } catch (error) {
      throw new BlockUnreadableError(path, offset + done, error);
    }
    if (count === 0) throw new BlockDamagedError(path, offset + done, "the file has become shorter");
    done += count;
  }
}
