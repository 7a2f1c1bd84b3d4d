// The transitions between roles and what each one resets: Raft paper figure 4, with pre-candidates before
// candidates (thesis §9.6). Who may make which transition, and when, is in elections.
import { assert } from './assert.ts';
import type { Core } from './core.ts';
import { failReads } from './reads.ts';
import type { NodeId, Role } from './types.ts';

export interface TransitionReason {
  reason: string;
  rule: string;
}

/** To follower of `term`, which is this or a later one. The vote is forgotten only with a new term. [E1] [E3] */
export function becomeFollower(core: Core, term: number, leaderId: NodeId, why: TransitionReason): void {
  assert(term >= core.currentTerm, `term would go back from ${core.currentTerm} to ${term}`);
  // A later term deposes a leader that was handing over: the successor has taken it.
  endTransfer(core, term > core.currentTerm);
  if (term > core.currentTerm) {
    core.currentTerm = term;
    core.votedFor = 0;
    core.hardStateDirty = true;
  }
  const wasFollowing = core.role === 'follower';
  leaveRole(core);
  core.resetElectionTimer();
  changeRole(core, 'follower', leaderId, why);
  if (wasFollowing && leaderId !== 0) core.emit({ type: 'leaderChanged', term, leaderId, rule: 'E4' });
}

/** Asks around without raising the term. [E6] */
export function becomePreCandidate(core: Core, why: TransitionReason): void {
  leaveRole(core);
  core.resetElectionTimer();
  core.campaignIsTransfer = false;
  changeRole(core, 'preCandidate', 0, why);
}

/** A new term and the own vote, both durable before anybody hears of them. [E1] [E3] */
export function becomeCandidate(core: Core, isTransfer: boolean, why: TransitionReason): void {
  leaveRole(core);
  core.currentTerm += 1;
  core.votedFor = core.id;
  core.hardStateDirty = true;
  core.resetElectionTimer();
  core.campaignIsTransfer = isTransfer;
  changeRole(core, 'candidate', 0, why);
}

/** Leader of `currentTerm`, with a fresh book about every other member. [E4] */
export function becomeLeader(core: Core): void {
  assert(core.role === 'candidate', `a ${core.role} cannot become leader`);
  const votes = [...core.votes].filter(([, granted]) => granted).map(([id]) => id);
  leaveRole(core);
  core.resetElectionTimer();
  core.heartbeatElapsedTicks = 0;
  core.progress = new Map(core.peers().map((id) => [id, core.newProgress(id)]));
  core.catchUpIndex = core.log.lastIndex;
  core.catchUpIndexNext = core.log.lastIndex;
  core.lease.begin();
  changeRole(core, 'leader', core.id, { reason: `won with the votes of ${votes.join(', ')}`, rule: 'E4' });
  core.emit({ type: 'leaderElected', term: core.currentTerm, leaderId: core.id, votes, rule: 'E4' });
}

/** Leader: the handing over is over, one way or the other. */
export function endTransfer(core: Core, completed: boolean): void {
  if (core.leadTransferee === 0) return;
  const target = core.leadTransferee;
  core.leadTransferee = 0;
  core.transferElapsedTicks = 0;
  core.emit({ type: 'transferEnded', term: core.currentTerm, target, completed, rule: 'E10' });
}

/** Drops everything that belongs to the role that ends. */
function leaveRole(core: Core): void {
  core.votes = new Map();
  core.progress = new Map();
  core.uncommittedBytes = 0;
  core.dismissAtTick = 0;
  core.lease.end();
  // Whoever does not lead any more must not send a snapshot as if it led the term that deposed it. [E4]
  core.snapshotsWanted = [];
  failReads(core);
}

function changeRole(core: Core, to: Role, leaderId: NodeId, why: TransitionReason): void {
  const from = core.role;
  core.role = to;
  core.leaderId = leaderId;
  if (from === to) return;
  core.emit({ type: 'roleChanged', term: core.currentTerm, from, to, leaderId, ...why });
}
