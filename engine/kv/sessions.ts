// Client sessions of the replicated state (thesis §6.3): the last write of each client and its reply, so that a
// write that is retried after a failover applies once. Everything here follows from the log alone: every node
// forgets the same session at the same entry.
import type { ByteString, CommandResult, OperationResult, StoredValue } from '../protocol/command.ts';

/** A client's last write. Immutable: views share it with the live state. */
export interface Session {
  client: ByteString;
  sequence: number;
  result: CommandResult;
  /** Replicated time of its last write; 0 before any entry had a time. */
  usedAt: number;
}

interface Node {
  session: Session;
  /** Neighbours in order of use; a Map's own order would cost a walk over holes at each eviction. */
  older: Node | null;
  newer: Node | null;
}

/** What a session is counted as, besides the variable parts of its reply. */
const SESSION_BYTES = 256;

function valueBytes(stored: StoredValue | null): number {
  return stored === null ? 0 : stored.value.length;
}

function resultBytes(result: OperationResult): number {
  switch (result.type) {
    case 'cas':
      return valueBytes(result.current);
    case 'setWith':
      return valueBytes(result.previous);
    case 'value':
      return valueBytes(result.value);
    case 'values':
      return result.values.reduce((sum, value) => sum + 8 + valueBytes(value), 0);
    case 'keys':
      return result.keys.reduce((sum, key) => sum + 8 + key.length, 0);
    case 'failed':
      return result.message.length;
    default:
      return 0;
  }
}

function sessionBytes({ result }: Session): number {
  if (result.type !== 'txn') return SESSION_BYTES + resultBytes(result);
  return result.results.reduce((sum, each) => sum + 64 + resultBytes(each), SESSION_BYTES);
}

export interface SessionsOptions {
  /** Sessions kept. The same on every node of a cluster, for ever: part of what the log means. */
  countMax: number;
  /** Bytes kept, replies included (a cas replies with a whole value). The same on every node as well. */
  bytesMax: number;
  /** Milliseconds of replicated time after which a silent client is forgotten. The same on every node as well. */
  idleMsMax: number;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #nodes = new Map<ByteString, Node>();
  #oldest: Node | null = null;
  #newest: Node | null = null;
  #bytes = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#nodes.size;
  }

  find(client: ByteString): Session | null {
    return this.#nodes.get(client)?.session ?? null;
  }

  /** The newest write of its client; forgets the clients that have been silent for longest when there are too many. [X3] */
  remember(session: Session): void {
    const known = this.#nodes.get(session.client);
    if (known !== undefined) {
      this.#unlink(known);
      this.#bytes -= sessionBytes(known.session);
      known.session = session;
      this.#append(known);
    } else {
      const node: Node = { session, older: null, newer: null };
      this.#nodes.set(session.client, node);
      this.#append(node);
    }
    this.#bytes += sessionBytes(session);
    // The newest stays in any case: its reply is about to be sent.
    while (
      this.#nodes.size > 1 &&
      (this.#nodes.size > this.#options.countMax || this.#bytes > this.#options.bytesMax)
    ) {
      this.#forgetOldest();
    }
  }

  /** The log has its first time: what was used before counts as used now. */
  beginTime(time: number): void {
    for (const node of this.#nodes.values()) node.session = { ...node.session, usedAt: time };
  }

  /** Forgets who has been silent for too long. [X4] */
  forgetIdle(time: number): void {
    const usedBefore = time - this.#options.idleMsMax;
    while (this.#oldest !== null && this.#oldest.session.usedAt <= usedBefore) this.#forgetOldest();
  }

  /** All, from the longest silent to the newest. */
  toArray(): Session[] {
    const sessions: Session[] = [];
    for (let node = this.#oldest; node !== null; node = node.newer) sessions.push(node.session);
    return sessions;
  }

  /** Replaces all; in the order of toArray. */
  restore(sessions: readonly Session[]): void {
    this.#nodes.clear();
    this.#oldest = null;
    this.#newest = null;
    this.#bytes = 0;
    for (const session of sessions) this.remember(session);
  }

  #forgetOldest(): void {
    const node = this.#oldest;
    if (node === null) return;
    this.#unlink(node);
    this.#nodes.delete(node.session.client);
    this.#bytes -= sessionBytes(node.session);
  }

  #unlink(node: Node): void {
    if (node.older === null) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === null) this.#newest = node.older;
    else node.newer.older = node.older;
    node.older = null;
    node.newer = null;
  }

  #append(node: Node): void {
    node.older = this.#newest;
    if (this.#newest === null) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
  }
}
