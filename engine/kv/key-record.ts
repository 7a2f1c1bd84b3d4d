// What stands behind a key, and the whole state that records are part of.
import type { ByteString, KeyValue, StoredValue, ValueKind } from '../protocol/command.ts';
import type { Records } from './records.ts';
import type { RecordsView } from './records-view.ts';
import type { Session } from './sessions.ts';

/** A copy: what is written later does not change it. */
export interface KeyRecord extends StoredValue {
  /** Index of the entry that last changed the key, its end included. */
  revision: number;
  /** From this replicated time on the key is gone. Absent, not undefined, without an end. */
  expiresAt?: number;
}

/** Of a record, without its value: that may be long. */
export interface RecordFacts {
  kind: ValueKind;
  revision: number;
  /** 0: never. */
  expiresAt: number;
  valueBytes: number;
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

interface StateBesideRecords {
  /** Index of the last entry that changed a key. */
  revision: number;
  /** The last entry that is in it. */
  lastApplied: number;
  /** The replicated time, milliseconds since 1970; 0 before any entry had one. [K7] */
  time: number;
  /** From the longest silent to the newest. */
  sessions: readonly Session[];
}

/** The whole replicated state as of one entry, to be read once by dumpKeyspace, and then to be released. */
export interface KeyspaceView extends StateBesideRecords {
  /** Also those whose end has come and that no entry has removed yet: hidden, and the same on every node. [K8] */
  records: RecordsView;
}

/** A whole replicated state, for one keyspace to take over. */
export interface KeyspaceState extends StateBesideRecords {
  records: Records;
}
