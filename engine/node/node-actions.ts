// What a parent may ask a running node to do, beside faults and stopping.
import type { NodeAction } from '../protocol/control.ts';
import type { Raft } from '../raft/raft.ts';
import type { NodeId } from '../raft/types.ts';

export class ActionRefused extends Error {
  override readonly name = 'ActionRefused';
}

export interface NodeActionParts {
  nodeId: NodeId;
  raft: Raft;
  wake(): void;
  powerCut(seed: number): Promise<void>;
  takeSnapshot(): Promise<void>;
}

/** Rejects with ActionRefused, saying why, when the node cannot do it now. */
export async function carryOutAction(action: NodeAction, parts: NodeActionParts): Promise<void> {
  const { nodeId, raft, wake } = parts;
  switch (action.kind) {
    case 'stepDown': {
      const refusal = raft.transferLeadership(action.target ?? 0);
      if (refusal === 'notLeader') throw new ActionRefused(`n${nodeId} does not lead`);
      if (refusal !== null) throw new ActionRefused(`n${action.target} cannot take over (${refusal})`);
      wake();
      return;
    }
    case 'campaign':
      if (raft.role === 'leader') throw new ActionRefused(`n${nodeId} leads already`);
      raft.campaign();
      wake();
      return;
    case 'powerCut':
      await parts.powerCut(action.seed);
      return;
    case 'snapshot':
      await parts.takeSnapshot();
      return;
  }
}
