// What stands behind a key.
import type { ByteString, KeyValue, StoredValue } from '../protocol/command.ts';
import type { Session } from './sessions.ts';
import type { SortedTree } from './sorted-tree.ts';

/** Immutable: views share it with the live state. */
export interface KeyRecord extends StoredValue {
  /** Index of the entry that last wrote the key. */
  revision: number;
}

export interface ScanItem extends KeyValue {
  revision: number;
}

export interface ScanPage {
  items: ScanItem[];
  /** The key behind which the next page begins; null when nothing is left. */
  next: ByteString | null;
}

/** The whole replicated state as of one entry. Not to be changed. */
export interface KeyspaceView {
  records: SortedTree<KeyRecord>;
  /** Of all keys and values. */
  bytes: number;
  /** Index of the last entry that changed a key. */
  revision: number;
  /** The last entry that is in it. */
  lastApplied: number;
  /** From the longest silent to the newest. */
  sessions: readonly Session[];
}
