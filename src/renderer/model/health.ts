// The cluster's health in words. Says only what follows from what running nodes and their processes said.
import type { Alarm } from '../../../engine/protocol/node-status.ts';
import type { ClusterView, NodeView } from '../../shared/cluster-view.ts';
import { leaderOf } from '../../shared/leader.ts';
import { isDown, isUp, nodeName } from './appearance.ts';
import { listed } from './figures.ts';
import { linkCondition, linkStates } from './links.ts';

export interface Health {
  level: 'good' | 'warn' | 'bad' | 'waiting';
  words: string;
}

const ALARM_WORDS: Record<Alarm, (name: string) => string> = {
  noSpace: (name) => `${name}'s disk is full`,
  diskHung: (name) => `${name}'s disk hangs`,
  refetching: (name) => `${name} is refetching its log`,
  noQuorum: (name) => `${name} reaches no majority`,
};

export function healthOf(view: ClusterView): Health {
  const { nodes } = view;
  const up = nodes.filter(isUp).length;
  const quorum = Math.floor(nodes.length / 2) + 1;
  if (nodes.length === 0) return { level: 'waiting', words: 'Starting…' };
  if (up < quorum) {
    const starting = nodes.some(({ process }) => process.state === 'starting');
    const fallen = nodes.some((node) => isDown(node) || node.process.state === 'paused');
    if (starting && !fallen) return { level: 'waiting', words: 'Starting…' };
    return { level: 'bad', words: `No quorum: ${up} of ${nodes.length} up` };
  }
  if (nodes.some(isUp) && nodes.filter(isUp).every(({ status }) => status === null)) {
    return { level: 'waiting', words: 'Starting…' };
  }
  if (currentLeader(view) === null) return { level: 'warn', words: 'Electing…' };
  const troubles = troublesOf(nodes);
  if (troubles.length === 0) return { level: 'good', words: 'Healthy' };
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
  return ahead.length > view.nodes.length / 2 ? null : leader;
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
  for (const { process, status } of nodes) {
    for (const alarm of status?.alarms ?? []) troubles.push(ALARM_WORDS[alarm](nodeName(process.nodeId)));
  }
  for (const { process, disk } of nodes) {
    if (disk.length > 0) troubles.push(`${nodeName(process.nodeId)}'s disk has a fault`);
  }
  for (const link of linkStates(nodes)) {
    const condition = linkCondition(link);
    if (condition === 'whole') continue;
    const what = condition === 'slow' ? 'slow' : condition === 'cut' ? 'cut' : 'cut one way';
    troubles.push(`link ${nodeName(link.a)}–${nodeName(link.b)} is ${what}`);
  }
  return troubles;
}
