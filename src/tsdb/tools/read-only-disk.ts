import type { Disk } from "../../base/index.ts";

/** A disk that reads, and leaves everything as it is: a torn end of the log is not cut while its writer may still be there. */
export function readOnlyDisk(disk: Disk): Disk {
  const refuse = (): never => {
    throw new Error("the disk is only read");
  };
  return {
    open: (path) => disk.open(path, "r"),
    close: (fd) => disk.close(fd),
    read: (fd, bytes, position) => disk.read(fd, bytes, position),
    readFile: (path) => disk.readFile(path),
    list: (directory) => disk.list(directory),
    stat: (path) => disk.stat(path),
    capacityBytes: (path) => disk.capacityBytes(path),
    truncate: () => {},
    write: refuse,
    sync: refuse,
    syncNow: refuse,
    writeFileAtomic: refuse,
    rename: refuse,
    link: refuse,
    remove: refuse,
    removeLater: refuse,
    makeDirectory: refuse,
    syncDirectory: refuse,
    syncDirectoryLater: refuse,
  };
}
