// Leader election: timeouts, pre-vote, votes, and what keeps a working leader in place. Raft paper §5.2,
// §5.4.1; thesis §4.2.3 (stickiness), §6.2 (check quorum), §9.6 (pre-vote).
import type { Core } from './core.ts';
import { isPromised } from './lease.ts';
import { hasLeft, isVoter, members, voteResult } from './quorum.ts';
import { sendHeartbeats } from './reads.ts';
import { appendNoop } from './replication.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  type TransitionReason,
} from './roles.ts';
import type { NodeId, PreVote, PreVoteResponse, RequestVote, RequestVoteResponse } from './types.ts';

/** One tick of a node that does not lead. [E2] */
export function tickElection(core: Core): void {
  core.electionElapsedTicks += 1;
  if (core.electionElapsedTicks < core.electionTimeoutTicks || !core.mayCampaign) return;
  if (isPromised(core, core.id)) return;
  if (core.lostLeaderId !== 0) {
    startPreVote(core, { reason: `the connection to leader n${core.lostLeaderId} broke`, rule: 'E9' });
    return;
  }
  const reason =
    core.role === 'follower'
      ? 'heard from no leader for an election timeout'
      : 'the last election brought no majority in time';
  startPreVote(core, { reason, rule: 'E2' });
}

/** Asks whether an election could be won, without disturbing anybody by a new term. [E6] */
export function startPreVote(core: Core, why: TransitionReason): void {
  if (!core.mayCampaign || isPromised(core, core.id)) return;
  becomePreCandidate(core, why);
  core.emit({ type: 'electionStarted', term: core.currentTerm + 1, preVote: true, ...why });
  requestVotes(core);
}

/** The real election: a new term and the own vote first. [E1] [E3] */
export function startElection(core: Core, isTransfer: boolean, why: TransitionReason): void {
  if (!core.mayCampaign) return;
  becomeCandidate(core, isTransfer, why);
  core.emit({ type: 'electionStarted', term: core.currentTerm, preVote: false, ...why });
  requestVotes(core);
}

function requestVotes(core: Core): void {
  for (const to of core.voterPeers()) requestVote(core, to);
  if (core.role === 'preCandidate') recordVote(core, core.id, true);
}

/** The candidate's vote for itself counts like any other: once it is durable. A sole voter has won by it. [E3] */
export function countOwnVote(core: Core): void {
  if (core.role === 'candidate' && core.stableTerm === core.currentTerm) recordVote(core, core.id, true);
}

function requestVote(core: Core, to: NodeId): void {
  const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = core.log;
  if (core.role === 'preCandidate') {
    core.send({ type: 'PreVote', to, term: core.currentTerm + 1, lastLogIndex, lastLogTerm });
    return;
  }
  const leadershipTransfer = core.campaignIsTransfer;
  // The own vote and the new term must be durable before anybody can count on them. [E3]
  core.sendAfterSync({ type: 'RequestVote', to, lastLogIndex, lastLogTerm, leadershipTransfer });
}

/** A voter that was not reachable when the campaign began is asked as soon as it is. [E9] */
export function askWhenConnected(core: Core, peer: NodeId): void {
  if (core.role !== 'preCandidate' && core.role !== 'candidate') return;
  if (isVoter(core.configuration, peer) && !core.votes.has(peer)) requestVote(core, peer);
}

/** A leader that was heard from within the minimal timeout is protected from elections. [E7] */
export function hasLiveLeader(core: Core): boolean {
  if (core.leaderId === 0) return false;
  return core.role === 'leader' || core.electionElapsedTicks < core.options.electionTimeoutTicks[0];
}

/** Grants nothing lasting: neither term nor vote change. [E6] */
export function handlePreVote(core: Core, message: PreVote): void {
  const refusal =
    message.term <= core.currentTerm
      ? { reason: `term ${message.term} is not new here`, rule: 'E6' }
      : refusalOf(core, message);
  const voteGranted = refusal === null;
  core.emit({
    type: 'voteCast',
    term: message.term,
    candidate: message.from,
    preVote: true,
    granted: voteGranted,
    ...(refusal ?? { reason: 'its log is up-to-date and no leader is heard here', rule: 'E6' }),
  });
  if (voteGranted) yieldTo(core, message);
  const term = voteGranted ? message.term : core.currentTerm;
  core.send({ type: 'PreVoteResponse', to: message.from, term, voteGranted });
  if (!voteGranted) askAgain(core, message.from);
}

/** Who refused while it still heard its leader, and now asks itself, has lost that leader: its answer may differ. [E9] */
function askAgain(core: Core, peer: NodeId): void {
  if (core.role !== 'preCandidate' || core.votes.get(peer) !== false) return;
  core.votes.delete(peer);
  requestVote(core, peer);
}

/** Two that ask at the same time would split the vote: the one with the better log, else the smaller id, goes first. [E12] */
function yieldTo(core: Core, message: PreVote): void {
  if (core.role !== 'preCandidate') return;
  const isLevel = message.lastLogIndex === core.log.lastIndex && message.lastLogTerm === core.log.lastTerm;
  if (isLevel && core.id < message.from) return;
  const reason = `n${message.from} asks for votes too and goes first`;
  becomeFollower(core, core.currentTerm, 0, { reason, rule: 'E12' });
}

/** In `message.term`, which is `currentTerm` by now. One vote a term, first come, first served. [E3] [E5] */
export function handleRequestVote(core: Core, message: RequestVote): void {
  let refusal: TransitionReason | null = null;
  if (core.isOutsider) {
    refusal = OUTSIDER;
  } else if (core.isRefetching) {
    refusal = refetching(core);
  } else if (hasLeft(core.committedConfiguration, message.from)) {
    refusal = departed(message.from);
  } else if (core.votedFor !== 0 && core.votedFor !== message.from) {
    refusal = { reason: `already voted for n${core.votedFor} in this term`, rule: 'E3' };
  } else if (core.leaderId !== 0 && core.leaderId !== message.from) {
    refusal = { reason: `n${core.leaderId} already leads this term`, rule: 'E4' };
  } else if (!core.log.isUpToDate(message.lastLogTerm, message.lastLogIndex)) {
    refusal = { reason: staleLogReason(core, message), rule: 'E5' };
  }
  if (refusal === null) {
    core.resetElectionTimer();
    if (core.votedFor !== message.from) {
      core.votedFor = message.from;
      core.hardStateDirty = true;
    }
  }
  const voteGranted = refusal === null;
  core.emit({
    type: 'voteCast',
    term: core.currentTerm,
    candidate: message.from,
    preVote: false,
    granted: voteGranted,
    ...(refusal ?? { reason: 'first to ask in this term, with an up-to-date log', rule: 'E3' }),
  });
  core.sendAfterSync({ type: 'RequestVoteResponse', to: message.from, voteGranted });
}

const OUTSIDER: TransitionReason = { reason: 'this node has not been taken in yet', rule: 'M9' };

function refetching(core: Core): TransitionReason {
  if (core.rejoin !== null) {
    return { reason: 'this node lost its whole memory and has not caught up yet', rule: 'E14' };
  }
  const missing = `${core.log.stableIndex + 1} to ${core.refetchIndex}`;
  return { reason: `entries ${missing} were lost here and are not back yet`, rule: 'E11' };
}

/** Nobody needs it any more, and a member without memory counts on that nobody elects it. [M7] [E14] */
function departed(id: NodeId): TransitionReason {
  return { reason: `n${id} is no member any more`, rule: 'M7' };
}

function refusalOf(core: Core, message: PreVote): TransitionReason | null {
  if (core.isOutsider) return OUTSIDER;
  if (core.isRefetching) return refetching(core);
  if (hasLeft(core.committedConfiguration, message.from)) return departed(message.from);
  if (isPromised(core, message.from)) return { reason: 'it is promised to a leader', rule: 'R6' };
  if (hasLiveLeader(core))
    return { reason: `n${core.leaderId} leads and was heard from just now`, rule: 'E7' };
  if (!core.log.isUpToDate(message.lastLogTerm, message.lastLogIndex)) {
    return { reason: staleLogReason(core, message), rule: 'E5' };
  }
  return null;
}

function staleLogReason(core: Core, message: { lastLogIndex: number; lastLogTerm: number }): string {
  const theirs = `index ${message.lastLogIndex} of term ${message.lastLogTerm}`;
  return `its log ends at ${theirs}, behind index ${core.log.lastIndex} of term ${core.log.lastTerm} here`;
}

/** Later terms have been dealt with before: this answer belongs to the campaign under way, or to an old one. */
export function handlePreVoteResponse(core: Core, message: PreVoteResponse): void {
  if (core.role !== 'preCandidate') return;
  if (message.voteGranted && message.term !== core.currentTerm + 1) return;
  recordVote(core, message.from, message.voteGranted);
}

export function handleRequestVoteResponse(core: Core, message: RequestVoteResponse): void {
  if (core.role !== 'candidate') return;
  recordVote(core, message.from, message.voteGranted);
}

function recordVote(core: Core, from: number, granted: boolean): void {
  if (!isVoter(core.configuration, from) || core.votes.has(from)) return;
  core.votes.set(from, granted);
  countVotes(core);
}

/** A majority wins; a lost campaign ends at once instead of waiting for its timeout. [E4] */
function countVotes(core: Core): void {
  const result = voteResult(core.configuration, (id) => core.votes.get(id));
  if (result === 'lost') {
    const rule = core.role === 'preCandidate' ? 'E6' : 'E4';
    becomeFollower(core, core.currentTerm, 0, { reason: 'a majority refused its vote', rule });
  } else if (result === 'won' && core.role === 'preCandidate') {
    startElection(core, false, { reason: 'a majority would vote for it', rule: 'E6' });
  } else if (result === 'won') {
    becomeLeader(core);
    sendHeartbeats(core);
    appendNoop(core);
  }
}

/**
 * The connection to a peer broke, as when its process dies. A follower of that peer need not wait out its
 * timeout: voters line up by id, so that the first has won before the second would start. [E9]
 */
export function leaderConnectionLost(core: Core): void {
  const voters = members(core.configuration).filter((id) => isVoter(core.configuration, id));
  const survivors = voters.filter((id) => id !== core.leaderId);
  const place = Math.max(0, survivors.indexOf(core.id));
  const lost = core.leaderId;
  becomeFollower(core, core.currentTerm, 0, { reason: `the connection to n${lost} broke`, rule: 'E9' });
  // A promise lasts longer than the connection. [R6]
  const promisedTicks = Math.max(0, core.promisedUntilTick - core.tickCount);
  core.electionTimeoutTicks = promisedTicks + place * core.options.leaderLostStaggerTicks;
  core.lostLeaderId = lost;
  if (core.electionTimeoutTicks === 0) {
    startPreVote(core, { reason: `the connection to leader n${lost} broke`, rule: 'E9' });
  }
}

/** A leader that a majority has not answered for an election timeout leads nobody. [E8] */
export function checkQuorum(core: Core): void {
  const result = voteResult(core.configuration, (id) => {
    const progress = core.progress.get(id);
    return id === core.id || (progress !== undefined && core.isActive(progress));
  });
  if (result === 'won') return;
  const others = [...core.progress.values()].filter((progress) => core.isActive(progress));
  const active = [core.id, ...others.map((progress) => progress.id)];
  core.emit({ type: 'quorumLost', term: core.currentTerm, active, rule: 'E8' });
  const reason = 'heard from no majority for an election timeout';
  becomeFollower(core, core.currentTerm, 0, { reason, rule: 'E8' });
}
