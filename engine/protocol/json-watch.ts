// The lines of a watch: its reply, then one line an event. Events carry no `status`, which tells them from replies.
import type { StoredValue } from './command.ts';
import type { RequestId } from './json-line.ts';
import { opening } from './json-reply.ts';
import { keyMembers, valueMembers } from './json-value.ts';

export type WatchId = string | number;

/** One change of a key; see kv/change-history.ts. */
interface ChangeOfKey extends StoredValue {
  type: 'put' | 'delete' | 'flush';
  revision: number;
  key: string;
  expiresAt: number;
  expired: boolean;
}

/** `revision`: the first that is told. */
export function watchReply(id: RequestId, watch: WatchId, revision: number): string {
  return `${opening(id)}"status":"ok","watch":${JSON.stringify(watch)},"revision":${revision}}\n`;
}

export function unwatchReply(id: RequestId, existed: boolean): string {
  return `${opening(id)}"status":"ok","success":${existed}}\n`;
}

/** The request asks for what is forgotten. */
export function compactedReply(id: RequestId, lowestRevision: number): string {
  const message = `the changes before revision ${lowestRevision} are forgotten here (setting watchHistoryBytesMax)`;
  return `${opening(id)}"status":"error","code":"COMPACTED","message":${JSON.stringify(message)},"lowest_revision":${lowestRevision}}\n`;
}

/** What an event says whoever watches, without braces. */
export function changeMembers(change: ChangeOfKey): string {
  const { type, revision, key, expiresAt, expired } = change;
  if (type === 'flush') return `"event":"flush","revision":${revision}`;
  if (type === 'delete') {
    return `"event":"delete",${keyMembers(key)},"revision":${revision}${expired ? ',"expired":true' : ''}`;
  }
  const end = expiresAt === 0 ? '' : `,"expires_at":${expiresAt}`;
  return `"event":"put",${keyMembers(key)},${valueMembers(change)},"revision":${revision}${end}`;
}

/** `more`: another event of the same revision follows. */
export function eventLine(watch: WatchId, members: string, more: boolean): string {
  return `{"watch":${JSON.stringify(watch)},${members}${more ? ',"more":true' : ''}}\n`;
}

/** Nothing up to this revision is missing. `leaderId`: whom this node follows, null for nobody. */
export function progressLine(watch: WatchId, revision: number, leaderId: number | null): string {
  return `{"watch":${JSON.stringify(watch)},"event":"progress","revision":${revision},"leader_id":${leaderId}}\n`;
}

/** The last line of a watch that could not keep up. */
export function watchEndLine(watch: WatchId, lowestRevision: number): string {
  const message = `this watch fell too far behind: changes before revision ${lowestRevision} are forgotten (setting watchHistoryBytesMax)`;
  return `{"watch":${JSON.stringify(watch)},"event":"end","code":"COMPACTED","message":${JSON.stringify(message)},"lowest_revision":${lowestRevision}}\n`;
}
