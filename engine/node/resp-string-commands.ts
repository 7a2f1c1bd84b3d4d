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

interface SetOptions {
  when: Presence;
  expiry: Expiry | null;
  returnsPrevious: boolean;
}

/** Options of SET from the fourth argument on; null: a syntax error. */
function parseSetOptions(argv: Argv): SetOptions | Refusal {
  const options: SetOptions = { when: 'always', expiry: null, returnsPrevious: false };
  for (let at = 3; at < argv.length; at++) {
    const option = (argv[at] as string).toUpperCase();
    if ((option === 'NX' || option === 'XX') && options.when === 'always') {
      options.when = option === 'NX' ? 'absent' : 'present';
    } else if (option === 'NX' || option === 'XX') {
      if ((option === 'NX') !== (options.when === 'absent')) return SYNTAX_ERROR;
    } else if (option === 'GET') {
      options.returnsPrevious = true;
    } else if (option === 'KEEPTTL' && (options.expiry === null || options.expiry.type === 'keep')) {
      options.expiry = KEEP_EXPIRY;
    } else if (UNITS[option] !== undefined && options.expiry === null && at + 1 < argv.length) {
      // Read last, as Redis does: what is wrong with the number comes behind what is wrong with the words.
      options.expiry = { type: 'none' };
      at++;
    } else {
      return SYNTAX_ERROR;
    }
  }
  return options;
}

function setOperation(argv: Argv): Operation | Refusal {
  const [, key = '', value = ''] = argv;
  if (argv.length === 3) return { type: 'set', key, value, kind };
  const options = parseSetOptions(argv);
  if (typeof options === 'string') return options;
  let expiry = options.expiry ?? NO_EXPIRY;
  const unitAt = argv.findIndex((word, at) => at >= 3 && UNITS[word.toUpperCase()] !== undefined);
  if (unitAt !== -1) {
    const unit = UNITS[(argv[unitAt] as string).toUpperCase()] as ExpiryUnit;
    const parsed = expiryFrom(argv[unitAt + 1] as string, unit, 'set');
    if (typeof parsed === 'string') return parsed;
    expiry = parsed;
  }
  return {
    type: 'setWith',
    key,
    value,
    kind,
    when: options.when,
    expiry,
    returnsPrevious: options.returnsPrevious,
  };
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

function getexOperation(argv: Argv): Operation | Refusal {
  const key = argv[1] as string;
  if (argv.length === 2) return { type: 'get', key };
  const option = (argv[2] as string).toUpperCase();
  if (option === 'PERSIST' && argv.length === 3) return { type: 'getAndExpire', key, expiry: NO_EXPIRY };
  const unit = UNITS[option];
  if (unit === undefined || argv.length !== 4) return SYNTAX_ERROR;
  const expiry = expiryFrom(argv[3] as string, unit, 'getex');
  return typeof expiry === 'string' ? expiry : { type: 'getAndExpire', key, expiry };
}

function getRange([, key = '', from = '', to = '']: Argv): ReadOperation | Refusal {
  const start = parseWhole(from);
  const end = parseWhole(to);
  return start === null || end === null ? NOT_INTEGER : { type: 'getRange', key, start, end };
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

export const STRING_COMMANDS: Readonly<Record<string, CommandBody>> = {
  get: read(([, key = '']) => ({ type: 'get', key }), valueReply),
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
  getex: write(getexOperation, valueReply),
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
    ([, key = '', by = '']) =>
      FLOAT.test(by) ? { type: 'incrByFloat', key, by } : resp.error('ERR value is not a valid float'),
    (result) => (result.type === 'incrByFloat' ? resp.bulk(result.value) : unexpected(result)),
  ),
  lcs: lcsCommand,
};
