// A run as lines of fixed columns: step, tick, node, what, the state of every node, and details. For people and diff.
import type { Message, NodeId, RaftEvent, Role } from '../raft/types.ts';
import { TIME_PER_TICK } from './plan.ts';

export interface TracedNode {
  readonly id: NodeId;
  readonly isUp: boolean;
  readonly isPaused: boolean;
  readonly raft: { readonly role: Role; readonly currentTerm: number; readonly commitIndex: number };
  readonly log: { readonly lastIndex: number };
}

export interface TraceEvent {
  step: number;
  time: number;
  /** 0: of the whole cluster. */
  node: NodeId;
  what: string;
  detail: string;
}

const STATE_WIDTH = 14;
const LETTERS: Record<Role, string> = { follower: 'f', preCandidate: 'p', candidate: 'c', leader: 'L' };

export function traceHeader(nodes: readonly TracedNode[]): string {
  const states = nodes.map((node) => `n${node.id}`.padEnd(STATE_WIDTH)).join('');
  return `${'step'.padStart(7)} ${'tick'.padStart(9)}  node ${'what'.padEnd(16)} ${states}detail`;
}

/** States read `role term:commit/last`: `L 4:17/19`. `z`: stopped. `-`: down. */
export function traceLine(event: TraceEvent, nodes: readonly TracedNode[]): string {
  const step = String(event.step).padStart(7);
  const tick = (event.time / TIME_PER_TICK).toFixed(2).padStart(9);
  const node = (event.node === 0 ? '' : `n${event.node}`).padEnd(4);
  const states = nodes.map((state) => stateOf(state).padEnd(STATE_WIDTH)).join('');
  return `${step} ${tick}  ${node} ${event.what.padEnd(16)} ${states}${event.detail}`.trimEnd();
}

function stateOf(node: TracedNode): string {
  if (!node.isUp) return '-';
  const { role, currentTerm, commitIndex } = node.raft;
  const letter = node.isPaused ? 'z' : LETTERS[role];
  return `${letter} ${currentTerm}:${commitIndex}/${node.log.lastIndex}`;
}

/** What the other columns do not say. */
export function describe(event: RaftEvent | Message): string {
  switch (event.type) {
    case 'roleChanged':
      return `to ${event.to}: ${event.reason} [${event.rule}]`;
    case 'electionStarted':
      return `${event.preVote ? 'would be' : 'for'} term ${event.term}: ${event.reason} [${event.rule}]`;
    case 'voteCast': {
      const answer = `${event.granted ? 'yes' : 'no'} to n${event.candidate}`;
      const kind = event.preVote ? ' (pre-vote)' : '';
      return `${answer} for term ${event.term}${kind}: ${event.reason} [${event.rule}]`;
    }
    default:
      return describeFields(event);
  }
}

function describeFields(event: RaftEvent | Message): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(event)) {
    if (name === 'type' || name === 'from' || name === 'rule' || name === 'data') continue;
    if (name === 'entries') parts.push(`entries ${(value as readonly unknown[]).length}`);
    else if (name === 'to' || name === 'leaderId' || name === 'target') parts.push(`${name} n${value}`);
    else if (name !== 'configuration')
      parts.push(`${name} ${Array.isArray(value) ? value.join(' ') : value}`);
  }
  if ('rule' in event) parts.push(`[${event.rule}]`);
  return parts.join(', ');
}
