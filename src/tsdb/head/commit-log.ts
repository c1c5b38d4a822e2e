import type { SampleBatch } from "../../kernel/index.ts";
import type { ExemplarEntry } from "../wal/exemplar-record.ts";
import type { MetadataEntry } from "../wal/metadata-record.ts";
import type { EntryBatch } from "./entry-batch.ts";
import type { Head } from "./head.ts";

export type QueuedSamples = SampleBatch | EntryBatch;

/** What a commit holds beside samples. */
export interface CommitNotes {
  readonly metadata: readonly MetadataEntry[];
  readonly exemplars: readonly ExemplarEntry[];
}

/** Where a commit is made durable before anybody sees it. */
export interface CommitLog {
  /** Writes the series that were created since the last commit, then the ok samples and the notes. Throws `unavailable`; then nothing was written. */
  write(head: Head, batches: readonly QueuedSamples[], notes: CommitNotes): void;
}
