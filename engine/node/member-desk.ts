// Clients' requests about the members: the list at once, changes through the core and answered when they are
// committed. One change is under way at a time, and so is one answer owed.
import {
  type MemberRequest,
  memberChangedReply,
  memberListReply,
  memberRefusedReply,
} from '../protocol/json-members.ts';
import { errorReply, redirectReply } from '../protocol/json-reply.ts';
import type { Raft } from '../raft/raft.ts';
import type { NodeId, RaftEvent } from '../raft/types.ts';
import type { MemberBook } from './member-book.ts';
import { type ReplyTo, sendReply } from './request-desk.ts';

export interface MemberDeskOptions {
  nodeId: NodeId;
  raft: Raft;
  book: MemberBook;
  requestTimeoutMs: number;
  /** Passes a request line on to the leader's client port. */
  forward(to: ReplyTo, line: string, leader: string): void;
  wake(): void;
}

interface ChangeUnderWay {
  to: ReplyTo;
  /** Of its first entry. */
  index: number;
  term: number;
  arrivedAt: number;
}

export class MemberDesk {
  readonly #options: MemberDeskOptions;
  #underWay: ChangeUnderWay | null = null;

  constructor(options: MemberDeskOptions) {
    this.#options = options;
  }

  /** `arrivedAt`: milliseconds of the node's monotonic clock. */
  take(request: MemberRequest, to: ReplyTo, { line, arrivedAt }: { line: string; arrivedAt: number }): void {
    if (request.type === 'memberList') {
      sendReply(to, this.#list(to));
      return;
    }
    const { raft, book, forward, wake } = this.#options;
    if (raft.role !== 'leader') {
      const address = raft.leaderId === 0 ? null : book.clientAddressOf(raft.leaderId);
      if (request.forward && address !== null) forward(to, line, address);
      else this.#redirect(to);
      return;
    }
    const result = raft.proposeConfiguration(request.change);
    if (!result.accepted) {
      sendReply(to, memberRefusedReply(to.id, result));
      return;
    }
    this.#unknown('another change has begun since');
    this.#underWay = { to, index: result.index, term: result.term, arrivedAt };
    wake();
  }

  #redirect(to: ReplyTo): void {
    const { leaderId } = this.#options.raft;
    const leader =
      leaderId === 0 ? null : { id: leaderId, address: this.#options.book.clientAddressOf(leaderId) };
    sendReply(to, redirectReply(to.id, leader));
  }

  #list(to: ReplyTo): string {
    const { nodeId, raft, book } = this.#options;
    const { configuration, configurationIndex, commitIndex, lastIndex, progress, leaderId } = raft.status();
    return memberListReply(to.id, {
      node_id: nodeId,
      leader_id: leaderId === 0 ? null : leaderId,
      index: configurationIndex,
      committed: configurationIndex <= commitIndex,
      joint: configuration.votersOutgoing.length > 0,
      members: book.list().map((member) => {
        const known = progress.find(({ id }) => id === member.id);
        return {
          ...member,
          matchIndex: known?.matchIndex ?? null,
          behind: known === undefined ? null : Math.max(0, lastIndex - known.matchIndex),
          active: known?.recentActive ?? null,
        };
      }),
    });
  }

  /** The core's events, in their order, before what a lost leadership means is told. */
  happened(events: readonly RaftEvent[]): void {
    const underWay = this.#underWay;
    if (underWay === null) return;
    for (const event of events) {
      if (event.type !== 'configurationChanged' || !event.committed) continue;
      if (event.index < underWay.index || event.configuration.votersOutgoing.length > 0) continue;
      this.#underWay = null;
      const { index } = event;
      const { term } = underWay;
      const members = this.#options.book.list();
      sendReply(underWay.to, memberChangedReply(underWay.to.id, { index, term, members }));
      return;
    }
  }

  leadershipLost(): void {
    this.#unknown('leadership was lost before the change was committed');
  }

  /** `now` as in `take`. */
  expire(now: number): void {
    if (this.#underWay === null || now - this.#underWay.arrivedAt < this.#options.requestTimeoutMs) return;
    this.#unknown(`the change was not committed within ${this.#options.requestTimeoutMs} ms`);
  }

  #unknown(reason: string): void {
    const underWay = this.#underWay;
    this.#underWay = null;
    if (underWay === null) return;
    const message = `${reason}; it may have happened, or may happen yet: look at the members`;
    sendReply(underWay.to, errorReply(underWay.to.id, 'TIMEOUT', message));
  }
}
