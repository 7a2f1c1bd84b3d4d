// The client's writes and transactions as members of a request, alone on a line or inside a transaction.
import { readByteString } from './byte-string.ts';
import type { ClientValue } from './json-client.ts';
import type { JsonValue } from './json-line.ts';

/** When a key ends: at most one of these. Without any, a set ends the key's earlier end too. */
export interface ExpiryOptions {
  /** Milliseconds from the moment in which it is applied. */
  ttlMs?: number | undefined;
  /** Milliseconds since 1970. */
  expiresAt?: number | undefined;
}

export interface SetOptions extends ExpiryOptions {
  /** The key keeps the end that it has. */
  keepTtl?: boolean | undefined;
  /** Whether the key must be there, or must not; else nothing is written. */
  onlyIf?: 'absent' | 'present' | undefined;
  /** The value before comes back. */
  returnPrevious?: boolean | undefined;
}

export type SetCommand = { command: 'set'; key: string; value: ClientValue } & SetOptions;
export type BulkSetCommand = {
  command: 'bulk_set';
  items: readonly ({ key: string; value: ClientValue } & ExpiryOptions)[];
  onlyIf?: 'absent' | undefined;
};
/** `expected` null: the key must not exist. */
export type CasCommand = { command: 'cas'; key: string; expected: ClientValue; value: ClientValue };
export type IncrCommand = { command: 'incr'; key: string; by?: number | bigint | undefined };
export type ExpireCommand = {
  command: 'expire';
  key: string;
  /** What its end must be before; `later` and `earlier` compare it with the new one, and none counts as never. */
  onlyIf?: 'none' | 'some' | 'later' | 'earlier' | undefined;
} & ExpiryOptions;

/** What a transaction is made of. */
export type TransactionOperation =
  | SetCommand
  | { command: 'get' | 'delete' | 'persist' | 'ttl'; key: string }
  | BulkSetCommand
  | CasCommand
  | IncrCommand
  | ExpireCommand;

/** A condition: of the value, the revision (0: no such key) or the existence of a key. */
export type TransactionCondition =
  | { key: string; value: ClientValue; op?: '=' | '!=' | '<' | '>' | undefined }
  | { key: string; revision: number; op?: '=' | '!=' | '<' | '>' | undefined }
  | { key: string; exists: boolean };

export interface TransactionRequest {
  /** All must hold for `success` to be done. None: always. */
  compare?: readonly TransactionCondition[] | undefined;
  success?: readonly TransactionOperation[] | undefined;
  /** Done when a condition does not hold. */
  failure?: readonly TransactionOperation[] | undefined;
  /** An operation fails: `abort` (default) undoes all and rejects; `continue` does the others, as Redis does. */
  onFailure?: 'abort' | 'continue' | undefined;
}

type Fields = Record<string, unknown>;

function base64(bytes: Uint8Array): string {
  return btoa(readByteString(bytes));
}

function valueFields(value: ClientValue): { value: JsonValue; encoding?: 'base64' } {
  return value instanceof Uint8Array ? { value: base64(value), encoding: 'base64' } : { value };
}

function expiryFields({ ttlMs, expiresAt }: ExpiryOptions): Fields {
  return { ttl_ms: ttlMs, expires_at: expiresAt };
}

/** One encoding covers both strings of a cas, so text beside bytes goes as base64 too. */
function casFields({ command, key, expected, value }: CasCommand): Fields {
  if (!(expected instanceof Uint8Array) && !(value instanceof Uint8Array))
    return { command, key, expected, value };
  const encode = (side: ClientValue): JsonValue => {
    if (side instanceof Uint8Array) return base64(side);
    return typeof side === 'string' ? base64(new TextEncoder().encode(side)) : side;
  };
  return { command, key, expected: encode(expected), value: encode(value), encoding: 'base64' };
}

export function operationFields(operation: TransactionOperation): Fields {
  switch (operation.command) {
    case 'set': {
      const { command, key, value, keepTtl, onlyIf, returnPrevious } = operation;
      const options = { keep_ttl: keepTtl, only_if: onlyIf, return_previous: returnPrevious };
      return { command, key, ...valueFields(value), ...expiryFields(operation), ...options };
    }
    case 'bulk_set': {
      const { command, items, onlyIf } = operation;
      const fields = items.map((item) => ({
        key: item.key,
        ...valueFields(item.value),
        ...expiryFields(item),
      }));
      return { command, items: fields, only_if: onlyIf };
    }
    case 'cas':
      return casFields(operation);
    case 'incr':
      return { command: 'incr', key: operation.key, by: operation.by?.toString() };
    case 'expire':
      return { command: 'expire', key: operation.key, ...expiryFields(operation), only_if: operation.onlyIf };
    default:
      return operation;
  }
}

function conditionFields(condition: TransactionCondition): Fields {
  return 'value' in condition ? { ...condition, ...valueFields(condition.value) } : condition;
}

export function transactionFields(request: TransactionRequest): Fields {
  const { compare = [], success = [], failure = [], onFailure } = request;
  return {
    command: 'txn',
    compare: compare.map(conditionFields),
    // biome-ignore lint/suspicious/noThenProperty: the protocol's word; nobody awaits the members of a line.
    then: success.map(operationFields),
    else: failure.map(operationFields),
    on_failure: onFailure,
  };
}
