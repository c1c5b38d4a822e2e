// Chunks of floats, in either encoding. Times and starts are columns of f64, values of their bits.
import { ENCODING_XOR } from "./layout";
import { decodeChunk, encodeChunk } from "./xor";
import { decodeXor2, encodeXor2 } from "./xor2";

// Encodes columns as one chunk; bytes, or 0 when they do not fit. `starts` is 0 where none is known, as in XOR, which has no room for them.
export function encodeFloats(encoding: u32, ts: usize, vs: usize, starts: usize, count: u32, out: usize, capacity: u32): u32 {
  if (encoding == ENCODING_XOR) return encodeChunk(ts, vs, count, out, capacity);
  return encodeXor2(ts, vs, starts, count, out, capacity);
}

// Decodes `count` samples; how many, or what is wrong. `startsOut` is 0 where starts are not wanted.
export function decodeFloats(
  encoding: u32,
  data: usize,
  dataBytes: u32,
  count: u32,
  tsOut: usize,
  vsOut: usize,
  startsOut: usize,
  capacity: u32,
): i32 {
  if (encoding != ENCODING_XOR) return decodeXor2(data, dataBytes, count, tsOut, vsOut, startsOut, capacity);
  const decoded = decodeChunk(data, dataBytes, count, tsOut, vsOut, capacity);
  if (startsOut != 0 && decoded > 0) memory.fill(startsOut, 0, <usize>decoded << 3);
  return decoded;
}

