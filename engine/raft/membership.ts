// How the members of the cluster change: what a leader refuses to begin, joint consensus, and the members that
// go, the leader itself among them. Raft paper §6; thesis §4.1 (one at a time), §4.2.1 (learners), §4.2.2 (removal).
// What being in force means is in-force.ts.
import type { Core } from './core.ts';
import { isVoter, members } from './quorum.ts';
import { sendHeartbeats } from './reads.ts';
import { appendAsLeader } from './replication.ts';
import { becomeFollower } from './roles.ts';
import { bestSuccessor } from './transfer.ts';
import { type Configuration, EntryKind, type MemberAddress, type NodeId } from './types.ts';

export type ConfigurationChange =
  /** A new member that is replicated to and has no vote yet. */
  | { type: 'addLearner'; member: MemberAddress }
  /** A learner that is level becomes a voter. */
  | { type: 'promote'; id: NodeId }
  | { type: 'remove'; id: NodeId }
  /** One voter goes and a learner takes its place, in one step: the number of voters never changes. */
  | { type: 'replace'; id: NodeId; by: NodeId }
  /** A member has moved to other ports. */
  | { type: 'relocate'; member: MemberAddress };

export type ChangeRefusal =
  | 'notLeader'
  | 'transferring'
  /** No entry of this leader's term is committed yet. [M3] */
  | 'notReady'
  | 'changeUnderWay'
  | 'unknownMember'
  | 'alreadyMember'
  /** An id is used for one life only. [M9] */
  | 'formerMember'
  | 'notLearner'
  | 'learnerBehind'
  | 'noVoters'
  | 'wouldLoseMajority';

export type ChangeResult =
  /** Index of the first entry of the change. It is done when a configuration that is not joint is committed. */
  | { accepted: true; index: number; term: number }
  /** `reason`: in words, with figures. */
  | { accepted: false; why: ChangeRefusal; reason: string; rule: string };

type Refusal = Exclude<ChangeResult, { accepted: true }>;

function refuse(why: ChangeRefusal, reason: string, rule: string): Refusal {
  return { accepted: false, why, reason, rule };
}

/** Leader: begins the change, or says why not. Nothing has changed then. */
export function proposeConfiguration(core: Core, change: ConfigurationChange): ChangeResult {
  const refusal = refusalNow(core) ?? refusalOf(core, change);
  if (refusal !== null) return refusal;
  appendConfiguration(core, changed(core.configuration, change));
  return { accepted: true, index: core.log.lastIndex, term: core.currentTerm };
}

/** Whatever the change is. One at a time, and on firm ground: two uncommitted ones could have disjoint majorities. [M3] */
function refusalNow(core: Core): Refusal | null {
  const { log, configurations } = core;
  if (core.role !== 'leader') return refuse('notLeader', 'this node does not lead', 'M3');
  if (core.leadTransferee !== 0) return refuse('transferring', 'leadership is being handed over', 'E10');
  if (log.termAt(log.commitIndex) !== core.currentTerm) {
    return refuse('notReady', `no entry of term ${core.currentTerm} is committed yet`, 'M3');
  }
  if (core.isJoint || configurations.latestIndex > log.commitIndex) {
    return refuse('changeUnderWay', `the change at index ${configurations.latestIndex} is under way`, 'M3');
  }
  return null;
}

function refusalOf(core: Core, change: ConfigurationChange): Refusal | null {
  const { configuration } = core;
  const known = members(configuration);
  const id = 'member' in change ? change.member.id : change.id;
  if (change.type === 'addLearner') {
    if (known.includes(id)) return refuse('alreadyMember', `n${id} is a member already`, 'M8');
    if (!configuration.former?.includes(id)) return null;
    // With an empty folder it would pass through the time in which it had a vote, and late answers of its former life
    // would pass for those of the new one.
    const reason = `n${id} was a member once and left: give the new node an id that was never used`;
    return refuse('formerMember', reason, 'M9');
  }
  if (!known.includes(id)) return refuse('unknownMember', `n${id} is no member`, 'M8');
  if (change.type === 'relocate') return null;
  if (change.type === 'promote' || change.type === 'replace') {
    const refusal = refusalToPromote(core, change.type === 'promote' ? id : change.by);
    if (refusal !== null) return refusal;
  }
  if (change.type === 'replace' && !configuration.voters.includes(id)) {
    return refuse('unknownMember', `n${id} is no voter`, 'M8');
  }
  return refusalOfVoters(core, changed(configuration, change).voters);
}

/** A voter that lacks much of the log would only be counted, and could not help to commit. [M5] */
function refusalToPromote(core: Core, id: NodeId): Refusal | null {
  if (!members(core.configuration).includes(id)) return refuse('unknownMember', `n${id} is no member`, 'M8');
  if (!core.configuration.learners.includes(id)) return refuse('notLearner', `n${id} is no learner`, 'M8');
  const progress = core.progress.get(id);
  const matchIndex = progress?.matchIndex ?? 0;
  // Without the entry that took it in it grants no vote [M9], and perhaps nobody could be elected without it.
  const isTakenIn = members(core.configurations.at(matchIndex)).includes(id);
  const isLevel = isTakenIn && matchIndex >= core.catchUpIndex;
  if (progress?.state === 'replicate' && core.isActive(progress) && isLevel) return null;
  const missing = Math.max(0, core.log.lastIndex - matchIndex);
  const how = progress !== undefined && core.isActive(progress) ? '' : ' and has not been heard from';
  const reason = `n${id} has entries up to ${matchIndex}, ${missing} behind the leader${how}`;
  return refuse('learnerBehind', reason, 'M5');
}

/** What would leave the cluster without a majority that is up is not begun: it could not be taken back. [M8] */
function refusalOfVoters(core: Core, voters: readonly NodeId[]): Refusal | null {
  if (voters.length === 0) return refuse('noVoters', 'nobody would be left to vote', 'M8');
  const { voters: today } = core.configuration;
  if (voters.length === today.length && voters.every((id) => today.includes(id))) return null;
  const active = voters.filter((id) => {
    const progress = core.progress.get(id);
    return id === core.id || (progress !== undefined && core.isActive(progress));
  });
  const needed = Math.floor(voters.length / 2) + 1;
  if (active.length >= needed) return null;
  const named = active.map((id) => `n${id}`).join(', ') || 'none';
  const reason = `of the voters after the change, ${named} ${active.length === 1 ? 'is' : 'are'} up, and a majority is ${needed}`;
  return refuse('wouldLoseMajority', reason, 'M8');
}

/** The configuration that the change begins with: joint when voters change, done at once otherwise. [M2] */
function changed(configuration: Configuration, change: ConfigurationChange): Configuration {
  const { voters, learners, addresses = [] } = configuration;
  const without = (ids: readonly NodeId[], ...gone: NodeId[]) => ids.filter((id) => !gone.includes(id));
  switch (change.type) {
    case 'addLearner':
      return withAddress(
        { ...configuration, learners: sorted([...learners, change.member.id]) },
        change.member,
      );
    case 'relocate':
      return withAddress(configuration, change.member);
    case 'remove': {
      const left = withFormer(configuration, change.id);
      if (voters.includes(change.id)) return joint(left, without(voters, change.id), learners);
      return onlyOfMembers({ ...left, learners: without(learners, change.id), addresses });
    }
    case 'promote':
      return joint(configuration, [...voters, change.id], without(learners, change.id));
    case 'replace':
      return joint(
        withFormer(configuration, change.id),
        [...without(voters, change.id), change.by],
        without(learners, change.by),
      );
  }
}

function joint(from: Configuration, voters: readonly NodeId[], learners: readonly NodeId[]): Configuration {
  return { ...from, voters: sorted(voters), votersOutgoing: from.voters, learners };
}

function withFormer(configuration: Configuration, id: NodeId): Configuration {
  return { ...configuration, former: sorted([...(configuration.former ?? []), id]) };
}

function withAddress(configuration: Configuration, member: MemberAddress): Configuration {
  const others = (configuration.addresses ?? []).filter(({ id }) => id !== member.id);
  return { ...configuration, addresses: [...others, member].sort((a, b) => a.id - b.id) };
}

function onlyOfMembers(configuration: Configuration): Configuration {
  const known = members(configuration);
  const addresses = (configuration.addresses ?? []).filter(({ id }) => known.includes(id));
  return { ...configuration, addresses };
}

function sorted(ids: readonly NodeId[]): NodeId[] {
  return [...ids].sort((a, b) => a - b);
}

function appendConfiguration(core: Core, configuration: Configuration): void {
  const data = core.options.configurationCodec.encode(configuration);
  appendAsLeader(core, [{ index: 0, term: 0, kind: EntryKind.configuration, data }]);
}

/** Leader: its commit index rose. A joint configuration is left, a final one dismisses who is not in it. */
export function continueChange(core: Core): void {
  const { configurations, log } = core;
  if (configurations.latestIndex > log.commitIndex) return;
  if (core.isJoint) {
    // C_old,new is committed: no decision can be made without both any more. Paper §6, figure 11. [M2]
    appendConfiguration(core, onlyOfMembers({ ...core.configuration, votersOutgoing: [] }));
    return;
  }
  if (!isVoter(core.configuration, core.id)) resign(core);
  else if (core.dismissAtTick === 0 && core.progress.size > core.peers().length) {
    core.dismissAtTick = core.tickCount + core.options.electionTimeoutTicks[1];
    dismissDeparted(core);
  }
}

/** Leader, not in C_new, which is committed: from here on the others manage without it. [M6] */
function resign(core: Core): void {
  const successor = bestSuccessor(core);
  // What is committed is known before the next leader is: whoever was removed with it goes quietly.
  sendHeartbeats(core);
  if (successor !== 0) core.send({ type: 'TimeoutNow', to: successor });
  const reason = 'the configuration without it is committed';
  becomeFollower(core, core.currentTerm, 0, { reason, rule: 'M6' });
}

/** Leader: a member that left is let go when it has the entry that says so, or after an election timeout. [M7] */
export function dismissDeparted(core: Core): void {
  if (core.dismissAtTick === 0 || core.role !== 'leader') return;
  const present = core.peers();
  const isLate = core.tickCount >= core.dismissAtTick;
  for (const [id, progress] of core.progress) {
    if (present.includes(id)) continue;
    const hasIt = progress.matchIndex >= core.configurations.latestIndex;
    if (!hasIt && !isLate) continue;
    const { commitIndex } = core.log;
    const { matchIndex } = progress;
    const leaderCommit = Math.min(matchIndex, commitIndex);
    core.send({ type: 'Heartbeat', to: id, leaderCommit, readRound: core.readRound });
    core.progress.delete(id);
  }
  if (core.progress.size === present.length) core.dismissAtTick = 0;
}
