/** One record of upstream's chunks_head files, in plain TypeScript: what the kernel's encoder must write. */
export function encodeHeadChunkTwin(chunk: {
  ref: number;
  minTimestampMs: number;
  maxTimestampMs: number;
  encoding: number;
  data: Uint8Array;
}): Buffer {
  const header = Buffer.alloc(25);
  header.writeBigUInt64BE(BigInt(chunk.ref), 0);
  header.writeBigInt64BE(BigInt(chunk.minTimestampMs), 8);
  header.writeBigInt64BE(BigInt(chunk.maxTimestampMs), 16);
  header[24] = chunk.encoding;
  const length: number[] = [];
  let rest = chunk.data.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  const body = Buffer.concat([header, Buffer.from(length), chunk.data]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32cTwin(body));
  return Buffer.concat([body, checksum]);
}

export function crc32cTwin(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
