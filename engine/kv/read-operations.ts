// Reads as part of a transaction: of the state that the operations before them have left.
import type { OperationResult, ReadOperation, StoredValue } from '../protocol/command.ts';
import { ValueKind } from '../protocol/command.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';
import { seededKey } from './random-key.ts';
import { keysPage } from './scan.ts';

/** Of a page of keys inside a transaction. The same on every node: a session remembers the result. */
const KEYS_BYTES_MAX = 8 * 1024 * 1024;

export function executeRead(store: KeyStore, operation: ReadOperation): OperationResult {
  switch (operation.type) {
    case 'get': {
      const record = store.find(operation.key);
      return { type: 'value', value: storedOf(record), revision: record?.revision ?? 0 };
    }
    case 'getMany': {
      const values = operation.keys.map((key) => storedOf(store.find(key)));
      return { type: 'values', values, revision: 0 };
    }
    case 'getRange': {
      const facts = store.look(operation.key);
      const { from, to } = rangeOf(facts?.valueBytes ?? 0, operation);
      const value = store.slice(operation.key, from, to);
      return { type: 'value', value: { value, kind: ValueKind.bytes }, revision: facts?.revision ?? 0 };
    }
    case 'strlen': {
      const facts = store.look(operation.key);
      return { type: 'length', length: facts?.valueBytes ?? 0, revision: facts?.revision ?? 0 };
    }
    case 'exists': {
      let count = 0;
      for (const key of operation.keys) if (store.look(key) !== undefined) count++;
      return { type: 'count', count, revision: 0 };
    }
    case 'expiryOf': {
      const facts = store.look(operation.key);
      return {
        type: 'expiry',
        exists: facts !== undefined,
        expiresAt: facts === undefined || facts.expiresAt === 0 ? null : facts.expiresAt,
        time: store.time,
        revision: facts?.revision ?? 0,
      };
    }
    case 'count':
      return { type: 'count', count: store.count, revision: 0 };
    case 'keys': {
      const bounds = { bytesMax: KEYS_BYTES_MAX, time: store.time };
      return { type: 'keys', ...keysPage(store.records, operation.range, bounds), revision: 0 };
    }
    case 'randomKey': {
      const key = seededKey(store, operation.seed);
      return { type: 'keys', keys: key === null ? [] : [key], next: null, revision: 0 };
    }
  }
}

function storedOf(record: KeyRecord | undefined): StoredValue | null {
  return record === undefined ? null : { value: record.value, kind: record.kind };
}

/** Both ends inclusive, negative ones from the end; empty where they cross. */
function rangeOf(
  length: number,
  { start, end }: { start: number; end: number },
): { from: number; to: number } {
  // As Redis: what begins before the value begins with it, and an end before it takes the first byte.
  if (start < 0 && end < 0 && start > end) return { from: 0, to: 0 };
  const from = start < 0 ? Math.max(0, length + start) : start;
  const last = end < 0 ? Math.max(0, length + end) : end;
  return { from, to: Math.max(from, last + 1) };
}
