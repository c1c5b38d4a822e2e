import type { ByteBuffer, Kernel } from "../../kernel/index.ts";
import { recordBytesMax } from "./compression.ts";
import type { Loan, Loans } from "./loans.ts";
import type { ReadAheadMessage } from "./read-ahead-messages.ts";

/** So many blocks are filled before the first must have been given back. */
const blocksMax = 4;
/** A block is sent once it is this long. */
const blockBytes = 1024 * 1024;

interface Block extends Loan {
  readonly buffer: ByteBuffer;
}

/** Sends records as they are, in blocks. Who made it must `close` it. */
export class RecordBlocks {
  readonly #loans: Loans;
  readonly #send: (message: ReadAheadMessage) => void;
  readonly #blocks: readonly Block[];
  /** The block that is being filled. */
  #block: Block | undefined;
  #lengths: number[] = [];

  constructor(kernel: Kernel, loans: Loans, send: (message: ReadAheadMessage) => void) {
    this.#loans = loans;
    this.#send = send;
    this.#blocks = Array.from({ length: blocksMax }, () => ({
      buffer: kernel.createByteBuffer(recordBytesMax + blockBytes),
      lastLoan: 0,
    }));
  }

  /** Takes a record of a segment. Throws StoppedError. */
  add(record: Uint8Array, segment: number): void {
    this.#block ??= this.#takeBlock();
    const { buffer } = this.#block;
    buffer.append(record);
    this.#lengths.push(record.length);
    if (buffer.bytes >= blockBytes) this.flush(segment);
  }

  /** Sends what was taken, all of which was of this segment. */
  flush(segment: number): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#loans.lend(block);
    const lengths = Uint32Array.from(this.#lengths);
    this.#send({ type: "records", segment, ptr: block.buffer.ptr, lengths });
    this.#block = undefined;
    this.#lengths = [];
  }

  close(): void {
    for (const { buffer } of this.#blocks) buffer.close();
  }

  #takeBlock(): Block {
    const block = this.#loans.take(this.#blocks);
    block.buffer.clear();
    return block;
  }
}
