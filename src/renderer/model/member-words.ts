// What is being done about a member, and what removing one means, in words.
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterView, MemberChangeView, NodeView } from '../../shared/cluster-view.ts';
import { leaderOf } from '../../shared/leader.ts';
import {
  forecastRemoval,
  type Membership,
  majorityWords,
  membershipOf,
  membersOf,
  votingSides,
} from '../../shared/membership.ts';
import { nodeName } from './appearance.ts';
import { bytes, count } from './figures.ts';

/** `null` where nothing has to be said: a voter in quiet times. */
export function membershipBadge(membership: Membership): string | null {
  switch (membership) {
    case 'voter':
      return null;
    case 'incoming':
      return 'gets its vote';
    case 'outgoing':
      return 'leaves';
    case 'learner':
      return 'no vote yet';
    case 'outside':
      return 'no member';
  }
}

const STAGE_WORDS: Record<MemberChangeView['stage'], string> = {
  starting: 'its process starts',
  joining: 'joins as a learner',
  catchingUp: 'catches up',
  promoting: 'gets its vote',
  handingOver: 'hands leadership over',
  removing: 'leaves',
  stopping: 'its process stops',
  done: 'done',
};

export function stageWords({ stage, failure }: Pick<MemberChangeView, 'stage' | 'failure'>): string {
  return failure ?? STAGE_WORDS[stage];
}

export interface CatchUp {
  /** 0 to 1. */
  share: number;
  words: string;
}

/** How far a learner is, as the leader sees it; null for anybody else. */
export function catchUpOf(view: Pick<ClusterView, 'nodes'>, nodeId: NodeId): CatchUp | null {
  const raft = leaderOf(view)?.status?.raft;
  const progress = raft?.progress.find(({ id }) => id === nodeId);
  if (raft === undefined || progress === undefined || !progress.learner) return null;
  if (progress.snapshot !== null) {
    const { sentBytes, totalBytes } = progress.snapshot;
    const share = totalBytes === 0 ? 0 : Math.min(1, sentBytes / totalBytes);
    return { share, words: `snapshot ${Math.floor(share * 100)} % of ${bytes(totalBytes)}` };
  }
  const share = raft.lastIndex === 0 ? 1 : Math.min(1, progress.matchIndex / raft.lastIndex);
  return { share, words: `${count(progress.matchIndex)} of ${count(raft.lastIndex)} entries` };
}

/** What stands over the topology: the majority that every write needs, and how much of it is there. */
export interface QuorumSentence {
  majority: string;
  /** `3 up`, `2 up and 2 up` */
  up: string;
  isJoint: boolean;
  holds: boolean;
  /** The whole of it, for a tooltip and for screen readers. */
  why: string;
}

export function quorumSentence(view: Pick<ClusterView, 'nodes'>): QuorumSentence {
  const members = membersOf(view);
  const sides = votingSides(view, members);
  const isJoint = members.votersOutgoing.length > 0;
  const majority = majorityWords(sides);
  const learners = members.learners.map(nodeName).join(', ');
  const rest =
    learners === ''
      ? ''
      : ` ${learners} ${members.learners.length === 1 ? 'is' : 'are'} sent everything and not counted.`;
  return {
    majority,
    up: sides.map((side) => `${side.up} up`).join(' and '),
    isJoint,
    holds: sides.every((side) => side.up >= side.needed),
    why: isJoint
      ? `The members are changing: until it is done every election and every write needs a majority of the old voters and of the new ones, ${majority} [M2].${rest}`
      : `Every election and every write needs ${majority}.${rest}`,
  };
}

export function badgeOf(view: Pick<ClusterView, 'nodes'>, node: NodeView): string | null {
  if (node.status === null && node.lastWords === null) return null;
  return membershipBadge(membershipOf(membersOf(view), node.process.nodeId));
}

const NUMBERS = ['no', 'one', 'two', 'three'];

/** Paragraphs of the dialog that asks before a node is removed. */
export function removalWords(
  view: Pick<ClusterView, 'nodes'>,
  nodeId: NodeId,
): { refusal: string | null; details: string[] } {
  const { refusal, isVoter, before, after } = forecastRemoval(view, nodeId);
  const name = nodeName(nodeId);
  if (!isVoter) {
    return {
      refusal,
      details: [`${name} has no vote: a majority stays ${before.needed} of ${before.voters}.`],
    };
  }
  const leads = leaderOf(view)?.process.nodeId === nodeId;
  const spare = (nodes: number) => `${NUMBERS[nodes] ?? nodes} ${nodes < 2 ? 'node' : 'nodes'} may fail`;
  const details = [
    `A majority is ${before.needed} of ${before.voters} votes now, and ${after.needed} of ${after.voters} then: ` +
      (after.spare === before.spare
        ? `${spare(after.spare)}, as before.`
        : `${spare(after.spare)} instead of ${NUMBERS[before.spare] ?? before.spare}.`),
    ...(leads ? [`${name} leads: it hands leadership over first.`] : []),
  ];
  return { refusal, details };
}
