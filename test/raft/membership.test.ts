// How members come and go, by rule of SPEC.md and by situation of the paper's §6.
import { describe, expect, test } from 'vitest';
import { configurationCodec } from '../../engine/protocol/configuration-codec.ts';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import {
  type Configuration,
  type Entry,
  EntryKind,
  type Message,
  type RaftEvent,
} from '../../engine/raft/types.ts';
import { CoreCluster, type CoreNode, textOf } from './core-cluster.ts';
import { entry, ofType, SingleNode } from './single-node.ts';

const { electionTimeoutTicks, heartbeatTicks } = DEFAULT_RAFT_OPTIONS;
const [MIN_TICKS, MAX_TICKS] = electionTimeoutTicks;
const member = (id: number) => ({ id, client: `c${id}`, peer: `p${id}` });

function configurationEntry(index: number, term: number, configuration: Configuration): Entry {
  return {
    ...entry(index, term),
    kind: EntryKind.configuration,
    data: configurationCodec.encode(configuration),
  };
}

function voters(node: CoreNode): readonly number[] {
  return node.raft.configuration.voters;
}

function changesOf(node: { events: readonly RaftEvent[] }) {
  return node.events.filter((event) => event.type === 'configurationChanged');
}

/** A leader of three that has committed an entry of its term, and n4, which waits to be told. */
function four(seed = 1) {
  const cluster = new CoreCluster({ joiners: [4], seed });
  const leader = cluster.elect();
  cluster.tick(heartbeatTicks);
  const followers = [1, 2, 3].filter((id) => id !== leader.id) as [number, number];
  return { cluster, leader, followers };
}

/** Parts of the cluster that hear nothing of each other. */
function split(cluster: CoreCluster, ...parts: readonly (readonly number[])[]): void {
  const partOf = (id: number): number => parts.findIndex((part) => part.includes(id));
  cluster.passes = (message) => partOf(message.from) === partOf(message.to);
}

describe('learners', () => {
  test('[M4] get the log, are not counted, and do not vote', () => {
    const { cluster, leader, followers } = four();
    cluster.propose('before', leader);
    cluster.settle();
    cluster.addLearner(4);
    expect(cluster.node(4).applied.map(textOf)).toContain('before');
    expect(leader.raft.configuration).toMatchObject({ voters: [1, 2, 3], learners: [4] });
    // With both other voters gone, what only the learner has is not committed.
    for (const id of followers) cluster.down.add(id);
    const { commitIndex } = leader.raft;
    cluster.propose('not committed', leader);
    cluster.tick(heartbeatTicks);
    expect(cluster.node(4).logTerms()).toHaveLength(commitIndex + 1);
    expect(leader.raft.commitIndex).toBe(commitIndex);
    cluster.tick(MAX_TICKS * 2);
    expect(leader.raft.role).not.toBe('leader');
    expect(cluster.node(4).events.some(({ type }) => type === 'electionStarted')).toBe(false);
    // The candidate does not ask it, either.
    expect(cluster.leader()).toBeUndefined();
  });

  test('[M4] get a snapshot like any follower', () => {
    const { cluster, leader } = four();
    for (let at = 0; at < 5; at++) cluster.propose(`v${at}`, leader);
    cluster.settle();
    leader.raft.compact(leader.raft.lastApplied);
    cluster.change({ type: 'addLearner', member: member(4) });
    expect(leader.unsynced.length + leader.drain().length).toBe(0);
    const { progress } = leader.raft.status();
    expect(progress.find(({ id }) => id === 4)?.state).toBe('snapshot');
  });

  test('[M5] are refused a vote while they are behind, and get it when they are level', () => {
    const { cluster, leader } = four();
    split(cluster, [1, 2, 3], [4]);
    cluster.change({ type: 'addLearner', member: member(4) });
    cluster.tick(MIN_TICKS * 2);
    const early = cluster.change({ type: 'promote', id: 4 });
    expect(early).toMatchObject({ accepted: false, why: 'learnerBehind', rule: 'M5' });
    cluster.passes = () => true;
    for (const node of cluster.nodes.values()) node.raft.peerConnected(node.id === 4 ? leader.id : 4);
    cluster.tick(MIN_TICKS);
    expect(cluster.change({ type: 'promote', id: 4 })).toMatchObject({ accepted: true });
    expect(leader.raft.configuration).toMatchObject({
      voters: [1, 2, 3, 4],
      votersOutgoing: [],
      learners: [],
    });
  });

  test('[M5] what was committed within the last election timeout may be missing', () => {
    const { cluster, leader } = four();
    cluster.addLearner(4);
    cluster.passes = (message) => message.to !== 4 || message.type !== 'AppendEntries';
    cluster.propose('a moment ago', leader);
    cluster.settle();
    expect(cluster.change({ type: 'promote', id: 4 })).toMatchObject({ accepted: true });
  });
});

describe('joint consensus', () => {
  test('[M2] both sets must have an entry before it is committed (figure 11)', () => {
    const node = new SingleNode({ voters: [1, 2, 3] });
    node.becomeLeader();
    node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...acked(1) });
    for (const id of [4, 5]) {
      node.raft.proposeConfiguration({ type: 'addLearner', member: member(id) });
      node.settle();
      const { lastIndex } = node.raft.status();
      node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...acked(lastIndex) });
      node.say({ type: 'AppendEntriesResponse', from: id, term: 1, ...acked(lastIndex) });
    }
    expect(node.raft.proposeConfiguration({ type: 'replace', id: 2, by: 4 })).toMatchObject({
      accepted: true,
    });
    node.settle();
    const { lastIndex } = node.raft.status();
    // C_old = {1, 2, 3} with n1 and n2; C_new = {1, 3, 4} only with n1: not yet.
    node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...acked(lastIndex) });
    expect(node.raft.commitIndex).toBe(lastIndex - 1);
    // Learners are in neither.
    node.say({ type: 'AppendEntriesResponse', from: 5, term: 1, ...acked(lastIndex) });
    expect(node.raft.commitIndex).toBe(lastIndex - 1);
    node.say({ type: 'AppendEntriesResponse', from: 4, term: 1, ...acked(lastIndex) });
    expect(node.raft.commitIndex).toBe(lastIndex);
    expect(node.raft.configuration).toMatchObject({ voters: [1, 3, 4], votersOutgoing: [] });
    expect(node.raft.status().lastIndex).toBe(lastIndex + 1);
  });

  test('[M2] a candidate needs the votes of both sets', () => {
    const joint = { voters: [1, 4, 5], votersOutgoing: [1, 2, 3], learners: [] };
    const node = new SingleNode({ voters: [1, 2, 3], hardState: { currentTerm: 1 } });
    const entries = [entry(1, 1), configurationEntry(2, 1, joint)];
    const sent = { prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 0 };
    node.say({ type: 'AppendEntries', from: 2, term: 1, ...sent });
    const asked = node.tick(MAX_TICKS + 1);
    expect(ofType(asked, 'PreVote').map(({ to }) => to)).toEqual([2, 3, 4, 5]);
    for (const from of [4, 5]) node.say({ type: 'PreVoteResponse', from, term: 2, voteGranted: true });
    expect(node.raft.role).toBe('preCandidate');
    node.say({ type: 'PreVoteResponse', from: 3, term: 2, voteGranted: true });
    expect(node.raft.role).toBe('candidate');
    for (const from of [2, 3]) node.say({ type: 'RequestVoteResponse', from, term: 2, voteGranted: true });
    expect(node.raft.role).toBe('candidate');
    node.say({ type: 'RequestVoteResponse', from: 5, term: 2, voteGranted: true });
    expect(node.raft.role).toBe('leader');
  });

  test('[M2] [E8] [R2] check quorum and reads count both sets', () => {
    const { cluster, leader, followers } = four();
    cluster.addLearner(4);
    const [gone, other] = followers;
    // The entry of C_old,new reaches nobody: the leader alone is joint.
    cluster.passes = ({ type }) => type !== 'AppendEntries';
    expect(cluster.change({ type: 'replace', id: gone, by: 4 })).toMatchObject({ accepted: true });
    expect(leader.raft.configuration.votersOutgoing).toEqual([1, 2, 3]);
    // Of C_new only the leader is there; of C_old it and the one that goes.
    cluster.passes = ({ type, from, to }) =>
      type !== 'AppendEntries' && ![from, to].some((id) => id === other || id === 4);
    leader.raft.readIndex(7);
    cluster.tick(2);
    expect(leader.reads).toEqual([]);
    cluster.tick(MIN_TICKS * 2);
    expect(leader.raft.role).not.toBe('leader');
    expect(leader.reads).toEqual([{ token: 7, index: 0 }]);
  });

  test('no two disjoint majorities decide (figure 10)', () => {
    // {1, 2, 3} becomes {1, 2, 3, 4, 5}: at an unlucky moment {1, 2} and {3, 4, 5} would both be majorities.
    const cluster = new CoreCluster({ joiners: [4, 5] });
    const leader = cluster.elect();
    cluster.tick(heartbeatTicks);
    cluster.addLearner(4);
    cluster.change({ type: 'promote', id: 4 });
    cluster.addLearner(5);
    // The entry of C_old,new reaches the leader's side only: its two, and the newcomer.
    const [far, near, third] = [1, 2, 3, 4].filter((id) => id !== leader.id) as [number, number, number];
    split(cluster, [leader.id, third, 5], [far, near]);
    cluster.change({ type: 'promote', id: 5 });
    cluster.propose('on three of five, and two of four', leader);
    cluster.settle();
    const before = leader.raft.commitIndex;
    cluster.tick(MAX_TICKS * 3);
    expect(leader.raft.commitIndex).toBe(before);
    // The other side has neither a majority of four.
    expect([far, near].map((id) => cluster.node(id).raft.role)).not.toContain('leader');
    cluster.passes = () => true;
    cluster.tick(MAX_TICKS * 4);
    const after = cluster.elect();
    cluster.tick(heartbeatTicks * 2);
    expect(voters(after)).toEqual([1, 2, 3, 4, 5]);
    expect(after.raft.configuration.votersOutgoing).toEqual([]);
  });

  test('[M2] a new leader ends what its predecessor began', () => {
    const { cluster, leader, followers } = four();
    cluster.addLearner(4);
    // C_old,new arrives everywhere, but the answers do not: it is not committed when the leader dies.
    cluster.passes = ({ type }) => type !== 'AppendEntriesResponse';
    cluster.change({ type: 'promote', id: 4 });
    expect(leader.raft.configuration.votersOutgoing).toEqual([1, 2, 3]);
    cluster.down.add(leader.id);
    cluster.passes = () => true;
    const successor = cluster.elect();
    cluster.tick(heartbeatTicks * 2);
    expect([...followers, 4]).toContain(successor.id);
    expect(successor.raft.configuration).toMatchObject({ voters: [1, 2, 3, 4], votersOutgoing: [] });
  });

  test('[M2] a change of learners alone needs no joint phase', () => {
    const { cluster, leader } = four();
    cluster.addLearner(4);
    cluster.change({ type: 'remove', id: 4 });
    expect(leader.raft.configuration).toMatchObject({ voters: [1, 2, 3], votersOutgoing: [], learners: [] });
    expect(changesOf(leader).every(({ configuration }) => configuration.votersOutgoing.length === 0)).toBe(
      true,
    );
  });
});

describe('the configuration in force', () => {
  const five = { voters: [1, 2, 3, 4, 5], votersOutgoing: [], learners: [] };

  test('[M1] is the newest in the log, committed or not, and the host is told', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 } });
    const entries = [configurationEntry(1, 1, five)];
    node.say({
      type: 'AppendEntries',
      from: 2,
      term: 1,
      prevLogIndex: 0,
      prevLogTerm: 0,
      entries,
      leaderCommit: 0,
    });
    expect(node.raft.commitIndex).toBe(0);
    expect(node.raft.configuration).toEqual(five);
    expect(node.history.map(({ configuration }) => configuration).filter(Boolean)).toEqual([five]);
    expect(changesOf(node)).toMatchObject([{ index: 1, committed: false, rule: 'M1' }]);
  });

  test('[M1] [L4] goes with its entry', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 } });
    const lost = [entry(1, 1), configurationEntry(2, 1, five)];
    const sent = { prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 };
    node.say({ type: 'AppendEntries', from: 2, term: 1, entries: lost, ...sent });
    const won = [entry(1, 1), entry(2, 2)];
    node.say({ type: 'AppendEntries', from: 3, term: 2, entries: won, ...sent });
    expect(node.raft.configuration.voters).toEqual([1, 2, 3]);
    expect(
      node.history.findLast(({ configuration }) => configuration !== null)?.configuration?.voters,
    ).toEqual([1, 2, 3]);
  });

  test('[M1] is found again after a restart, and in a snapshot', () => {
    const { cluster, leader } = four();
    cluster.addLearner(4);
    cluster.change({ type: 'promote', id: 4 });
    cluster.tick(heartbeatTicks);
    leader.restart();
    cluster.node(4).restart();
    expect(voters(leader)).toEqual([1, 2, 3, 4]);
    expect(cluster.node(4).raft.configuration.addresses).toEqual([member(4)]);

    const node = new SingleNode();
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    expect(node.raft.installSnapshot({ index: 9, term: 1, configuration: five })).toBe(true);
    expect(node.raft.configuration).toEqual(five);
    expect(node.raft.appliedPoint()).toEqual({ index: 9, term: 1, configuration: five });
  });

  test('[M1] a snapshot carries the configuration of its index, not a later one', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 } });
    const entries = [entry(1, 1), entry(2, 1), configurationEntry(3, 1, five)];
    const sent = { prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 2 };
    node.say({ type: 'AppendEntries', from: 2, term: 1, ...sent });
    expect(node.raft.configuration).toEqual(five);
    expect(node.raft.appliedPoint()).toMatchObject({ index: 2, configuration: { voters: [1, 2, 3] } });
    node.raft.compact(2);
    expect(node.raft.appliedPoint().configuration.voters).toEqual([1, 2, 3]);
  });

  test('a configuration that cannot be read is not taken', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 } });
    const broken = { ...configurationEntry(1, 1, five), data: new Uint8Array([9, 9]) };
    const sent = { prevLogIndex: 0, prevLogTerm: 0, entries: [broken], leaderCommit: 0 };
    node.say({ type: 'AppendEntries', from: 2, term: 1, ...sent });
    expect(node.raft.status().lastIndex).toBe(0);
  });
});

describe('refusals', () => {
  test('[M3] one change at a time, and none before an entry of the own term is committed', () => {
    const node = new SingleNode();
    const change = { type: 'addLearner', member: member(4) } as const;
    expect(node.raft.proposeConfiguration(change)).toMatchObject({ why: 'notLeader' });
    node.becomeLeader();
    expect(node.raft.proposeConfiguration(change)).toMatchObject({ why: 'notReady', rule: 'M3' });
    node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...acked(1) });
    expect(node.raft.proposeConfiguration(change)).toMatchObject({ accepted: true, index: 2 });
    const another = { type: 'addLearner', member: member(5) } as const;
    expect(node.raft.proposeConfiguration(another)).toMatchObject({ why: 'changeUnderWay', rule: 'M3' });
    node.say({ type: 'AppendEntriesResponse', from: 3, term: 1, ...acked(2) });
    expect(node.raft.proposeConfiguration(another)).toMatchObject({ accepted: true, index: 3 });
  });

  test('[M8] unknown ids, present ones, and an empty set of voters', () => {
    const { cluster, leader } = four();
    cluster.addLearner(4);
    const why = (change: Parameters<CoreCluster['change']>[0]) => {
      const result = cluster.change(change);
      return result.accepted ? 'accepted' : result.why;
    };
    const { lastIndex } = leader.raft.status();
    expect(why({ type: 'addLearner', member: member(4) })).toBe('alreadyMember');
    expect(why({ type: 'addLearner', member: member(2) })).toBe('alreadyMember');
    expect(why({ type: 'promote', id: 2 })).toBe('notLearner');
    expect(why({ type: 'promote', id: 9 })).toBe('unknownMember');
    expect(why({ type: 'remove', id: 9 })).toBe('unknownMember');
    expect(why({ type: 'replace', id: 9, by: 4 })).toBe('unknownMember');
    expect(why({ type: 'relocate', member: member(9) })).toBe('unknownMember');
    expect(leader.raft.status().lastIndex).toBe(lastIndex);
    const alone = new CoreCluster({ ids: [1] });
    alone.elect();
    alone.tick(heartbeatTicks);
    expect(alone.change({ type: 'remove', id: 1 })).toMatchObject({ why: 'noVoters', rule: 'M8' });
  });

  test('[M8] a change that would lose the majority that is up', () => {
    const { cluster, followers } = four();
    const [lost, kept] = followers;
    cluster.down.add(lost);
    cluster.tick(MIN_TICKS + 1);
    const refused = cluster.change({ type: 'remove', id: kept });
    expect(refused).toMatchObject({ why: 'wouldLoseMajority', rule: 'M8' });
    // The one that is down may go: the two that are up are all that is needed then.
    expect(cluster.change({ type: 'remove', id: lost })).toMatchObject({ accepted: true });
    expect(cluster.leader()?.raft.configuration.voters).toHaveLength(2);
  });

  test('[E10] while leadership is being handed over', () => {
    const { cluster, leader, followers } = four();
    cluster.down.add(followers[0]);
    leader.raft.transferLeadership(followers[0]);
    const result = leader.raft.proposeConfiguration({ type: 'addLearner', member: member(4) });
    expect(result).toMatchObject({ why: 'transferring', rule: 'E10' });
  });

  test('[M9] an id that left, learner or voter, never comes back: not under another leader, not after restarts', () => {
    const { cluster, leader, followers } = four();
    cluster.addLearner(4);
    cluster.change({ type: 'remove', id: 4 });
    cluster.change({ type: 'remove', id: followers[0] });
    const refusedOf = (id: number) => cluster.change({ type: 'addLearner', member: member(id) });
    expect(refusedOf(4)).toMatchObject({ why: 'formerMember', rule: 'M9' });
    expect(refusedOf(followers[0])).toMatchObject({ why: 'formerMember', rule: 'M9' });
    leader.raft.transferLeadership(0);
    cluster.settle();
    cluster.tick(heartbeatTicks);
    expect(refusedOf(4)).toMatchObject({ why: 'formerMember' });
    for (const id of [leader.id, followers[1]]) cluster.node(id).restart();
    cluster.elect();
    expect(refusedOf(followers[0])).toMatchObject({ why: 'formerMember' });
  });

  test('[M9] an id whose removal was undone may stay', () => {
    const { cluster, leader, followers } = four();
    cluster.passes = (message) => message.from !== leader.id;
    leader.raft.proposeConfiguration({ type: 'remove', id: followers[0] });
    cluster.down.add(leader.id);
    cluster.passes = () => true;
    const next = cluster.elect();
    cluster.down.delete(leader.id);
    cluster.tick(heartbeatTicks * 4);
    expect(leader.raft.configuration).toEqual(next.raft.configuration);
    expect(next.raft.configuration.former ?? []).toEqual([]);
  });
});

describe('removal', () => {
  test('[M6] the leader itself: it does not count itself, steps down when C_new is committed, and another leads', () => {
    const { cluster, leader, followers } = four();
    const log: Message[] = [];
    cluster.passes = (message) => log.push(message) > 0;
    expect(cluster.change({ type: 'remove', id: leader.id })).toMatchObject({ accepted: true });
    expect(leader.raft.role).toBe('follower');
    expect(leader.events).toContainEqual(
      expect.objectContaining({ type: 'roleChanged', to: 'follower', rule: 'M6' }),
    );
    expect(ofType(log, 'TimeoutNow')).toHaveLength(1);
    // At once, without an election timeout.
    const successor = cluster.leader();
    expect(followers).toContain(successor?.id);
    expect(voters(successor as CoreNode)).toEqual(followers);
    cluster.propose('goes on', successor);
    cluster.tick(heartbeatTicks * 2);
    expect(successor?.applied.map(textOf)).toContain('goes on');
    expect(leader.applied.map(textOf)).not.toContain('goes on');
  });

  test('[M6] C_new is committed without the disk of the leader that is not in it', () => {
    const node = new SingleNode();
    node.becomeLeader();
    node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...acked(1) });
    node.say({ type: 'AppendEntriesResponse', from: 3, term: 1, ...acked(1) });
    expect(node.raft.proposeConfiguration({ type: 'remove', id: 1 })).toMatchObject({ index: 2 });
    node.settle();
    node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...acked(2) });
    // Of C_new = {2, 3} one has it: the leader's own disk does not make it two.
    expect(node.raft.commitIndex).toBe(1);
    node.say({ type: 'AppendEntriesResponse', from: 3, term: 1, ...acked(2) });
    expect(node.raft.commitIndex).toBe(2);
    node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...acked(3) });
    expect(node.raft.role).toBe('leader');
    node.say({ type: 'AppendEntriesResponse', from: 3, term: 1, ...acked(3) });
    expect(node.raft.role).toBe('follower');
    expect(node.raft.commitIndex).toBe(3);
  });

  test('[M7] a removed node is told, and campaigns no more', () => {
    const { cluster, leader, followers } = four();
    const [gone] = followers;
    cluster.change({ type: 'remove', id: gone });
    const node = cluster.node(gone);
    expect(changesOf(node).at(-1)).toMatchObject({ committed: true, rule: 'M7' });
    expect(leader.raft.status().progress.map(({ id }) => id)).not.toContain(gone);
    node.events.length = 0;
    cluster.tick(MAX_TICKS * 4);
    expect(node.events.some(({ type }) => type === 'electionStarted')).toBe(false);
    expect(node.raft.role).toBe('follower');
  });

  test('[M7] [E6] [E7] one that was not told does not disrupt the others, with the leader up or down', () => {
    const cluster = new CoreCluster({ ids: [1, 2, 3, 4] });
    const leader = cluster.elect();
    cluster.tick(heartbeatTicks);
    const [gone, second, third] = [1, 2, 3, 4].filter((id) => id !== leader.id) as [number, number, number];
    split(cluster, [leader.id, second, third], [gone]);
    expect(cluster.change({ type: 'remove', id: gone })).toMatchObject({ accepted: true });
    cluster.tick(MAX_TICKS * 2);
    cluster.passes = () => true;
    const { currentTerm } = leader.raft;
    cluster.tick(MAX_TICKS * 10);
    expect(cluster.node(gone).events.filter(({ type }) => type === 'electionStarted').length).toBeGreaterThan(
      5,
    );
    expect(cluster.node(gone).raft.configuration.voters).toContain(gone);
    expect(leader.raft.role).toBe('leader');
    expect(leader.raft.currentTerm).toBe(currentTerm);
    // Even in an election it wins nothing, and the others do.
    cluster.down.add(leader.id);
    cluster.tick(MAX_TICKS * 4);
    expect([second, third]).toContain(cluster.leader()?.id);
  });
});

describe('a node that joins', () => {
  test('[M9] waits to be told: it neither campaigns nor votes', () => {
    const cluster = new CoreCluster({ joiners: [4] });
    const node = cluster.node(4);
    cluster.tick(MAX_TICKS * 3);
    expect(node.events).toEqual([]);
    const asking = { from: 2, to: 4, term: 5, lastLogIndex: 9, lastLogTerm: 4 };
    node.raft.step({ type: 'PreVote', ...asking });
    node.raft.step({ type: 'RequestVote', ...asking, leadershipTransfer: false });
    cluster.collect();
    const answers = cluster.inFlight.filter(({ type }) => type.endsWith('VoteResponse'));
    expect(answers).toMatchObject([{ voteGranted: false }, { voteGranted: false }]);
  });

  test('[M9] [E3] has spent its vote in the term in which it is taken in, for good', () => {
    const { cluster, leader } = four();
    cluster.addLearner(4);
    const node = cluster.node(4);
    expect(node.disk.hardState).toMatchObject({ currentTerm: leader.raft.currentTerm, votedFor: 4 });
    node.restart();
    expect(node.raft.status().votedFor).toBe(4);
  });

  test('[M10] learns where the others are', () => {
    const { cluster, leader } = four();
    cluster.addLearner(4);
    cluster.change({ type: 'relocate', member: { id: leader.id, client: 'new:1', peer: 'new:2' } });
    const { addresses } = cluster.node(4).raft.configuration;
    expect(addresses).toContainEqual(member(4));
    expect(addresses).toContainEqual({ id: leader.id, client: 'new:1', peer: 'new:2' });
  });

  test('a whole life: three become five, two of them go, and the first three are replaced', () => {
    const cluster = new CoreCluster({ joiners: [4, 5, 6] });
    cluster.elect();
    cluster.tick(heartbeatTicks);
    for (const id of [4, 5, 6]) {
      cluster.addLearner(id);
      cluster.propose(`with ${id}`);
      if (id !== 6) expect(cluster.change({ type: 'promote', id })).toMatchObject({ accepted: true });
      cluster.tick(heartbeatTicks * 2);
    }
    const leaderId = (): number => cluster.elect().id;
    const first = [1, 2, 3].find((id) => id !== leaderId()) as number;
    expect(cluster.change({ type: 'replace', id: first, by: 6 })).toMatchObject({ accepted: true });
    for (const id of [1, 2, 3].filter((each) => each !== first)) {
      cluster.tick(MIN_TICKS);
      expect(cluster.change({ type: 'remove', id })).toMatchObject({ accepted: true });
      cluster.tick(MAX_TICKS);
    }
    for (const id of [1, 2, 3]) cluster.down.add(id);
    const leader = cluster.elect();
    cluster.propose('at the end', leader);
    cluster.tick(heartbeatTicks * 2);
    for (const id of [4, 5, 6]) {
      expect(voters(cluster.node(id))).toEqual([4, 5, 6]);
      expect(
        cluster
          .node(id)
          .applied.map(textOf)
          .filter((text) => !text.startsWith('<')),
      ).toEqual(['with 4', 'with 5', 'with 6', 'at the end']);
    }
  });
});

function acked(matchIndex: number) {
  return { success: true, matchIndex, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 };
}
