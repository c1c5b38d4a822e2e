import { ByteWriter } from "../block/bytes.ts";
import { RecordCursor, recordType } from "./record.ts";

/** Says of a series that what the write-behind log has of it so far is in a chunk of `chunks_head`. */
export interface ChunkMarker {
  readonly ref: number;
  /** The number of the file and the offset of the record in it; both are 0 where there is no chunk. */
  readonly file: number;
  readonly offset: number;
}

/** The marker without a chunk: what the log has of a series behind it is another chunk's than what it has before. */
export function noChunk(ref: number): ChunkMarker {
  return { ref, file: 0, offset: 0 };
}

/** A record of markers: u8 type, then of each u64 ref and u64 place, the file's number in the upper half. */
export function encodeMarkerRecord(markers: readonly ChunkMarker[]): Uint8Array {
  const writer = new ByteWriter().u8(recordType.mmapMarkers);
  for (const { ref, file, offset } of markers) writer.u64(ref).u32(file).u32(offset);
  return Uint8Array.from(writer.view());
}

/** Throws RangeError when the record is malformed. */
export function decodeMarkerRecord(record: Uint8Array): ChunkMarker[] {
  const cursor = new RecordCursor(record, 1);
  const markers: ChunkMarker[] = [];
  while (!cursor.isAtEnd)
    markers.push({ ref: cursor.uint64(), file: cursor.uint32(), offset: cursor.uint32() });
  return markers;
}
