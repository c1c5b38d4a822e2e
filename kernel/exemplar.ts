// An exemplar behind an OpenMetrics sample: ` # {name="value",…} number`, and maybe a time in seconds.
import { BACKSLASH, BRACE_CLOSE, COMMA, EQUAL_SIGN, NEWLINE, QUOTE, SPACE } from "./line-text";
import { numberBits, numberEnd, scanNumber } from "./number";

// " # {"
const MARK: u32 = 0x7b202320;
const MARK_BYTES: usize = 4;

// @ts-ignore: decorator
@inline
export function startsExemplar(ptr: usize, end: usize): bool {
  return ptr + MARK_BYTES <= end && load<u32>(ptr) == MARK;
}

// The end of the line that the exemplar at ptr ends, or 0 for what the reference parser must judge: bytes beyond ASCII, and what is wrong.
export function scanExemplar(ptr: usize, end: usize): usize {
  const labels = scanLabels(ptr + MARK_BYTES, end);
  if (labels == 0 || labels >= end || load<u8>(labels) != SPACE) return 0;
  scanNumber(labels + 1, end);
  let at = numberEnd;
  if (at == 0 || endsLine(at, end)) return at;
  if (load<u8>(at) != SPACE) return 0;
  scanNumber(at + 1, end);
  at = numberEnd;
  // Neither NaN nor infinite.
  const seconds = reinterpret<f64>(numberBits);
  return at != 0 && endsLine(at, end) && seconds - seconds == 0 ? at : 0;
}

// @ts-ignore: decorator
@inline
function endsLine(at: usize, end: usize): bool {
  return at >= end || load<u8>(at) == NEWLINE;
}

// The end of the labels whose opening brace is behind us, or 0.
function scanLabels(ptr: usize, end: usize): usize {
  let at = ptr;
  while (at < end && load<u8>(at) != BRACE_CLOSE) {
    const name = at;
    while (at < end && isNameByte(load<u8>(at), at > name)) at++;
    if (at == name || at + 1 >= end || load<u8>(at) != EQUAL_SIGN || load<u8>(at, 1) != QUOTE) return 0;
    at = scanQuoted(at + 2, end);
    if (at == 0 || at >= end) return 0;
    if (load<u8>(at) == COMMA) at++;
    else if (load<u8>(at) != BRACE_CLOSE) return 0;
  }
  return at < end ? at + 1 : 0;
}

// @ts-ignore: decorator
@inline
function isNameByte(byte: u32, digits: bool): bool {
  return (byte | 0x20) - 0x61 < 26 || byte == 0x5f || (digits && byte - 48 < 10);
}

// Past the closing quote of a text, or 0.
function scanQuoted(ptr: usize, end: usize): usize {
  for (let at = ptr; at < end; at++) {
    let byte = <u32>load<u8>(at);
    if (byte == QUOTE) return at + 1;
    if (byte == BACKSLASH && ++at < end) byte = load<u8>(at);
    if (byte == NEWLINE || byte >= 0x80) return 0;
  }
  return 0;
}
