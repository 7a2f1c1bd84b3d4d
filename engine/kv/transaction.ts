// Transactions: conditions, then one list of operations or the other, in one entry.
import type { FailedResult, Guard, OperationResult, Relation, Transaction } from '../protocol/command.ts';
import { ValueKind } from '../protocol/command.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';
import { equals, execute } from './operations.ts';
import { compareBytes } from './sorted-tree.ts';

export type TransactionResult =
  | { type: 'txn'; succeeded: boolean; results: readonly OperationResult[]; revision: number }
  | FailedResult;

/**
 * Applies the transaction of the entry at `index`. With `abort`, an operation that fails leaves nothing behind
 * of those before it; with `continue`, the others are done all the same, as in Redis. [K9]
 */
export function executeTransaction(
  store: KeyStore,
  index: number,
  { compare, success, failure, onFailure }: Transaction,
): TransactionResult {
  const succeeded = compare.every((guard) => holds(store, guard));
  const operations = succeeded ? success : failure;
  const results: OperationResult[] = [];
  let failed: FailedResult | null = null;
  const before = store.changesTotal;
  store.atomically(() => {
    for (const [at, operation] of operations.entries()) {
      const result = execute(store, index, operation);
      results.push(result);
      if (result.type !== 'failed' || onFailure === 'continue') continue;
      const message = `operation ${at} (${operation.type}): ${result.message}; nothing of the transaction was done`;
      failed = { ...result, message, operation: at };
      return false;
    }
    return true;
  });
  if (failed !== null) return failed;
  return { type: 'txn', succeeded, results, revision: store.changesTotal === before ? 0 : index };
}

function holds(store: KeyStore, guard: Guard): boolean {
  switch (guard.type) {
    case 'exists':
      return (store.look(guard.key) !== undefined) === guard.exists;
    case 'revision': {
      const revision = store.look(guard.key)?.revision ?? 0;
      return relates(Math.sign(revision - guard.revision), guard.relation);
    }
    case 'value':
      return valueHolds(store.find(guard.key), guard);
  }
}

/** `order`: below, equal to or above 0, as the left side is less, equal or greater. */
function relates(order: number, relation: Relation): boolean {
  switch (relation) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '>':
      return order > 0;
  }
}

function valueHolds(record: KeyRecord | undefined, guard: Extract<Guard, { type: 'value' }>): boolean {
  const { relation, value } = guard;
  if (relation === '=') return equals(record, value);
  if (relation === '!=') return !equals(record, value);
  if (record === undefined || value === null) return false;
  const bothJson = record.kind === ValueKind.json && value.kind === ValueKind.json;
  const order =
    (bothJson ? numericOrder(record.value, value.value) : null) ?? compareBytes(record.value, value.value);
  return relates(order, relation);
}

const WHOLE = /^-?[0-9]+$/;

/** Null when one of the two is no number. Whole numbers compare exactly, however long. */
function numericOrder(left: string, right: string): number | null {
  if (WHOLE.test(left) && WHOLE.test(right)) {
    const difference = BigInt(left) - BigInt(right);
    if (difference === 0n) return 0;
    return difference < 0n ? -1 : 1;
  }
  const [a, b] = [Number(left), Number(right)];
  return Number.isNaN(a) || Number.isNaN(b) || left === '' || right === '' ? null : Math.sign(a - b);
}
