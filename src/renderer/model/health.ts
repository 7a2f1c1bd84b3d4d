// The cluster's health in words. Says only what follows from what running nodes and their processes said.
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterView, NodeView } from '../../shared/cluster-view.ts';
import { leaderOf } from '../../shared/leader.ts';
import { membersOf, votingSides } from '../../shared/membership.ts';
import { alarmSentence } from './alarm-words.ts';
import { isDown, isUp, nodeName } from './appearance.ts';
import { count, listed } from './figures.ts';
import { type LinkState, linkCondition, linkStates } from './links.ts';

export interface Health {
  level: 'good' | 'warn' | 'bad' | 'waiting';
  words: string;
}

/** A running follower that has been behind for longer than this is catching up, not just in flight. */
export const CATCHING_UP_MS = 1500;

export function healthOf(view: ClusterView): Health {
  const { nodes } = view;
  if (nodes.length === 0) return { level: 'waiting', words: 'Starting…' };
  const short = votingSides(view).find((side) => side.up < side.needed);
  if (short !== undefined) {
    const starting = nodes.some(({ process }) => process.state === 'starting');
    const fallen = nodes.some((node) => isDown(node) || node.process.state === 'paused');
    if (starting && !fallen) return { level: 'waiting', words: 'Starting…' };
    return { level: 'bad', words: `No quorum: ${short.up} of ${short.voters.length} up` };
  }
  if (nodes.some(isUp) && nodes.filter(isUp).every(({ status }) => status === null)) {
    return { level: 'waiting', words: 'Starting…' };
  }
  if (currentLeader(view) === null) return { level: 'warn', words: 'Electing…' };
  const troubles = [...troublesOf(settled(view)), ...catchingUp(view)];
  if (troubles.length === 0) {
    const isJoint = membersOf(view).votersOutgoing.length > 0;
    return { level: 'good', words: isJoint ? 'Healthy: members are changing' : 'Healthy' };
  }
  const more = troubles.length > 2 ? `, and ${troubles.length - 1} more` : '';
  const named = more === '' ? troubles.join(', ') : troubles[0];
  return { level: 'warn', words: `Degraded: ${named}${more}` };
}

/** The leader, unless a majority of the nodes already lives in a later term: then it leads nobody. */
export function currentLeader(view: ClusterView): NodeView | null {
  const leader = leaderOf(view);
  const term = leader?.status?.raft.currentTerm;
  if (leader === null || term === undefined) return null;
  const ahead = view.nodes.filter(
    ({ process, status }) => process.state === 'running' && (status?.raft.currentTerm ?? 0) > term,
  );
  const { voters } = membersOf(view);
  const voting = ahead.filter(({ process }) => voters.includes(process.nodeId));
  return voting.length > voters.length / 2 ? null : leader;
}

/** Without nodes that are just being added: that they start and join is nothing to worry about. */
function settled({ nodes, changes }: ClusterView): readonly NodeView[] {
  const coming = changes.filter(({ kind, failure }) => kind === 'add' && failure === null);
  const leaving = changes.filter(({ kind, stage }) => kind === 'remove' && stage === 'stopping');
  const ids = [...coming, ...leaving].map(({ nodeId }) => nodeId);
  return ids.length === 0 ? nodes : nodes.filter(({ process }) => !ids.includes(process.nodeId));
}

/** As the leader sees it: a follower that is up and answers, and has been behind for a while. */
function catchingUp(view: ClusterView): string[] {
  const progress = currentLeader(view)?.status?.raft.progress ?? [];
  const up = new Set(view.nodes.filter(isUp).map(({ process }) => process.nodeId));
  return (
    progress
      // A learner that catches up is what was asked for, and its card says how far it is.
      .filter(({ learner }) => !learner)
      .filter(({ id, recentActive, lagMs }) => up.has(id) && recentActive && lagMs > CATCHING_UP_MS)
      .map(({ id, lagEntries }) => `${nodeName(id)} is ${count(lagEntries)} entries behind`)
  );
}

/** All its links are cut, and so it is out of it alone: the others of a pair keep theirs. */
function isCutOff(nodeId: NodeId, links: readonly LinkState[]): boolean {
  const own = links.filter(({ a, b }) => a === nodeId || b === nodeId);
  return own.length > 1 && own.every((link) => linkCondition(link) === 'cut');
}

/** What keeps the cluster from being healthy, the worst first. */
function troublesOf(nodes: readonly NodeView[]): string[] {
  const troubles: string[] = [];
  const named = (state: NodeView['process']['state']) =>
    nodes.filter(({ process }) => process.state === state).map(({ process }) => nodeName(process.nodeId));
  const are = (names: string[], what: string) => {
    if (names.length > 0) troubles.push(`${listed(names)} ${names.length === 1 ? 'is' : 'are'} ${what}`);
  };
  are(
    nodes.filter(isDown).map(({ process }) => nodeName(process.nodeId)),
    'down',
  );
  are(named('paused'), 'paused');
  are(named('starting'), 'starting');
  const links = linkStates(nodes);
  const isolated = new Set(
    nodes.filter(({ process }) => isCutOff(process.nodeId, links)).map(({ process }) => process.nodeId),
  );
  are([...isolated].map(nodeName), 'cut off');
  for (const { process, status } of nodes) {
    for (const alarm of status?.alarms ?? []) {
      // Whoever is cut off reaches no majority: that goes without saying.
      if (alarm === 'noQuorum' && isolated.has(process.nodeId)) continue;
      troubles.push(alarmSentence(alarm, nodeName(process.nodeId)));
    }
  }
  for (const { process, disk } of nodes) {
    if (disk.length > 0) troubles.push(`${nodeName(process.nodeId)}'s disk has a fault`);
  }
  for (const link of links) {
    const condition = linkCondition(link);
    if (condition === 'whole' || isolated.has(link.a) || isolated.has(link.b)) continue;
    const what = condition === 'slow' ? 'slow' : condition === 'cut' ? 'cut' : 'cut one way';
    troubles.push(`link ${nodeName(link.a)}–${nodeName(link.b)} is ${what}`);
  }
  return troubles;
}
