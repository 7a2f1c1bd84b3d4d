// Clients' requests on their way through a simulated node, as engine/node's request desk takes them: writes into
// proposals and back as replies when applied, reads into read rounds and back when their index is applied.
import type { Keyspace } from '../kv/keyspace.ts';
import type { CommandResult } from '../protocol/command.ts';
import { encodeProposal } from '../protocol/command-codec.ts';
import type { Raft } from '../raft/raft.ts';
import type { ReadState } from '../raft/ready.ts';
import type { Entry } from '../raft/types.ts';
import type { ClientReply, ClientRequest, ReplyTo } from './requests.ts';

interface WaitingWrite {
  term: number;
  replyTo: ReplyTo;
}

interface WaitingRead {
  request: Extract<ClientRequest, { type: 'read' }>;
  replyTo: ReplyTo;
}

export interface RequestDeskOptions {
  raft: Raft;
  keyspace: Keyspace;
  /** This node's clock, in milliseconds: not that of others. Null: proposals carry no time. */
  wallClock: (() => number) | null;
  isDiskFull: () => boolean;
  readAsked: (token: number) => void;
  readConfirmed: (token: number, index: number) => void;
  count: (what: string) => void;
}

export class RequestDesk {
  readonly #options: RequestDeskOptions;
  #entries: Entry[] = [];
  #gathered: ReplyTo[] = [];
  #reads: WaitingRead[] = [];
  /** By index of the entry. */
  readonly #writes = new Map<number, WaitingWrite>();
  readonly #batches = new Map<number, { reads: WaitingRead[]; index: number }>();
  #token = 0;
  /** The entry that was proposed to end keys. */
  #ending = { index: 0, term: 0 };

  constructor(options: RequestDeskOptions) {
    this.#options = options;
  }

  take(request: ClientRequest, replyTo: ReplyTo): void {
    const { raft, isDiskFull } = this.#options;
    if (request.type === 'read') {
      if (raft.leaderId === 0) replyTo({ type: 'redirect', leaderId: 0 });
      else this.#reads.push({ request, replyTo });
      return;
    }
    if (raft.role !== 'leader') replyTo({ type: 'redirect', leaderId: raft.leaderId });
    else if (isDiskFull()) replyTo({ type: 'refused' });
    else {
      this.#entries.push(encodeProposal(request.proposal, this.#time()));
      this.#gathered.push(replyTo);
    }
  }

  /** Before the core is asked what it owes: one proposal batch and one read batch for the whole turn. */
  submit(): void {
    this.#endKeys();
    if (this.#entries.length > 0) this.#propose();
    if (this.#reads.length === 0) return;
    this.#token += 1;
    this.#batches.set(this.#token, { reads: this.#reads, index: 0 });
    this.#reads = [];
    this.#options.readAsked(this.#token);
    this.#options.raft.readIndex(this.#token);
  }

  /** Never behind what the log says, as engine/node's cluster time. 0: there is none. */
  #time(): number {
    const { wallClock, keyspace } = this.#options;
    return wallClock === null ? 0 : Math.max(1, Math.floor(wallClock()), keyspace.time);
  }

  /** Leader: an entry with nothing but its time, when a key's end has come; one is under way at a time. */
  #endKeys(): void {
    const { raft, keyspace, isDiskFull, count } = this.#options;
    const end = keyspace.nextEnd;
    if (end === null || raft.role !== 'leader' || isDiskFull()) return;
    const { index, term } = this.#ending;
    if (index > raft.lastApplied && term === raft.currentTerm) return;
    const time = this.#time();
    if (end > time) return;
    const outcome = raft.propose([encodeProposal({ command: { type: 'advanceTime' }, session: null }, time)]);
    count(outcome.accepted ? 'time advanced' : `time not advanced: ${outcome.why}`);
    if (outcome.accepted) this.#ending = { index: outcome.firstIndex, term: outcome.term };
  }

  #propose(): void {
    const { raft, count } = this.#options;
    const gathered = this.#gathered;
    const outcome = raft.propose(this.#entries);
    this.#entries = [];
    this.#gathered = [];
    if (outcome.accepted) {
      let index = outcome.firstIndex;
      for (const replyTo of gathered) {
        this.#writes.set(index, { term: outcome.term, replyTo });
        index += 1;
      }
      return;
    }
    count(`proposal refused: ${outcome.why}`);
    const leaderId = raft.leaderId;
    const reply: ClientReply =
      outcome.why === 'notLeader' ? { type: 'redirect', leaderId } : { type: 'refused' };
    for (const replyTo of gathered) replyTo(reply);
  }

  /** An entry was applied. True when a client was told. */
  applied(entry: Entry, result: CommandResult): boolean {
    const waiting = this.#writes.get(entry.index);
    if (waiting === undefined) return false;
    this.#writes.delete(entry.index);
    const isOurs = waiting.term === entry.term;
    waiting.replyTo(isOurs ? { type: 'written', result } : { type: 'unknown' });
    return isOurs;
  }

  confirmReads(states: readonly ReadState[]): void {
    const { raft, readConfirmed, count } = this.#options;
    for (const { token, index } of states) {
      const batch = this.#batches.get(token);
      if (batch === undefined) throw new Error(`an answer to read ${token}, which nobody asked`);
      if (index === 0) {
        this.#batches.delete(token);
        count('read failed');
        for (const { replyTo } of batch.reads) replyTo({ type: 'redirect', leaderId: raft.leaderId });
        continue;
      }
      readConfirmed(token, index);
      count(raft.role === 'leader' ? 'read round' : 'follower read');
      batch.index = index;
    }
  }

  /** Reads whose index is applied. */
  serveReads(): void {
    const { raft, keyspace } = this.#options;
    for (const [token, batch] of this.#batches) {
      if (batch.index === 0 || batch.index > raft.lastApplied) continue;
      this.#batches.delete(token);
      for (const { request, replyTo } of batch.reads) {
        const record = keyspace.get(request.key);
        const value = record === null ? null : { value: record.value, kind: record.kind };
        replyTo({ type: 'value', value });
      }
    }
  }

  /** What was proposed may or may not survive, and only a later leader knows. */
  leadershipLost(): void {
    for (const { replyTo } of this.#writes.values()) replyTo({ type: 'unknown' });
    this.#writes.clear();
  }
}
