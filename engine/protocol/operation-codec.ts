// The layouts of the commands that command-codec.ts does not write out by hand: behind their code, the fields in
// the order given here. Codes and orders stand in logs and never change.
//
// A key, value or number as text is a varint length (LEB128) and its bytes; a kind or a choice is a u8; an
// optional value is a u8 0 or 1 before it; an expiry is a u8 (none, keep, after, at) and for the last two a u48
// of milliseconds; a list is a varint count and its items.
import type { ByteReader } from './byte-reader.ts';
import type { Command, Expiry, Guard, Operation } from './command.ts';
import {
  byteString,
  choice,
  type FieldCodec,
  fields,
  flag,
  keyValue,
  kind,
  list,
  optional,
  signed,
  stored,
  u48,
  union,
  varint,
} from './field-codec.ts';
import type { KeyRange } from './json-line.ts';

const expiryType = choice(['none', 'keep', 'after', 'at']);

const expiry: FieldCodec<Expiry> = {
  bytes: (value) => ('ms' in value ? 7 : 1),
  write(bytes, offset, value) {
    const at = expiryType.write(bytes, offset, value.type);
    return 'ms' in value ? u48.write(bytes, at, value.ms) : at;
  },
  read(reader) {
    const type = expiryType.read(reader);
    return type === 'after' || type === 'at' ? { type, ms: reader.u48() } : { type };
  },
};

const keys = list(byteString, 1);
const relation = choice(['=', '!=', '<', '>']);

const guards = union<Guard>('a condition', {
  value: { code: 1, layout: { key: byteString, relation, value: optional(stored) } },
  revision: { code: 2, layout: { key: byteString, relation, revision: u48 } },
  exists: { code: 3, layout: { key: byteString, exists: flag } },
});

const guard: FieldCodec<Guard> = {
  bytes: (value) => 1 + guards.fieldBytes(value),
  write(bytes, offset, value) {
    bytes[offset] = guards.codeOf(value);
    return guards.writeFields(bytes, offset + 1, value);
  },
  read: (reader) => guards.readFields(reader, reader.u8()),
};

/** No shorter than the 9 bytes of a u53 and a flag: offsets from the end of a value are below zero. */
const offset = signed;

const range = fields<KeyRange>({
  prefix: byteString,
  start: byteString,
  end: optional(byteString),
  after: optional(byteString),
  limit: varint,
});

const operationOrTime = union<Exclude<Command, { type: 'txn' }>>('a command', {
  set: { code: 1, layout: { kind, key: byteString, value: byteString } },
  delete: { code: 2, layout: { key: byteString } },
  bulkSet: { code: 3, layout: { items: list(keyValue, 3) } },
  incr: { code: 4, layout: { key: byteString, by: byteString } },
  cas: { code: 5, layout: { key: byteString, expected: optional(stored), kind, value: byteString } },
  setWith: {
    code: 6,
    layout: {
      kind,
      key: byteString,
      value: byteString,
      when: choice(['always', 'absent', 'present']),
      expiry,
      returnsPrevious: flag,
    },
  },
  bulkSetWith: {
    code: 7,
    layout: {
      ifAllAbsent: flag,
      items: list(fields({ kind, key: byteString, value: byteString, expiry }), 4),
    },
  },
  deleteMany: { code: 8, layout: { keys } },
  incrByFloat: { code: 9, layout: { key: byteString, by: byteString } },
  append: { code: 10, layout: { key: byteString, value: byteString } },
  setRange: { code: 11, layout: { key: byteString, offset: varint, value: byteString } },
  getAndDelete: { code: 12, layout: { key: byteString } },
  getAndExpire: { code: 13, layout: { key: byteString, expiry } },
  expire: {
    code: 14,
    layout: {
      key: byteString,
      expiry,
      when: choice(['always', 'ifNone', 'ifSome', 'ifLater', 'ifEarlier', 'ifSomeAndEarlier']),
    },
  },
  persist: { code: 15, layout: { key: byteString } },
  rename: { code: 16, layout: { from: byteString, to: byteString, ifAbsent: flag } },
  copy: { code: 17, layout: { from: byteString, to: byteString, replace: flag } },
  flush: { code: 18, layout: {} },
  get: { code: 19, layout: { key: byteString } },
  getMany: { code: 20, layout: { keys } },
  getRange: { code: 21, layout: { key: byteString, start: offset, end: offset } },
  strlen: { code: 22, layout: { key: byteString } },
  exists: { code: 23, layout: { keys } },
  expiryOf: { code: 24, layout: { key: byteString } },
  count: { code: 25, layout: {} },
  keys: { code: 26, layout: { range } },
  randomKey: { code: 27, layout: { seed: varint } },
  advanceTime: { code: 29, layout: {} },
});

const operation: FieldCodec<Operation> = {
  bytes: (value) => 1 + operationOrTime.fieldBytes(value),
  write(bytes, offset, value) {
    bytes[offset] = operationOrTime.codeOf(value);
    return operationOrTime.writeFields(bytes, offset + 1, value);
  },
  read(reader) {
    const value = operationOrTime.readFields(reader, reader.u8());
    return value.type === 'advanceTime' ? reader.fail('a time inside a transaction') : value;
  },
};

const TRANSACTION = 28;
const operations = list(operation, 1);
const transaction = fields<Omit<Extract<Command, { type: 'txn' }>, 'type'>>({
  onFailure: choice(['abort', 'continue']),
  compare: list(guard, 2),
  success: operations,
  failure: operations,
});

export function commandCode(command: Command): number {
  return command.type === 'txn' ? TRANSACTION : operationOrTime.codeOf(command);
}

/** Bytes behind the code. */
export function commandFieldBytes(command: Command): number {
  return command.type === 'txn' ? transaction.bytes(command) : operationOrTime.fieldBytes(command);
}

export function writeCommandFields(bytes: Uint8Array, at: number, command: Command): number {
  if (command.type === 'txn') return transaction.write(bytes, at, command);
  return operationOrTime.writeFields(bytes, at, command);
}

/** Throws DecodeError for a code or fields that writeCommandFields does not write. */
export function readCommandFields(reader: ByteReader, code: number): Command {
  if (code === TRANSACTION) return { type: 'txn', ...transaction.read(reader) };
  return operationOrTime.readFields(reader, code);
}
