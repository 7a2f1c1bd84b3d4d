// Commands of the replicated state machine and what they return: the values, not their encoding.
//
// Keys and values are *byte strings*: JavaScript strings whose every char code is a byte (0 to 255). They
// are binary safe, compare in byte order and take one byte a character. Text enters as its UTF-8 bytes.
import type { KeyRange } from './json-line.ts';

export type ByteString = string;

/** How the bytes of a value came in and go out again: text and bytes, or the text of a JSON value that is no string. */
export const ValueKind = { bytes: 0, json: 1 } as const;
export type ValueKind = (typeof ValueKind)[keyof typeof ValueKind];

export interface StoredValue {
  value: ByteString;
  kind: ValueKind;
}

export interface KeyValue extends StoredValue {
  key: ByteString;
}

/** A write's identity: a client's 16-byte id as a byte string, and a number that rises with each of its writes. */
export interface ClientSequence {
  client: ByteString;
  sequence: number;
}

/**
 * When a key ends. `after` counts milliseconds from the replicated time of the entry, `at` is in milliseconds
 * since 1970; an end that has passed removes the key at once. `keep`: as it was before.
 */
export type Expiry = { type: 'none' | 'keep' } | { type: 'after' | 'at'; ms: number };

export interface ExpiringItem extends KeyValue {
  expiry: Expiry;
}

/** Whether the key must be there for a write to take place. */
export type Presence = 'always' | 'absent' | 'present';

/** When `expire` changes anything. A key without an end counts as one that ends never: later than any other. */
export type ExpireCondition = 'always' | 'ifNone' | 'ifSome' | 'ifLater' | 'ifEarlier' | 'ifSomeAndEarlier';

/** What a single command does to the keys; a transaction is made of these. */
export type Operation =
  | { type: 'set'; key: ByteString; value: ByteString; kind: ValueKind }
  | { type: 'delete'; key: ByteString }
  /** All or nothing. A later item with the same key wins. */
  | { type: 'bulkSet'; items: readonly KeyValue[] }
  /** A missing key counts as 0. Values are signed 64-bit integers in decimal; `by` is a decimal string. */
  | { type: 'incr'; key: ByteString; by: string }
  /** `expected` null: the key must not exist. */
  | { type: 'cas'; key: ByteString; expected: StoredValue | null; value: ByteString; kind: ValueKind }
  /** A set with an end, a condition, or the old value asked for. */
  | {
      type: 'setWith';
      key: ByteString;
      value: ByteString;
      kind: ValueKind;
      when: Presence;
      expiry: Expiry;
      returnsPrevious: boolean;
    }
  /** `ifAllAbsent`: nothing is set when one of the keys exists. */
  | { type: 'bulkSetWith'; items: readonly ExpiringItem[]; ifAllAbsent: boolean }
  | { type: 'deleteMany'; keys: readonly ByteString[] }
  /** `by`: a decimal number, with fraction and exponent if it likes. */
  | { type: 'incrByFloat'; key: ByteString; by: string }
  | { type: 'append'; key: ByteString; value: ByteString }
  /** Overwrites from `offset` on, after zero bytes where there was nothing. An empty value creates no key. */
  | { type: 'setRange'; key: ByteString; offset: number; value: ByteString }
  | { type: 'getAndDelete'; key: ByteString }
  | { type: 'getAndExpire'; key: ByteString; expiry: Expiry }
  | { type: 'expire'; key: ByteString; expiry: Expiry; when: ExpireCondition }
  | { type: 'persist'; key: ByteString }
  /** The key's end goes with it; what was at `to` is gone. */
  | { type: 'rename'; from: ByteString; to: ByteString; ifAbsent: boolean }
  | { type: 'copy'; from: ByteString; to: ByteString; replace: boolean }
  | { type: 'flush' }
  | ReadOperation;

/** Reads: worth an entry only inside a transaction. */
export type ReadOperation =
  | { type: 'get'; key: ByteString }
  | { type: 'getMany'; keys: readonly ByteString[] }
  /** Offsets of bytes, both inclusive; negative ones count from the end, -1 is the last. */
  | { type: 'getRange'; key: ByteString; start: number; end: number }
  | { type: 'strlen'; key: ByteString }
  /** How many of these exist; a key named twice counts twice. */
  | { type: 'exists'; keys: readonly ByteString[] }
  | { type: 'expiryOf'; key: ByteString }
  | { type: 'count' }
  | { type: 'keys'; range: KeyRange }
  /** Of the first 4,096; which one follows from `seed`, 32 bits that the proposer drew. */
  | { type: 'randomKey'; seed: number };

export type Relation = '=' | '!=' | '<' | '>';

/** A condition of a transaction. */
export type Guard =
  /**
   * Equality compares bytes and kind, null is an absent key. Order compares JSON numbers as numbers and all else
   * as bytes; an absent key is neither less nor greater.
   */
  | { type: 'value'; key: ByteString; relation: Relation; value: StoredValue | null }
  /** Index of the entry that last changed the key, its end included; 0 when it does not exist. */
  | { type: 'revision'; key: ByteString; relation: Relation; revision: number }
  | { type: 'exists'; key: ByteString; exists: boolean };

export interface Transaction {
  type: 'txn';
  /** All must hold for `success` to be done; else `failure` is. (The protocol's `then` would make a promise of it.) */
  compare: readonly Guard[];
  success: readonly Operation[];
  failure: readonly Operation[];
  /** An operation fails: `abort` undoes the whole transaction, `continue` puts the failure among the results. */
  onFailure: 'abort' | 'continue';
}

export type Command =
  | Operation
  | Transaction
  /** Nothing but its time: the leader's, when a key's end has come. Not for clients. */
  | { type: 'advanceTime' };

export interface Proposal {
  command: Command;
  /** Null: applied as often as it is proposed. */
  session: ClientSequence | null;
  /** The leader's time when it proposed it, in milliseconds since 1970. Absent in logs from before there was time. */
  time?: number;
}

/** The entry that a result comes from: of a repeated write, the entry of its first application. */
interface Applied {
  index: number;
  term: number;
}

/** What an operation gave. `revision` is the index of the entry that last changed the key; 0 when there is none. */
export type OperationResult =
  | { type: 'set'; revision: number }
  | { type: 'delete'; existed: boolean; revision: number }
  /** Of bulkSet and bulkSetWith; 0: a key existed, and nothing was set. */
  | { type: 'bulkSet'; count: number; revision: number }
  | { type: 'incr'; value: string; revision: number }
  | { type: 'cas'; swapped: boolean; current: StoredValue | null; revision: number }
  /** `previous` null: there was no such key, or it was not asked for. */
  | { type: 'setWith'; written: boolean; previous: StoredValue | null; revision: number }
  | { type: 'incrByFloat'; value: string; revision: number }
  /** Bytes of the value, after append and setRange the new ones. */
  | { type: 'length'; length: number; revision: number }
  /** Of get, getRange, getAndDelete, getAndExpire. */
  | { type: 'value'; value: StoredValue | null; revision: number }
  | { type: 'values'; values: readonly (StoredValue | null)[]; revision: number }
  /** Of expire, persist, rename, copy: false says that a condition did not hold or a key was missing. */
  | { type: 'changed'; changed: boolean; revision: number }
  /** Of deleteMany, exists, count, flush, and of advanceTime the keys that ended. */
  | { type: 'count'; count: number; revision: number }
  /** `expiresAt` null: no end, or no such key. `time` is the replicated one that `expiresAt` is to be held against. */
  | { type: 'expiry'; exists: boolean; expiresAt: number | null; time: number; revision: number }
  /** `next`: the key behind which a next page begins; null when nothing is left. */
  | { type: 'keys'; keys: readonly ByteString[]; next: ByteString | null; revision: number }
  | FailedResult;

/** What applying a command gave. */
export type CommandResult = Applied &
  (
    | OperationResult
    | { type: 'txn'; succeeded: boolean; results: readonly OperationResult[]; revision: number }
  );

export type FailureReason =
  | 'notInteger'
  | 'incrementNotInteger'
  | 'overflow'
  | 'notFloat'
  | 'incrementNotFloat'
  | 'notFinite'
  | 'tooLong'
  | 'noSuchKey';

/** The command made no sense against the state (`incr` of text, overflow, an old sequence). Nothing changed. */
export interface FailedResult {
  type: 'failed';
  code: 'INVALID_ARGUMENT';
  message: string;
  /** The same client and sequence may have been applied earlier, and its reply is forgotten. */
  outcome?: 'unknown';
  /** Absent when the entry as such made no sense. */
  reason?: FailureReason;
  /** In a transaction that was undone: the operation that failed, from 0. */
  operation?: number;
}
