// Replies of the JSON line protocol as the client reads them: the three shapes, checked; the fields of an
// `ok` are read by the call that knows what it asked.

export interface OkReply {
  status: 'ok';
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RedirectReply {
  status: 'redirect';
  /** `host:port` of the leader's client port; null while nobody leads. */
  leader: string | null;
}

export interface ErrorReply {
  status: 'error';
  code: string;
  message: string;
  /** The write may have happened. */
  outcomeUnknown: boolean;
}

export type JsonReply = OkReply | RedirectReply | ErrorReply;

/** Null when the line is no reply of this protocol. */
export function parseJsonReply(line: string): JsonReply | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Record<string, unknown>;
  switch (fields.status) {
    case 'ok':
      return { status: 'ok', fields };
    case 'redirect':
      return { status: 'redirect', leader: typeof fields.leader === 'string' ? fields.leader : null };
    case 'error':
      return {
        status: 'error',
        code: String(fields.code ?? 'UNAVAILABLE'),
        message: String(fields.message ?? 'no reason given'),
        outcomeUnknown: fields.outcome === 'unknown' || fields.code === 'TIMEOUT',
      };
    default:
      return null;
  }
}

export function numberField(reply: OkReply, name: string): number | null {
  const value = reply.fields[name];
  return typeof value === 'number' ? value : null;
}

export function stringField(reply: OkReply, name: string): string | null {
  const value = reply.fields[name];
  return typeof value === 'string' ? value : null;
}
