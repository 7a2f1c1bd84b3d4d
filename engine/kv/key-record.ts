// What stands behind a key.
import type { ByteString, KeyValue, StoredValue } from '../protocol/command.ts';
import type { Session } from './sessions.ts';
import type { SortedTree } from './sorted-tree.ts';

/** A value and the entry that it came with. */
export interface StoredRevision extends StoredValue {
  /** Index of the entry that last changed the key, its end included. */
  revision: number;
}

export interface KeyRecord extends StoredRevision {
  /** When it was written, counted in views: see KeyStore. Nobody changes a record that a lasting view shares. */
  generation: number;
  /** What the view that is being passed through has in the place of this record; null when it has the record. */
  former: StoredRevision | null;
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

/** A view that is read once, in the order of its keys, while what it has not passed may be written. */
export interface ViewPass {
  /** Records that were written later have a higher one. */
  readonly generation: number;
  /** The last key that was passed; null before the first. */
  cursor: ByteString | null;
}

/** The whole replicated state as of one entry. Not to be changed. */
export interface KeyspaceView {
  /** Set where the view is to be read by dumpKeyspace, once, and then released; null for one that lasts. */
  pass: ViewPass | null;
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
