// Gives chunks that are in files to the series of a head that is being restored.
import { countChunks, packPlace } from "./chunk";
import { SCAN_ENTRY, SCAN_HEADER } from "./chunk-scan";
import { newStub } from "./chunk-writing";
import { CHUNK_MAX, SLOT_CHUNK } from "./layout";
import { publishFileChunk } from "./series";
import { seriesOf } from "./slot";

const DONE: u32 = 0;
const ELSEWHERE: u32 = 1;
const NOT_IN_ORDER: u32 = 2;
const FULL: u32 = 3;

const REF_MAX: f64 = 4294967295;
// By the encoding, a u32 each: the bits of a count that are its number.
const COUNT_MASKS: u32 = 8;

// Gives the chunks in a table of scanHeadChunks, from entry `from` on, to their series; `file` was scanned from `start` on. Those that end before `minTimeMs` are passed over. Ends
// before one whose series is not there or whose encoding or count is not known, or that does not follow those its series has; returns the index of that entry. Puts into `out`
// { f64 first and last time of the chunks given, f64 last time of all, f64 highest ref, u32 why it ended, u32 chunks given }.
export function attachScanned(
  table: usize,
  from: u32,
  file: u32,
  start: u32,
  countMasks: usize,
  minTimeMs: f64,
  out: usize,
): u32 {
  const records = load<u32>(table);
  let minGivenMs = Infinity;
  let maxGivenMs = -Infinity;
  let maxMs = -Infinity;
  let refMax: f64 = 0;
  let given: u32 = 0;
  let end = DONE;
  let i = from;
  for (; i < records; i++) {
    const entry = table + SCAN_HEADER + i * SCAN_ENTRY;
    const ref = load<f64>(entry);
    const firstMs = load<f64>(entry, 8);
    const lastMs = load<f64>(entry, 16);
    const encoding = load<u32>(entry, 36);
    const slot = ref <= REF_MAX ? seriesOf(<u32>ref) : 0;
    const mask: u32 = encoding < COUNT_MASKS ? load<u32>(countMasks + (encoding << 2)) : 0;
    const count = load<u32>(entry, 32) & mask;
    if (slot == 0 || count == 0) {
      end = ELSEWHERE;
      break;
    }
    if (lastMs >= minTimeMs) {
      const older = load<u32>(slot, SLOT_CHUNK);
      if (older != 0 && <f64>load<i64>(older, CHUNK_MAX) >= firstMs) {
        end = NOT_IN_ORDER;
        break;
      }
      const place = packPlace(file, start + load<u32>(entry, 24), load<u32>(entry, 28));
      const stub = newStub(older, <i64>firstMs, <i64>lastMs, count, encoding, place);
      if (stub == 0) {
        end = FULL;
        break;
      }
      publishFileChunk(slot, stub);
      countChunks(1);
      given++;
      minGivenMs = min<f64>(minGivenMs, firstMs);
      maxGivenMs = max<f64>(maxGivenMs, lastMs);
    }
    maxMs = max<f64>(maxMs, lastMs);
    refMax = max<f64>(refMax, ref);
  }
  store<f64>(out, minGivenMs);
  store<f64>(out, maxGivenMs, 8);
  store<f64>(out, maxMs, 16);
  store<f64>(out, refMax, 24);
  store<u32>(out, end, 32);
  store<u32>(out, given, 36);
  return i;
}
