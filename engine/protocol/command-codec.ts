// The data of a command entry: a Proposal as bytes and back. These bytes stand in logs and on the wire.
//
//   0  u8   format version: 1 without a time, 2 with one
//   1  u8   command code; bit 7 set: a session follows
//   2       with version 2: u48 time of the proposer, milliseconds since 1970, not 0
//   …       with a session: 16 bytes client id, u64 sequence (a safe integer, little endian)
//   …       set      kind, key, value
//           delete   key
//           bulkSet  varint count, then `count` times: kind, key, value
//           incr     key, by (decimal digits)
//           cas      key, u8 1 and kind, value when a value is expected, else u8 0; then kind, value
//           others   see operation-codec.ts
//
// A kind is a u8 (ValueKind). Keys, values and digits are a varint length (LEB128, shortest form) and as many
// bytes. Nothing follows the command. One proposal has exactly one encoding.
import { EntryKind } from '../raft/types.ts';
import { ByteReader, varintBytes, writeVarint } from './byte-reader.ts';
import { readByteString, writeByteString } from './byte-string.ts';
import {
  type ByteString,
  type ClientSequence,
  type Command,
  type KeyValue,
  type Proposal,
  type StoredValue,
  ValueKind,
} from './command.ts';
import { allocateEntry, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, type FramedEntry } from './frame.ts';
import { readU48, readU53, writeU48, writeU53 } from './little-endian.ts';
import { commandCode, commandFieldBytes, readCommandFields, writeCommandFields } from './operation-codec.ts';

/** Since then, nothing but the time was added: what has none is written as ever. */
const VERSION_WITHOUT_TIME = 1;
const VERSION_WITH_TIME = 2;
const TIME_BYTES = 6;
/** Largest encoded proposal, a time not counted. The edges refuse what is larger, with an error for the client. */
export const PROPOSAL_BYTES_MAX = FRAME_BYTES_MAX - FRAME_HEADER_BYTES - TIME_BYTES;
export const CLIENT_ID_BYTES = 16;

const Code = { set: 1, delete: 2, bulkSet: 3, incr: 4, cas: 5 } as const;
const SESSION_FLAG = 0x80;
const HEADER_BYTES = 2;
const SESSION_BYTES = CLIENT_ID_BYTES + 8;
/** The least that an item of a bulkSet takes: kind and two empty lengths. */
const ITEM_BYTES_MIN = 3;
const INCREMENT_BYTES_MAX = 20;

function stringBytes(value: ByteString): number {
  return varintBytes(value.length) + value.length;
}

function commandBytes(command: Command): number {
  switch (command.type) {
    case 'set':
      return 1 + stringBytes(command.key) + stringBytes(command.value);
    case 'delete':
      return stringBytes(command.key);
    case 'bulkSet': {
      let bytes = varintBytes(command.items.length);
      for (const item of command.items) bytes += 1 + stringBytes(item.key) + stringBytes(item.value);
      return bytes;
    }
    case 'incr':
      return stringBytes(command.key) + stringBytes(command.by);
    case 'cas': {
      const expected = command.expected === null ? 0 : 1 + stringBytes(command.expected.value);
      return stringBytes(command.key) + 1 + expected + 1 + stringBytes(command.value);
    }
    default:
      return commandFieldBytes(command);
  }
}

/** Bytes of the proposal once encoded, without its time; more than PROPOSAL_BYTES_MAX cannot be. */
export function proposalBytes({ command, session }: Proposal): number {
  return HEADER_BYTES + (session === null ? 0 : SESSION_BYTES) + commandBytes(command);
}

function writeString(bytes: Uint8Array, offset: number, value: ByteString): number {
  return writeByteString(bytes, writeVarint(bytes, offset, value.length), value);
}

function writeStored(bytes: Uint8Array, offset: number, stored: StoredValue): number {
  bytes[offset] = stored.kind;
  return writeString(bytes, offset + 1, stored.value);
}

function writeItem(bytes: Uint8Array, offset: number, item: KeyValue): number {
  bytes[offset] = item.kind;
  return writeString(bytes, writeString(bytes, offset + 1, item.key), item.value);
}

function writeSession(bytes: Uint8Array, offset: number, session: ClientSequence): number {
  if (session.client.length !== CLIENT_ID_BYTES) {
    throw new RangeError(`a client id of ${session.client.length} bytes`);
  }
  const at = writeByteString(bytes, offset, session.client);
  writeU53(bytes, at, session.sequence);
  return at + 8;
}

function writeCommand(bytes: Uint8Array, offset: number, command: Command): number {
  switch (command.type) {
    case 'set':
      return writeItem(bytes, offset, command);
    case 'delete':
      return writeString(bytes, offset, command.key);
    case 'bulkSet': {
      let at = writeVarint(bytes, offset, command.items.length);
      for (const item of command.items) at = writeItem(bytes, at, item);
      return at;
    }
    case 'incr':
      return writeString(bytes, writeString(bytes, offset, command.key), command.by);
    case 'cas': {
      let at = writeString(bytes, offset, command.key);
      bytes[at++] = command.expected === null ? 0 : 1;
      if (command.expected !== null) at = writeStored(bytes, at, command.expected);
      return writeStored(bytes, at, command);
    }
    default:
      return writeCommandFields(bytes, offset, command);
  }
}

function codeOf(command: Command): number {
  switch (command.type) {
    case 'set':
      return Code.set;
    case 'delete':
      return Code.delete;
    case 'bulkSet':
      return Code.bulkSet;
    case 'incr':
      return Code.incr;
    case 'cas':
      return Code.cas;
    default:
      return commandCode(command);
  }
}

/**
 * The proposal as an entry without index and term, encoded once, with room for its frame's header. `time`: of the
 * proposer, milliseconds since 1970; 0 for none.
 * Throws RangeError past PROPOSAL_BYTES_MAX and for a client id that is not 16 bytes: programmer errors.
 */
export function encodeProposal(proposal: Proposal, time: number = proposal.time ?? 0): FramedEntry {
  const { command, session } = proposal;
  const timeBytes = time === 0 ? 0 : TIME_BYTES;
  const entry = allocateEntry(EntryKind.command, timeBytes + proposalBytes(proposal));
  const { bytes, dataStart } = entry;
  bytes[dataStart] = time === 0 ? VERSION_WITHOUT_TIME : VERSION_WITH_TIME;
  bytes[dataStart + 1] = codeOf(command) | (session === null ? 0 : SESSION_FLAG);
  if (time !== 0) writeU48(bytes, dataStart + HEADER_BYTES, time);
  let at = dataStart + HEADER_BYTES + timeBytes;
  if (session !== null) at = writeSession(bytes, at, session);
  const end = writeCommand(bytes, at, command);
  if (end !== entry.end) throw new RangeError(`${end - entry.end} bytes more written than planned`);
  return entry;
}

function readKind(reader: ByteReader): ValueKind {
  const kind = reader.u8();
  if (kind !== ValueKind.bytes && kind !== ValueKind.json) reader.fail(`unknown kind of value ${kind}`);
  return kind as ValueKind;
}

function readItem(reader: ByteReader): KeyValue {
  const kind = readKind(reader);
  const key = reader.lengthAndByteString();
  return { key, value: reader.lengthAndByteString(), kind };
}

function readStored(reader: ByteReader): StoredValue {
  const kind = readKind(reader);
  return { value: reader.lengthAndByteString(), kind };
}

function readExpected(reader: ByteReader): StoredValue | null {
  const present = reader.u8();
  if (present > 1) reader.fail(`a presence of ${present}`);
  return present === 0 ? null : readStored(reader);
}

function readBulkSet(reader: ByteReader): Command {
  const count = reader.varint();
  // Before allocating for `count`: so many items cannot be in what is left.
  if (count * ITEM_BYTES_MIN > reader.left) reader.fail(`${count} items in ${reader.left} bytes`);
  const items: KeyValue[] = [];
  for (let at = 0; at < count; at++) items.push(readItem(reader));
  return { type: 'bulkSet', items };
}

function readCommand(reader: ByteReader, code: number): Command {
  switch (code) {
    case Code.set: {
      const kind = readKind(reader);
      const key = reader.lengthAndByteString();
      return { type: 'set', key, value: reader.lengthAndByteString(), kind };
    }
    case Code.delete:
      return { type: 'delete', key: reader.lengthAndByteString() };
    case Code.bulkSet:
      return readBulkSet(reader);
    case Code.incr: {
      const key = reader.lengthAndByteString();
      const digits = reader.varint();
      if (digits > INCREMENT_BYTES_MAX) reader.fail(`an increment of ${digits} digits`);
      return { type: 'incr', key, by: reader.byteString(digits) };
    }
    case Code.cas: {
      const key = reader.lengthAndByteString();
      const expected = readExpected(reader);
      const { value, kind } = readStored(reader);
      return { type: 'cas', key, expected, value, kind };
    }
    default:
      return readCommandFields(reader, code);
  }
}

/**
 * The proposal in `data[start, end)`. Throws DecodeError, and nothing else, for bytes that encodeProposal did not
 * write. Keeps no view of them.
 */
export function decodeProposal(data: Uint8Array, start = 0, end = data.length): Proposal {
  const reader = new ByteReader(data, start, end);
  const version = reader.u8();
  if (version !== VERSION_WITHOUT_TIME && version !== VERSION_WITH_TIME) {
    reader.fail(`unknown version ${version} of a command`);
  }
  const code = reader.u8();
  const time = version === VERSION_WITH_TIME ? reader.u48() : 0;
  if (version === VERSION_WITH_TIME && time === 0) reader.fail('a time of 0');
  let session: ClientSequence | null = null;
  if (code >= SESSION_FLAG) {
    const client = reader.byteString(CLIENT_ID_BYTES);
    session = { client, sequence: reader.u53() };
  }
  const command = readCommand(reader, code & ~SESSION_FLAG);
  reader.finish();
  return time === 0 ? { command, session } : { command, session, time };
}

/** Where an item of a plain write lies in its entry's bytes. */
export interface PlainItem {
  bytes: Uint8Array;
  kind: number;
  /** Where the length of the key begins; then come the key, the length of the value and the value. */
  lengthsStart: number;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
}

/** Where the next item of a plain write is to be looked for. */
export interface PlainWrite {
  command: 'set' | 'bulkSet';
  /** 0: without one. */
  time: number;
  session: ClientSequence | null;
  count: number;
  /** Of the first item. */
  itemsAt: number;
}

/**
 * Finds the items when `data[start, end)` is a set or a bulkSet: most entries are, and need no Proposal. False for everything else, sound or not: then decodeProposal says what it is, and `write` and `item` hold
 * anything. When it is true, readPlainItem finds `write.count` items, the first at `write.itemsAt`.
 */
export function readPlainWrite(
  data: Uint8Array,
  start: number,
  end: number,
  into: { write: PlainWrite; item: PlainItem },
): boolean {
  const { write, item } = into;
  if (end - start < HEADER_BYTES + ITEM_BYTES_MIN) return false;
  const version = data[start];
  const flags = data[start + 1] as number;
  const code = flags & ~SESSION_FLAG;
  if (code !== Code.set && code !== Code.bulkSet) return false;
  const hasTime = version === VERSION_WITH_TIME;
  if (!hasTime && version !== VERSION_WITHOUT_TIME) return false;
  const timeAt = start + HEADER_BYTES;
  const sessionAt = hasTime ? timeAt + TIME_BYTES : timeAt;
  let at = flags >= SESSION_FLAG ? sessionAt + SESSION_BYTES : sessionAt;
  if (at >= end) return false;
  write.command = code === Code.set ? 'set' : 'bulkSet';
  write.time = hasTime ? readU48(data, timeAt) : 0;
  if (hasTime && write.time === 0) return false;
  write.session = null;
  if (flags >= SESSION_FLAG) {
    const sequence = readU53(data, sessionAt + CLIENT_ID_BYTES);
    if (!Number.isSafeInteger(sequence)) return false;
    write.session = { client: readByteString(data, sessionAt, sessionAt + CLIENT_ID_BYTES), sequence };
  }
  write.count = 1;
  if (code === Code.bulkSet) {
    write.count = readLength(data, at, end);
    if (write.count < 0) return false;
    at += varintBytes(write.count);
  }
  write.itemsAt = at;
  for (let left = write.count; left > 0; left--) {
    at = readPlainItem(data, at, end, item);
    if (at < 0) return false;
  }
  return at === end;
}

/** Returns the offset behind the item at `at`; negative when there is none before `end`. */
export function readPlainItem(data: Uint8Array, at: number, end: number, into: PlainItem): number {
  if (at >= end) return -1;
  const kind = data[at] as number;
  if (kind > ValueKind.json) return -1;
  const keyLength = readLength(data, at + 1, end);
  if (keyLength < 0) return -1;
  into.lengthsStart = at + 1;
  into.keyStart = at + 1 + varintBytes(keyLength);
  into.keyEnd = into.keyStart + keyLength;
  const valueLength = readLength(data, into.keyEnd, end);
  if (valueLength < 0) return -1;
  into.valueStart = into.keyEnd + varintBytes(valueLength);
  into.valueEnd = into.valueStart + valueLength;
  into.bytes = data;
  into.kind = kind;
  return into.valueEnd <= end ? into.valueEnd : -1;
}

/** A varint of one or two bytes in its shortest form; negative for any other, and for what is cut short. */
function readLength(data: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const first = data[at] as number;
  if (first < 0x80) return first;
  if (at + 1 >= end) return -1;
  const second = data[at + 1] as number;
  return second === 0 || second >= 0x80 ? -1 : (first & 0x7f) | (second << 7);
}
