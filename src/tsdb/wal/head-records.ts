import { assert } from "../../base/index.ts";
import { type SampleBatch, sampleStatus } from "../../kernel/index.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import type { Head } from "../head/head.ts";
import { readHeadHistograms } from "../head/histogram-reader.ts";
import type { CheckpointWriter } from "./checkpoint-writer.ts";
import { encodeTombstoneRecord } from "./tombstone-record.ts";

const batchSamples = 16_384;
/** Before all samples. */
const oldestMs = Number.MIN_SAFE_INTEGER;

/** Adds all of a head that is in memory, and the exemplars of its series, to a checkpoint. Rejects with what that throws. */
export async function writeHeadRecords(
  head: Head,
  exemplars: ExemplarStorage,
  checkpoint: CheckpointWriter,
): Promise<void> {
  const refs: number[] = [];
  head.forEachSeries((ref) => refs.push(ref));
  checkpoint.addSeries(refs);
  const samples = new SampleGatherer(head, checkpoint);
  try {
    for (const ref of refs) {
      samples.add(ref);
      const histograms = readHeadHistograms(head.kernel, ref, oldestMs, Infinity, inMemory);
      checkpoint.addHistograms(histograms.map((sample) => ({ ...sample, ref })));
      await checkpoint.breathe();
    }
    samples.flush();
  } finally {
    samples.close();
  }
  const stones = head.tombstones.stones();
  if (stones.length > 0) checkpoint.add(encodeTombstoneRecord(stones));
  const entries = [...exemplars].map(([ref, exemplar]) => ({ ref, exemplar }));
  checkpoint.addExemplars(entries.filter(({ ref }) => head.hasSeries(ref)));
  checkpoint.addMetadata([...head.metadata].map(([ref, metadata]) => ({ ref, metadata })));
}

/** Gathers the samples of series in a batch, which goes to the checkpoint whenever it is full. */
class SampleGatherer {
  readonly #head: Head;
  readonly #checkpoint: CheckpointWriter;
  #batch: SampleBatch;

  constructor(head: Head, checkpoint: CheckpointWriter) {
    this.#head = head;
    this.#checkpoint = checkpoint;
    this.#batch = head.kernel.createSampleBatch(batchSamples);
  }

  add(ref: number): void {
    const { kernel } = this.#head;
    const needed = kernel.series.sampleCount(ref, oldestMs, Infinity);
    if (this.#batch.count + needed > this.#batch.capacity) this.flush();
    this.#reserve(needed);
    const batch = this.#batch;
    const start = batch.count;
    const count = kernel.decodeSeries(
      ref,
      oldestMs,
      Infinity,
      false,
      batch.timestampsPtr + 8 * start,
      batch.valuesPtr + 8 * start,
      batch.capacity - start,
    );
    batch.refs.fill(ref, start, start + count);
    batch.status.fill(sampleStatus.ok, start, start + count);
    batch.count = start + count;
  }

  flush(): void {
    this.#checkpoint.addSamples(this.#batch);
    this.#checkpoint.flush();
    this.#batch.clear();
  }

  close(): void {
    this.#batch.close();
  }

  /** Makes an empty batch larger. */
  #reserve(samples: number): void {
    if (this.#batch.capacity >= samples) return;
    this.#batch.close();
    this.#batch = this.#head.kernel.createSampleBatch(samples);
  }
}

/** Chunks are written to files only when the log has their series' refs. */
function inMemory(): never {
  assert(false, "the whole head is in memory while the log is rewritten");
}
