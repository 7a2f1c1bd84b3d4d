// One core under test, fed by hand: its peers exist only as messages.
import { configurationCodec } from '../../engine/protocol/configuration-codec.ts';
import { DEFAULT_RAFT_OPTIONS, type RaftOptions } from '../../engine/raft/options.ts';
import { Raft } from '../../engine/raft/raft.ts';
import type { Ready } from '../../engine/raft/ready.ts';
import {
  type Entry,
  EntryKind,
  type HardState,
  type Message,
  type RaftEvent,
} from '../../engine/raft/types.ts';
import { seededRandom } from './core-cluster.ts';

export interface SingleStart {
  nodeId?: number;
  voters?: readonly number[];
  hardState?: Partial<HardState>;
  /** Terms of the log's entries, from index 1. */
  logTerms?: readonly number[];
  refetchIndex?: number;
  hasLostMemory?: boolean;
  raft?: Partial<RaftOptions>;
}

export function entry(index: number, term: number, text = `${term}.${index}`): Entry {
  return { index, term, kind: EntryKind.command, data: new TextEncoder().encode(text) };
}

export class SingleNode {
  readonly raft: Raft;
  readonly events: RaftEvent[] = [];
  readonly applied: Entry[] = [];
  readonly reads: { token: number; index: number }[] = [];
  /** What was handed out for the disk, oldest first. */
  readonly unsynced: Ready[] = [];
  /** Everything that was ever handed out. */
  readonly history: Ready[] = [];
  hardState: HardState;
  readonly #nodeId: number;

  constructor(start: SingleStart = {}) {
    const nodeId = start.nodeId ?? 1;
    this.#nodeId = nodeId;
    const voters = start.voters ?? [1, 2, 3];
    this.hardState = { currentTerm: 0, votedFor: 0, commitIndex: 0, ...start.hardState };
    this.raft = new Raft(
      {
        ...DEFAULT_RAFT_OPTIONS,
        nodeId,
        configuration: { voters, votersOutgoing: [], learners: [] },
        configurationCodec,
        random: seededRandom(nodeId),
        ...start.raft,
      },
      {
        hardState: this.hardState,
        lastIncludedIndex: 0,
        lastIncludedTerm: 0,
        entries: (start.logTerms ?? []).map((term, position) => entry(position + 1, term)),
        refetchIndex: start.refetchIndex ?? 0,
        hasLostMemory: start.hasLostMemory ?? false,
      },
    );
  }

  /** Messages that may leave before the disk is done. */
  take(): Message[] {
    const messages: Message[] = [];
    while (this.raft.hasReady()) {
      const ready = this.raft.ready();
      messages.push(...ready.messages);
      this.events.push(...ready.events);
      this.applied.push(...ready.committed);
      this.reads.push(...ready.reads);
      this.unsynced.push(ready);
      this.history.push(ready);
    }
    return messages;
  }

  /** The disk is done with everything handed out: messages that waited for it. */
  sync(): Message[] {
    const messages: Message[] = [];
    for (const ready of this.unsynced.splice(0)) {
      if (ready.hardState !== null) this.hardState = ready.hardState;
      messages.push(...ready.messagesAfterSync);
      this.raft.advance(ready);
    }
    return messages;
  }

  /** Everything it says to one message, the disk being quick. */
  say(message: DistributivePartialTo): Message[] {
    this.raft.step({ to: this.#nodeId, ...message } as Message);
    return this.settle();
  }

  settle(): Message[] {
    const messages: Message[] = [];
    while (this.raft.hasReady() || this.unsynced.length > 0) messages.push(...this.take(), ...this.sync());
    return messages;
  }

  tick(count: number): Message[] {
    const messages: Message[] = [];
    for (let done = 0; done < count; done++) {
      this.raft.tick();
      messages.push(...this.settle());
    }
    return messages;
  }

  /** Leader of its next term, by the votes of the two others. Returns what it said on taking office. */
  becomeLeader(): Message[] {
    this.raft.campaign();
    this.settle();
    const term = this.raft.currentTerm + 1;
    this.say({ type: 'PreVoteResponse', from: 2, term, voteGranted: true });
    return this.say({ type: 'RequestVoteResponse', from: 2, term, voteGranted: true });
  }
}

type DistributivePartialTo = Message extends infer M
  ? M extends Message
    ? Omit<M, 'to'> & { to?: number }
    : never
  : never;

export function ofType<T extends Message['type']>(messages: readonly Message[], type: T) {
  return messages.filter((message): message is Extract<Message, { type: T }> => message.type === type);
}
