// What the console tells of the cluster: `status` and `member list`.
import type { ClusterView, NodeView } from '../../shared/cluster-view.ts';
import type { ConsoleLine } from '../../shared/console-line-view.ts';
import { leaderOf } from '../../shared/leader.ts';
import { majorityWords, membershipOf, membersOf, votingSides } from '../../shared/membership.ts';

export function statusLines(view: ClusterView): ConsoleLine[] {
  const leader = leaderOf(view);
  const up = view.nodes.filter((node) => node.process.state === 'running').length;
  const head =
    leader === null
      ? `Nobody leads; ${up} of ${view.nodes.length} nodes run`
      : `n${leader.process.nodeId} leads in term ${leader.status?.raft.currentTerm}; ${up} of ${view.nodes.length} nodes run`;
  return [{ tone: 'note', text: head }, ...view.nodes.map(statusLine)];
}

function statusLine({ process, status }: NodeView): ConsoleLine {
  const name = `n${process.nodeId}`;
  if (status === null) {
    const isDead = process.state === 'crashed' || process.state === 'stopped';
    const why = isDead ? (process.exit?.reason ?? 'not started yet') : 'it has not told anything yet';
    return { tone: 'table', text: `${name}  ${process.state}  ${why}` };
  }
  const { role, currentTerm, commitIndex, lastApplied, lastIndex } = status.raft;
  const shown = process.state === 'running' ? role : process.state;
  const text =
    `${name}  ${shown.padEnd(12)} term ${currentTerm}  last ${lastIndex}  commit ${commitIndex}  ` +
    `applied ${lastApplied}  pid ${process.pid}  ${process.clientAddress}`;
  return { tone: 'table', text };
}

const MEMBERSHIP_WORDS = {
  voter: 'votes',
  incoming: 'gets a vote',
  outgoing: 'loses its vote',
  learner: 'learner, no vote',
  outside: 'no member',
} as const;

export function memberLines(view: ClusterView): ConsoleLine[] {
  const members = membersOf(view);
  const sides = votingSides(view, members);
  const progress = leaderOf(view)?.status?.raft.progress ?? [];
  const up = sides.map((side) => `${side.up} up`).join(' and ');
  const isJoint = members.votersOutgoing.length > 0 ? '; the change under way needs both' : '';
  const known = [...members.voters, ...members.votersOutgoing, ...members.learners];
  const ids = new Set([...known, ...view.nodes.map(({ process }) => process.nodeId)]);
  return [
    { tone: 'note', text: `A majority is ${majorityWords(sides)}, ${up}${isJoint}` },
    ...[...ids]
      .sort((left, right) => left - right)
      .map((nodeId): ConsoleLine => {
        const node = view.nodes.find(({ process }) => process.nodeId === nodeId);
        const behind = progress.find(({ id }) => id === nodeId)?.lagEntries;
        const lag = behind === undefined || behind === 0 ? '' : `  ${behind} entries behind`;
        const where =
          node === undefined ? 'not of this panel' : `${node.process.state}  ${node.process.clientAddress}`;
        const words = MEMBERSHIP_WORDS[membershipOf(members, nodeId)];
        return { tone: 'table', text: `n${nodeId}  ${words.padEnd(16)}  ${where}${lag}` };
      }),
  ];
}
