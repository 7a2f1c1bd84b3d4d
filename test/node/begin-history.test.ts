// A log that is replayed at a start tells the history only what it will keep.
import { expect, test } from 'vitest';
import { ChangeHistory } from '../../engine/kv/change-history.ts';
import { beginHistory } from '../../engine/node/node-disk.ts';
import { entryBytes } from '../../engine/raft/log.ts';
import { type Entry, EntryKind } from '../../engine/raft/types.ts';

const entries = Array.from(
  { length: 10 },
  (_, at): Entry => ({ index: at + 1, term: 1, kind: EntryKind.command, data: new Uint8Array(100) }),
);
const bytes = entryBytes(entries[0] as Entry);

test.each([
  ['everything that fits', 10 * bytes, 10, 1],
  ['and not what more follows on than fits', 3 * bytes - 1, 10, 8],
  ['what is not committed does not count, and is kept: it may be replaced', 3 * bytes - 1, 6, 4],
  ['nothing is known to be committed', 0, 0, 1],
])('%s', (_what, bytesMax, commitIndex, lowestRevision) => {
  const history = new ChangeHistory(bytesMax);
  beginHistory(history, entries, commitIndex);
  expect(history.lowestRevision).toBe(lowestRevision);
});
