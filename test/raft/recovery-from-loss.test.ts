// What a core does with losses: of messages under way, of its own log, of its memory at a restart.
import { describe, expect, test } from 'vitest';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { CoreCluster, command, textOf } from './core-cluster.ts';
import { entry, ofType, SingleNode } from './single-node.ts';

const [MIN_TICKS, MAX_TICKS] = DEFAULT_RAFT_OPTIONS.electionTimeoutTicks;
const { heartbeatTicks } = DEFAULT_RAFT_OPTIONS;
const append = { type: 'AppendEntries', from: 2, leaderCommit: 0 } as const;

describe('a window full of lost messages', () => {
  test.each([
    ['messages', { inflightMessagesMax: 4 }],
    ['bytes', { inflightBytesMax: 200 }],
  ])('[L9] counted in %s: the next heartbeat finds out, and the follower catches up', (_what, raft) => {
    const cluster = new CoreCluster({ seed: 7, raft });
    const leader = cluster.elect();
    cluster.tick(6);
    const target = leader.id === 1 ? 2 : 1;
    // As a cut link: messages vanish, and no connection breaks.
    cluster.passes = (message) => message.to !== target || message.type !== 'AppendEntries';
    for (let turn = 0; turn < 20; turn++) {
      cluster.propose(`v${turn}`, leader);
      cluster.settle();
    }
    cluster.passes = () => true;
    cluster.tick(heartbeatTicks * 2);
    expect(cluster.node(target).applied.map(textOf)).toContain('v19');
  });

  test('[L6] [L9] a follower that is only slow gets no entry twice', () => {
    const node = new SingleNode({ raft: { inflightMessagesMax: 2 } });
    node.becomeLeader();
    node.say(acknowledged({ from: 2, term: 1, matchIndex: 1 }));
    for (let turn = 0; turn < 5; turn++) {
      node.raft.propose([command(`v${turn}`)]);
      node.settle();
    }
    node.tick(heartbeatTicks);
    const said = node.say({ type: 'HeartbeatResponse', from: 2, term: 1, readRound: 0 });
    expect(ofType(said, 'AppendEntries')).toMatchObject([{ prevLogIndex: 3, entries: [] }]);
  });

  test('[L9] [S7] and the log has been cut behind them: the follower is asked for its beginning, and gets a snapshot', () => {
    const node = new SingleNode({ raft: { inflightMessagesMax: 2 } });
    node.becomeLeader();
    for (const from of [2, 3]) node.say(acknowledged({ from, term: 1, matchIndex: 1 }));
    for (let turn = 0; turn < 5; turn++) {
      node.raft.propose([command(`v${turn}`)]);
      node.settle();
      node.say(acknowledged({ from: 3, term: 1, matchIndex: turn + 2 }));
    }
    expect(node.raft.commitIndex).toBe(6);
    node.raft.compact(6);
    node.tick(heartbeatTicks);
    const said = node.say({ type: 'HeartbeatResponse', from: 2, term: 1, readRound: 0 });
    expect(ofType(said, 'AppendEntries')).toMatchObject([{ prevLogIndex: 6, entries: [] }]);
    const refusal = { success: false, matchIndex: 0, prevLogIndex: 6, conflictIndex: 1, conflictTerm: 1 };
    node.say({ type: 'AppendEntriesResponse', from: 2, term: 1, ...refusal });
    expect(node.history.flatMap(({ snapshotsWanted }) => snapshotsWanted)).toEqual([2]);
  });

  test('[L9] the heartbeats of a hundred read rounds bring a follower that is behind one message, not a hundred', () => {
    const node = new SingleNode();
    node.becomeLeader();
    node.say(acknowledged({ from: 2, term: 1, matchIndex: 1 }));
    node.raft.propose([command('for a follower that is still being probed')]);
    node.settle();
    node.tick(heartbeatTicks);
    let sent = 0;
    for (let round = 1; round <= 100; round++) {
      node.raft.readIndex(round);
      node.settle();
      for (const from of [2, 3]) {
        const said = node.say({ type: 'HeartbeatResponse', from, term: 1, readRound: round });
        sent += ofType(said, 'AppendEntries').length;
      }
    }
    expect(node.reads).toHaveLength(100);
    expect(sent).toBe(2);
  });
});

describe('a log that lost entries', () => {
  test('[E11] a node that lost nothing keeps its vote when a leader replaces its tail', () => {
    // What a whole log reports: it may have acknowledged everything that it has.
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1, 1, 1], refetchIndex: 3 });
    node.say({ ...append, term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 2)] });
    expect(node.raft.status()).toMatchObject({ lastIndex: 2, lastLogTerm: 2 });
    expect(node.raft.isRefetching).toBe(false);
    node.tick(MIN_TICKS);
    const candidate = { lastLogIndex: 2, lastLogTerm: 2, leadershipTransfer: false };
    const said = node.say({ type: 'RequestVote', from: 3, term: 3, ...candidate });
    expect(ofType(said, 'RequestVoteResponse')).toMatchObject([{ voteGranted: true }]);
  });

  test('[E11] once everything is back, a later cut takes no vote away', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1], refetchIndex: 3 });
    const back = [entry(2, 1), entry(3, 1)];
    node.say({ ...append, term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: back });
    expect(node.raft.isRefetching).toBe(false);
    const shorter = { prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 2)] };
    node.say({ ...append, from: 3, term: 2, ...shorter });
    expect(node.raft.isRefetching).toBe(false);
  });

  test('[E11] an entry that is not yet on disk is not back', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1], refetchIndex: 2 });
    node.raft.step({ ...append, to: 1, term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 1)] });
    node.take();
    expect(node.raft.isRefetching).toBe(true);
    node.sync();
    expect(node.raft.isRefetching).toBe(false);
  });

  test('[C7] the commit hint is not believed of a log with a hole: its tail may be of a dead leader', () => {
    // Before the hole: entries 2 and 3 of term 1. In it: their replacements of term 2, then committed.
    const hole = { hardState: { currentTerm: 2, commitIndex: 4 }, logTerms: [1, 1, 1], refetchIndex: 4 };
    const node = new SingleNode(hole);
    node.settle();
    expect(node.applied).toEqual([]);
    const entries = [entry(2, 2), entry(3, 2), entry(4, 2)];
    node.say({ ...append, term: 2, prevLogIndex: 1, prevLogTerm: 1, entries, leaderCommit: 4 });
    expect(node.applied.map((applied) => applied.term)).toEqual([1, 2, 2, 2]);
  });

  test('[C7] a whole log applies at once what it knows to be committed', () => {
    const whole = { hardState: { currentTerm: 1, commitIndex: 2 }, logTerms: [1, 1, 1], refetchIndex: 3 };
    const node = new SingleNode(whole);
    node.settle();
    expect(node.applied.map((applied) => applied.index)).toEqual([1, 2]);
  });
});

describe('a restart', () => {
  test('[R4] an answer to a read of before the restart serves none of after it', () => {
    const cluster = new CoreCluster({ seed: 3 });
    const leader = cluster.elect();
    cluster.tick(6);
    const reader = cluster.node(leader.id === 1 ? 2 : 1);
    const late: typeof cluster.inFlight = [];
    cluster.passes = (message) => {
      if (message.type !== 'ReadIndexResponse') return true;
      late.push(message);
      return false;
    };
    reader.raft.readIndex(1);
    cluster.settle();
    expect(late).toHaveLength(1);
    reader.restart();
    cluster.propose('written after the first read', leader);
    cluster.tick(6);
    reader.raft.readIndex(2);
    cluster.settle();
    for (const message of late.slice(0, 1)) reader.raft.step(message);
    cluster.settle();
    const wrong = reader.reads.filter(({ token, index }) => token === 2 && index !== 0 && index < 2);
    expect(wrong).toEqual([]);
  });
});

describe('bounds', () => {
  test('[E1] a term near the end of the numbers is ignored, or the next one would have no encoding', () => {
    const node = new SingleNode();
    const term = 2 ** 48 - 1;
    expect(node.say({ type: 'HeartbeatResponse', from: 2, term, readRound: 0 })).toEqual([]);
    expect(node.raft.currentTerm).toBe(0);
  });

  test('[R1] reads of a leader that cannot commit are bounded; the rest is told so', () => {
    const node = new SingleNode();
    node.becomeLeader();
    for (let token = 1; token <= 10_100; token++) node.raft.readIndex(token);
    node.settle();
    expect(node.reads).toHaveLength(100);
    expect(node.reads.every(({ index }) => index === 0)).toBe(true);
  });
});

describe('handing over', () => {
  test('[E10] asking again does not put off its end', () => {
    const node = new SingleNode();
    node.becomeLeader();
    for (const from of [2, 3]) node.say(acknowledged({ from, term: 1, matchIndex: 1 }));
    for (let tick = 0; tick <= MAX_TICKS; tick++) {
      node.raft.transferLeadership(2);
      node.tick(1);
      for (const from of [2, 3]) node.say({ type: 'HeartbeatResponse', from, term: 1, readRound: 0 });
      if (node.events.some((event) => event.type === 'transferEnded')) return;
    }
    expect.fail('the handing over never ended');
  });

  test('[E10] another successor ends the first handing over', () => {
    const node = new SingleNode();
    node.becomeLeader();
    node.raft.transferLeadership(2);
    node.raft.transferLeadership(3);
    node.settle();
    const changes = node.events.filter((event) => event.type.startsWith('transfer'));
    expect(changes).toMatchObject([
      { type: 'transferStarted', target: 2 },
      { type: 'transferEnded', target: 2, completed: false },
      { type: 'transferStarted', target: 3 },
    ]);
  });

  test('[E13] a node that must not lead keeps voting and keeps time, but neither campaigns nor takes over', () => {
    const node = new SingleNode();
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    node.raft.setEligible(false);
    expect(node.tick(MAX_TICKS * 2)).toEqual([]);
    node.say({ type: 'TimeoutNow', from: 2, term: 1 });
    expect(node.raft.role).toBe('follower');
    const asked = { lastLogIndex: 0, lastLogTerm: 0, leadershipTransfer: false };
    const said = node.say({ type: 'RequestVote', from: 3, term: 2, ...asked });
    expect(ofType(said, 'RequestVoteResponse')).toMatchObject([{ voteGranted: true }]);
    node.raft.setEligible(true);
    expect(ofType(node.tick(MAX_TICKS), 'PreVote')).toHaveLength(2);
  });
});

test('a change of the known leader alone is told to the host', () => {
  const node = new SingleNode({ nodeId: 3, voters: [3, 1, 2] });
  node.say({ type: 'Heartbeat', from: 1, term: 1, leaderCommit: 0, readRound: 0 });
  node.raft.peerLost(1);
  node.take();
  expect(node.history.at(-1)?.softState).toEqual({ role: 'follower', leaderId: 0 });
});

function acknowledged(answer: { from: number; term: number; matchIndex: number }) {
  const rest = { success: true, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 } as const;
  return { type: 'AppendEntriesResponse', ...answer, ...rest } as const;
}
