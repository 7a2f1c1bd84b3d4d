// Handing leadership over: the successor catches up, then is told to campaign at once. Raft thesis §3.10.
import type { Core } from './core.ts';
import { startElection } from './elections.ts';
import { sendEntries } from './replication.ts';
import { becomeFollower, endTransfer } from './roles.ts';
import type { NodeId } from './types.ts';

export type TransferRefusal = 'notLeader' | 'notVoter' | 'alreadyLeader';

/** Leader: hands over to `target`, or (0) to the active voter with the longest log. Proposals are refused meanwhile. [E10] */
export function transferLeadership(core: Core, target: NodeId): TransferRefusal | null {
  if (core.role !== 'leader') return 'notLeader';
  if (target === core.id) return 'alreadyLeader';
  const successor = target === 0 ? bestSuccessor(core) : target;
  if (successor === 0) {
    becomeFollower(core, core.currentTerm, 0, {
      reason: 'asked to step down, and no successor is up',
      rule: 'E10',
    });
    return null;
  }
  // Whoever is on its way out would only have to hand over again.
  if (!core.configuration.voters.includes(successor)) return 'notVoter';
  // Asked again, a handing over goes on as it is: its time must not begin anew, or it might never end.
  if (core.leadTransferee === successor) return null;
  endTransfer(core, false);
  core.leadTransferee = successor;
  // Its request to campaign may arrive at any time from now on, and overrides every promise. [R6]
  core.lease.forfeit();
  core.transferElapsedTicks = 0;
  core.emit({ type: 'transferStarted', term: core.currentTerm, target: successor, rule: 'E10' });
  continueTransfer(core, successor);
  return null;
}

export function bestSuccessor(core: Core): NodeId {
  let best: NodeId = 0;
  let bestMatch = -1;
  for (const progress of core.progress.values()) {
    if (!core.configuration.voters.includes(progress.id) || progress.state === 'snapshot') continue;
    if (!core.isActive(progress)) continue;
    if (progress.matchIndex > bestMatch) {
      best = progress.id;
      bestMatch = progress.matchIndex;
    }
  }
  return best;
}

/** Leader: the follower answered; is it the successor, and level? */
export function continueTransfer(core: Core, from: NodeId): void {
  if (core.role !== 'leader' || core.leadTransferee !== from) return;
  const progress = core.progress.get(from);
  if (progress === undefined) return;
  if (progress.matchIndex === core.log.lastIndex) core.send({ type: 'TimeoutNow', to: from });
  else sendEntries(core, progress);
}

/** Leader: a successor that does not take over within an election timeout is given up. [E10] */
export function tickTransfer(core: Core): void {
  if (core.leadTransferee === 0) return;
  core.transferElapsedTicks += 1;
  if (core.transferElapsedTicks < core.options.electionTimeoutTicks[1]) return;
  endTransfer(core, false);
}

/** Follower: the leader itself asks for the election, so no pre-vote and no protection of that leader. [E10] */
export function handleTimeoutNow(core: Core): void {
  if (core.role !== 'follower') return;
  startElection(core, true, { reason: 'the leader handed leadership over', rule: 'E10' });
}
