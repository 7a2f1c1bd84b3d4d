// Reads without a round: when a leader may, when it must ask again, and what its followers owe it meanwhile.
import { describe, expect, test } from 'vitest';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { CoreCluster, type CoreNode } from './core-cluster.ts';
import { ofType, SingleNode } from './single-node.ts';

const { electionTimeoutTicks, heartbeatTicks } = DEFAULT_RAFT_OPTIONS;
const [MIN_TICKS, MAX_TICKS] = electionTimeoutTicks;

/** A cluster whose clock is one tick a tick, unless the test says otherwise. */
function leased(joiners: readonly number[] = []) {
  const clock = { now: 0 };
  const cluster = new CoreCluster({ joiners, raft: { leaseClock: () => clock.now } });
  const tick = (count: number): void => {
    for (let done = 0; done < count; done++) {
      clock.now += 1;
      cluster.tick();
    }
  };
  const elect = (): CoreNode => {
    for (let turn = 0; turn < 300; turn++) {
      const found = cluster.leader();
      if (found !== undefined && turn > MAX_TICKS) return found;
      tick(1);
    }
    throw new Error('nobody leads');
  };
  const leader = elect();
  tick(heartbeatTicks * 2);
  return { cluster, clock, leader, tick };
}

let token = 0;

/** True when it is served in the turn in which it is asked, without a word to anybody. */
function servesAtOnce(cluster: CoreCluster, node: CoreNode): boolean {
  token += 1;
  node.raft.readIndex(token);
  const { passes } = cluster;
  cluster.passes = () => false;
  const said = node.drain();
  cluster.passes = passes;
  const read = node.reads.find((each) => each.token === token);
  if (read === undefined) cluster.inFlight.push(...said);
  else expect(said.filter(({ type }) => type === 'Heartbeat')).toEqual([]);
  return read !== undefined && read.index > 0;
}

describe('a leader with a lease', () => {
  test('[R5] serves a read without a round, again and again, while heartbeats are answered', () => {
    const { cluster, leader, tick } = leased();
    for (let turn = 0; turn < MAX_TICKS * 2; turn++) {
      expect(servesAtOnce(cluster, leader)).toBe(true);
      tick(1);
    }
    expect(leader.reads.at(-1)?.index).toBe(leader.raft.commitIndex);
  });

  test('[R5] asks again once the promises may be over', () => {
    const { cluster, clock, leader } = leased();
    cluster.passes = () => false;
    // Its ticks stand still, as those of a process that was stopped; its clock does not.
    clock.now += MIN_TICKS;
    expect(servesAtOnce(cluster, leader)).toBe(false);
    cluster.passes = () => true;
    cluster.settle();
    expect(leader.reads.at(-1)).toEqual({ token, index: leader.raft.commitIndex });
  });

  test('[R5] counts from when the heartbeat was sent, not from its answer, with a margin', () => {
    const { cluster, clock, leader, tick } = leased();
    tick(1);
    cluster.passes = ({ type }) => type !== 'Heartbeat';
    let servedFor = 0;
    while (servesAtOnce(cluster, leader) && servedFor < MAX_TICKS) {
      servedFor += 1;
      clock.now += 1;
    }
    expect(servedFor).toBeGreaterThan(0);
    expect(servedFor).toBeLessThanOrEqual(Math.ceil((MIN_TICKS - 1) * 0.8));
  });

  test('[R5] has none without the promises of a majority', () => {
    const clock = { now: 0 };
    const node = new SingleNode({ raft: { leaseClock: () => clock.now } });
    node.becomeLeader();
    const acked = { success: true, matchIndex: 1, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 };
    node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...acked });
    const [heartbeat] = ofType(node.tick(heartbeatTicks), 'Heartbeat');
    const readRound = heartbeat?.readRound ?? 0;
    expect(readRound).toBeGreaterThan(0);
    // A peer without lease reads answers, and promises nothing.
    node.say({ type: 'HeartbeatResponse', from: 2, term: 1, readRound });
    node.raft.readIndex(1);
    expect(ofType(node.settle(), 'Heartbeat')).toHaveLength(2);
    expect(node.reads).toEqual([]);
    node.say({ type: 'HeartbeatResponse', from: 3, term: 1, readRound: readRound + 1, promise: true });
    expect(node.reads).toHaveLength(1);
    node.raft.readIndex(2);
    expect(ofType(node.settle(), 'Heartbeat')).toEqual([]);
    expect(node.reads).toHaveLength(2);
  });

  test('[R6] [E10] gives it up for the rest of its term when it begins to hand over', () => {
    const { cluster, leader, tick } = leased();
    const other = [1, 2, 3].find((id) => id !== leader.id) ?? 0;
    cluster.passes = ({ type }) => type !== 'TimeoutNow';
    leader.raft.transferLeadership(other);
    cluster.settle();
    tick(MAX_TICKS * 2);
    expect(leader.raft.isTransferring).toBe(false);
    expect(leader.raft.role).toBe('leader');
    expect(servesAtOnce(cluster, leader)).toBe(false);
    cluster.settle();
    expect(leader.reads.at(-1)?.index).toBe(leader.raft.commitIndex);
  });

  test('[R6] [M1] begins anew when the members change', () => {
    const { cluster, leader, tick } = leased([4]);
    expect(servesAtOnce(cluster, leader)).toBe(true);
    leader.raft.proposeConfiguration({ type: 'addLearner', member: { id: 4, client: 'c', peer: 'p' } });
    expect(servesAtOnce(cluster, leader)).toBe(false);
    cluster.settle();
    tick(heartbeatTicks);
    expect(servesAtOnce(cluster, leader)).toBe(true);
  });
});

describe('a follower that has promised', () => {
  test('[R6] [E9] neither campaigns nor votes when its connection breaks, and does both when the promise is over', () => {
    const { cluster, leader, tick } = leased();
    const [first, second] = [1, 2, 3].filter((id) => id !== leader.id) as [number, number];
    cluster.down.add(leader.id);
    for (const id of [first, second]) cluster.node(id).raft.peerLost(leader.id);
    cluster.settle();
    for (let turn = 0; turn < MIN_TICKS - heartbeatTicks - 2; turn++) {
      expect(cluster.leader()).toBeUndefined();
      tick(1);
    }
    expect(cluster.node(first).raft.role).toBe('follower');
    tick(heartbeatTicks * 2 + 4);
    expect([first, second]).toContain(cluster.leader()?.id);
  });

  test('[R6] votes for nobody else, not even in a later term that it has heard of, and not after a restart', () => {
    const clock = { now: 0 };
    const raft = { leaseClock: () => clock.now };
    const asking = { lastLogIndex: 9, lastLogTerm: 9, leadershipTransfer: false };
    const node = new SingleNode({ raft });
    const said = node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 1 });
    expect(said).toMatchObject([{ type: 'HeartbeatResponse', promise: true }]);
    node.say({ type: 'ReadIndexResponse', from: 3, term: 2, requestId: 1, readIndex: 0 });
    expect(node.raft.currentTerm).toBe(2);
    expect(node.say({ type: 'RequestVote', from: 3, term: 2, ...asking })).toEqual([]);
    const again = new SingleNode({ raft, hardState: node.hardState });
    expect(again.say({ type: 'RequestVote', from: 3, term: 2, ...asking })).toEqual([]);
    const [refused] = ofType(again.say({ type: 'PreVote', from: 3, ...asking, term: 3 }), 'PreVoteResponse');
    expect(refused?.voteGranted).toBe(false);
    again.tick(MIN_TICKS);
    expect(again.say({ type: 'RequestVote', from: 3, term: 2, ...asking })).toMatchObject([
      { type: 'RequestVoteResponse', voteGranted: true },
    ]);
  });

  test('[R6] [E10] votes for the successor that its leader has asked to campaign', () => {
    const { cluster, leader } = leased();
    const other = [1, 2, 3].find((id) => id !== leader.id) ?? 0;
    leader.raft.transferLeadership(other);
    cluster.settle();
    expect(cluster.leader()?.id).toBe(other);
  });

  test('without lease reads, nothing is promised', () => {
    const node = new SingleNode();
    const said = node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 1 });
    expect(said).toEqual([{ type: 'HeartbeatResponse', from: 1, to: 2, term: 1, readRound: 1 }]);
  });
});
