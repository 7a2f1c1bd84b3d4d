// Gives every event of this process its number and time, and hands them out once a turn. Bounded: what
// nobody takes is dropped from the front, which shows as a hole in the sequence.
import type { HostEvent, NodeEvent } from '../protocol/node-status.ts';
import type { Message, NodeId, RaftEvent } from '../raft/types.ts';

const EVENTS_MAX = 1000;

/** Messages that are shown one by one. Replication is only counted. */
const ELECTION_MESSAGES: ReadonlySet<Message['type']> = new Set([
  'PreVote',
  'PreVoteResponse',
  'RequestVote',
  'RequestVoteResponse',
  'TimeoutNow',
]);

export class EventRecorder {
  readonly #nodeId: NodeId;
  readonly #now: () => number;
  readonly #deliver: (events: readonly NodeEvent[]) => void;
  #events: NodeEvent[] = [];
  #sequence = 0;
  #scheduled = false;

  /** `now`: milliseconds since the epoch. */
  constructor(nodeId: NodeId, now: () => number, deliver: (events: readonly NodeEvent[]) => void) {
    this.#nodeId = nodeId;
    this.#now = now;
    this.#deliver = deliver;
  }

  record(event: RaftEvent | HostEvent): void {
    this.#sequence += 1;
    this.#events.push({ nodeId: this.#nodeId, sequence: this.#sequence, at: this.#now(), event });
    if (this.#events.length > EVENTS_MAX) this.#events.shift();
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }

  recordSent(messages: readonly Message[]): void {
    for (const message of messages) {
      if (!ELECTION_MESSAGES.has(message.type)) continue;
      this.record({ type: 'messageSent', message: message.type, peer: message.to, term: message.term });
    }
  }

  recordReceived(messages: readonly Message[]): void {
    for (const message of messages) {
      if (!ELECTION_MESSAGES.has(message.type)) continue;
      const granted = 'voteGranted' in message ? message.voteGranted : null;
      this.record({
        type: 'messageReceived',
        message: message.type,
        peer: message.from,
        term: message.term,
        granted,
      });
    }
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#deliver(events);
  }
}
