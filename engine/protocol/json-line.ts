// The vocabulary of the JSON line protocol: error codes, limits, and requests as the node sees them.
// Parsing is json-request.ts, replies are json-reply.ts, the client's side is json-client.ts.
import type { ByteString, Proposal } from './command.ts';
import type { MemberRequest } from './json-members.ts';

/** `TIMEOUT`: the write may have happened. Every other code means that it did not. */
export type ErrorCode =
  | 'INVALID_JSON'
  | 'UNKNOWN_COMMAND'
  | 'INVALID_ARGUMENT'
  | 'TOO_LARGE'
  | 'NO_SPACE'
  | 'UNAVAILABLE'
  /** The members as they are do not allow it now; nothing was done. */
  | 'REFUSED'
  | 'TIMEOUT'
  /** A watch is too far behind, or asks for what is too long ago. */
  | 'COMPACTED'
  | 'UNAUTHENTICATED';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };

export type Consistency = 'linearizable' | 'stale';

/** Echoed in the reply; null: the request has none. */
export type RequestId = string | number | null;

/** Each is a setting of the node by the same name; errors name it. */
export interface JsonLimits {
  keyBytesMax: number;
  valueBytesMax: number;
  bulkItemsMax: number;
  /** Line ending not counted. */
  lineBytesMax: number;
  scanItemsMax: number;
}

export const DEFAULT_JSON_LIMITS: JsonLimits = {
  keyBytesMax: 64 * 1024,
  valueBytesMax: 8 * 1024 * 1024,
  bulkItemsMax: 10_000,
  lineBytesMax: 16 * 1024 * 1024,
  scanItemsMax: 10_000,
};

/** Items of a page when the request names no limit. */
export const SCAN_ITEMS_DEFAULT = 100;

/** Which keys: those with the prefix, from `start` on, before `end`, in byte order. */
export interface KeyRange {
  /** Empty for all. */
  prefix: ByteString;
  /** First key. Empty: from the beginning. */
  start: ByteString;
  /** First key that is not in the range. Null: to the end. */
  end: ByteString | null;
  /** Only keys behind this one: where the last page ended. Null on the first page. */
  after: ByteString | null;
  limit: number;
}

interface Routed {
  id: RequestId;
  /** A node that does not lead passes the request on instead of answering with a redirect. */
  forward: boolean;
}

export interface WriteRequest extends Routed {
  type: 'write';
  proposal: Proposal;
}

export interface GetRequest extends Routed {
  /** Its value, or when it ends. */
  type: 'get' | 'ttl';
  key: ByteString;
  consistency: Consistency;
}

export interface ScanRequest extends Routed {
  type: 'scan';
  range: KeyRange;
  consistency: Consistency;
}

export interface StatusRequest {
  type: 'status';
  id: RequestId;
}

export interface PingRequest {
  type: 'ping';
  id: RequestId;
}

/** From now on, or from a revision, every change of these keys as a line of its own. Served by any node. */
export interface WatchRequest {
  type: 'watch';
  id: RequestId;
  /** Its name on this connection; null: the node makes one. */
  watch: string | number | null;
  /** The beginning of the keys, or the one key. */
  bytes: ByteString;
  isPrefix: boolean;
  /** The first to be told; null: the next one. */
  fromRevision: number | null;
}

export interface UnwatchRequest {
  type: 'unwatch';
  id: RequestId;
  watch: string | number;
}

export interface AuthRequest {
  type: 'auth';
  id: RequestId;
  password: string;
}

/** The request makes no sense; `reply` is the whole line to send. The connection goes on. */
export interface RefusedRequest {
  type: 'refused';
  id: RequestId;
  code: ErrorCode;
  reply: string;
}

export type Request =
  | WriteRequest
  | GetRequest
  | ScanRequest
  | StatusRequest
  | PingRequest
  | WatchRequest
  | UnwatchRequest
  | AuthRequest;
export type ParsedRequest = Request | MemberRequest | RefusedRequest;
