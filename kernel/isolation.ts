// What readers need to see commits whole: before a commit appends, it notes for each of its series until when that had samples. A reader
// begins where the last whole commit ended, and follows the notes that came since: what it finds of those series beyond is too new for it.
// Notes are entries of 16 bytes, { u32 ref, u32 next, f64 newestMs }, in blocks; ref 0 leads to `next`, the block after. A block
// that is full is retired at once: who entered its epoch before can still follow.
import { arenaAllocate, arenaRetire } from "./arena";
import {
  ISOLATION_DONE,
  ISOLATION_END,
  ISOLATION_FIRST,
  ISOLATION_LOST,
  ISOLATION_NEXT,
  ISOLATION_WRITTEN,
  NOTE_BLOCK_BYTES,
  NOTE_BYTES,
} from "./layout";

// The place of the next note; 0 when there is no memory for it. The last place of a block leads to the next.
function place(): u32 {
  const written = load<u32>(ISOLATION_WRITTEN);
  if (written + NOTE_BYTES < load<u32>(ISOLATION_END)) return written;
  const fresh = arenaAllocate(NOTE_BLOCK_BYTES);
  if (fresh == 0) return 0;
  store<u32>(written, 0);
  store<u32>(written, fresh, 4);
  if (written != ISOLATION_FIRST) arenaRetire(load<u32>(ISOLATION_END) - NOTE_BLOCK_BYTES, NOTE_BLOCK_BYTES);
  store<u32>(ISOLATION_END, fresh + NOTE_BLOCK_BYTES);
  return fresh;
}

// Notes that the series has samples until `newestMs` (-Infinity: none). Readers see the note once it is shown. Without memory there is no note, which is counted: then a
// commit may be seen in part.
export function isolationNote(ref: u32, newestMs: f64): void {
  const note = place();
  if (note == 0) {
    store<f64>(ISOLATION_LOST, load<f64>(ISOLATION_LOST) + 1);
    return;
  }
  store<u32>(note, ref);
  store<f64>(note, newestMs, 8);
  store<u32>(ISOLATION_WRITTEN, note + NOTE_BYTES);
}

// To be called before the noted series get samples.
export function isolationShow(): void {
  atomic.store<u32>(ISOLATION_NEXT, load<u32>(ISOLATION_WRITTEN));
}

// The commit is whole: who begins now sees all of it.
export function isolationPublish(): void {
  atomic.store<u32>(ISOLATION_DONE, atomic.load<u32>(ISOLATION_NEXT));
}
