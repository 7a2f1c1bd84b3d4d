// What `import … from 'quorumlab'` gives: the client library, and nothing of the engine. Only here names are
// passed on; inside the project everybody imports a file by what it is.
// biome-ignore-all lint/performance/noBarrelFile: the one door for those outside.

export type { ClientValue, ReplyItem, ReplyValue } from '../protocol/json-client.ts';
export type {
  ExpiryOptions,
  SetOptions,
  TransactionCondition,
  TransactionOperation,
  TransactionRequest,
} from '../protocol/json-client-operation.ts';
export type { TransactionResult } from '../protocol/json-client-result.ts';
export type {
  BulkItem,
  CallOptions,
  Client,
  ClientOptions,
  ReadOptions,
  ScanOptions,
  WriteOptions,
} from './client.ts';
export { createClient } from './client.ts';
export type { ClientErrorCode, Outcome, WriteSession } from './client-error.ts';
export { ClientError } from './client-error.ts';
export type { MemberList, MemberPlace, Members } from './members.ts';
export type { Receipt } from './operation.ts';
export type { Watch, WatchEvent, WatchOptions } from './watch.ts';
