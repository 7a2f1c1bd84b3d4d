import { describe, expect, test } from 'vitest';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { CoreCluster } from './core-cluster.ts';
import { ofType, SingleNode } from './single-node.ts';

const [MIN_TICKS, MAX_TICKS] = DEFAULT_RAFT_OPTIONS.electionTimeoutTicks;
const vote = { type: 'RequestVote', from: 2, leadershipTransfer: false } as const;

describe('terms', () => {
  test('[E3] a sole voter leads only when its vote for itself is on disk', () => {
    const node = new SingleNode({ voters: [1] });
    node.raft.campaign();
    node.take();
    // Forgotten in a crash now, it could vote for another of the same term.
    expect(node.raft.role).toBe('candidate');
    node.sync();
    expect(node.raft.role).toBe('leader');
    expect(node.hardState).toMatchObject({ currentTerm: 1, votedFor: 1 });
  });

  test('[E1] a message of a later term makes a leader its follower', () => {
    const node = new SingleNode();
    node.becomeLeader();
    node.say({ type: 'HeartbeatResponse', from: 3, term: 9, readRound: 0 });
    expect(node.raft.status()).toMatchObject({ role: 'follower', currentTerm: 9, votedFor: 0, leaderId: 0 });
    expect(node.hardState.currentTerm).toBe(9);
  });

  test('[E1] a leader of an old term is told the later one and followed by nobody', () => {
    const node = new SingleNode({ hardState: { currentTerm: 5 } });
    const said = node.say({ type: 'Heartbeat', from: 2, term: 4, leaderCommit: 0, readRound: 0 });
    expect(said).toMatchObject([{ type: 'AppendEntriesResponse', to: 2, term: 5, success: false }]);
    expect(node.raft.leaderId).toBe(0);
  });

  test('[E1] a candidate of an old term is refused in the later one', () => {
    const node = new SingleNode({ hardState: { currentTerm: 5 } });
    const said = node.say({ ...vote, term: 4, lastLogIndex: 9, lastLogTerm: 4 });
    expect(said).toMatchObject([{ type: 'RequestVoteResponse', term: 5, voteGranted: false }]);
  });
});

describe('timeouts', () => {
  test('[E2] timeouts are spread over [min, max) and drawn anew', () => {
    const drawn = new Set<number>();
    for (let nodeId = 1; nodeId <= 200; nodeId++) {
      const timeout = new SingleNode({ nodeId, voters: [nodeId, 1001, 1002] }).raft.status()
        .electionTimeoutTicks;
      expect(timeout).toBeGreaterThanOrEqual(MIN_TICKS);
      expect(timeout).toBeLessThan(MAX_TICKS);
      drawn.add(timeout);
    }
    expect(drawn.size).toBe(MAX_TICKS - MIN_TICKS);
  });

  test('[E2] a follower asks after its timeout, not before, and not while a leader speaks', () => {
    const node = new SingleNode();
    const { electionTimeoutTicks } = node.raft.status();
    expect(node.tick(electionTimeoutTicks - 1)).toEqual([]);
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    const next = node.raft.status().electionTimeoutTicks;
    expect(ofType(node.tick(next - 1), 'PreVote')).toEqual([]);
    expect(ofType(node.tick(1), 'PreVote')).toHaveLength(2);
  });

  test('a node without a vote never campaigns', () => {
    const node = new SingleNode({ voters: [2, 3, 4] });
    expect(node.tick(MAX_TICKS * 3)).toEqual([]);
  });
});

describe('votes', () => {
  test('[E3] one vote a term, first come, first served, and again for the same candidate', () => {
    const node = new SingleNode();
    const ask = (from: number) => node.say({ ...vote, from, term: 1, lastLogIndex: 0, lastLogTerm: 0 });
    expect(ask(2)).toMatchObject([{ to: 2, voteGranted: true }]);
    expect(ask(3)).toMatchObject([{ to: 3, voteGranted: false }]);
    expect(ask(2)).toMatchObject([{ to: 2, voteGranted: true }]);
  });

  test('[E3] a vote leaves only when it is durable', () => {
    const node = new SingleNode();
    node.raft.step({ ...vote, to: 1, term: 1, lastLogIndex: 0, lastLogTerm: 0 });
    expect(node.take()).toEqual([]);
    expect(node.unsynced.some((ready) => ready.hardState?.votedFor === 2)).toBe(true);
    expect(node.sync()).toMatchObject([{ type: 'RequestVoteResponse', voteGranted: true }]);
  });

  test('[E3] a candidate asks for votes only when its own is durable', () => {
    const node = new SingleNode();
    node.raft.campaign();
    node.settle();
    node.raft.step({ type: 'PreVoteResponse', from: 2, to: 1, term: 1, voteGranted: true });
    expect(node.take()).toEqual([]);
    expect(ofType(node.sync(), 'RequestVote').map((message) => message.to)).toEqual([2, 3]);
    expect(node.hardState).toMatchObject({ currentTerm: 1, votedFor: 1 });
  });

  test('[E3] a vote survives a restart', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1, votedFor: 3 } });
    const said = node.say({ ...vote, term: 1, lastLogIndex: 9, lastLogTerm: 1 });
    expect(said).toMatchObject([{ voteGranted: false }]);
  });

  // Raft paper §5.4.1: log up-to-dateness, a table over (last term, last index) of the candidate.
  test.each([
    [1, 1, false],
    [1, 9, false],
    [2, 2, false],
    [2, 3, true],
    [2, 4, true],
    [3, 1, true],
  ])('[E5] a log that ends in term %i at index %i: vote %s', (lastLogTerm, lastLogIndex, voteGranted) => {
    const node = new SingleNode({ hardState: { currentTerm: 2 }, logTerms: [1, 2, 2] });
    const said = node.say({ ...vote, term: 4, lastLogIndex, lastLogTerm });
    expect(said).toMatchObject([{ type: 'RequestVoteResponse', voteGranted }]);
    const asked = new SingleNode({ hardState: { currentTerm: 2 }, logTerms: [1, 2, 2] });
    const presaid = asked.say({ type: 'PreVote', from: 2, term: 4, lastLogIndex, lastLogTerm });
    expect(presaid).toMatchObject([{ type: 'PreVoteResponse', voteGranted }]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7])('[E4] of %i voters a majority elects, no fewer', (count) => {
    const voters = Array.from({ length: count }, (_, position) => position + 1);
    const node = new SingleNode({ voters });
    node.raft.campaign();
    node.settle();
    const majority = Math.floor(count / 2) + 1;
    for (let from = 2; from <= majority; from++) {
      expect(node.raft.role).toBe('preCandidate');
      node.say({ type: 'PreVoteResponse', from, term: 1, voteGranted: true });
    }
    for (let from = 2; from <= majority; from++) {
      expect(node.raft.role).toBe('candidate');
      node.say({ type: 'RequestVoteResponse', from, term: 1, voteGranted: true });
    }
    expect(node.raft.role).toBe('leader');
  });

  test('[E4] votes of strangers and second votes of one voter do not count', () => {
    const node = new SingleNode({ voters: [1, 2, 3, 4, 5] });
    node.raft.campaign();
    node.settle();
    for (const from of [2, 2, 2, 77]) node.say({ type: 'PreVoteResponse', from, term: 1, voteGranted: true });
    expect(node.raft.role).toBe('preCandidate');
  });

  test('[E4] a refused candidate gives up at once', () => {
    const node = new SingleNode();
    node.raft.campaign();
    node.settle();
    node.say({ type: 'PreVoteResponse', from: 2, term: 1, voteGranted: true });
    node.say({ type: 'RequestVoteResponse', from: 2, term: 1, voteGranted: false });
    expect(node.raft.role).toBe('candidate');
    node.say({ type: 'RequestVoteResponse', from: 3, term: 1, voteGranted: false });
    expect(node.raft.role).toBe('follower');
  });

  test.each(['preCandidate', 'candidate'] as const)('[E4] a %s follows the leader of its term', (role) => {
    const node = new SingleNode();
    node.raft.campaign();
    node.settle();
    if (role === 'candidate') node.say({ type: 'PreVoteResponse', from: 2, term: 1, voteGranted: true });
    expect(node.raft.role).toBe(role);
    node.say({ type: 'Heartbeat', from: 3, term: 1, leaderCommit: 0, readRound: 0 });
    expect(node.raft.status()).toMatchObject({ role: 'follower', leaderId: 3, currentTerm: 1 });
  });

  test('[E4] a second leader of one term is ignored', () => {
    const node = new SingleNode();
    node.becomeLeader();
    const said = node.say({ type: 'Heartbeat', from: 3, term: 1, leaderCommit: 0, readRound: 0 });
    expect(said).toEqual([]);
    expect(node.raft.role).toBe('leader');
  });
});

describe('what keeps a working leader in place', () => {
  test('[E6] asking and granting pre-votes changes neither term nor vote', () => {
    const asking = new SingleNode({ hardState: { currentTerm: 3 } });
    const asked = asking.tick(MAX_TICKS);
    expect(ofType(asked, 'PreVote')[0]).toMatchObject({ term: 4 });
    expect(asking.raft.currentTerm).toBe(3);
    const granting = new SingleNode({ hardState: { currentTerm: 3 } });
    granting.say({ type: 'PreVote', from: 2, term: 8, lastLogIndex: 0, lastLogTerm: 0 });
    expect(granting.raft.status()).toMatchObject({ currentTerm: 3, votedFor: 0 });
  });

  test('[E6] a node that was cut off does not raise the term while it is alone', () => {
    const cluster = new CoreCluster({ seed: 4 });
    const leader = cluster.elect();
    const lonely = leader.id === 3 ? 2 : 3;
    cluster.passes = (message) => message.from !== lonely && message.to !== lonely;
    cluster.tick(MAX_TICKS * 10);
    expect(cluster.node(lonely).raft.currentTerm).toBe(leader.raft.currentTerm);
    cluster.passes = () => true;
    cluster.tick(MAX_TICKS * 2);
    expect(cluster.leader()?.id).toBe(leader.id);
    expect(cluster.node(lonely).raft.leaderId).toBe(leader.id);
  });

  test('[E7] no pre-vote and no vote against a leader that was heard just now', () => {
    const node = new SingleNode();
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    expect(node.say({ type: 'PreVote', from: 3, term: 2, lastLogIndex: 9, lastLogTerm: 1 })).toMatchObject([
      { type: 'PreVoteResponse', term: 1, voteGranted: false },
    ]);
    expect(node.say({ ...vote, from: 3, term: 2, lastLogIndex: 9, lastLogTerm: 1 })).toEqual([]);
    expect(node.raft.currentTerm).toBe(1);
  });

  test('[E7] once the minimal timeout has passed in silence, it votes', () => {
    const node = new SingleNode();
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    for (let tick = 0; tick < MIN_TICKS; tick++) node.raft.tick();
    const said = node.say({ ...vote, from: 3, term: 2, lastLogIndex: 9, lastLogTerm: 1 });
    expect(ofType(said, 'RequestVoteResponse')).toMatchObject([{ to: 3, voteGranted: true }]);
  });

  test('[E8] a leader without a majority steps down within two timeouts', () => {
    const cluster = new CoreCluster({ seed: 2 });
    const leader = cluster.elect();
    cluster.passes = (message) => message.from !== leader.id && message.to !== leader.id;
    cluster.tick(MIN_TICKS * 2);
    expect(leader.raft.role).not.toBe('leader');
    expect(leader.events.some((event) => event.type === 'quorumLost')).toBe(true);
  });

  test('[E8] a leader with one of two followers stays', () => {
    const cluster = new CoreCluster({ seed: 2 });
    const leader = cluster.elect();
    const lost = leader.id === 1 ? 2 : 1;
    cluster.passes = (message) => message.from !== lost && message.to !== lost;
    cluster.tick(MAX_TICKS * 5);
    expect(leader.raft.role).toBe('leader');
  });
});

describe('a broken connection to the leader', () => {
  test('[E9] the first voter by id asks at once, and the cluster is led again before any timeout', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const cluster = new CoreCluster({ seed });
      const dead = cluster.elect();
      cluster.down.add(dead.id);
      for (const node of cluster.nodes.values()) node.raft.peerLost(dead.id);
      cluster.settle();
      expect(cluster.leader()?.id).toBe(dead.id === 1 ? 2 : 1);
    }
  });

  test('[E9] where only the connection broke, the leader stays', () => {
    const cluster = new CoreCluster({ seed: 3 });
    const leader = cluster.elect();
    const follower = cluster.node(leader.id === 1 ? 2 : 1);
    follower.raft.peerLost(leader.id);
    cluster.settle();
    cluster.tick(10);
    expect(cluster.leader()?.id).toBe(leader.id);
    expect(follower.raft.leaderId).toBe(leader.id);
  });

  test('[E9] losing another peer means nothing', () => {
    const node = new SingleNode();
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    node.raft.peerLost(3);
    expect(node.settle()).toEqual([]);
    expect(node.raft.leaderId).toBe(2);
  });

  test('[E9] one that refused too early is asked again as soon as it asks itself', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1, 1] });
    node.say({ type: 'Heartbeat', from: 3, term: 1, leaderCommit: 0, readRound: 0 });
    node.raft.peerLost(3);
    node.settle();
    node.say({ type: 'PreVoteResponse', from: 2, term: 1, voteGranted: false });
    const said = node.say({ type: 'PreVote', from: 2, term: 2, lastLogIndex: 1, lastLogTerm: 1 });
    expect(said).toMatchObject([
      { type: 'PreVoteResponse', to: 2, voteGranted: false },
      { type: 'PreVote', to: 2, term: 2, lastLogIndex: 2 },
    ]);
    node.say({ type: 'PreVoteResponse', from: 2, term: 2, voteGranted: true });
    expect(node.raft.role).toBe('candidate');
  });

  test('[E9] a voter that connects during a campaign is asked at once', () => {
    const node = new SingleNode();
    node.raft.campaign();
    node.settle();
    node.raft.peerConnected(3);
    expect(node.settle()).toMatchObject([{ type: 'PreVote', to: 3, term: 1 }]);
    node.say({ type: 'PreVoteResponse', from: 3, term: 1, voteGranted: true });
    node.raft.peerConnected(2);
    expect(node.settle()).toMatchObject([{ type: 'RequestVote', to: 2, term: 1 }]);
    node.raft.peerConnected(77);
    expect(node.settle()).toEqual([]);
  });

  test('[E12] of two that ask together, the smaller id goes first when their logs are level', () => {
    const smaller = new SingleNode();
    smaller.raft.campaign();
    smaller.settle();
    smaller.say({ type: 'PreVote', from: 2, term: 1, lastLogIndex: 0, lastLogTerm: 0 });
    expect(smaller.raft.role).toBe('preCandidate');
    const larger = new SingleNode({ nodeId: 3, voters: [3, 1, 2] });
    larger.raft.campaign();
    larger.settle();
    larger.say({ type: 'PreVote', from: 2, term: 1, lastLogIndex: 0, lastLogTerm: 0 });
    expect(larger.raft.role).toBe('follower');
  });

  test('[E12] a longer log goes first whatever its id', () => {
    const node = new SingleNode();
    node.raft.campaign();
    node.settle();
    node.say({ type: 'PreVote', from: 2, term: 1, lastLogIndex: 4, lastLogTerm: 1 });
    expect(node.raft.role).toBe('follower');
  });
});

describe('a log with a hole', () => {
  test('[E11] neither votes nor campaigns before everything is back', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1, 1], refetchIndex: 4 });
    expect(node.tick(MAX_TICKS * 2)).toEqual([]);
    const refused = node.say({ ...vote, term: 2, lastLogIndex: 9, lastLogTerm: 1 });
    expect(refused).toMatchObject([{ voteGranted: false }]);
    const entries = [3, 4].map((index) => ({ index, term: 1, kind: 1 as const, data: new Uint8Array(0) }));
    node.say({
      type: 'AppendEntries',
      from: 3,
      term: 3,
      prevLogIndex: 2,
      prevLogTerm: 1,
      entries,
      leaderCommit: 2,
    });
    expect(node.raft.isRefetching).toBe(false);
    for (let tick = 0; tick < MIN_TICKS; tick++) node.raft.tick();
    const granted = node.say({ ...vote, term: 4, lastLogIndex: 9, lastLogTerm: 3 });
    expect(ofType(granted, 'RequestVoteResponse')).toMatchObject([{ voteGranted: true }]);
  });
});

describe('handing over', () => {
  test('[E10] a level successor takes over at once, without a pre-vote', () => {
    const cluster = new CoreCluster({ seed: 5 });
    const leader = cluster.elect();
    cluster.tick(6);
    const target = leader.id === 1 ? 2 : 1;
    expect(leader.raft.transferLeadership(target)).toBeNull();
    cluster.settle();
    expect(cluster.leader()?.id).toBe(target);
    expect(leader.events).toContainEqual(expect.objectContaining({ type: 'transferEnded', completed: true }));
  });

  test('[E10] a successor that lags is brought level first', () => {
    const cluster = new CoreCluster({ seed: 5 });
    const leader = cluster.elect();
    const target = leader.id === 1 ? 2 : 1;
    cluster.passes = (message) => message.to !== target;
    for (let turn = 0; turn < 5; turn++) cluster.propose(`v${turn}`, leader);
    cluster.settle();
    cluster.passes = () => true;
    leader.raft.transferLeadership(target);
    cluster.settle();
    cluster.tick(10);
    expect(cluster.leader()?.id).toBe(target);
    expect(cluster.node(target).raft.status().lastIndex).toBeGreaterThanOrEqual(6);
  });

  test('[E10] proposals are refused meanwhile, and taken again when the successor does not come', () => {
    const cluster = new CoreCluster({ seed: 5 });
    const leader = cluster.elect();
    const target = leader.id === 1 ? 2 : 1;
    cluster.passes = (message) => message.to !== target || message.type !== 'TimeoutNow';
    leader.raft.transferLeadership(target);
    expect(cluster.propose('x', leader)).toEqual({ accepted: false, why: 'transferring' });
    cluster.tick(MAX_TICKS + 1);
    expect(leader.events).toContainEqual(
      expect.objectContaining({ type: 'transferEnded', completed: false }),
    );
    expect(cluster.propose('y', leader)).toMatchObject({ accepted: true });
  });

  test('[E10] only a leader can ask for an election', () => {
    const node = new SingleNode();
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    expect(node.say({ type: 'TimeoutNow', from: 3, term: 1 })).toEqual([]);
    expect(node.raft.role).toBe('follower');
  });

  test('[E10] under load, at any tick, a follower that lags by a little is a successor', () => {
    for (let ticks = 0; ticks < MIN_TICKS * 2; ticks++) {
      const cluster = new CoreCluster({ seed: 6 });
      const leader = cluster.elect();
      cluster.tick(ticks);
      cluster.passes = (message) => message.type !== 'AppendEntriesResponse';
      cluster.propose('x', leader);
      cluster.settle();
      cluster.passes = () => true;
      leader.raft.transferLeadership(0);
      cluster.settle();
      cluster.tick(MIN_TICKS);
      expect(cluster.leader()?.id).not.toBe(leader.id);
      expect(leader.events).toContainEqual(
        expect.objectContaining({ type: 'transferEnded', completed: true }),
      );
    }
  });

  test('[E10] asked without a successor, it hands over to one that is level; alone, it steps down', () => {
    const cluster = new CoreCluster({ seed: 6 });
    const leader = cluster.elect();
    cluster.tick(6);
    leader.raft.transferLeadership(0);
    cluster.settle();
    expect(cluster.leader()?.id).not.toBe(leader.id);
    const alone = new SingleNode({ voters: [1] });
    alone.raft.campaign();
    alone.settle();
    expect(alone.raft.role).toBe('leader');
    alone.raft.transferLeadership(0);
    expect(alone.raft.role).toBe('follower');
  });
});
