// The members of a JSON reply that say what an operation gave: on its own line, or among the results of a
// transaction. Text without braces, to be put together.
import type { CommandResult, FailedResult, OperationResult, StoredValue } from './command.ts';
import { keyMembers, valueMembers } from './json-value.ts';
import { encodeCursor } from './scan-cursor.ts';

type Succeeded = Exclude<OperationResult, FailedResult>;

function valueOrNull(stored: StoredValue | null): string {
  return stored === null ? '"value":null' : valueMembers(stored);
}

export function resultMembers(result: Succeeded): string {
  switch (result.type) {
    case 'set':
      return '"success":true';
    case 'delete':
      return `"success":${result.existed}`;
    case 'bulkSet':
      return `"success":${result.revision !== 0},"count":${result.count}`;
    case 'incr':
    case 'incrByFloat':
      return `"value":${result.value}`;
    case 'cas':
      return `"success":${result.swapped},${valueOrNull(result.current)}`;
    case 'setWith': {
      const previous = result.previous === null ? '' : `,${valueMembers(result.previous)}`;
      return `"success":${result.written}${previous}`;
    }
    case 'length':
      return `"length":${result.length}`;
    case 'value':
      return valueOrNull(result.value);
    case 'values':
      return `"values":[${result.values.map((value) => `{${valueOrNull(value)}}`).join(',')}]`;
    case 'changed':
      return `"success":${result.changed}`;
    case 'count':
      return `"count":${result.count}`;
    case 'expiry':
      return `"exists":${result.exists},${ttlMembers(result.expiresAt, result.time)}`;
    case 'keys': {
      const keys = result.keys.map((key) => `{${keyMembers(key)}}`).join(',');
      const cursor = result.next === null ? 'null' : JSON.stringify(encodeCursor(result.next));
      return `"keys":[${keys}],"cursor":${cursor}`;
    }
  }
}

/** What is left of a key's time: null when it has no end, or does not exist. Milliseconds, both. */
export function ttlMembers(expiresAt: number | null, now: number): string {
  const left = expiresAt === null ? null : Math.max(0, expiresAt - now);
  return `"ttl_ms":${left},"expires_at":${expiresAt}`;
}

/** Where a reply names the revision: of what was written, and of a value that is there. */
export function revisionMember(result: Exclude<CommandResult, FailedResult>): string {
  switch (result.type) {
    case 'delete':
      return '';
    case 'cas':
      return result.current === null ? '' : `,"revision":${result.revision}`;
    default:
      return result.revision === 0 ? '' : `,"revision":${result.revision}`;
  }
}

function resultObject(result: OperationResult): string {
  if (result.type === 'failed') {
    return `{"success":false,"code":"${result.code}","message":${JSON.stringify(result.message)}}`;
  }
  // An index and a term say nothing of a part of one entry.
  return `{${resultMembers(result)}${revisionMember({ ...result, index: 0, term: 0 })}}`;
}

export function transactionMembers(result: Extract<CommandResult, { type: 'txn' }>): string {
  return `"succeeded":${result.succeeded},"results":[${result.results.map(resultObject).join(',')}]`;
}
