// The client's side of the JSON line protocol: request lines out, reply lines in. Bytes travel as Uint8Array, which
// becomes base64 on the wire. Knows nothing of connections and retries.
import {
  type BulkSetCommand,
  type CasCommand,
  type ExpireCommand,
  type IncrCommand,
  operationFields,
  type SetCommand,
  type TransactionRequest,
  transactionFields,
} from './json-client-operation.ts';
import { type TransactionResult, transactionResults } from './json-client-result.ts';
import { replyKey, replyValue } from './json-client-value.ts';
import type { Consistency, ErrorCode, JsonValue, RequestId } from './json-line.ts';
import type { MemberCommand } from './json-members.ts';
import { memberSource } from './json-source.ts';

/** A value that a client stores: bytes are kept as they are, strings as text, anything else as JSON. */
export type ClientValue = JsonValue | Uint8Array;

export type ClientCommand =
  | SetCommand
  | { command: 'get' | 'ttl'; key: string; consistency?: Consistency | undefined }
  | { command: 'delete' | 'persist'; key: string }
  | BulkSetCommand
  | CasCommand
  | IncrCommand
  | ExpireCommand
  | ({ command: 'txn' } & TransactionRequest)
  | {
      command: 'scan';
      prefix?: string | undefined;
      start?: string | undefined;
      end?: string | undefined;
      limit?: number | undefined;
      cursor?: string | undefined;
      consistency?: Consistency | undefined;
    }
  | MemberCommand
  | { command: 'status' }
  | { command: 'ping' };

export interface RequestOptions {
  id?: string | number | undefined;
  /** Identity of a write that may be retried: a UUID, and a number that rises with each write. */
  client?: string | undefined;
  seq?: number | undefined;
  forward?: boolean | undefined;
}

function commandFields(request: ClientCommand): Record<string, unknown> {
  switch (request.command) {
    case 'set':
    case 'bulk_set':
    case 'cas':
    case 'incr':
    case 'expire':
      return operationFields(request);
    case 'txn':
      return transactionFields(request);
    default:
      return request;
  }
}

/** The request as one line, `\n` included. */
export function encodeRequest(request: ClientCommand, options: RequestOptions = {}): string {
  // JSON.stringify leaves out what is undefined.
  return `${JSON.stringify({ ...options, ...commandFields(request) })}\n`;
}

/** A value as a reply carries it: bytes that are no text as Uint8Array, whole numbers past 2^53 as bigint. */
export type ReplyValue = ClientValue | bigint;

export interface ReplyItem {
  /** Bytes only when the key is not UTF-8. */
  key: string | Uint8Array;
  value: ReplyValue;
  revision: number;
}

/** Members that the command has no use for are null; `fields` is everything, as parsed. */
export interface OkReply {
  status: 'ok';
  id: RequestId;
  success: boolean | null;
  /** Null also for a key that does not exist; `revision` is null then. */
  value: ReplyValue;
  count: number | null;
  index: number | null;
  term: number | null;
  revision: number | null;
  items: readonly ReplyItem[] | null;
  cursor: string | null;
  /** Of a transaction. */
  results: readonly TransactionResult[] | null;
  fields: Readonly<Record<string, unknown>>;
}

export interface RedirectReply {
  status: 'redirect';
  id: RequestId;
  leaderId: number | null;
  /** `host:port` of the leader's client port. */
  leader: string | null;
}

export interface ErrorReply {
  status: 'error';
  id: RequestId;
  code: ErrorCode;
  message: string;
  /** The write may have happened. */
  outcomeUnknown: boolean;
}

export type Reply = OkReply | RedirectReply | ErrorReply;

const ERROR_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'INVALID_JSON',
  'UNKNOWN_COMMAND',
  'INVALID_ARGUMENT',
  'TOO_LARGE',
  'NO_SPACE',
  'UNAVAILABLE',
  'REFUSED',
  'TIMEOUT',
  'COMPACTED',
  'UNAUTHENTICATED',
]);

type Fields = Record<string, unknown>;

function numberOf(fields: Fields, name: string): number | null {
  const value = fields[name];
  return typeof value === 'number' ? value : null;
}

function stringOf(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
}

function itemsOf(value: unknown): ReplyItem[] | null {
  if (!Array.isArray(value)) return null;
  const items: ReplyItem[] = [];
  for (const element of value as unknown[]) {
    if (typeof element !== 'object' || element === null) return null;
    const fields = element as Fields;
    const key = replyKey(fields);
    const revision = numberOf(fields, 'revision');
    if (key === null || revision === null) return null;
    items.push({ key, value: replyValue(fields, () => null), revision });
  }
  return items;
}

function errorOf(id: RequestId, fields: Fields): ErrorReply {
  const code = stringOf(fields, 'code') ?? '';
  const known = ERROR_CODES.has(code);
  return {
    status: 'error',
    id,
    // A code of a later version: the request failed, and nothing more is known for certain.
    code: known ? (code as ErrorCode) : 'UNAVAILABLE',
    message: stringOf(fields, 'message') ?? 'no reason given',
    outcomeUnknown: !known || code === 'TIMEOUT' || fields.outcome === 'unknown',
  };
}

/** Null when the line is no reply of this protocol. */
export function parseReply(line: string): Reply | null {
  let fields: Fields;
  try {
    fields = JSON.parse(line) as Fields;
  } catch {
    return null; // a SyntaxError: not JSON
  }
  if (typeof fields !== 'object' || fields === null) return null;
  const id = stringOf(fields, 'id') ?? numberOf(fields, 'id');
  if (fields.status === 'error') return errorOf(id, fields);
  if (fields.status === 'redirect') {
    return {
      status: 'redirect',
      id,
      leaderId: numberOf(fields, 'leader_id'),
      leader: stringOf(fields, 'leader'),
    };
  }
  if (fields.status !== 'ok') return null;
  return {
    status: 'ok',
    id,
    success: typeof fields.success === 'boolean' ? fields.success : null,
    value: replyValue(fields, () => memberSource(line, 'value')),
    count: numberOf(fields, 'count'),
    index: numberOf(fields, 'index'),
    term: numberOf(fields, 'term'),
    revision: numberOf(fields, 'revision'),
    items: itemsOf(fields.items),
    cursor: stringOf(fields, 'cursor'),
    results: transactionResults(fields.results, line),
    fields,
  };
}
