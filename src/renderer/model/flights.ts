// Election messages as flights along links. Real ones take well under a millisecond, so they are slowed down;
// their causal order is kept: no node is seen answering before the question has reached it.

import type { HostEvent, NodeEvent } from '../../../engine/protocol/node-status.ts';
import type { MessageType, NodeId, RaftEvent } from '../../../engine/raft/types.ts';

export type ElectionMessage =
  | 'PreVote'
  | 'PreVoteResponse'
  | 'RequestVote'
  | 'RequestVoteResponse'
  | 'TimeoutNow';

const ELECTION_MESSAGES: ReadonlySet<MessageType> = new Set<ElectionMessage>([
  'PreVote',
  'PreVoteResponse',
  'RequestVote',
  'RequestVoteResponse',
  'TimeoutNow',
]);

export interface Flight {
  id: number;
  from: NodeId;
  to: NodeId;
  message: ElectionMessage;
  term: number;
  /** Of a response: what was answered, as the voter's own event said; null when it is no response or unknown. */
  granted: boolean | null;
  /** The window's monotonic clock, milliseconds. */
  startMs: number;
  durationMs: number;
}

export const FLIGHT_MS = 420;
/** The show never trails reality by more than this: later flights start at once. */
export const FLIGHT_DELAY_MAX_MS = 2200;
export const FLIGHTS_MAX = 48;

/** What is remembered between batches. */
export interface FlightPlan {
  nextId: number;
  /** When the last flight to each node lands. */
  landings: ReadonlyMap<NodeId, number>;
  /** Each node's newest answer to each candidate: `voter>candidate>preVote>term`. */
  votes: ReadonlyMap<string, boolean>;
}

export const EMPTY_PLAN: FlightPlan = { nextId: 1, landings: new Map(), votes: new Map() };

const VOTES_MAX = 64;

/** Plans the flights of one batch of events. `inAir` flights are still under way; the rest are dropped. */
export function planFlights(
  plan: FlightPlan,
  events: readonly NodeEvent[],
  options: { nowMs: number; inAir: number },
): { plan: FlightPlan; flights: Flight[] } {
  const { nowMs, inAir } = options;
  const landings = new Map(plan.landings);
  const votes = new Map(plan.votes);
  const flights: Flight[] = [];
  let nextId = plan.nextId;
  for (const { nodeId, event } of [...events].sort((left, right) => left.at - right.at)) {
    if (event.type === 'voteCast') {
      votes.set(voteKey(nodeId, event.candidate, event), event.granted);
      const oldest = votes.size > VOTES_MAX ? votes.keys().next().value : undefined;
      if (oldest !== undefined) votes.delete(oldest);
    }
    if (event.type !== 'messageSent' || !isElectionMessage(event.message)) continue;
    if (inAir + flights.length >= FLIGHTS_MAX) continue;
    const wanted = Math.max(nowMs, landings.get(nodeId) ?? 0);
    const startMs = Math.min(wanted, nowMs + FLIGHT_DELAY_MAX_MS);
    landings.set(event.peer, Math.max(landings.get(event.peer) ?? 0, startMs + FLIGHT_MS));
    flights.push({
      id: nextId++,
      from: nodeId,
      to: event.peer,
      message: event.message,
      term: event.term,
      granted: grantedOf(votes, nodeId, event),
      startMs,
      durationMs: FLIGHT_MS,
    });
  }
  return { plan: { nextId, landings, votes }, flights };
}

function isElectionMessage(message: MessageType): message is ElectionMessage {
  return ELECTION_MESSAGES.has(message);
}

function voteKey(voter: NodeId, candidate: NodeId, vote: { preVote: boolean; term: number }): string {
  return `${voter}>${candidate}>${vote.preVote}>${vote.term}`;
}

function grantedOf(
  votes: ReadonlyMap<string, boolean>,
  voter: NodeId,
  sent: Extract<RaftEvent | HostEvent, { type: 'messageSent' }>,
): boolean | null {
  if (sent.message !== 'PreVoteResponse' && sent.message !== 'RequestVoteResponse') return null;
  const preVote = sent.message === 'PreVoteResponse';
  return votes.get(voteKey(voter, sent.peer, { preVote, term: sent.term })) ?? null;
}
