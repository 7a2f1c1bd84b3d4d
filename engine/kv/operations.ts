// What each operation does to the keys, and what it gives back. Redis's meaning where Redis has the operation.
// An operation that fails has changed nothing.
import type {
  ByteString,
  Expiry,
  FailedResult,
  FailureReason,
  Operation,
  OperationResult,
  StoredValue,
} from '../protocol/command.ts';
import { ValueKind } from '../protocol/command.ts';
import { U48_MAX } from '../protocol/little-endian.ts';
import { addDecimals, isDecimal } from './decimal.ts';
import { addFractions, isFraction } from './decimal-fraction.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';
import { executeRead } from './read-operations.ts';

/** Append and setRange make no longer values: part of what the log means, so no setting. */
export const GROWN_VALUE_BYTES_MAX = 16 * 1024 * 1024;

type Of<Type extends Operation['type']> = Extract<Operation, { type: Type }>;

const MESSAGES: Record<FailureReason, string> = {
  notInteger: 'the value is not a whole number of 64 bits',
  incrementNotInteger: 'the increment is not a whole number of 64 bits',
  overflow: 'the sum does not fit 64 bits',
  notFloat: 'the value is not a decimal number',
  incrementNotFloat: 'the increment is not a decimal number',
  notFinite: 'the sum is beyond what a double can hold',
  tooLong: `the value would be longer than ${GROWN_VALUE_BYTES_MAX} bytes`,
  noSuchKey: 'there is no such key',
};

function failed(reason: FailureReason): FailedResult {
  return { type: 'failed', code: 'INVALID_ARGUMENT', message: MESSAGES[reason], reason };
}

/** Applies one operation of the entry at `index`. */
export function execute(store: KeyStore, index: number, operation: Operation): OperationResult {
  switch (operation.type) {
    case 'set':
      store.put(operation.key, operation, index);
      return { type: 'set', revision: index };
    case 'delete': {
      const existed = remove(store, index, operation.key);
      return { type: 'delete', existed, revision: existed ? index : 0 };
    }
    case 'bulkSet':
      // One entry, and nothing below can fail: all or nothing. [K2]
      for (const item of operation.items) store.put(item.key, item, index);
      return { type: 'bulkSet', count: operation.items.length, revision: index };
    case 'incr':
      return increment(store, index, operation);
    case 'cas':
      return compareAndSet(store, index, operation);
    case 'setWith':
      return setWith(store, index, operation);
    case 'bulkSetWith':
      return bulkSetWith(store, index, operation);
    case 'deleteMany': {
      let count = 0;
      for (const key of operation.keys) if (remove(store, index, key)) count++;
      return { type: 'count', count, revision: count === 0 ? 0 : index };
    }
    case 'incrByFloat':
      return incrementFraction(store, index, operation);
    case 'append':
      return append(store, index, operation);
    case 'setRange':
      return setRange(store, index, operation);
    case 'getAndDelete': {
      const before = storedOf(store.find(operation.key));
      if (before !== null) store.remove(operation.key, index);
      return { type: 'value', value: before, revision: before === null ? 0 : index };
    }
    case 'getAndExpire':
      return getAndExpire(store, index, operation);
    case 'expire':
      return expire(store, index, operation);
    case 'persist': {
      const before = store.look(operation.key);
      if (before === undefined || before.expiresAt === 0) return unchanged(before);
      store.putAgain(operation.key, index, 0);
      return { type: 'changed', changed: true, revision: index };
    }
    case 'rename':
      return rename(store, index, operation);
    case 'copy':
      return copy(store, index, operation);
    case 'flush': {
      const { count } = store;
      store.flush(index);
      return { type: 'count', count, revision: index };
    }
    default:
      return executeRead(store, operation);
  }
}

function storedOf(record: KeyRecord | undefined): StoredValue | null {
  return record === undefined ? null : { value: record.value, kind: record.kind };
}

function unchanged(record: { revision: number } | undefined): OperationResult {
  return { type: 'changed', changed: false, revision: record?.revision ?? 0 };
}

function remove(store: KeyStore, index: number, key: ByteString): boolean {
  if (store.look(key) === undefined) return false;
  store.remove(key, index);
  return true;
}

/** The replicated time at which a key ends; 0: never. */
function endOf(store: KeyStore, expiry: Expiry, before: { expiresAt?: number } | undefined): number {
  switch (expiry.type) {
    case 'none':
      return 0;
    case 'keep':
      return before?.expiresAt ?? 0;
    case 'after':
      return Math.max(1, Math.min(U48_MAX, store.time + expiry.ms)); // 0 would be no end at all.
    case 'at':
      return Math.max(1, expiry.ms);
  }
}

/** Puts a value until `end`; one that has passed leaves no key behind. */
function putUntil(store: KeyStore, index: number, key: ByteString, stored: StoredValue, end: number): void {
  if (end !== 0 && end <= store.time) remove(store, index, key);
  else store.put(key, stored, index, end);
}

function setWith(store: KeyStore, index: number, operation: Of<'setWith'>): OperationResult {
  const { key, when, expiry, returnsPrevious } = operation;
  const before = store.look(key);
  const previous = returnsPrevious ? storedOf(store.find(key)) : null;
  if (when !== 'always' && (when === 'absent') !== (before === undefined)) {
    return { type: 'setWith', written: false, previous, revision: before?.revision ?? 0 };
  }
  putUntil(store, index, key, operation, endOf(store, expiry, before));
  return { type: 'setWith', written: true, previous, revision: index };
}

function bulkSetWith(store: KeyStore, index: number, operation: Of<'bulkSetWith'>): OperationResult {
  const { items, ifAllAbsent } = operation;
  if (ifAllAbsent && items.some((item) => store.look(item.key) !== undefined)) {
    return { type: 'bulkSet', count: 0, revision: 0 };
  }
  for (const item of items) {
    putUntil(store, index, item.key, item, endOf(store, item.expiry, store.look(item.key)));
  }
  return { type: 'bulkSet', count: items.length, revision: index };
}

function increment(store: KeyStore, index: number, { key, by }: Of<'incr'>): OperationResult {
  const before = store.find(key);
  const current = before?.value ?? '0';
  if (!isDecimal(current)) return failed('notInteger');
  if (!isDecimal(by)) return failed('incrementNotInteger');
  const value = addDecimals(current, by);
  if (value === null) return failed('overflow'); // [K4]
  // A number stays what it was, text or JSON; one that begins here is a JSON number.
  store.put(key, { value, kind: before?.kind ?? ValueKind.json }, index, before?.expiresAt);
  return { type: 'incr', value, revision: index };
}

function incrementFraction(store: KeyStore, index: number, { key, by }: Of<'incrByFloat'>): OperationResult {
  const before = store.find(key);
  const current = before?.value ?? '0';
  if (!isFraction(current)) return failed('notFloat');
  if (!isFraction(by)) return failed('incrementNotFloat');
  const value = addFractions(current, by);
  if (value === null) return failed('notFinite');
  store.put(key, { value, kind: before?.kind ?? ValueKind.json }, index, before?.expiresAt);
  return { type: 'incrByFloat', value, revision: index };
}

function compareAndSet(store: KeyStore, index: number, operation: Of<'cas'>): OperationResult {
  const { key, expected, value, kind } = operation;
  const before = store.find(key);
  if (!equals(before, expected)) {
    return { type: 'cas', swapped: false, current: storedOf(before), revision: before?.revision ?? 0 };
  }
  store.put(key, operation, index);
  return { type: 'cas', swapped: true, current: { value, kind }, revision: index };
}

/** Text `"5"` and the JSON number 5 are different values. [K5] */
export function equals(record: StoredValue | undefined, expected: StoredValue | null): boolean {
  if (record === undefined || expected === null) return record === undefined && expected === null;
  return record.value === expected.value && record.kind === expected.kind;
}

/** Grown text is bytes, whatever it was: `5` and `0` make `50`, but `{` makes no JSON. */
function grow(store: KeyStore, index: number, key: ByteString, value: ByteString): OperationResult {
  if (value.length > GROWN_VALUE_BYTES_MAX) return failed('tooLong');
  store.put(key, { value, kind: ValueKind.bytes }, index, store.look(key)?.expiresAt);
  return { type: 'length', length: value.length, revision: index };
}

function append(store: KeyStore, index: number, { key, value }: Of<'append'>): OperationResult {
  return grow(store, index, key, (store.find(key)?.value ?? '') + value);
}

function setRange(store: KeyStore, index: number, { key, offset, value }: Of<'setRange'>): OperationResult {
  if (value === '') {
    const before = store.look(key);
    return { type: 'length', length: before?.valueBytes ?? 0, revision: before?.revision ?? 0 };
  }
  if (offset + value.length > GROWN_VALUE_BYTES_MAX) return failed('tooLong');
  const current = store.find(key)?.value ?? '';
  const head = current.slice(0, offset) + '\0'.repeat(Math.max(0, offset - current.length));
  return grow(store, index, key, head + value + current.slice(offset + value.length));
}

function getAndExpire(store: KeyStore, index: number, { key, expiry }: Of<'getAndExpire'>): OperationResult {
  const before = store.find(key);
  const value = storedOf(before);
  if (before === undefined || value === null) return { type: 'value', value, revision: 0 };
  const end = endOf(store, expiry, before);
  if (end === (before.expiresAt ?? 0)) return { type: 'value', value, revision: before.revision };
  putUntil(store, index, key, value, end);
  return { type: 'value', value, revision: index };
}

function expire(store: KeyStore, index: number, { key, expiry, when }: Of<'expire'>): OperationResult {
  const before = store.look(key);
  if (before === undefined) return unchanged(before);
  const end = endOf(store, expiry, before);
  const hasEnd = before.expiresAt !== 0;
  const current = hasEnd ? before.expiresAt : Number.POSITIVE_INFINITY;
  const next = end === 0 ? Number.POSITIVE_INFINITY : end;
  const holds = {
    always: true,
    ifNone: !hasEnd,
    ifSome: hasEnd,
    ifLater: next > current,
    ifEarlier: next < current,
    ifSomeAndEarlier: hasEnd && next < current,
  }[when];
  if (!holds) return unchanged(before);
  if (end !== 0 && end <= store.time) store.remove(key, index);
  else store.putAgain(key, index, end);
  return { type: 'changed', changed: true, revision: index };
}

function rename(store: KeyStore, index: number, { from, to, ifAbsent }: Of<'rename'>): OperationResult {
  const source = store.find(from);
  if (source === undefined) return failed('noSuchKey');
  const target = store.find(to);
  if (ifAbsent && target !== undefined) return unchanged(target);
  if (from === to) return { type: 'changed', changed: true, revision: source.revision };
  const { value, kind, expiresAt } = source;
  store.remove(from, index);
  store.put(to, { value, kind }, index, expiresAt);
  return { type: 'changed', changed: true, revision: index };
}

function copy(store: KeyStore, index: number, { from, to, replace }: Of<'copy'>): OperationResult {
  const source = store.find(from);
  const target = store.find(to);
  if (source === undefined || from === to || (target !== undefined && !replace)) return unchanged(target);
  store.put(to, { value: source.value, kind: source.kind }, index, source.expiresAt);
  return { type: 'changed', changed: true, revision: index };
}
