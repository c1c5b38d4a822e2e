import { ChunkDamagedError } from "../../kernel/index.ts";
import type { BitReader, BitWriter } from "./bit-stream.ts";

/** Numbers in groups of 7 bits, the lowest first, as elsewhere in files; here wherever in a byte they begin. */
export function writeUvarint(bits: BitWriter, value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bits.writeBits((rest % 0x80) | 0x80, 8);
  bits.writeBits(rest, 8);
}

/** Zigzag-coded: from −2⁵² to 2⁵². */
export function writeVarint(bits: BitWriter, value: number): void {
  writeUvarint(bits, value >= 0 ? value * 2 : -value * 2 - 1);
}

/** Beyond 2⁵³ the last digits are lost. */
export function readUvarint(bits: BitReader): number {
  let value = 0;
  for (let i = 0, scale = 1; i < 10; i++, scale *= 0x80) {
    const byte = bits.readBits(8);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
  throw new ChunkDamagedError("chunk has a varint of more than 10 bytes");
}

export function readVarint(bits: BitReader): number {
  const raw = readUvarint(bits);
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
}
