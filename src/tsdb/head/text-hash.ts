/**
 * A 32-bit hash of a byte range (FNV-1a with a final mix), a function of the bytes alone: the same in every thread, process and version.
 * Symbol tables and the sharding of queries rest on it.
 */
export function hashBytes(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start, end = start + length; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return finish(hash);
}

/** Folds the hash of one more string into the hash of a label set; begin with 0, name before value, labels in order. */
export function combineHash(hash: number, textHash: number): number {
  return finish(Math.imul(hash, 31) + textHash);
}

function finish(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Labels that say what a metric is. Queries are shared out by the hash of the others (`combineHash` over them, modulo the number of
 * shards), in the head and in blocks alike: series that differ in these alone are in one shard, so that two metrics of one target meet there.
 */
export const describingLabels: readonly string[] = ["__name__", "__type__", "__unit__"];
