// The node's reply lines of the JSON line protocol: whole lines, `\n` included. Concatenated rather than
// stringified: most of a reply is known beforehand.
import type { NodeId, Role } from '../raft/types.ts';
import type { ByteString, CommandResult, KeyValue, StoredValue } from './command.ts';
import type { ErrorCode, RequestId } from './json-line.ts';
import { LINE_TOO_LONG, type LineFault } from './json-line-splitter.ts';
import { resultMembers, revisionMember, transactionMembers, ttlMembers } from './json-result.ts';
import { keyMembers, valueMembers } from './json-value.ts';
import type { MemberStatus } from './node-status.ts';
import { encodeCursor } from './scan-cursor.ts';

/** The brace and, when the request had one, the id. */
export function opening(id: RequestId): string {
  if (id === null) return '{';
  return typeof id === 'number' ? `{"id":${id},` : `{"id":${JSON.stringify(id)},`;
}

/** `outcome` unknown: the write may have happened. TIMEOUT always says so. */
export function errorReply(id: RequestId, code: ErrorCode, message: string, outcome?: 'unknown'): string {
  const doubt = code === 'TIMEOUT' || outcome !== undefined ? ',"outcome":"unknown"' : '';
  return `${opening(id)}"status":"error","code":"${code}","message":${JSON.stringify(message)}${doubt}}\n`;
}

/** The reply to a line that could not be read. After LINE_TOO_LONG the connection closes. */
export function lineFaultReply(fault: LineFault, lineBytesMax: number): string {
  if (fault !== LINE_TOO_LONG) return errorReply(null, 'INVALID_JSON', 'the line is not UTF-8');
  const message = `a line over the limit of ${lineBytesMax} bytes (setting lineBytesMax); closing the connection`;
  return errorReply(null, 'TOO_LARGE', message);
}

/** Null while nobody leads as far as this node knows. `address` is the leader's client port, `host:port`. */
export function redirectReply(id: RequestId, leader: { id: NodeId; address: string | null } | null): string {
  const address = leader === null || leader.address === null ? 'null' : JSON.stringify(leader.address);
  return `${opening(id)}"status":"redirect","leader_id":${leader === null ? 'null' : leader.id},"leader":${address}}\n`;
}

/** The reply to a write that was applied (or failed while being applied, the same on every node). */
export function writeReply(id: RequestId, result: CommandResult): string {
  if (result.type === 'set') {
    // Most replies are this one.
    return `${opening(id)}"status":"ok","success":true,"index":${result.index},"term":${result.term},"revision":${result.revision}}\n`;
  }
  if (result.type === 'failed') return errorReply(id, result.code, result.message, result.outcome);
  const members = result.type === 'txn' ? transactionMembers(result) : resultMembers(result);
  const revision = revisionMember(result);
  return `${opening(id)}"status":"ok",${members},"index":${result.index},"term":${result.term}${revision}}\n`;
}

/** `index`: the state up to that entry was read. */
export function getReply(
  id: RequestId,
  read: (StoredValue & { revision: number }) | null,
  index: number,
): string {
  if (read === null) return `${opening(id)}"status":"ok","value":null,"index":${index}}\n`;
  return `${opening(id)}"status":"ok",${valueMembers(read)},"revision":${read.revision},"index":${index}}\n`;
}

/** As getReply; `now` is what the key's end is held against, in milliseconds since 1970. */
export function ttlReply(
  id: RequestId,
  read: { revision: number; expiresAt?: number } | null,
  { now, index }: { now: number; index: number },
): string {
  const revision = read === null ? '' : `,"revision":${read.revision}`;
  const end = ttlMembers(read?.expiresAt ?? null, now);
  return `${opening(id)}"status":"ok","exists":${read !== null},${end}${revision},"index":${index}}\n`;
}

/** `next`: the key behind which the next page begins, null on the last page. */
export function scanReply(
  id: RequestId,
  page: { items: readonly (KeyValue & { revision: number })[]; next: ByteString | null },
  index: number,
): string {
  const items = page.items.map(
    (item) => `{${keyMembers(item.key)},${valueMembers(item)},"revision":${item.revision}}`,
  );
  const cursor = page.next === null ? 'null' : JSON.stringify(encodeCursor(page.next));
  return `${opening(id)}"status":"ok","items":[${items.join(',')}],"cursor":${cursor},"index":${index}}\n`;
}

export function authReply(id: RequestId): string {
  return `${opening(id)}"status":"ok","success":true}\n`;
}

export function pingReply(id: RequestId): string {
  return `${opening(id)}"status":"ok","value":"PONG"}\n`;
}

/** What `status` answers, on leaders and followers alike. */
export interface StatusReply {
  version: string;
  node_id: NodeId;
  cluster_id: string;
  role: Role;
  currentTerm: number;
  /** Null while nobody leads. */
  leader_id: NodeId | null;
  leader: string | null;
  commitIndex: number;
  lastApplied: number;
  lastIndex: number;
  keys: number;
  alarms: readonly string[];
  /** As this node knows them now. */
  members: readonly MemberStatus[];
  peers: readonly StatusPeer[];
}

export interface StatusPeer {
  id: NodeId;
  /** Peer address, `host:port`. */
  address: string;
  connected: boolean;
  /** Null on a node that does not lead. */
  matchIndex: number | null;
}

export function statusReply(id: RequestId, status: StatusReply): string {
  return `${opening(id)}"status":"ok",${JSON.stringify(status).slice(1)}\n`;
}
