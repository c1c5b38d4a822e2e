import fs from "node:fs";
import { dirname } from "node:path";

/** What `stat` tells of a path. */
export interface FileStat {
  sizeBytes: number;
  isDirectory: boolean;
  modifiedMs: number;
}

/**
 * The file operations Narthex stores data with. Tests replace it to make any single write, sync or rename fail.
 * Calls throw Node's errors with their `code` (ENOENT, ENOSPC, EIO …). Paths are absolute or relative to the process.
 */
export interface Disk {
  /** Flags as in open(2): "r", "r+", "w", "a", "wx". Returns a descriptor that `close` releases. */
  open(path: string, flags: string): number;
  close(fd: number): void;
  /** Writes all of `bytes`, at `position` or at the descriptor's own offset. */
  write(fd: number, bytes: Uint8Array, position?: number): void;
  /** Reads up to `bytes.length`, returns how many came. */
  read(fd: number, bytes: Uint8Array, position: number): number;
  /** Resolves when the kernel says that the file's bytes are on the medium. */
  sync(fd: number): Promise<void>;
  syncNow(fd: number): void;
  truncate(fd: number, sizeBytes: number): void;
  readFile(path: string): Uint8Array;
  /** Replaces a file as a whole: written beside it, synced, renamed over it, directory synced. */
  writeFileAtomic(path: string, bytes: Uint8Array | string): void;
  list(directory: string): string[];
  stat(path: string): FileStat | undefined;
  rename(from: string, to: string): void;
  /** Gives a file a second name, or makes a copy where the filesystem knows none. Who changes the file afterwards replaces it as a whole. */
  link(existing: string, path: string): void;
  /** Also a directory with all that is in it; what is not there is no error. */
  remove(path: string): void;
  /** As `remove`, for threads that must not wait: a large file goes page by page. */
  removeLater(path: string): Promise<void>;
  makeDirectory(path: string): void;
  /** Size of the filesystem that holds `path`, used or not. */
  capacityBytes(path: string): number;
  /** Makes creations, renames and removals inside a directory durable. */
  syncDirectory(path: string): void;
  /** As `syncDirectory`, for threads that must not wait. */
  syncDirectoryLater(path: string): Promise<void>;
}

/** What link(2) says where the filesystem, or the rights on it, allow no second names. */
const noLinkCodes: ReadonlySet<string> = new Set([
  "EPERM",
  "EXDEV",
  "EMLINK",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
]);

export const systemDisk: Disk = {
  open: (path, flags) => fs.openSync(path, flags),
  close: (fd) => fs.closeSync(fd),
  write(fd, bytes, position) {
    let offset = 0;
    while (offset < bytes.length) {
      const at = position === undefined ? null : position + offset;
      offset += fs.writeSync(fd, bytes, offset, bytes.length - offset, at);
    }
  },
  read: (fd, bytes, position) => fs.readSync(fd, bytes, 0, bytes.length, position),
  sync: (fd) =>
    new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()))),
  syncNow: (fd) => fs.fdatasyncSync(fd),
  truncate: (fd, sizeBytes) => fs.ftruncateSync(fd, sizeBytes),
  readFile: (path) => fs.readFileSync(path),
  writeFileAtomic(path, bytes) {
    const temporary = `${path}.tmp`;
    const fd = fs.openSync(temporary, "w");
    try {
      fs.writeFileSync(fd, bytes);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, path);
    systemDisk.syncDirectory(dirname(path));
  },
  list: (directory) => fs.readdirSync(directory),
  stat(path) {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    return stat && { sizeBytes: stat.size, isDirectory: stat.isDirectory(), modifiedMs: stat.mtimeMs };
  },
  rename: (from, to) => fs.renameSync(from, to),
  link(existing, path) {
    try {
      fs.linkSync(existing, path);
    } catch (error) {
      if (!noLinkCodes.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      fs.copyFileSync(existing, path, fs.constants.COPYFILE_EXCL);
      syncFile(path);
    }
  },
  remove: (path) => fs.rmSync(path, { recursive: true, force: true }),
  removeLater: (path) => fs.promises.rm(path, { recursive: true, force: true }),
  makeDirectory: (path) => void fs.mkdirSync(path, { recursive: true }),
  capacityBytes(path) {
    const { bsize, blocks } = fs.statfsSync(path);
    return bsize * blocks;
  },
  syncDirectory: syncFile,
  async syncDirectoryLater(path) {
    const directory = await fs.promises.open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};

function syncFile(path: string): void {
  const fd = fs.openSync(path, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
