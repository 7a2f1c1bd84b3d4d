// Data commands of RESP clients on the node that leads: a turn's writes become one proposal, its reads one read
// round, and replies find their way back in the order in which each connection asked. Nothing is allocated per
// command beyond its entry: what waits stands in the columns of its turn's batch.
//
// Order within a connection, which pipelining clients count on:
//   - a read behind a write of its connection that is proposed with this turn is served right after that write is
//     applied. The write's commit shows that this node still led after the read had come: no round is needed. [R7]
//     Behind writes of earlier turns it waits for them and for its turn's round.
//   - a write behind an unanswered read has that read served before it is applied, for the same reason. [R8]
//   - all other reads share the read round of their turn.
import type { Keyspace } from '../kv/keyspace.ts';
import type { ByteString, CommandResult } from '../protocol/command.ts';
import { entryBytes } from '../raft/log.ts';
import type { ProposeRefusal, Raft } from '../raft/raft.ts';
import type { ReadState } from '../raft/ready.ts';
import type { Entry } from '../raft/types.ts';
import type { ClientCounters } from './client-counters.ts';
import type { ClusterTime } from './cluster-time.ts';
import type { RespSession } from './resp-session.ts';

/** Makes the reply to a write. Static: there is one per command, not per request. */
export type WriteReply = (
  result: CommandResult,
  session: RespSession,
  argv: readonly ByteString[] | null,
) => ByteString;
/** Serves a read from the keyspace as it is now. */
export type ReadServe = (keyspace: Keyspace, session: RespSession, argv: readonly ByteString[]) => ByteString;

interface ReadColumns {
  sessions: RespSession[];
  slots: number[];
  serves: ReadServe[];
  argvs: (readonly ByteString[])[];
}

interface ReadBatch extends ReadColumns {
  token: number;
  arrivedAt: number;
  /** 0 until a majority has confirmed it. */
  index: number;
  /** Not before this entry: a key's end has come by the leader's clock. */
  indexMin: number;
  done: boolean;
}

interface WriteBatch {
  firstIndex: number;
  term: number;
  arrivedAt: number;
  entries: Entry[];
  sessions: RespSession[];
  slots: number[];
  replies: WriteReply[];
  argvs: (readonly ByteString[] | null)[];
  /** Entries that have been applied. */
  applied: number;
  /** Reads of this token and older ones come before the first entry. */
  readsFirst: number;
  /** Reads that come behind the entry at the offset; offsets rise. */
  reads: (ReadColumns & { offsets: number[]; served: number }) | null;
}

export interface RespDeskOptions {
  raft: Raft;
  keyspace: Keyspace;
  counters: ClientCounters;
  requestTimeoutMs: number;
  time: ClusterTime;
  /** Something waits for the next turn. */
  wake(): void;
}

/** Far from the tokens of the other desk. */
const TOKEN_BEGIN = 2 ** 40;
const TOKENS_PER_TURN = 2;

const REFUSALS: Record<Exclude<ProposeRefusal, 'transferring'>, string> = {
  notLeader: '-TRYAGAIN leadership has moved; nothing was done\r\n',
  tooMuchUncommitted:
    '-TRYAGAIN too much is waiting to be committed (setting uncommittedBytesMax); nothing was done\r\n',
};
const LEADERSHIP_LOST =
  '-TIMEOUT leadership was lost before the write was committed; it may have happened\r\n';
const READ_LOST = '-TRYAGAIN leadership was lost before the read was confirmed\r\n';

export class RespDesk {
  readonly #options: RespDeskOptions;
  #pending: WriteBatch | null = null;
  #pendingReads: ReadBatch | null = null;
  /** Of this turn as well, behind writes of earlier turns. */
  #pendingLateReads: ReadBatch | null = null;
  /** Proposed, in index order. */
  #writes: WriteBatch[] = [];
  /** In token order. */
  #reads: ReadBatch[] = [];
  #token = TOKEN_BEGIN;

  constructor(options: RespDeskOptions) {
    this.#options = options;
  }

  /** Takes an encoded proposal. `argv` is what `reply` needs of the request, if anything. */
  write(session: RespSession, entry: Entry, reply: WriteReply, argv: readonly ByteString[] | null): void {
    let batch = this.#pending;
    if (batch === null) {
      batch = this.#pending = {
        ...{ firstIndex: 0, term: 0, arrivedAt: performance.now(), applied: 0, readsFirst: 0, reads: null },
        ...{ entries: [], sessions: [], slots: [], replies: [], argvs: [] },
      };
      this.#options.wake();
    }
    if (session.readsWaiting > 0) batch.readsFirst = this.#newestToken;
    batch.entries.push(entry);
    batch.sessions.push(session);
    batch.slots.push(session.reserve(entryBytes(entry)));
    batch.replies.push(reply);
    batch.argvs.push(argv);
    session.writesWaiting++;
  }

  /** Returns the slot of its reply. */
  read(session: RespSession, serve: ReadServe, argv: readonly ByteString[], requestBytes: number): number {
    const slot = session.reserve(requestBytes);
    if (session.writesWaiting > 0 && this.#pending !== null) {
      const behind = this.#pending;
      if (session.readsWaiting > 0) behind.readsFirst = this.#newestToken;
      behind.reads ??= { offsets: [], sessions: [], slots: [], serves: [], argvs: [], served: 0 };
      behind.reads.offsets.push(behind.entries.length - 1);
      push(behind.reads, session, slot, serve, argv);
      return slot;
    }
    // Its writes were proposed before it came: their commit says nothing about who leads now.
    let batch: ReadBatch;
    if (session.writesWaiting > 0) {
      this.#pendingLateReads ??= this.#newReads();
      batch = this.#pendingLateReads;
    } else {
      this.#pendingReads ??= this.#newReads();
      batch = this.#pendingReads;
    }
    push(batch, session, slot, serve, argv);
    session.readsWaiting++;
    return slot;
  }

  #newReads(): ReadBatch {
    this.#options.wake();
    return {
      ...{ token: 0, arrivedAt: performance.now(), index: 0, indexMin: 0, done: false },
      ...{ sessions: [], slots: [], serves: [], argvs: [] },
    };
  }

  /** Of the reads that have come so far; those of this turn get theirs when it ends. */
  get #newestToken(): number {
    return (
      this.#token + (this.#pendingReads === null && this.#pendingLateReads === null ? 0 : TOKENS_PER_TURN)
    );
  }

  /** Before the core is asked what it owes: one proposal and one read round for the whole turn. */
  submit(): void {
    const [reads, late] = [this.#pendingReads, this.#pendingLateReads];
    this.#pendingReads = null;
    this.#pendingLateReads = null;
    const last = this.#writes[this.#writes.length - 1];
    if (reads !== null) this.#ask(reads, this.#token + 1, 0);
    if (late !== null) {
      this.#ask(late, this.#token + 2, last === undefined ? 0 : last.firstIndex + last.entries.length - 1);
    }
    if (reads !== null || late !== null) this.#token += TOKENS_PER_TURN;
    if (this.#pending !== null) this.#propose(this.#pending);
    if (this.#reads.length > 0) this.#serveConfirmed();
  }

  /** Both batches of a turn share its read round. */
  #ask(reads: ReadBatch, token: number, indexMin: number): void {
    reads.token = token;
    reads.indexMin = Math.max(indexMin, this.#options.time.waitIndex);
    this.#reads.push(reads);
    this.#options.raft.readIndex(token);
  }

  #propose(batch: WriteBatch): void {
    this.#pending = null;
    const { raft, counters } = this.#options;
    const result = raft.propose(batch.entries);
    if (result.accepted) {
      counters.proposalsTotal += batch.entries.length;
      batch.firstIndex = result.firstIndex;
      batch.term = result.term;
      this.#writes.push(batch);
    } else if (result.why === 'transferring') {
      // Nothing was done yet, and soon either this node leads on or another one does.
      this.#pending = batch;
    } else {
      this.#failWrites(batch, REFUSALS[result.why]);
    }
  }

  /** Before the entry is applied: what must not see it is served. */
  beforeApply(index: number, term: number): void {
    const batch = this.#writes[0];
    if (batch === undefined || batch.firstIndex !== index || batch.term !== term) return;
    if (batch.readsFirst > 0) this.#serveUpTo(batch.readsFirst);
  }

  /** The entry has been applied. Not every entry comes from here. */
  applied(result: CommandResult): void {
    const batch = this.#writes[0];
    if (batch === undefined || result.index < batch.firstIndex) return;
    const offset = result.index - batch.firstIndex;
    if (result.term !== batch.term || offset >= batch.entries.length) return;
    const session = batch.sessions[offset] as RespSession;
    batch.applied = offset + 1;
    session.writesWaiting--;
    this.#acknowledge(batch, offset, session, result);
    if (batch.reads !== null) this.#serveBehind(batch.reads, offset);
    if (offset === batch.entries.length - 1) this.#writes.shift();
  }

  #acknowledge(batch: WriteBatch, offset: number, session: RespSession, result: CommandResult): void {
    const { counters } = this.#options;
    if (result.type === 'failed') counters.errorsTotal++;
    else counters.writesTotal++;
    // One of a batch speaks for all: they came and went together.
    if (offset === 0) counters.writeLatency.record(performance.now() - batch.arrivedAt);
    const reply = batch.replies[offset] as WriteReply;
    session.reply(batch.slots[offset] as number, reply(result, session, batch.argvs[offset] ?? null));
  }

  #serveBehind(reads: NonNullable<WriteBatch['reads']>, offset: number): void {
    while (reads.served < reads.offsets.length && (reads.offsets[reads.served] as number) <= offset) {
      this.#serve(reads, reads.served++);
    }
  }

  /** A majority has confirmed these reads, or (index 0) leadership was lost before it could. */
  confirmReads(states: readonly ReadState[]): void {
    for (const { token, index } of states) {
      const batch = this.#reads.find((waiting) => waiting.token === token);
      if (batch === undefined || batch.done) continue;
      if (index === 0) this.#failReads(batch, READ_LOST);
      else batch.index = Math.max(index, batch.indexMin);
    }
    this.#serveConfirmed();
  }

  #serveConfirmed(): void {
    const { lastApplied } = this.#options.raft;
    for (const batch of this.#reads) {
      if (batch.done) continue;
      // In order: a later read of a connection must not see an older state.
      if (batch.index === 0 || batch.index > lastApplied) break;
      this.#serveBatch(batch);
    }
    while (this.#reads[0]?.done) this.#reads.shift();
  }

  #serveUpTo(token: number): void {
    for (const batch of this.#reads) {
      if (batch.token > token) break;
      if (!batch.done) this.#serveBatch(batch);
    }
    while (this.#reads[0]?.done) this.#reads.shift();
  }

  #serveBatch(batch: ReadBatch): void {
    batch.done = true;
    this.#options.counters.readLatency.record(performance.now() - batch.arrivedAt);
    for (let at = 0; at < batch.sessions.length; at++) {
      (batch.sessions[at] as RespSession).readsWaiting--;
      this.#serve(batch, at);
    }
  }

  #serve(columns: ReadColumns, at: number): void {
    const session = columns.sessions[at] as RespSession;
    if (session.closed) return;
    this.#options.counters.readsTotal++;
    const serve = columns.serves[at] as ReadServe;
    session.reply(
      columns.slots[at] as number,
      serve(this.#options.keyspace, session, columns.argvs[at] as ByteString[]),
    );
  }

  /** Leadership is gone: what was proposed may or may not survive, and only a later leader knows. */
  leadershipLost(): void {
    for (const batch of this.#writes.splice(0)) this.#failWrites(batch, LEADERSHIP_LOST);
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) this.#failWrites(pending, REFUSALS.notLeader);
  }

  /** Answers what has waited too long. `now`: milliseconds of the node's monotonic clock. */
  expire(now: number): void {
    const arrivedBefore = now - this.#options.requestTimeoutMs;
    const after = `within ${this.#options.requestTimeoutMs} ms (setting requestTimeoutMs)`;
    while ((this.#writes[0]?.arrivedAt ?? arrivedBefore) < arrivedBefore) {
      const batch = this.#writes.shift();
      if (batch !== undefined)
        this.#failWrites(
          batch,
          `-TIMEOUT no majority had the write on disk ${after}; it may have happened\r\n`,
        );
    }
    const pending = this.#pending;
    if (pending !== null && pending.arrivedAt < arrivedBefore) {
      this.#pending = null;
      this.#failWrites(pending, `-TRYAGAIN leadership was not handed over ${after}; nothing was done\r\n`);
    }
    for (const batch of this.#reads) {
      if (batch.arrivedAt < arrivedBefore && !batch.done)
        this.#failReads(batch, `-TRYAGAIN no majority confirmed the read ${after}\r\n`);
    }
    while (this.#reads[0]?.done) this.#reads.shift();
  }

  /** What has been applied was answered. */
  #failWrites(batch: WriteBatch, reply: ByteString): void {
    const { counters } = this.#options;
    for (let offset = batch.applied; offset < batch.sessions.length; offset++) {
      counters.proposalsFailedTotal++;
      counters.errorsTotal++;
      const session = batch.sessions[offset] as RespSession;
      session.writesWaiting--;
      session.reply(batch.slots[offset] as number, reply);
    }
    const { reads } = batch;
    if (reads === null) return;
    for (let at = reads.served; at < reads.sessions.length; at++) {
      (reads.sessions[at] as RespSession).reply(reads.slots[at] as number, READ_LOST);
    }
  }

  #failReads(batch: ReadBatch, reply: ByteString): void {
    batch.done = true;
    for (let at = 0; at < batch.sessions.length; at++) {
      const session = batch.sessions[at] as RespSession;
      this.#options.counters.errorsTotal++;
      session.readsWaiting--;
      session.reply(batch.slots[at] as number, reply);
    }
  }
}

function push(
  columns: ReadColumns,
  session: RespSession,
  slot: number,
  serve: ReadServe,
  argv: readonly ByteString[],
): void {
  columns.sessions.push(session);
  columns.slots.push(slot);
  columns.serves.push(serve);
  columns.argvs.push(argv);
}
