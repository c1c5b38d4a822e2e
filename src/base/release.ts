/**
 * Smaller blocks may be shared with others, and are not worth it: Node cuts small buffers out of blocks of `Buffer.poolSize`, 64 KiB, which
 * cannot be given back.
 */
const releasedBytesMin = 128 * 1024;

/**
 * Gives the memory of a large block back at once, which otherwise waits for a garbage collection that may be long in coming: large
 * blocks are outside the heap and hardly press for one. Nobody may look at the block, or at any view of its buffer, afterwards.
 */
export function releaseBytes({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= releasedBytesMin) buffer.transfer(0);
}
