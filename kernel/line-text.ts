// The bytes of an exposition: where lines, series parts and comments end.

export const NEWLINE: u32 = 10;
export const SPACE: u32 = 32;
export const TAB: u32 = 9;
export const HASH_SIGN: u32 = 35;
export const QUOTE: u32 = 34;
export const COMMA: u32 = 44;
export const EQUAL_SIGN: u32 = 61;
export const BACKSLASH: u32 = 92;
export const BRACE_OPEN: u32 = 123;
export const BRACE_CLOSE: u32 = 125;

export function lineEnd(ptr: usize, end: usize): usize {
  const newlines = i8x16.splat(<i8>NEWLINE);
  while (ptr + 16 <= end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(ptr), newlines));
    if (mask != 0) return ptr + ctz<i32>(mask);
    ptr += 16;
  }
  while (ptr < end && load<u8>(ptr) != NEWLINE) ptr++;
  return ptr;
}

// @ts-ignore: decorator
@inline
export function skipBlanks(ptr: usize, end: usize): usize {
  while (ptr < end && (load<u8>(ptr) == SPACE || load<u8>(ptr) == TAB)) ptr++;
  return ptr;
}

// The end of the series part that begins at ptr (name, labels, or both), or 0 if the line ends before its value.
export function seriesEnd(ptr: usize, end: usize): usize {
  let at = ptr;
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte == BRACE_OPEN || byte == SPACE || byte == TAB || byte == NEWLINE) break;
    at++;
  }
  const nameEnd = at;
  at = skipBlanks(at, end);
  if (at >= end || load<u8>(at) == NEWLINE) return 0;
  if (load<u8>(at) != BRACE_OPEN) return nameEnd;
  at++;
  let quoted = false;
  while (at < end) {
    const byte = <u32>load<u8>(at++);
    if (quoted) {
      if (byte == BACKSLASH) at++;
      else if (byte == QUOTE) quoted = false;
    } else if (byte == QUOTE) quoted = true;
    else if (byte == BRACE_CLOSE) return at;
    else if (byte == NEWLINE) return 0;
  }
  return 0;
}

// Whether a key may end at `after`: a comment at the line's end, a series at a blank that no label set follows ("a" is not the key of
// `a {b="c"} 1`).
// @ts-ignore: decorator
@inline
export function endsKey(comment: bool, after: usize, end: usize): bool {
  const next = after < end ? <u32>load<u8>(after) : NEWLINE;
  if (comment) return next == NEWLINE;
  if (next != SPACE && next != TAB) return false;
  const peeked = <u32>load<u8>(after, 1);
  if (peeked - 48 < 10) return true;
  const value = skipBlanks(after, end);
  return value >= end || load<u8>(value) != BRACE_OPEN;
}

export function isEndOfFile(ptr: usize, end: usize): bool {
  // "# EO", "F"
  return end - ptr >= 5 && load<u32>(ptr) == 0x4f452023 && load<u8>(ptr, 4) == 0x46;
}

// Whether a text comment is HELP or TYPE: the others mean nothing.
export function isMetadata(ptr: usize, end: usize): bool {
  const at = skipBlanks(ptr + 1, end);
  if (at == ptr + 1 || end - at < 5) return false;
  const word = load<u32>(at);
  const next = <u32>load<u8>(at, 4);
  return (word == 0x504c4548 || word == 0x45505954) && (next == SPACE || next == TAB);
}
