// What stands behind a key.
import type { ByteString, KeyValue, StoredValue } from '../protocol/command.ts';
import type { Session } from './sessions.ts';
import type { SortedTree } from './sorted-tree.ts';

export interface KeyRecord extends StoredValue {
  /** Index of the entry that last changed the key, its end included. */
  revision: number;
  /**
   * Whoever may change this record in place: the keyspace that wrote it, until it gives out a view. In a view no
   * record changes any more.
   */
  owner: object;
  /** From this replicated time on the key is gone. Absent, not undefined, without an end: a million keys pay for a field. */
  expiresAt?: number;
}

export interface ScanItem extends KeyValue {
  revision: number;
  /** See KeyRecord. */
  expiresAt?: number;
}

export interface ScanPage {
  items: ScanItem[];
  /** The key behind which the next page begins; null when nothing is left. */
  next: ByteString | null;
}

/** The whole replicated state as of one entry. Not to be changed. */
export interface KeyspaceView {
  /** Also those whose end has come and that no entry has removed yet: hidden, and the same on every node. [K8] */
  records: SortedTree<KeyRecord>;
  /** Records with an end. */
  expiring: number;
  /** Of all keys and values. */
  bytes: number;
  /** Index of the last entry that changed a key. */
  revision: number;
  /** The last entry that is in it. */
  lastApplied: number;
  /** The replicated time, milliseconds since 1970; 0 before any entry had one. [K7] */
  time: number;
  /** From the longest silent to the newest. */
  sessions: readonly Session[];
}
