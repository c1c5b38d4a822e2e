// Snappy blocks, as the records of a write-ahead log are compressed.
const DAMAGED: i32 = -1;
const TOO_LONG: i32 = -2;

// @ts-ignore: decorator
@inline
function copy16(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
}

// Copies what lies `offset` bytes before `to`, which may overlap. `room` bytes may be written.
// @ts-ignore: decorator
@inline
function copyBack(to: usize, offset: usize, bytes: usize, room: usize): void {
  const from = to - offset;
  if (offset >= 16 && room >= 64) {
    // A copy has at most 64 bytes.
    copy16(to, from);
    if (bytes <= 16) return;
    copy16(to + 16, from + 16);
    if (bytes <= 32) return;
    copy16(to + 32, from + 32);
    copy16(to + 48, from + 48);
    return;
  }
  for (let i: usize = 0; i < bytes; i++) store<u8>(to + i, load<u8>(from + i));
}

// Decompresses a block, behind which 16 bytes may be loaded, to at most `capacity` bytes; returns how many, or a negative number.
export function uncompressSnappy(block: usize, blockBytes: u32, out: usize, capacity: u32): i32 {
  const end = block + blockBytes;
  let ptr = block;
  let length: u64 = 0;
  for (let shift: u64 = 0; ; shift += 7) {
    if (ptr == end || shift > 28) return DAMAGED;
    const byte = <u64>load<u8>(ptr++);
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (length > <u64>capacity) return TOO_LONG;
  const outEnd = out + <usize>length;
  let to = out;
  while (ptr < end) {
    const tag = load<u8>(ptr++);
    const left = outEnd - to;
    if ((tag & 3) == 0) {
      let bytes = <usize>(tag >> 2) + 1;
      if (bytes > 60) {
        const lengthBytes = bytes - 60;
        if (end - ptr < lengthBytes) return DAMAGED;
        const word = load<u32>(ptr) & (u32.MAX_VALUE >> (32 - 8 * <u32>lengthBytes));
        if (word >= 0x7fffffff) return DAMAGED;
        bytes = <usize>word + 1;
        ptr += lengthBytes;
      }
      if (bytes > end - ptr || bytes > left) return DAMAGED;
      if (bytes <= 16 && left >= 16) copy16(to, ptr);
      else memory.copy(to, ptr, bytes);
      ptr += bytes;
      to += bytes;
      continue;
    }
    let bytes: usize;
    let offset: usize;
    if ((tag & 3) == 1) {
      if (ptr == end) return DAMAGED;
      bytes = 4 + ((tag >> 2) & 7);
      offset = ((<usize>tag & 0xe0) << 3) | load<u8>(ptr++);
    } else {
      const offsetBytes: usize = (tag & 3) == 2 ? 2 : 4;
      if (end - ptr < offsetBytes) return DAMAGED;
      bytes = <usize>(tag >> 2) + 1;
      offset = offsetBytes == 2 ? load<u16>(ptr) : load<u32>(ptr);
      ptr += offsetBytes;
    }
    if (offset == 0 || offset > to - out || bytes > left) return DAMAGED;
    copyBack(to, offset, bytes, left);
    to += bytes;
  }
  return to == outEnd ? <i32>length : DAMAGED;
}
