// Commands of the replicated state machine and what they return: the values, not their encoding.
//
// Keys and values are *byte strings*: JavaScript strings whose every char code is a byte (0 to 255). They
// are binary safe, compare in byte order and take one byte a character. Text enters as its UTF-8 bytes.

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

export type Command =
  | { type: 'set'; key: ByteString; value: ByteString; kind: ValueKind }
  | { type: 'delete'; key: ByteString }
  /** One entry: all or nothing. A later item with the same key wins. */
  | { type: 'bulkSet'; items: readonly KeyValue[] }
  /** A missing key counts as 0. Values are signed 64-bit integers in decimal; `by` is a decimal string. */
  | { type: 'incr'; key: ByteString; by: string }
  /** `expected` null: the key must not exist. */
  | { type: 'cas'; key: ByteString; expected: StoredValue | null; value: ByteString; kind: ValueKind };

export interface Proposal {
  command: Command;
  /** Null: applied as often as it is proposed. */
  session: ClientSequence | null;
}

/** The entry that a result comes from: of a repeated write, the entry of its first application. */
interface Applied {
  index: number;
  term: number;
}

/** What applying a command gave. `revision` is the index of the entry that last changed the key; 0 when there is none. */
export type CommandResult = Applied &
  (
    | { type: 'set'; revision: number }
    | { type: 'delete'; existed: boolean; revision: number }
    | { type: 'bulkSet'; count: number; revision: number }
    | { type: 'incr'; value: string; revision: number }
    | { type: 'cas'; swapped: boolean; current: StoredValue | null; revision: number }
    | FailedResult
  );

/** The command made no sense against the state (`incr` of text, overflow, an old sequence). Nothing changed. */
export interface FailedResult {
  type: 'failed';
  code: 'INVALID_ARGUMENT';
  message: string;
  /** The same client and sequence may have been applied earlier, and its reply is forgotten. */
  outcome?: 'unknown';
}
