// The string commands of RESP, as operations of the state machine.
import {
  type ByteString,
  type Expiry,
  type Operation,
  type OperationResult,
  type Presence,
  type ReadOperation,
  ValueKind,
} from '../protocol/command.ts';
import * as resp from '../protocol/resp-encode.ts';
import {
  type CommandBody,
  NOT_FLOAT,
  NOT_INTEGER,
  type ReadCommand,
  type Refusal,
  SYNTAX_ERROR,
  unexpected,
  type WriteCommand,
} from './resp-command.ts';
import { type ExpiryUnit, expiryFrom } from './resp-expiry.ts';
import { lcsCommand } from './resp-lcs.ts';
import { fitsInt64, parseInt64, parseWhole } from './resp-numbers.ts';
import type { RespSession } from './resp-session.ts';

type Argv = readonly ByteString[];

const NO_EXPIRY: Expiry = { type: 'none' };
const KEEP_EXPIRY: Expiry = { type: 'keep' };
const kind = ValueKind.bytes;
const OFFSET_NEGATIVE = resp.error('ERR offset is out of range');
const STRING_BYTES_MAX = 512 * 1024 * 1024;

export function valueReply(result: OperationResult, _argv: Argv, { version }: RespSession): ByteString {
  if (result.type !== 'value') return unexpected(result);
  return resp.bulkOrNull(result.value?.value ?? null, version);
}

function lengthReply(result: OperationResult): ByteString {
  return result.type === 'length' ? resp.integer(result.length) : unexpected(result);
}

function write(operation: WriteCommand['operation'], reply: WriteCommand['reply']): WriteCommand {
  return { kind: 'write', operation, reply };
}

function read(operation: ReadCommand['operation'], reply: ReadCommand['reply']): ReadCommand {
  return { kind: 'read', operation, reply };
}

const UNITS: Readonly<Record<string, ExpiryUnit>> = {
  EX: 'seconds',
  PX: 'milliseconds',
  EXAT: 'secondsAt',
  PXAT: 'millisecondsAt',
};

interface Options {
  when: Presence;
  /** Null: neither an end nor KEEPTTL nor PERSIST was asked for. */
  end: { unit: ExpiryUnit; text: ByteString } | 'keep' | 'persist' | null;
  returnsPrevious: boolean;
}

/** The options of SET from the fourth argument on, or of GETEX from the third; null: a syntax error. As in Redis, the same option may come twice. */
function parseOptions(argv: Argv, first: number): Options | null {
  const isSet = first === 3;
  const options: Options = { when: 'always', end: null, returnsPrevious: false };
  for (let at = first; at < argv.length; at++) {
    const option = (argv[at] as string).toUpperCase();
    const unit = UNITS[option];
    const { end, when } = options;
    if (unit !== undefined) {
      const text = argv[++at];
      if (text === undefined || typeof end === 'string' || (end !== null && end.unit !== unit)) return null;
      options.end = { unit, text };
    } else if (option === 'KEEPTTL' && isSet && (end === null || end === 'keep')) {
      options.end = 'keep';
    } else if (option === 'PERSIST' && !isSet && (end === null || end === 'persist')) {
      options.end = 'persist';
    } else if (option === 'NX' && isSet && when !== 'present') {
      options.when = 'absent';
    } else if (option === 'XX' && isSet && when !== 'absent') {
      options.when = 'present';
    } else if (option === 'GET' && isSet) {
      options.returnsPrevious = true;
    } else {
      return null;
    }
  }
  return options;
}

function expiryOf(end: Options['end'], name: string): Expiry | Refusal {
  if (end === 'keep') return KEEP_EXPIRY;
  return end === null || end === 'persist' ? NO_EXPIRY : expiryFrom(end.text, end.unit, name);
}

function setOperation(argv: Argv): Operation | Refusal {
  const [, key = '', value = ''] = argv;
  if (argv.length === 3) return { type: 'set', key, value, kind };
  const options = parseOptions(argv, 3);
  if (options === null) return SYNTAX_ERROR;
  const expiry = expiryOf(options.end, 'set');
  if (typeof expiry === 'string') return expiry;
  const { when, returnsPrevious } = options;
  return { type: 'setWith', key, value, kind, when, expiry, returnsPrevious };
}

function setReply(result: OperationResult, argv: Argv, { version }: RespSession): ByteString {
  if (result.type === 'set') return resp.OK;
  if (result.type !== 'setWith') return unexpected(result);
  if (argv.some((word, at) => at >= 3 && word.toUpperCase() === 'GET')) {
    return resp.bulkOrNull(result.previous?.value ?? null, version);
  }
  return result.written ? resp.OK : resp.nullBulk(version);
}

/** SETEX and PSETEX: key, time, value. */
function setWithEnd(unit: ExpiryUnit, name: string): WriteCommand {
  return write(
    ([, key = '', time = '', value = '']) => {
      const expiry = expiryFrom(time, unit, name);
      if (typeof expiry === 'string') return expiry;
      return { type: 'setWith', key, value, kind, when: 'always', expiry, returnsPrevious: false };
    },
    () => resp.OK,
  );
}

function pairs(argv: Argv): { key: ByteString; value: ByteString; kind: typeof kind }[] {
  const items = [];
  for (let at = 1; at < argv.length; at += 2) {
    items.push({ key: argv[at] as string, value: argv[at + 1] as string, kind });
  }
  return items;
}

function unpaired(argv: Argv, name: string): Refusal | null {
  return argv.length % 2 === 1 ? null : resp.error(`ERR wrong number of arguments for '${name}' command`);
}

/** `sign` -1 for the commands that subtract. */
function increment(sign: 1n | -1n): WriteCommand {
  return write(
    ([, key = '', by = '1']) => {
      const amount = parseInt64(by);
      if (amount === null) return NOT_INTEGER;
      if (!fitsInt64(amount * sign)) return resp.error('ERR decrement would overflow');
      return { type: 'incr', key, by: String(amount * sign) };
    },
    (result) => (result.type === 'incr' ? resp.integer(result.value) : unexpected(result)),
  );
}

/** A wrong end is only an error where there is a key: Redis looks at the key first. */
function getexOperation(argv: Argv): Operation | Refusal {
  const key = argv[1] as string;
  const options = parseOptions(argv, 2);
  if (options === null) return SYNTAX_ERROR;
  const expiry = expiryOf(options.end, 'getex');
  return options.end === null || typeof expiry === 'string'
    ? { type: 'get', key }
    : { type: 'getAndExpire', key, expiry };
}

function getexReply(result: OperationResult, argv: Argv, session: RespSession): ByteString {
  const expiry = expiryOf(parseOptions(argv, 2)?.end ?? null, 'getex');
  const refused = typeof expiry === 'string' && result.type === 'value' && result.value !== null;
  return refused ? expiry : valueReply(result, argv, session);
}

/** Far beyond any value, and still a number that an entry can hold. */
const OFFSET_MAX = 2 ** 40;

function clamped(offset: number): number {
  return Math.max(-OFFSET_MAX, Math.min(OFFSET_MAX, offset));
}

function getRange([, key = '', from = '', to = '']: Argv): ReadOperation | Refusal {
  const start = parseWhole(from);
  const end = parseWhole(to);
  return start === null || end === null
    ? NOT_INTEGER
    : { type: 'getRange', key, start: clamped(start), end: clamped(end) };
}

/** Redis answers with an empty string where there is nothing. */
function rangeReply(result: OperationResult): ByteString {
  return result.type === 'value' ? resp.bulk(result.value?.value ?? '') : unexpected(result);
}

function setRange([, key = '', from = '', value = '']: Argv, session: RespSession): Operation | Refusal {
  const offset = parseWhole(from);
  if (offset === null) return NOT_INTEGER;
  if (offset < 0) return OFFSET_NEGATIVE;
  if (value === '') return { type: 'strlen', key };
  const bytesMax = Math.min(STRING_BYTES_MAX, session.node.limits.valueBytesMax);
  if (offset + value.length > bytesMax) {
    return resp.error('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
  }
  return { type: 'setRange', key, offset, value };
}

const FLOAT = /^[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)$/;

const INFINITE = /^[+-]?inf(?:inity)?$/i;
const INFINITE_SUM = resp.error('ERR increment would produce NaN or Infinity');

export const STRING_COMMANDS: Readonly<Record<string, CommandBody>> = {
  get: {
    ...read(([, key = '']) => ({ type: 'get', key }), valueReply),
    serve: (keyspace, { version }, argv) =>
      resp.bulkOrNull(keyspace.get(argv[1] as string)?.value ?? null, version),
  },
  set: write(setOperation, setReply),
  setnx: write(
    ([, key = '', value = '']) => ({
      ...{ type: 'setWith', key, value, kind, when: 'absent', expiry: NO_EXPIRY },
      returnsPrevious: false,
    }),
    (result) => (result.type === 'setWith' ? resp.integer(result.written ? 1 : 0) : unexpected(result)),
  ),
  setex: setWithEnd('seconds', 'setex'),
  psetex: setWithEnd('milliseconds', 'psetex'),
  mget: read(
    (argv) => ({ type: 'getMany', keys: argv.slice(1) }),
    (result, _argv, { version }) => {
      if (result.type !== 'values') return unexpected(result);
      return resp.array(result.values.map((value) => resp.bulkOrNull(value?.value ?? null, version)));
    },
  ),
  mset: write(
    (argv) => unpaired(argv, 'mset') ?? { type: 'bulkSet', items: pairs(argv) },
    () => resp.OK,
  ),
  msetnx: write(
    (argv) => {
      const items = pairs(argv).map((item) => ({ ...item, expiry: NO_EXPIRY }));
      return unpaired(argv, 'msetnx') ?? { type: 'bulkSetWith', items, ifAllAbsent: true };
    },
    (result) => (result.type === 'bulkSet' ? resp.integer(result.count > 0 ? 1 : 0) : unexpected(result)),
  ),
  getset: write(
    ([, key = '', value = '']) => ({
      ...{ type: 'setWith', key, value, kind, when: 'always', expiry: NO_EXPIRY },
      returnsPrevious: true,
    }),
    (result, _argv, { version }) => {
      if (result.type !== 'setWith') return unexpected(result);
      return resp.bulkOrNull(result.previous?.value ?? null, version);
    },
  ),
  getdel: write(([, key = '']) => ({ type: 'getAndDelete', key }), valueReply),
  getex: write(getexOperation, getexReply),
  append: write(([, key = '', value = '']) => ({ type: 'append', key, value }), lengthReply),
  strlen: read(([, key = '']) => ({ type: 'strlen', key }), lengthReply),
  getrange: read(getRange, rangeReply),
  substr: read(getRange, rangeReply),
  setrange: write(setRange, lengthReply),
  incr: increment(1n),
  decr: increment(-1n),
  incrby: increment(1n),
  decrby: increment(-1n),
  incrbyfloat: write(
    ([, key = '', by = '']) => {
      if (FLOAT.test(by)) return { type: 'incrByFloat', key, by };
      return INFINITE.test(by) ? INFINITE_SUM : NOT_FLOAT;
    },
    (result) => (result.type === 'incrByFloat' ? resp.bulk(result.value) : unexpected(result)),
  ),
  lcs: lcsCommand,
};
