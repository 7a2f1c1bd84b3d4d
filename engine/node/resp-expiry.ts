// Ends of keys in the arguments of RESP commands, and in their replies.
import type { ByteString, ExpireCondition, Expiry, OperationResult } from '../protocol/command.ts';
import { error, integer } from '../protocol/resp-encode.ts';
import {
  NOT_INTEGER,
  type ReadCommand,
  type Refusal,
  unexpected,
  type WriteCommand,
} from './resp-command.ts';
import { parseInt64 } from './resp-numbers.ts';

export type ExpiryUnit = 'seconds' | 'milliseconds' | 'secondsAt' | 'millisecondsAt';

const INT64_MIN = -(2n ** 63n);
/** Milliseconds since 1970 stand in 48 bits: until the year 10889. */
const TIME_MAX = 2n ** 48n - 1n;
/** What lies in the past ends at once, whenever that was. */
const LONG_AGO: Expiry = { type: 'at', ms: 0 };

function refused(name: string): Refusal {
  return error(`ERR invalid expire time in '${name}' command`);
}

function milliseconds(amount: bigint, unit: ExpiryUnit): bigint {
  return unit === 'seconds' || unit === 'secondsAt' ? amount * 1000n : amount;
}

function isAbsolute(unit: ExpiryUnit): boolean {
  return unit === 'secondsAt' || unit === 'millisecondsAt';
}

/** Null: too far away, in either direction. */
function endOf(ms: bigint, unit: ExpiryUnit): Expiry | null {
  if (ms < INT64_MIN) return null;
  if (ms <= 0n) return LONG_AGO;
  const latest = isAbsolute(unit) ? TIME_MAX : TIME_MAX - BigInt(Date.now()) - 86_400_000n;
  if (ms > latest) return null;
  return { type: isAbsolute(unit) ? 'at' : 'after', ms: Number(ms) };
}

/** Of commands that set a value: the end must lie after 1970, a span must be above zero. */
export function expiryFrom(text: ByteString, unit: ExpiryUnit, name: string): Expiry | Refusal {
  const amount = parseInt64(text);
  if (amount === null) return NOT_INTEGER;
  if (amount <= 0n) return refused(name);
  return endOf(milliseconds(amount, unit), unit) ?? refused(name);
}

function conditionOf(argv: readonly ByteString[]): ExpireCondition | Refusal {
  const given = { NX: false, XX: false, GT: false, LT: false };
  for (let at = 3; at < argv.length; at++) {
    const option = (argv[at] as string).toUpperCase();
    if (!(option in given)) return error(`ERR Unsupported option ${argv[at]}`);
    given[option as keyof typeof given] = true;
  }
  if (given.NX && (given.XX || given.GT || given.LT)) {
    return error('ERR NX and XX, GT or LT options at the same time are not compatible');
  }
  if (given.GT && given.LT) return error('ERR GT and LT options at the same time are not compatible');
  if (given.NX) return 'ifNone';
  // A key without an end counts as one that never ends, so that GT alone already asks for an end.
  if (given.GT) return 'ifLater';
  if (given.LT) return given.XX ? 'ifSomeAndEarlier' : 'ifEarlier';
  return given.XX ? 'ifSome' : 'always';
}

/** EXPIRE and its kin: key, time, conditions. */
export function expireCommand(unit: ExpiryUnit, name: string): WriteCommand {
  return {
    kind: 'write',
    operation(argv) {
      const when = conditionOf(argv);
      if (when.startsWith('-')) return when;
      const amount = parseInt64(argv[2] as string);
      if (amount === null) return NOT_INTEGER;
      const expiry = endOf(milliseconds(amount, unit), unit);
      if (expiry === null) return refused(name);
      return { type: 'expire', key: argv[1] as string, expiry, when: when as ExpireCondition };
    },
    reply: changedReply,
  };
}

export function changedReply(result: OperationResult): ByteString {
  return result.type === 'changed' ? integer(result.changed ? 1 : 0) : unexpected(result);
}

/** TTL and its kin. -2: no such key; -1: no end. */
export function expiryCommand(unit: ExpiryUnit): ReadCommand {
  return {
    kind: 'read',
    operation: ([, key = '']) => ({ type: 'expiryOf', key }),
    reply(result, _argv, { node }) {
      if (result.type !== 'expiry') return unexpected(result);
      if (!result.exists) return integer(-2);
      if (result.expiresAt === null) return integer(-1);
      if (unit === 'millisecondsAt') return integer(result.expiresAt);
      if (unit === 'secondsAt') return integer(Math.floor((result.expiresAt + 500) / 1000));
      const left = Math.max(0, result.expiresAt - node.clusterTime());
      return integer(unit === 'milliseconds' ? left : Math.floor((left + 500) / 1000));
    },
  };
}
