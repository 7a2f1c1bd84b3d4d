// A transaction of the console as one request of the client, and its results as lines, one an operation.
import type { Client } from '../../../engine/client/client.ts';
import type {
  TransactionCondition,
  TransactionOperation,
} from '../../../engine/protocol/json-client-operation.ts';
import type { TransactionResult } from '../../../engine/protocol/json-client-result.ts';
import type { ConsoleCommand, KeyCondition, KeyOperation } from '../../shared/console-command.ts';
import type { ConsoleLine } from '../../shared/console-line-view.ts';
import { type Answer, durationText, shownKey, shownValue } from './console-values.ts';

export async function answerTransaction(
  client: Client,
  { compare, success, failure }: Extract<ConsoleCommand, { type: 'txn' }>,
): Promise<Answer> {
  const { succeeded, results, receipt } = await client.txn({
    compare: compare.map(conditionOf),
    success: success.flatMap(operationsOf),
    failure: failure.flatMap(operationsOf),
  });
  const done = (succeeded ? success : failure).flatMap(operationsOf);
  const head: ConsoleLine = succeeded
    ? { tone: 'ok', text: compare.length === 0 ? 'Done, in one log entry' : 'then: the conditions hold' }
    : { tone: 'note', text: 'else: a condition does not hold' };
  const lines = results.map((result, position) => resultLine(done[position], result));
  return { lines: [head, ...lines], receipt };
}

function conditionOf(condition: KeyCondition): TransactionCondition {
  const { key } = condition;
  if ('exists' in condition) return { key, exists: condition.exists };
  if ('revision' in condition) return { key, revision: condition.revision, op: condition.relation };
  return { key, value: condition.value, op: condition.relation };
}

function operationsOf(operation: KeyOperation): TransactionOperation[] {
  switch (operation.type) {
    case 'set': {
      const { key, value, ttlMs, keepTtl, onlyIf } = operation;
      const end = { ttlMs: ttlMs ?? undefined, keepTtl: keepTtl || undefined, onlyIf: onlyIf ?? undefined };
      return [{ command: 'set', key, value, ...end }];
    }
    case 'delete':
      return operation.keys.map((key) => ({ command: 'delete', key }));
    case 'bulkSet':
      return [{ command: 'bulk_set', items: operation.items }];
    case 'incr':
      return [{ command: 'incr', key: operation.key, by: BigInt(operation.by) }];
    case 'cas':
      return [{ command: 'cas', key: operation.key, expected: operation.expected, value: operation.value }];
    case 'expire':
      return [{ command: 'expire', key: operation.key, ttlMs: operation.ttlMs }];
    case 'get':
    case 'ttl':
    case 'persist':
      return [{ command: operation.type, key: operation.key }];
  }
}

function resultLine(operation: TransactionOperation | undefined, result: TransactionResult): ConsoleLine {
  if (operation === undefined) return { tone: 'table', text: '' };
  const of = 'key' in operation ? ` ${shownKey(operation.key)}` : '';
  return {
    tone: 'table',
    text: `${operation.command.replace('_', '-')}${of}: ${resultWords(operation, result)}`,
  };
}

function resultWords({ command }: TransactionOperation, result: TransactionResult): string {
  if (result.error !== null) return `${result.error.code}: ${result.error.message}`;
  switch (command) {
    case 'get':
      return result.revision === null && result.value === null ? '(nil)' : shownValue(result.value);
    case 'incr':
      return shownValue(result.value);
    case 'ttl':
      return result.ttlMs === null ? 'no end' : `${durationText(result.ttlMs)} left`;
    case 'bulk_set':
      return `${result.count ?? 0} keys`;
    case 'delete':
      return result.success === true ? 'deleted' : 'there was no such key';
    default:
      return result.success === false ? 'not done' : 'done';
  }
}
