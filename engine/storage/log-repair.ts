// `quorumlab wal repair` on the folder of a stopped node, and the opposite for the fault lab: a bit turned in a
// chosen record.
import { openFileLog } from './file-log-store.ts';
import { type FileSystem, type FolderLock, joinPath } from './file-system.ts';
import { inspectLog, verifyLog } from './log-inspect.ts';
import type { Random } from './torn-write.ts';
import type { LogStoreError, RecoveryVerdict } from './types.ts';

export interface RepairOptions {
  fs: FileSystem;
  folder: string;
  /** The newest sound snapshot, which the log stands on. */
  snapshot?: { index: number; term: number } | undefined;
  /** Give up entries that this node may have acknowledged, and let it vote without them. */
  loseAcknowledged: boolean;
  /** Of the folder, when it is held already; let go of when something was repaired. */
  lock?: FolderLock | undefined;
}

export type Repair =
  | { outcome: 'sound' }
  /** Done; `lost` is half open and empty unless acknowledged entries were given up. */
  | { outcome: 'repaired'; verdicts: RecoveryVerdict[]; lost: { from: number; to: number } }
  /** Entries of this half-open range may have been acknowledged and are gone: nothing was touched. */
  | { outcome: 'refused'; verdicts: RecoveryVerdict[]; lost: { from: number; to: number } };

/**
 * Cuts a torn tail. Where acknowledged entries are missing it refuses: started as it is, the node refetches
 * them from the others before it votes. Only when nobody else has them is giving them up the way on.
 */
export async function repairLog(options: RepairOptions): Promise<Repair> {
  const { fs, folder, loseAcknowledged } = options;
  const snapshot = options.snapshot ?? { index: 0, term: 0 };
  const { sound, verdicts, lastIndex, lastDurableIndexKnown } = await verifyLog(fs, folder, snapshot);
  if (sound) return { outcome: 'sound' };
  const lost = { from: lastIndex + 1, to: Math.max(lastIndex, lastDurableIndexKnown) + 1 };
  if (lost.to > lost.from && !loseAcknowledged) return { outcome: 'refused', verdicts, lost };
  const failures: LogStoreError[] = [];
  const { store } = await openFileLog({
    fs,
    folder,
    lock: options.lock,
    snapshot: snapshot.index === 0 ? undefined : { ...snapshot, configuration: null },
    onFatal: (error) => failures.push(error),
  });
  // Written with the mark that `close` leaves.
  if (lost.to > lost.from) store.markRefetched();
  await store.close();
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return { outcome: 'repaired', verdicts, lost };
}

export interface CorruptedRecord {
  file: string;
  offsetBytes: number;
  bit: number;
  index: number;
}

/**
 * Turns one bit in the data (or, without data, the header) of the entry's newest record; of any entry when no
 * index is given. Null when there is no such entry. On a running node the damage shows at its next start.
 */
export async function corruptRecord(
  fs: FileSystem,
  folder: string,
  choice: { index?: number | undefined; random: Random },
): Promise<CorruptedRecord | null> {
  let chosen: { file: string; offsetBytes: number; lengthBytes: number; index: number } | null = null;
  let seen = 0;
  for await (const record of inspectLog(fs, folder)) {
    if (record.kind !== 'entry') continue;
    if (choice.index === undefined) {
      seen++;
      if (choice.random() * seen < 1) chosen = record;
    } else if (record.index === choice.index) {
      chosen = record;
    }
  }
  if (chosen === null) return null;
  const { file, lengthBytes, index } = chosen;
  const within = lengthBytes > 24 ? 24 + Math.floor(choice.random() * (lengthBytes - 24)) : 4;
  const offsetBytes = chosen.offsetBytes + within;
  const bit = Math.floor(choice.random() * 8);
  const handle = await fs.open(joinPath(folder, file), 'write');
  try {
    const byte = new Uint8Array(1);
    await handle.read(byte, offsetBytes);
    byte[0] = (byte[0] as number) ^ (1 << bit);
    await handle.write(byte, offsetBytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { file, offsetBytes, bit, index };
}
