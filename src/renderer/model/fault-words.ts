// Faults in words, and the faults that the menus offer.
import type { DiskFault, LinkEffect, LinkFault } from '../../../engine/protocol/faults.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import { nodeName } from './appearance.ts';
import { milliseconds } from './figures.ts';

/** `sync fails (EIO), once` */
export function diskFaultWords(fault: DiskFault): string {
  const calls = fault.operations.join(', ');
  const often =
    fault.countMax === undefined ? '' : fault.countMax === 1 ? ', once' : `, ${fault.countMax} times`;
  const odds =
    fault.probability === undefined || fault.probability >= 1
      ? ''
      : `, ${percent(fault.probability)} of calls`;
  return `${calls} ${diskEffectWords(fault)}${often}${odds}`;
}

function diskEffectWords({ effect }: DiskFault): string {
  switch (effect.kind) {
    case 'error':
      return `fails (${effect.code})`;
    case 'delay':
      return `takes ${shortDelay(effect.delayMs)} longer`;
    case 'hang':
      return 'never returns';
    case 'shortWrite':
      return 'writes half, then fails';
    case 'bitFlip':
      return 'turns one bit';
    case 'lyingSync':
      return 'lies: nothing is synced';
  }
}

/** `link to n2 cut`, `link from n2 slowed by 100 ms` */
export function linkFaultWords(fault: LinkFault): string {
  const way = fault.direction === 'both' ? 'with' : fault.direction === 'outbound' ? 'to' : 'from';
  return `link ${way} ${nodeName(fault.peer)} ${linkEffectWords(fault.effect)}`;
}

function linkEffectWords(effect: LinkEffect): string {
  switch (effect.kind) {
    case 'cut':
      return 'cut';
    case 'delay':
      return `slowed by ${shortDelay(effect.delayMs)}`;
    case 'loss':
      return `loses ${percent(effect.probability)}`;
  }
}

function shortDelay(delayMs: number): string {
  return Number.isInteger(delayMs) && delayMs < 1000 ? `${delayMs} ms` : milliseconds(delayMs);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** One failing sync: the process must die of it, and come back without having lost an acknowledged write. */
export function syncFailsOnce(id: string): DiskFault {
  return { id, operations: ['sync'], effect: { kind: 'error', code: 'EIO' }, countMax: 1 };
}

export function syncAlwaysFails(id: string): DiskFault {
  return { id, operations: ['sync'], effect: { kind: 'error', code: 'EIO' } };
}

export function syncTakes(id: string, delayMs: number): DiskFault {
  return { id, operations: ['sync'], effect: { kind: 'delay', delayMs } };
}

export function linkCut(id: string, peer: NodeId, direction: LinkFault['direction']): LinkFault {
  return { id, peer, direction, effect: { kind: 'cut' } };
}

export function linkSlow(id: string, peer: NodeId, delayMs: number): LinkFault {
  return { id, peer, direction: 'both', effect: { kind: 'delay', delayMs, jitterMs: 0 } };
}
