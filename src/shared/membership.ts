// Who the members are and what a majority of them is, from what nodes said. Judges nothing that the engine decides:
// it says beforehand, in words, what the engine would answer.
import type { Configuration, NodeId } from '../../engine/raft/types.ts';
import type { ClusterView, NodeView } from './cluster-view.ts';
import { leaderOf } from './leader.ts';

/** The most nodes that one panel runs. */
export const NODES_MAX = 7;

export interface ClusterMembers {
  voters: readonly NodeId[];
  /** Empty unless the change is joint. */
  votersOutgoing: readonly NodeId[];
  learners: readonly NodeId[];
  /** False: in force, and may still be replaced. */
  committed: boolean;
}

/**
 * `incoming` and `outgoing` only while the configuration is joint; `outside`: no member, not yet or no more.
 */
export type Membership = 'voter' | 'incoming' | 'outgoing' | 'learner' | 'outside';

/** One set of voters that has to agree. */
export interface VotingSide {
  voters: readonly NodeId[];
  needed: number;
  up: number;
}

/** As the leader says; without one as the node that knows the newest configuration. Before anybody spoke all vote. */
export function membersOf(view: Pick<ClusterView, 'nodes'>): ClusterMembers {
  const leader = leaderOf(view);
  const said = (leader === null ? view.nodes : [leader])
    .map(({ status, lastWords }) => (status ?? lastWords)?.raft)
    .filter((raft) => raft !== undefined && raft.configuration.voters.length > 0);
  const newest = said.reduce<(typeof said)[number]>(
    (best, raft) =>
      best === undefined || (raft?.configurationIndex ?? 0) > best.configurationIndex ? raft : best,
    undefined,
  );
  if (newest === undefined) {
    const voters = view.nodes.map(({ process }) => process.nodeId);
    return { voters, votersOutgoing: [], learners: [], committed: true };
  }
  const { voters, votersOutgoing, learners } = newest.configuration;
  const committed = newest.configurationIndex <= newest.commitIndex;
  return { voters, votersOutgoing, learners, committed };
}

export function membershipOf(
  { voters, votersOutgoing, learners }: Pick<Configuration, 'voters' | 'votersOutgoing' | 'learners'>,
  nodeId: NodeId,
): Membership {
  const isJoint = votersOutgoing.length > 0;
  if (voters.includes(nodeId)) return isJoint && !votersOutgoing.includes(nodeId) ? 'incoming' : 'voter';
  if (votersOutgoing.includes(nodeId)) return 'outgoing';
  return learners.includes(nodeId) ? 'learner' : 'outside';
}

/** Both sets of voters while the change is joint, the incoming one last; else the one there is. */
export function votingSides(view: Pick<ClusterView, 'nodes'>, members = membersOf(view)): VotingSide[] {
  const sides = [members.votersOutgoing, members.voters].filter((voters) => voters.length > 0);
  return sides.map((voters) => ({
    voters,
    needed: majorityOf(voters.length),
    up: voters.filter((nodeId) => isVoterUp(view, nodeId)).length,
  }));
}

/** `2 of 3 votes`; while two sets must agree `2 of 3 and 3 of 4 votes`. */
export function majorityWords(sides: readonly VotingSide[]): string {
  const parts = sides.map(({ voters, needed }) => `${needed} of ${voters.length}`);
  const votes = sides.at(-1)?.voters.length === 1 ? 'vote' : 'votes';
  return parts.length === 0 ? 'nobody votes' : `${parts.join(' and ')} ${votes}`;
}

export interface RemovalForecast {
  /** Why it cannot be done now, in words; null when it can. */
  refusal: string | null;
  isVoter: boolean;
  /** Voters now and after it, and how many of them may fail. */
  before: { voters: number; needed: number; spare: number };
  after: { voters: number; needed: number; spare: number };
}

/** What removing this node would do to the majority. */
export function forecastRemoval(view: Pick<ClusterView, 'nodes'>, nodeId: NodeId): RemovalForecast {
  const members = membersOf(view);
  const isVoter = members.voters.includes(nodeId);
  const left = members.voters.filter((voter) => voter !== nodeId);
  const [before, after] = [sizes(members.voters.length), sizes(left.length)];
  const forecast = (refusal: string | null) => ({ refusal, isVoter, before, after });
  if (!isVoter) return forecast(null);
  if (left.length === 0)
    return forecast(`n${nodeId} is the only node that votes: without it there is no cluster.`);
  if (members.votersOutgoing.length > 0) {
    return forecast('Another change of the members is under way. Wait until it is done.');
  }
  const up = left.filter((voter) => isVoterUp(view, voter));
  if (up.length >= after.needed) return forecast(null);
  const names = up.map((voter) => `n${voter}`).join(' and ');
  const named = up.length === 0 ? 'none is' : `only ${names} ${up.length === 1 ? 'is' : 'are'}`;
  return forecast(
    `Of the ${left.length} that would vote then, ${named} up, and a majority is ${after.needed}: ` +
      'nothing could be written any more, and the removal itself not be finished. Start the others first.',
  );
}

/** Id of the next node to add: never one that was used before, since its id may still stand in logs. */
export function nextNodeId(used: readonly NodeId[]): NodeId {
  let nodeId = 1;
  while (used.includes(nodeId)) nodeId += 1;
  return nodeId;
}

export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

function sizes(voters: number): RemovalForecast['before'] {
  const needed = majorityOf(voters);
  return { voters, needed, spare: Math.max(0, voters - needed) };
}

/** Of a member that is somebody else's process, the leader's word. */
function isVoterUp(view: Pick<ClusterView, 'nodes'>, nodeId: NodeId): boolean {
  const node: NodeView | undefined = view.nodes.find(({ process }) => process.nodeId === nodeId);
  if (node !== undefined) return node.process.state === 'running';
  const progress = leaderOf(view)?.status?.raft.progress ?? [];
  return progress.some(({ id, recentActive }) => id === nodeId && recentActive);
}
