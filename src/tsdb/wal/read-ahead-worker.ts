/** The thread that reads the log while the main thread brings it into the head: it checks and decompresses records, into blocks of the shared memory. */
import { parentPort, workerData } from "node:worker_threads";
import { errorMessage, NarthexError, systemDisk } from "../../base/index.ts";
import { attachKernel, type ByteBuffer } from "../../kernel/index.ts";
import { recordBytesMax } from "./compression.ts";
import {
  blocksReturned,
  isStopped,
  type ReadAheadMessage,
  type ReadAheadStart,
} from "./read-ahead-messages.ts";
import { SegmentReader } from "./reader.ts";

/** So many blocks are filled before the first must have been given back. */
const blocks = 4;
/** A block is given out once it is this long. */
const blockBytes = 1024 * 1024;

const { kernel: handle, paths, flow } = workerData as ReadAheadStart;
const kernel = attachKernel(handle);
const buffers = Array.from({ length: blocks }, () => kernel.createByteBuffer(recordBytesMax + blockBytes));
let sent = 0;

try {
  const isDone = paths.every((_, segment) => readSegment(segment));
  // What was sent is still being read.
  waitForBlocks(0);
  if (isDone) send({ type: "end" });
} catch (error) {
  const code = error instanceof NarthexError ? error.code : "internal";
  send({ type: "failed", code, message: errorMessage(error) });
} finally {
  for (const buffer of buffers) buffer.close();
}

/** False when the thread shall end. */
function readSegment(segment: number): boolean {
  const reader = new SegmentReader(kernel, systemDisk, paths[segment]!);
  try {
    let lengths: number[] = [];
    let buffer = nextBuffer();
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      if (buffer === undefined) return false;
      buffer.append(record);
      lengths.push(record.length);
      if (buffer.bytes < blockBytes) continue;
      sendBlock(segment, buffer, lengths);
      lengths = [];
      buffer = nextBuffer();
    }
    if (buffer !== undefined && lengths.length > 0) sendBlock(segment, buffer, lengths);
    send({ type: "segmentEnd", segment, end: reader.end });
    return true;
  } finally {
    reader.close();
  }
}

/** An empty block; undefined when the thread shall end. */
function nextBuffer(): ByteBuffer | undefined {
  if (!waitForBlocks(blocks - 1)) return undefined;
  const buffer = buffers[sent % blocks]!;
  buffer.clear();
  return buffer;
}

/** Waits until at most so many blocks are out; false when the thread shall end. */
function waitForBlocks(outMax: number): boolean {
  for (;;) {
    const returned = Atomics.load(flow, blocksReturned);
    if (Atomics.load(flow, isStopped) === 1) return false;
    if (sent - returned <= outMax) return true;
    Atomics.wait(flow, blocksReturned, returned);
  }
}

function sendBlock(segment: number, { ptr }: ByteBuffer, lengths: readonly number[]): void {
  sent++;
  send({ type: "records", segment, ptr, lengths: Uint32Array.from(lengths) });
}

function send(message: ReadAheadMessage): void {
  parentPort!.postMessage(message);
}
