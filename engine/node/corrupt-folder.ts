// The fault lab's bit flip, for whoever only has this program: turns one bit of a record in a node's folder. The
// node may run: it keeps what it has in memory, and the damage shows at its next start.
import { z } from 'zod';
import type { FileSystem } from '../storage/file-system.ts';
import { inspectLog } from '../storage/log-inspect.ts';
import { type CorruptedRecord, corruptRecord } from '../storage/log-repair.ts';
import { createNodeFileSystem } from '../storage/node-file-system.ts';
import { seededRandom } from '../storage/seeded-random.ts';

const requestSchema = z.strictObject({
  folder: z.string().min(1),
  index: z.number().int().min(1).optional(),
  seed: z.number().int(),
});

/** `json`: folder, seed, and the entry's index or none for any. Rejects when there is no such entry. */
export async function corruptFolder(json: string): Promise<CorruptedRecord> {
  const { folder, seed, index } = requestSchema.parse(JSON.parse(json));
  const fs = createNodeFileSystem();
  const random = seededRandom(seed);
  const chosen = index ?? (await chooseEntry(fs, folder, random));
  const done = chosen === null ? null : await corruptRecord(fs, folder, { index: chosen, random });
  if (done === null)
    throw new Error(index === undefined ? 'the log is empty' : `the log has no entry ${index}`);
  return done;
}

/**
 * Any entry, but of the last batch only when there is no other: damage behind which nothing stands cannot be
 * told from a torn write, and would be cut as one. [W7] [W8]
 */
async function chooseEntry(fs: FileSystem, folder: string, random: () => number): Promise<number | null> {
  let chosen: number | null = null;
  let settled = 0;
  let batch: number[] = [];
  const settle = (): void => {
    for (const index of batch) {
      settled += 1;
      if (random() * settled < 1) chosen = index;
    }
    batch = [];
  };
  for await (const record of inspectLog(fs, folder)) {
    if (record.kind === 'batch') settle();
    else if (record.kind === 'entry') batch.push(record.index);
  }
  if (chosen === null) settle();
  return chosen;
}
