// The writes of the JSON line protocol as commands of the state machine, alone on a line or inside a transaction.
import type {
  Command,
  ExpireCondition,
  ExpiringItem,
  Guard,
  KeyValue,
  Operation,
  Presence,
  Relation,
} from './command.ts';
import {
  type Body,
  boundedKey,
  type Context,
  encodingFor,
  expiryOf,
  flagOf,
  invalid,
  keyOf,
  storedOf,
  stringBytes,
  tooLarge,
  wordOf,
} from './json-body.ts';

const SIGNED_DECIMAL = /^(?:0|-?[1-9][0-9]{0,18})$/;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

function setOf(body: Body, context: Context): Operation {
  const key = keyOf(body, context);
  const { value, kind } = storedOf(body.value, { name: 'value', encoding: body.encoding, context });
  const expiry = expiryOf(body);
  const when = wordOf<Presence>(body, 'only_if', ['always', 'absent', 'present']);
  const returnsPrevious = flagOf(body, 'return_previous');
  if (expiry === null && when === 'always' && !returnsPrevious) return { type: 'set', key, value, kind };
  return { type: 'setWith', key, value, kind, when, expiry: expiry ?? { type: 'none' }, returnsPrevious };
}

function casOf(body: Body, context: Context): Operation {
  const key = keyOf(body, context);
  if (body.expected === undefined) invalid('"expected" is missing; null means that the key must not exist');
  const encoded = (name: 'expected' | 'value') =>
    storedOf(body[name], { name, encoding: encodingFor(body[name], body), context });
  const expected = body.expected === null ? null : encoded('expected');
  const { value, kind } = encoded('value');
  return { type: 'cas', key, expected, value, kind };
}

function itemOf(item: unknown, at: number, items: Context): ExpiringItem {
  const context = items.element('items', at);
  if (Array.isArray(item)) {
    if (item.length !== 2) invalid(`item ${at} must be a pair of key and value`);
    const key = boundedKey(stringBytes(item[0], undefined, 'key'), context.limits);
    const source = () => context.second();
    const { value, kind } = storedOf(item[1], { name: 'value', encoding: undefined, context, source });
    return { key, value, kind, expiry: { type: 'none' } };
  }
  if (typeof item !== 'object' || item === null) invalid(`item ${at} must be an object or a pair`);
  const body = item as Body;
  const key = keyOf(body, context);
  const { value, kind } = storedOf(body.value, { name: 'value', encoding: body.encoding, context });
  return { key, value, kind, expiry: expiryOf(body) ?? { type: 'none' } };
}

function plainItem({ key, value, kind }: ExpiringItem): KeyValue {
  return { key, value, kind };
}

function bulkSetOf(body: Body, context: Context): Operation {
  const { items } = body;
  if (!Array.isArray(items)) invalid('"items" must be an array of objects or pairs');
  if (items.length === 0) invalid('"items" is empty');
  if (items.length > context.limits.bulkItemsMax) {
    tooLarge('a bulk_set', `${items.length} items`, context.limits.bulkItemsMax, 'bulkItemsMax');
  }
  const read = items.map((item: unknown, at) => itemOf(item, at, context));
  const ifAllAbsent = wordOf(body, 'only_if', ['always', 'absent']) === 'absent';
  if (!ifAllAbsent && read.every((item) => item.expiry.type === 'none')) {
    return { type: 'bulkSet', items: read.map(plainItem) };
  }
  return { type: 'bulkSetWith', items: read, ifAllAbsent };
}

function incrementOf(body: Body): string {
  const { by } = body;
  if (by === undefined) return '1';
  if (typeof by === 'number') {
    if (Number.isSafeInteger(by)) return String(by);
    invalid('"by" must be a whole number; beyond 2^53, write it as a string');
  }
  if (typeof by !== 'string' || !SIGNED_DECIMAL.test(by)) invalid('"by" must be a whole number');
  const value = BigInt(by);
  if (value > INT64_MAX || value < INT64_MIN) invalid('"by" does not fit 64 bits');
  return by;
}

function expireOf(body: Body, context: Context): Operation {
  const expiry = expiryOf(body);
  if (expiry === null || expiry.type === 'keep') invalid('"ttl_ms" or "expires_at" is missing');
  const conditions = {
    always: 'always',
    none: 'ifNone',
    some: 'ifSome',
    later: 'ifLater',
    earlier: 'ifEarlier',
  };
  const words = ['always', 'none', 'some', 'later', 'earlier'] as const;
  const when = conditions[wordOf(body, 'only_if', words)] as ExpireCondition;
  return { type: 'expire', key: keyOf(body, context), expiry, when };
}

/** A write by its name; null when this is none. */
export function writeOf(name: unknown, body: Body, context: Context): Command | null {
  switch (name) {
    case 'set':
      return setOf(body, context);
    case 'delete':
      return { type: 'delete', key: keyOf(body, context) };
    case 'bulk_set':
      return bulkSetOf(body, context);
    case 'cas':
      return casOf(body, context);
    case 'incr':
      return { type: 'incr', key: keyOf(body, context), by: incrementOf(body) };
    case 'expire':
      return expireOf(body, context);
    case 'persist':
      return { type: 'persist', key: keyOf(body, context) };
    case 'txn':
      return transactionOf(body, context);
    default:
      return null;
  }
}

function operationOf(item: unknown, what: string, context: Context): Operation {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) invalid(`${what} must be an object`);
  const body = item as Body;
  const name = body.command ?? body.type;
  if (name === 'get') return { type: 'get', key: keyOf(body, context) };
  if (name === 'ttl') return { type: 'expiryOf', key: keyOf(body, context) };
  const write = name === 'txn' ? null : writeOf(name, body, context);
  if (write !== null && write.type !== 'txn' && write.type !== 'advanceTime') return write;
  return invalid(
    `${what}: "command" must be one of set, get, delete, bulk_set, cas, incr, expire, persist, ttl`,
  );
}

function guardOf(item: unknown, what: string, context: Context): Guard {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) invalid(`${what} must be an object`);
  const body = item as Body;
  const key = keyOf(body, context);
  const given = ['value', 'revision', 'exists'].filter((name) => body[name] !== undefined);
  if (given.length !== 1) invalid(`${what} needs one of "value", "revision" and "exists"`);
  if (body.exists !== undefined) return { type: 'exists', key, exists: flagOf(body, 'exists') };
  const relation = wordOf<Relation>(body, 'op', ['=', '!=', '<', '>']);
  const { revision, value } = body;
  if (revision !== undefined) {
    if (
      typeof revision !== 'number' ||
      !Number.isSafeInteger(revision) ||
      revision < 0 ||
      revision >= 2 ** 48
    ) {
      invalid(`${what}: "revision" must be a whole number; 0 is that of a key that does not exist`);
    }
    return { type: 'revision', key, relation, revision };
  }
  if (value === null) return { type: 'value', key, relation, value: null };
  return {
    type: 'value',
    key,
    relation,
    value: storedOf(value, { name: 'value', encoding: body.encoding, context }),
  };
}

function transactionOf(body: Body, context: Context): Command {
  const listOf = (name: 'compare' | 'then' | 'else'): readonly unknown[] => {
    const list = body[name] ?? [];
    return Array.isArray(list) ? list : invalid(`"${name}" must be an array`);
  };
  const [compare, success, failure] = [listOf('compare'), listOf('then'), listOf('else')];
  const parts = compare.length + success.length + failure.length;
  if (parts > context.limits.bulkItemsMax) {
    tooLarge('a txn', `${parts} conditions and operations`, context.limits.bulkItemsMax, 'bulkItemsMax');
  }
  if (success.length + failure.length === 0) invalid('a txn without "then" and "else" does nothing');
  const operations = (list: readonly unknown[], name: 'then' | 'else') =>
    list.map((item, at) => operationOf(item, `"${name}" ${at}`, context.element(name, at)));
  return {
    type: 'txn',
    compare: compare.map((item, at) => guardOf(item, `"compare" ${at}`, context.element('compare', at))),
    success: operations(success, 'then'),
    failure: operations(failure, 'else'),
    onFailure: wordOf(body, 'on_failure', ['abort', 'continue']),
  };
}
