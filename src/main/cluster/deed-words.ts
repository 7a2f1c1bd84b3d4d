// What a person did to a node, in words for the feed.
import type { NodeAction } from '../../../engine/protocol/control.ts';
import type { DiskFault, LinkEffect, LinkFault } from '../../../engine/protocol/faults.ts';
import type { NodeId } from '../../../engine/raft/types.ts';

export function actionWords(action: NodeAction, nodeId: NodeId): string {
  switch (action.kind) {
    case 'stepDown':
      return `Asked n${nodeId} to hand leadership ${action.target ? `to n${action.target}` : 'over'}`;
    case 'campaign':
      return `Asked n${nodeId} to campaign`;
    case 'powerCut':
      return `Cut the power of n${nodeId}`;
    case 'snapshot':
      return `Asked n${nodeId} for a snapshot`;
  }
}

export function diskFaultWords({ operations, effect }: DiskFault): string {
  const what = operations.join(', ');
  switch (effect.kind) {
    case 'error':
      return `${what} fails with ${effect.code}`;
    case 'delay':
      return `${what} takes ${effect.delayMs} ms longer`;
    case 'hang':
      return `${what} never returns`;
    case 'shortWrite':
      return `${what} writes half, then fails`;
    case 'bitFlip':
      return `${what} turns one bit`;
    case 'lyingSync':
      return `${what} reports success without having synced`;
  }
}

export function linkWords(nodeId: NodeId, { peer, direction, effect }: LinkFault): string {
  const arrow = { both: '–', outbound: '→', inbound: '←' }[direction];
  return `n${nodeId} ${arrow} n${peer} ${linkEffectWords(effect)}`;
}

function linkEffectWords(effect: LinkEffect): string {
  switch (effect.kind) {
    case 'cut':
      return 'cut';
    case 'delay':
      return `slowed by ${effect.delayMs} ms${effect.jitterMs > 0 ? ` ± ${effect.jitterMs} ms` : ''}`;
    case 'loss':
      return `loses ${Math.round(effect.probability * 100)} % of its messages`;
  }
}
