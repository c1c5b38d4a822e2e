import type { Disk } from "../../base/index.ts";
import { ByteCursor, type ByteWriter } from "./bytes.ts";
import { FileWriter } from "./file-writer.ts";

const windowBytes = 1024 * 1024;
const lengthBytes = 4;

/** Records put aside in a temporary file and read back once, in order. Its owner must `remove` it. */
export class Spool {
  readonly #disk: Disk;
  readonly #path: string;
  #writer: FileWriter | undefined;
  readonly #length = Buffer.alloc(lengthBytes);

  /** Throws the disk's error. */
  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
    this.#writer = new FileWriter(disk, path);
  }

  add(record: ByteWriter): void {
    this.#length.writeUInt32BE(record.length);
    this.#writer!.write(this.#length);
    this.#writer!.write(record.view());
  }

  /** Calls with each record; the cursor is good during the call. Nothing can be added any more. */
  forEach(visit: (record: ByteCursor) => void): void {
    const writer = this.#writer!;
    writer.flush();
    const sizeBytes = writer.position;
    const fd = this.#disk.open(this.#path, "r");
    try {
      const cursor = new ByteCursor();
      let window: Buffer = Buffer.alloc(0);
      let start = 0;
      const load = (at: number, bytes: number): void => {
        if (at + bytes <= start + window.length) return;
        window = Buffer.alloc(Math.min(Math.max(bytes, windowBytes), sizeBytes - at));
        start = at;
        for (let done = 0; done < window.length;) {
          const count = this.#disk.read(fd, window.subarray(done), at + done);
          if (count === 0) throw new Error(`${this.#path} has become shorter while it was read`);
          done += count;
        }
      };
      for (let at = 0; at < sizeBytes;) {
        load(at, lengthBytes);
        const bytes = window.readUInt32BE(at - start);
        at += lengthBytes;
        load(at, bytes);
        visit(cursor.set(this.#path, start, window, at - start, at - start + bytes));
        at += bytes;
      }
    } finally {
      this.#disk.close(fd);
    }
  }

  /** Closes and deletes the file. */
  remove(): void {
    this.#writer?.abandon();
    this.#writer = undefined;
    this.#disk.remove(this.#path);
  }
}
