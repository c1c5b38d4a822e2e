import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { layout, staleMarkerBits, storedTableBytes } from "./index.ts";
import { encodeChunkTwin } from "./series.twin.ts";
import { bitsOf, getColumns, putColumns, type Sample, testKernel } from "./testing.ts";
import { decodeTwin } from "./xor.twin.ts";
import { decodeXor2Twin } from "./xor2.twin.ts";

const kernel = testKernel();
const startMs = 1_700_000_000_000;
const lengthBytesMax = 5;

/** { uvarint bytes of the data, u8 encoding, data, u32 checksum of both }. */
function storedChunk(encoding: number, data: Uint8Array, addToChecksum: number): number[] {
  const length: number[] = [];
  let rest = data.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  const checked = [encoding, ...data];
  const crc = (checksum(checked) + addToChecksum) >>> 0;
  return [...length, rest, ...checked, crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255];
}

function checksum(bytes: readonly number[]): number {
  const { scratch, views } = kernel;
  const mark = scratch.mark();
  const ptr = scratch.allocate(bytes.length);
  views.u8.set(bytes, ptr);
  const crc = kernel.crc32c(ptr, bytes.length);
  scratch.release(mark);
  return crc >>> 0;
}

/** The samples of the chunk at `place`, undefined when it is not whole, and how many it says that it has; "damaged" when they are not there. */
function readTwin(
  bytes: readonly number[],
  place: number,
): { count: number; samples: Sample[] | "damaged" } | undefined {
  let length = 0;
  let at = place;
  for (let shift = 0; ; shift += 7, at++) {
    if (at >= bytes.length || at - place >= lengthBytesMax) return undefined;
    length += (bytes[at]! & 0x7f) * 2 ** shift;
    if (bytes[at]! < 0x80) break;
  }
  const encodingAt = at + 1;
  const end = encodingAt + 1 + length;
  const encoding = bytes[encodingAt];
  if (length < 2 || end + 4 > bytes.length) return undefined;
  if (encoding !== layout.chunkEncodingXor && encoding !== layout.chunkEncodingXor2) return undefined;
  const data = Uint8Array.from(bytes.slice(encodingAt + 1, end));
  const count = (data[0]! << 8) | data[1]!;
  const stored = bytes.slice(end, end + 4).reduce((sum, byte) => sum * 256 + byte, 0);
  if (stored !== checksum(bytes.slice(encodingAt, end))) return { count, samples: "damaged" };
  const decode = encoding === layout.chunkEncodingXor ? decodeTwin : decodeXor2Twin;
  const samples = decode(data, count)?.map(({ t, bits }) => ({ t, bits }));
  return { count, samples: samples ?? "damaged" };
}

const samples = fc
  .array(fc.tuple(fc.constantFrom(1000, 15_000, 15_001), fc.integer({ min: 0, max: 60 })), {
    minLength: 1,
    maxLength: 30,
  })
  .map((steps): Sample[] => {
    let t = startMs;
    return steps.map(([stepMs, value]) => ({ t: (t += stepMs), bits: bitsOf(value) }));
  });
const chunk = fc.record({
  samples,
  encoding: fc.constantFrom(layout.chunkEncodingXor, layout.chunkEncodingXor2),
  /** What the byte in front of the data says instead. */
  claimed: fc.option(fc.constantFrom(0, 2, 3, 7, 255), { freq: 12 }),
  change: fc.option(fc.record({ at: fc.nat({ max: 60 }), byte: fc.nat({ max: 255 }) }), { freq: 8 }),
  addToChecksum: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1),
});

test("stored chunks are those of the twin, up to the first with which something is the matter", () => {
  const { scratch, storedChunks, views } = kernel;
  fc.assert(
    fc.property(
      fc.array(chunk, { minLength: 1, maxLength: 8 }),
      fc.nat({ max: 200 }),
      fc.constantFrom(0, 0, 0, 1, 7, 40),
      fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 2 ** 32 - 1 })), { maxLength: 1 }),
      (all, capacity, cut, strayPlaces) => {
        const mark = scratch.mark();
        const bytes: number[] = [];
        const places: number[] = [];
        for (const { encoding, claimed, change, addToChecksum, ...rest } of all) {
          const data = encodeChunkTwin({
            encoding,
            samples: rest.samples.map((sample) => ({ ...sample, start: 0 })),
          });
          if (change !== null && change.at < data.length) data[change.at] = change.byte;
          places.push(bytes.length);
          bytes.push(...storedChunk(claimed ?? encoding, data, addToChecksum));
        }
        bytes.length = Math.max(0, bytes.length - cut);
        for (const [index, place] of strayPlaces) if (index < places.length) places[index] = place;

        let counted = 0;
        let countedSamples = 0;
        for (const place of places) {
          const found = readTwin(bytes, place);
          if (found === undefined) break;
          counted++;
          countedSamples += found.count;
        }
        const expected: Sample[] = [];
        let decoded = 0;
        for (const place of places) {
          const found = readTwin(bytes, place)?.samples ?? "damaged";
          if (found === "damaged" || expected.length + found.length > capacity) break;
          expected.push(...found);
          decoded++;
        }

        const loaded = { ptr: scratch.allocate(bytes.length + layout.slackBytes), bytes: bytes.length };
        views.u8.set(bytes, loaded.ptr);
        const table = { tablePtr: scratch.allocate(storedTableBytes(places.length)), count: places.length };
        places.forEach((place, index) => storedChunks.setPlace(table.tablePtr, index, place));
        assert.deepEqual(storedChunks.count(loaded, table), { chunks: counted, samples: countedSamples });
        const [timestamps, values] = [scratch.allocate(8 * capacity), scratch.allocate(8 * capacity)];
        const found = storedChunks.decode(loaded, table, { timestamps, values, capacity });
        assert.deepEqual(found, { chunks: decoded, samples: expected.length });
        assert.deepEqual(getColumns(kernel, timestamps, values, found.samples), expected);
        scratch.release(mark);
      },
    ),
    { numRuns: 1000 },
  );
});

test("staleness markers are taken out of columns", () => {
  const bits = fc.oneof(fc.nat({ max: 9 }).map(bitsOf), fc.constant(staleMarkerBits));
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 40 }), (all) => {
      const mark = kernel.scratch.mark();
      const before = all.map((each, i) => ({ t: startMs + i, bits: each }));
      const { tsPtr, vsPtr, count } = putColumns(kernel, before);
      const left = kernel.dropStaleMarkers(tsPtr, vsPtr, count);
      const expected = before.filter((sample) => sample.bits !== staleMarkerBits);
      assert.deepEqual(getColumns(kernel, tsPtr, vsPtr, left), expected);
      kernel.scratch.release(mark);
    }),
  );
});
