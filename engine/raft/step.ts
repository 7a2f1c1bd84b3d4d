// One message from a peer: terms first (Raft paper §5.1), then the handler of its type. Anything may come, in
// any order, any number of times; what cannot be is ignored.
import type { Core } from './core.ts';
import {
  handlePreVote,
  handlePreVoteResponse,
  handleRequestVote,
  handleRequestVoteResponse,
  hasLiveLeader,
} from './elections.ts';
import { isPromised, takePromise } from './lease.ts';
import { continueChange, dismissDeparted } from './membership.ts';
import { confirmReadRound, handleReadIndex, handleReadIndexResponse } from './reads.ts';
import { stepRejoin, tellMembers } from './rejoin.ts';
import {
  handleAppendEntries,
  handleAppendEntriesResponse,
  handleHeartbeat,
  handleHeartbeatResponse,
  handleInstallSnapshotResponse,
} from './replication.ts';
import { becomeFollower } from './roles.ts';
import { handleInstallSnapshot } from './snapshots.ts';
import { continueTransfer, handleTimeoutNow } from './transfer.ts';
import type { Message, NodeId } from './types.ts';

/** Terms have 48 bits on the wire and on disk: whoever is this far is faulty, and would take our own next term along. */
const TERM_MAX = 2 ** 47;

export function step(core: Core, message: Message): void {
  if (message.to !== core.id || message.from === core.id || message.term > TERM_MAX) return;
  if (stepRejoin(core, message)) return;
  if (message.type === 'PreVote' && message.hasLostMemory === true) {
    tellMembers(core, message.from);
    return;
  }
  // Also in a term that this node has already heard of. [R6]
  if (isElectionOf(message) && isPromised(core, message.from)) return;
  if (message.term < core.currentTerm) {
    answerOldTerm(core, message);
    return;
  }
  if (message.term > core.currentTerm && !adoptTerm(core, message)) return;
  dispatch(core, message);
}

/** A vote is asked for that the leader did not ask for itself. [E10] */
function isElectionOf(message: Message): boolean {
  return message.type === 'RequestVote' && !message.leadershipTransfer;
}

/** The sender has not heard of our term. A leader of an old term, or a candidate, must learn of it. [E1] */
function answerOldTerm(core: Core, message: Message): void {
  switch (message.type) {
    case 'AppendEntries':
    case 'Heartbeat':
    case 'InstallSnapshot': {
      const prevLogIndex = message.type === 'AppendEntries' ? message.prevLogIndex : 0;
      const answer = { success: false, matchIndex: 0, prevLogIndex, conflictIndex: 0, conflictTerm: 0 };
      core.send({ type: 'AppendEntriesResponse', to: message.from, ...answer });
      return;
    }
    case 'PreVote':
      core.send({ type: 'PreVoteResponse', to: message.from, voteGranted: false });
      return;
    case 'RequestVote':
      core.send({ type: 'RequestVoteResponse', to: message.from, voteGranted: false });
      return;
    default:
  }
}

/** A later term: becomes its follower, unless the message does not count as its beginning. False: drop it. [E1] */
function adoptTerm(core: Core, message: Message): boolean {
  if (message.type === 'PreVote') return true;
  if (message.type === 'PreVoteResponse' && message.voteGranted) return true;
  if (isElectionOf(message) && hasLiveLeader(core)) return false;
  const leaderSpeaks =
    message.type === 'AppendEntries' || message.type === 'Heartbeat' || message.type === 'InstallSnapshot';
  const reason = `heard of term ${message.term} from n${message.from}`;
  becomeFollower(core, message.term, leaderSpeaks ? message.from : 0, { reason, rule: 'E1' });
  return true;
}

function dispatch(core: Core, message: Message): void {
  switch (message.type) {
    case 'PreVote':
      handlePreVote(core, message);
      return;
    case 'PreVoteResponse':
      handlePreVoteResponse(core, message);
      return;
    case 'RequestVote':
      handleRequestVote(core, message);
      return;
    case 'RequestVoteResponse':
      handleRequestVoteResponse(core, message);
      return;
    case 'AppendEntries':
      if (hearLeader(core, message)) handleAppendEntries(core, message);
      return;
    case 'Heartbeat':
      if (hearLeader(core, message)) handleHeartbeat(core, message);
      return;
    case 'AppendEntriesResponse':
      if (core.role !== 'leader') return;
      handleAppendEntriesResponse(core, message);
      continueChange(core);
      dismissDeparted(core);
      continueTransfer(core, message.from);
      return;
    case 'HeartbeatResponse':
      if (core.role !== 'leader') return;
      handleHeartbeatResponse(core, message);
      confirmReadRound(core, message);
      takePromise(core, message);
      return;
    case 'TimeoutNow':
      if (message.from === core.leaderId) handleTimeoutNow(core);
      return;
    case 'ReadIndex':
      handleReadIndex(core, message);
      return;
    case 'ReadIndexResponse':
      handleReadIndexResponse(core, message);
      return;
    case 'InstallSnapshot':
      if (hearLeader(core, message)) handleInstallSnapshot(core, message);
      return;
    case 'InstallSnapshotResponse':
      handleInstallSnapshotResponse(core, message);
      return;
  }
}

/** The leader of this term speaks: whoever campaigns gives up. False when that cannot be. [E4] */
function hearLeader(core: Core, message: { from: NodeId; type: string }): boolean {
  // Two leaders of one term would break election safety; a faulty peer must not make us one of them.
  if (core.role === 'leader') return false;
  if (core.leaderId !== 0 && core.leaderId !== message.from) return false;
  if (core.role !== 'follower' || core.leaderId === 0) {
    const reason = `n${message.from} leads term ${core.currentTerm}`;
    becomeFollower(core, core.currentTerm, message.from, { reason, rule: 'E4' });
  }
  core.electionElapsedTicks = 0;
  return true;
}
