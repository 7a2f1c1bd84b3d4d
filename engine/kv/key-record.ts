// What stands behind a key.
import type { ByteString, KeyValue, StoredValue } from '../protocol/command.ts';
import type { Session } from './sessions.ts';
import type { SortedTree } from './sorted-tree.ts';

export interface KeyRecord extends StoredValue {
  /** Index of the entry that last wrote the key. */
  revision: number;
  /**
   * Whoever may change this record in place: the keyspace that wrote it, until it gives out a view. In a view no
   * record changes any more.
   */
  owner: object;
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
