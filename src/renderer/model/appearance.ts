// How a node looks: its Raft role while its process runs, the state of its process otherwise. Each appearance
// has a word, a letter, a shape and a colour, so that none of them carries the meaning alone.
import type { NodeId, Role } from '../../../engine/raft/types.ts';
import type { NodeView } from '../../shared/cluster-view.ts';
import { membershipOf } from '../../shared/membership.ts';

/** `learner`: follows, and has no vote. `outside`: runs, and is no member. */
export type Appearance = Role | 'learner' | 'outside' | 'paused' | 'crashed' | 'stopped' | 'starting';

export type Shape = 'hexagon' | 'circle' | 'diamond' | 'triangle' | 'square' | 'cross' | 'ring';

export interface AppearanceStyle {
  word: string;
  letter: string;
  shape: Shape;
  /** A CSS colour of tokens.css. */
  colour: string;
}

export const APPEARANCE_STYLES: Record<Appearance, AppearanceStyle> = {
  leader: { word: 'Leader', letter: 'L', shape: 'hexagon', colour: 'var(--leader)' },
  follower: { word: 'Follower', letter: 'F', shape: 'circle', colour: 'var(--follower)' },
  learner: { word: 'Learner', letter: 'n', shape: 'ring', colour: 'var(--follower)' },
  outside: { word: 'No member', letter: '·', shape: 'ring', colour: 'var(--paused)' },
  preCandidate: { word: 'Pre-candidate', letter: 'P', shape: 'diamond', colour: 'var(--pre-candidate)' },
  candidate: { word: 'Candidate', letter: 'C', shape: 'triangle', colour: 'var(--candidate)' },
  paused: { word: 'Paused', letter: 'Z', shape: 'square', colour: 'var(--paused)' },
  crashed: { word: 'Dead', letter: 'X', shape: 'cross', colour: 'var(--dead)' },
  stopped: { word: 'Stopped', letter: 'X', shape: 'cross', colour: 'var(--paused)' },
  starting: { word: 'Starting', letter: '…', shape: 'ring', colour: 'var(--paused)' },
};

export function isAppearance(word: string | undefined): word is Appearance {
  return word !== undefined && Object.hasOwn(APPEARANCE_STYLES, word);
}

/** What the node may be shown as: never a role that its process can no longer hold. */
export function appearanceOf(node: NodeView): Appearance {
  const { state } = node.process;
  if (state !== 'running') return state;
  if (node.status === null) return 'starting';
  const { role, configuration } = node.status.raft;
  if (role !== 'follower') return role;
  const membership = membershipOf(configuration, node.process.nodeId);
  return membership === 'learner' || membership === 'outside' ? membership : role;
}

export function isUp(node: NodeView): boolean {
  return node.process.state === 'running';
}

export function isDown(node: NodeView): boolean {
  return node.process.state === 'crashed' || node.process.state === 'stopped';
}

export function nodeName(nodeId: NodeId): string {
  return `n${nodeId}`;
}

/** The colour that means this node in charts and in the feed. */
export function nodeColour(nodeId: NodeId): string {
  return `var(--node-${((nodeId - 1) % 7) + 1})`;
}

/** Lines of different nodes differ by dash as well as by colour. */
export function nodeDash(nodeId: NodeId): string {
  const dashes = ['0', '9 2', '3 2', '9 2 3 2', '6 4', '12 4', '1 3'];
  return dashes[(nodeId - 1) % dashes.length] ?? '0';
}
