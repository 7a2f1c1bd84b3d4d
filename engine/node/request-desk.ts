// Clients' requests on their way through the node: writes into proposals and back as replies when applied,
// reads into read rounds and back when their index is applied, everything else answered at once.

import type { Keyspace } from '../kv/keyspace.ts';
import type { ByteString, CommandResult } from '../protocol/command.ts';
import { encodeProposal } from '../protocol/command-codec.ts';
import { FramedEntry } from '../protocol/frame.ts';
import type {
  AuthRequest,
  GetRequest,
  KeyRange,
  Request,
  RequestId,
  ScanRequest,
} from '../protocol/json-line.ts';
import {
  errorReply,
  getReply,
  pingReply,
  redirectReply,
  scanReply,
  ttlReply,
  writeReply,
} from '../protocol/json-reply.ts';
import type { ProposeRefusal, Raft } from '../raft/raft.ts';
import type { ReadState } from '../raft/ready.ts';
import { type Entry, EntryKind, type NodeId } from '../raft/types.ts';
import type { ClientCounters } from './client-counters.ts';
import { ClusterTime } from './cluster-time.ts';
import { WaitingWrites } from './waiting-writes.ts';
import { type WatchConnection, WatchDesk } from './watch-desk.ts';

/** Where the reply to one request goes. Answered once; a plain record, because there is one per request. */
export interface ReplyTo {
  id: RequestId;
  slot: number;
  connection: WatchConnection;
}

/** `line`: the whole reply, its end included. */
export function sendReply(to: ReplyTo, line: string): void {
  to.connection.reply(to.slot, line);
}

interface GatheredWrite {
  to: ReplyTo;
  arrivedAt: number;
}

interface WaitingRead {
  to: ReplyTo;
  arrivedAt: number;
  read: { key: ByteString; type: 'get' | 'ttl' } | { range: KeyRange };
}

interface ReadBatch {
  reads: WaitingRead[];
  /** 0 until the read round is confirmed. */
  index: number;
  /** Not served before this entry is applied: a key's end had come when the reads did. */
  waitIndex: number;
}

/** Hears of each entry around its application, for what waits for it elsewhere. */
export interface ApplyObserver {
  beforeApply(index: number, term: number): void;
  applied(result: CommandResult): void;
}

export interface RequestDeskOptions {
  raft: Raft;
  keyspace: Keyspace;
  counters: ClientCounters;
  requestTimeoutMs: number;
  watchesPerConnectionMax?: number | undefined;
  /** The client port of a member, `host:port`; null when it is not known. */
  clientAddressOf(id: NodeId): string | null;
  /** The disk of this node takes nothing more. */
  isDiskFull(): boolean;
  statusReply(id: RequestId): string;
  /** Passes a request line on to the leader's client port. */
  forward(to: ReplyTo, line: string, leader: string): void;
  /** Something waits for the next turn. */
  wake(): void;
}

const REFUSALS: Record<Exclude<ProposeRefusal, 'notLeader'>, string> = {
  transferring: 'leadership is being handed over; try again in a moment',
  tooMuchUncommitted:
    'too much is waiting to be committed (setting uncommittedBytesMax); a majority may be slow or down: try again later',
};

const WATCHES_PER_CONNECTION_MAX = 256;
const FULL = 'the disk of the leader is full, and leadership is being handed away; free space or try again';

export class RequestDesk {
  /** Of this node, for all that proposes. */
  readonly time: ClusterTime;
  readonly watches: WatchDesk;
  readonly #options: RequestDeskOptions;
  /** Of this turn, not yet proposed. The two go in step. */
  #entries: Entry[] = [];
  #gathered: GatheredWrite[] = [];
  readonly #writes = new WaitingWrites<ReplyTo>();
  /** Of this turn, not yet in a round. */
  #reads: WaitingRead[] = [];
  readonly #batches = new Map<number, ReadBatch>();
  #token = 0;

  constructor(options: RequestDeskOptions) {
    this.#options = options;
    this.time = new ClusterTime(options);
    this.watches = new WatchDesk({
      keyspace: options.keyspace,
      leaderId: () => options.raft.leaderId,
      watchesPerConnectionMax: options.watchesPerConnectionMax ?? WATCHES_PER_CONNECTION_MAX,
    });
  }

  /** `line` as it came in; `arrivedAt`: milliseconds of the node's monotonic clock. */
  take(
    request: Exclude<Request, AuthRequest>,
    to: ReplyTo,
    { line, arrivedAt }: { line: string; arrivedAt: number },
  ): void {
    switch (request.type) {
      case 'write':
        if (!this.#leads(request, to, line)) return;
        if (this.#options.isDiskFull()) {
          this.#refuse(to, 'NO_SPACE', FULL);
        } else {
          this.#entries.push(encodeProposal(request.proposal, this.time.stamp()));
          this.#gathered.push({ to, arrivedAt });
          this.#options.wake();
        }
        return;
      case 'get':
      case 'ttl':
        this.#takeRead(request, { to, arrivedAt, read: request }, line);
        return;
      case 'scan':
        this.#takeRead(request, { to, arrivedAt, read: { range: request.range } }, line);
        return;
      case 'status':
        sendReply(to, this.#options.statusReply(to.id));
        return;
      case 'ping':
        sendReply(to, pingReply(to.id));
        return;
      case 'watch':
        this.watches.watch(request, to.connection, to.slot);
        return;
      case 'unwatch':
        this.watches.unwatch(request, to.connection, to.slot);
    }
  }

  #takeRead(request: GetRequest | ScanRequest, waiting: WaitingRead, line: string): void {
    if (request.consistency === 'stale') {
      this.#serve(waiting, this.#options.raft.lastApplied);
      return;
    }
    // A follower may serve it itself, at an index that the leader vouches for. [R4]
    if (request.forward && this.#options.raft.leaderId !== 0) this.#reads.push(waiting);
    else if (this.#leads(request, waiting.to, line)) this.#reads.push(waiting);
    else return;
    this.#options.wake();
  }

  /** True on the leader. Otherwise the request has been passed on or sent away. */
  #leads({ forward }: { forward: boolean }, to: ReplyTo, line: string): boolean {
    const { raft } = this.#options;
    if (raft.role === 'leader') return true;
    const address = raft.leaderId === 0 ? null : this.#options.clientAddressOf(raft.leaderId);
    if (forward && address !== null) this.#options.forward(to, line, address);
    else this.#redirect(to);
    return false;
  }

  #redirect(to: ReplyTo): void {
    const { raft, counters } = this.#options;
    counters.redirectsTotal++;
    const leader =
      raft.leaderId === 0
        ? null
        : { id: raft.leaderId, address: this.#options.clientAddressOf(raft.leaderId) };
    sendReply(to, redirectReply(to.id, leader));
  }

  #refuse(to: ReplyTo, code: 'UNAVAILABLE' | 'TIMEOUT' | 'NO_SPACE', message: string): void {
    this.#options.counters.errorsTotal++;
    sendReply(to, errorReply(to.id, code, message));
  }

  /** Before the core is asked what it owes: one proposal batch and one read batch for the whole turn. */
  submit(): void {
    this.time.keep();
    // A watch that waited for its connection, or a state that a snapshot has replaced.
    this.watches.pump();
    if (this.#entries.length > 0) this.#propose();
    // A snapshot from the leader may have brought the state to where a read waits for it.
    if (this.#batches.size > 0) this.#serveConfirmed();
    if (this.#reads.length > 0) {
      this.#token += 1;
      this.#batches.set(this.#token, { reads: this.#reads, index: 0, waitIndex: this.time.waitIndex });
      this.#reads = [];
      this.#options.raft.readIndex(this.#token);
    }
  }

  #propose(): void {
    const entries = this.#entries;
    const gathered = this.#gathered;
    this.#entries = [];
    this.#gathered = [];
    const { raft, counters } = this.#options;
    const result = raft.propose(entries);
    if (result.accepted) {
      counters.proposalsTotal += entries.length;
      let index = result.firstIndex;
      for (const { to, arrivedAt } of gathered) {
        this.#writes.add({ index, term: result.term, arrivedAt, request: to });
        index += 1;
      }
      return;
    }
    counters.proposalsFailedTotal += entries.length;
    for (const { to } of gathered) {
      if (result.why === 'notLeader') this.#redirect(to);
      else this.#refuse(to, 'UNAVAILABLE', REFUSALS[result.why]);
    }
  }

  /** Applies committed entries and answers those who wait for them here. */
  apply(entries: readonly Entry[], now: number, observer?: ApplyObserver): void {
    const { keyspace, counters } = this.#options;
    for (const entry of entries) {
      if (entry.kind !== EntryKind.command) continue;
      observer?.beforeApply(entry.index, entry.term);
      const { index, term } = entry;
      const result =
        entry instanceof FramedEntry
          ? keyspace.apply(index, term, entry.bytes, entry.dataStart, entry.end)
          : keyspace.apply(index, term, entry.data);
      observer?.applied(result);
      counters.entriesAppliedTotal++;
      const waiting = this.#writes.take(entry.index, entry.term);
      if (waiting !== null) this.#acknowledge(waiting.request, result, now - waiting.arrivedAt);
    }
    this.#serveConfirmed();
    this.watches.pump();
  }

  #acknowledge(to: ReplyTo, result: CommandResult, elapsedMs: number): void {
    const { counters } = this.#options;
    if (result.type === 'failed') {
      counters.errorsTotal++;
    } else {
      counters.writesTotal++;
      counters.writeLatency.record(elapsedMs);
    }
    sendReply(to, writeReply(to.id, result));
  }

  /** A majority has confirmed these reads, or (index 0) leadership was lost before it could. */
  confirmReads(states: readonly ReadState[]): void {
    for (const { token, index } of states) {
      const batch = this.#batches.get(token);
      if (batch === undefined) continue;
      if (index === 0) {
        this.#batches.delete(token);
        for (const { to } of batch.reads) this.#redirect(to);
      } else {
        batch.index = Math.max(index, batch.waitIndex);
      }
    }
    this.#serveConfirmed();
  }

  #serveConfirmed(): void {
    const { lastApplied } = this.#options.raft;
    for (const [token, batch] of this.#batches) {
      if (batch.index === 0 || batch.index > lastApplied) continue;
      this.#batches.delete(token);
      for (const waiting of batch.reads) this.#serve(waiting, lastApplied);
    }
  }

  #serve({ to, arrivedAt, read }: WaitingRead, index: number): void {
    const { keyspace, counters } = this.#options;
    const line =
      'range' in read
        ? scanReply(to.id, keyspace.scan(read.range), index)
        : read.type === 'get'
          ? getReply(to.id, keyspace.get(read.key), index)
          : ttlReply(to.id, keyspace.get(read.key), { now: this.time.now(), index });
    counters.readsTotal++;
    counters.readLatency.record(performance.now() - arrivedAt);
    sendReply(to, line);
  }

  /** Leadership is gone: what was proposed may or may not survive, and only a later leader knows. */
  leadershipLost(): void {
    for (const { request } of this.#writes.takeAll()) {
      this.#options.counters.proposalsFailedTotal++;
      this.#refuse(
        request,
        'TIMEOUT',
        'leadership was lost before the write was committed; it may have happened',
      );
    }
  }

  /** Answers what has waited too long. `now` as in `take`. */
  expire(now: number): void {
    this.watches.tick(now);
    const arrivedBefore = now - this.#options.requestTimeoutMs;
    const after = `within ${this.#options.requestTimeoutMs} ms (setting requestTimeoutMs)`;
    for (const { request } of this.#writes.takeOlder(arrivedBefore)) {
      this.#options.counters.proposalsFailedTotal++;
      this.#refuse(request, 'TIMEOUT', `no majority had the write on disk ${after}; it may have happened`);
    }
    for (const [token, batch] of this.#batches) {
      // Tokens rise with time, and the oldest read of a batch is its first.
      if ((batch.reads[0]?.arrivedAt ?? 0) >= arrivedBefore) return;
      this.#batches.delete(token);
      for (const { to } of batch.reads)
        this.#refuse(to, 'UNAVAILABLE', `no majority confirmed the read ${after}`);
    }
  }
}
