import type { Disk } from "../../base/index.ts";

const bufferBytes = 1024 * 1024;
const zeros = new Uint8Array(64);

/** Writes a new file from front to back, in large pieces. Owned by who made it, who must `finish` or `abandon` it. */
export class FileWriter {
  readonly path: string;
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(bufferBytes);
  #buffered = 0;
  #written = 0;

  /** Throws the disk's error, also when the file exists. */
  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.path = path;
    this.#fd = disk.open(path, "wx");
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#written + this.#buffered;
  }

  write(bytes: Uint8Array): void {
    const isLong = bytes.length > bufferBytes / 2;
    if (isLong || this.#buffered + bytes.length > bufferBytes) this.flush();
    if (isLong) {
      this.#disk.write(this.#fd, bytes);
      this.#written += bytes.length;
      return;
    }
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  /** Writes zero bytes up to the next multiple of `alignmentBytes`. */
  pad(alignmentBytes: number): void {
    const over = this.position % alignmentBytes;
    if (over > 0) this.write(zeros.subarray(0, alignmentBytes - over));
  }

  /** Overwrites bytes written before. */
  patch(offset: number, bytes: Uint8Array): void {
    this.flush();
    this.#disk.write(this.#fd, bytes, offset);
  }

  flush(): void {
    if (this.#buffered === 0) return;
    this.#disk.write(this.#fd, this.#buffer.subarray(0, this.#buffered));
    this.#written += this.#buffered;
    this.#buffered = 0;
  }

  /** Writes what is left, waits until it is on the medium, and closes. Throws the disk's error; then it must be abandoned. */
  finish(): void {
    this.flush();
    this.#disk.syncNow(this.#fd);
    this.#disk.close(this.#fd);
  }

  /** Closes without caring for what was written. */
  abandon(): void {
    this.#disk.close(this.#fd);
  }
}
