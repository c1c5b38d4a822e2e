/** Chunks of the head that are full, in upstream's `chunks_head` files: written by the main thread, read by any. */
export { HeadChunkFiles, headChunksRemoved } from "./files.ts";
export { headChunksDirectory, outOfOrderMask } from "./format.ts";
export { HeadChunks, type HeadChunksParts } from "./head-chunks.ts";
export { LoadedHeadChunks, loadHeadChunks, type LoadOptions } from "./load.ts";
export { ChunkMapper, type ChunkMapperOptions } from "./mapper.ts";
export { HeadChunkReader } from "./reader.ts";
export { encodeHeadChunkRecord, type HeadChunkHeader } from "./record.ts";
export { HeadChunkWriter, type HeadChunkWriterOptions, type WrittenFile } from "./writer.ts";
