// Majorities, of one set of voters or of both during joint consensus (Raft paper §6).
import type { Configuration, NodeId } from './types.ts';

export type VoteResult = 'won' | 'lost' | 'pending';

export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.votersOutgoing.includes(id);
}

/** Every node that is replicated to, the node itself included, each once. */
export function members(configuration: Configuration): NodeId[] {
  return [
    ...new Set([...configuration.voters, ...configuration.votersOutgoing, ...configuration.learners]),
  ].sort((a, b) => a - b);
}

/** It was a member once and is none any more. For good, where the configuration is committed. [M9] */
export function hasLeft(configuration: Configuration, id: NodeId): boolean {
  return configuration.former?.includes(id) === true && !members(configuration).includes(id);
}

/** The highest value that a majority (of both sets when joint) has reached. Zero for an empty set of voters. */
export function quorumValue(configuration: Configuration, reached: (id: NodeId) => number): number {
  const incoming = majorityValue(configuration.voters, reached);
  if (configuration.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(configuration.votersOutgoing, reached));
}

function majorityValue(voters: readonly NodeId[], reached: (id: NodeId) => number): number {
  if (voters.length === 0) return 0;
  if (voters.length === 3) return middleOfThree(voters, reached);
  const values = voters.map(reached).sort((a, b) => b - a);
  return values[Math.floor(voters.length / 2)] as number;
}

/** The common case, without an array: this runs on every acknowledgement. */
function middleOfThree(voters: readonly NodeId[], reached: (id: NodeId) => number): number {
  const a = reached(voters[0] as NodeId);
  const b = reached(voters[1] as NodeId);
  const c = reached(voters[2] as NodeId);
  return a > b ? (b > c ? b : Math.min(a, c)) : a > c ? a : Math.min(b, c);
}

/** Counts votes: `undefined` is no answer yet. */
export function voteResult(
  configuration: Configuration,
  voteOf: (id: NodeId) => boolean | undefined,
): VoteResult {
  const incoming = majorityVote(configuration.voters, voteOf);
  if (configuration.votersOutgoing.length === 0) return incoming;
  const outgoing = majorityVote(configuration.votersOutgoing, voteOf);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';
}

function majorityVote(voters: readonly NodeId[], voteOf: (id: NodeId) => boolean | undefined): VoteResult {
  const needed = Math.floor(voters.length / 2) + 1;
  let granted = 0;
  let refused = 0;
  for (const id of voters) {
    const vote = voteOf(id);
    if (vote === true) granted++;
    else if (vote === false) refused++;
  }
  if (granted >= needed) return 'won';
  return voters.length - refused < needed ? 'lost' : 'pending';
}
