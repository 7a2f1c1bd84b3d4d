import { describe, expect, test } from 'vitest';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { CoreCluster, command, seededRandom, textOf } from './core-cluster.ts';
import { entry, ofType, SingleNode } from './single-node.ts';

const append = { type: 'AppendEntries', from: 2, leaderCommit: 0 } as const;
const termsOf = (node: SingleNode): number[] => {
  const { lastIndex } = node.raft.status();
  node.say({ ...append, term: 99, prevLogIndex: lastIndex, prevLogTerm: 0, entries: [] });
  const all: number[] = [];
  for (const ready of node.history) for (const { index, term } of ready.entries) all[index - 1] = term;
  return all.slice(0, lastIndex);
};

describe('a follower', () => {
  test('[L2] takes entries where its log agrees with the leader', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1, 1] });
    const said = node.say({ ...append, term: 2, prevLogIndex: 2, prevLogTerm: 1, entries: [entry(3, 2)] });
    expect(ofType(said, 'AppendEntriesResponse')).toMatchObject([{ success: true, matchIndex: 3 }]);
  });

  // Raft paper figure 7: followers (a) to (f) against the leader of term 8 with the log 1 1 1 4 4 5 5 6 6 6.
  test.each([
    ['a', [1, 1, 1, 4, 4, 5, 5, 6, 6], 9],
    ['b', [1, 1, 1, 4], 4],
    ['c', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], null],
    ['d', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], null],
    ['e', [1, 1, 1, 4, 4, 4, 4], 7],
    ['f', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], 3],
  ])(
    '[L2] [L5] figure 7, follower %s: refuses at index 10 with a hint, or agrees',
    (_name, logTerms, hint) => {
      const node = new SingleNode({ hardState: { currentTerm: 7 }, logTerms });
      const said = node.say({ ...append, term: 8, prevLogIndex: 10, prevLogTerm: 6, entries: [] });
      const [answer] = ofType(said, 'AppendEntriesResponse');
      if (hint === null) {
        expect(answer).toMatchObject({ success: true, matchIndex: 10 });
      } else {
        expect(answer).toMatchObject({ success: false, prevLogIndex: 10 });
        expect(answer?.conflictIndex).toBeGreaterThanOrEqual(hint);
      }
    },
  );

  test('[L3] an old message never shortens the log', () => {
    const node = new SingleNode();
    const entries = [entry(1, 1), entry(2, 1), entry(3, 1)];
    node.say({ ...append, term: 1, prevLogIndex: 0, prevLogTerm: 0, entries });
    const said = node.say({
      ...append,
      term: 1,
      prevLogIndex: 0,
      prevLogTerm: 0,
      entries: entries.slice(0, 1),
    });
    expect(ofType(said, 'AppendEntriesResponse')).toMatchObject([{ success: true, matchIndex: 1 }]);
    expect(node.raft.status().lastIndex).toBe(3);
  });

  test('[L4] truncates a conflicting suffix and keeps the matching prefix', () => {
    const node = new SingleNode({ hardState: { currentTerm: 3 }, logTerms: [1, 2, 2, 3] });
    const entries = [entry(2, 2), entry(3, 4)];
    node.say({ ...append, term: 4, prevLogIndex: 1, prevLogTerm: 1, entries });
    expect(node.raft.status()).toMatchObject({ lastIndex: 3, lastLogTerm: 4 });
    expect(node.events).toContainEqual({
      type: 'logTruncated',
      term: 4,
      fromIndex: 3,
      toIndex: 4,
      rule: 'L4',
    });
  });

  test('[L4] what was cut and handed to the disk before does not count as durable afterwards', () => {
    const node = new SingleNode();
    const say = (term: number, entries: ReturnType<typeof entry>[]) =>
      node.raft.step({ ...append, to: 1, from: term + 1, term, prevLogIndex: 0, prevLogTerm: 0, entries });
    say(1, [entry(1, 1), entry(2, 1)]);
    node.take();
    const [first] = node.unsynced.splice(0);
    say(2, [entry(1, 2)]);
    node.take();
    if (first !== undefined) node.raft.advance(first);
    expect(node.raft.status().stableIndex).toBe(0);
    node.sync();
    expect(node.raft.status()).toMatchObject({ stableIndex: 1, lastIndex: 1 });
  });

  test('[L8] acknowledges only after the sync, once for all messages of a turn', () => {
    const node = new SingleNode();
    for (const index of [1, 2, 3]) {
      const prevLogTerm = index === 1 ? 0 : 1;
      const message = { ...append, to: 1, term: 1, prevLogIndex: index - 1, prevLogTerm };
      node.raft.step({ ...message, entries: [entry(index, 1)] });
    }
    expect(ofType(node.take(), 'AppendEntriesResponse')).toEqual([]);
    expect(ofType(node.sync(), 'AppendEntriesResponse')).toMatchObject([{ success: true, matchIndex: 3 }]);
  });

  test('[C5] commits no further than the message vouches for', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1, 1, 1] });
    const message = { ...append, term: 2, prevLogTerm: 1, entries: [], leaderCommit: 3 };
    node.say({ ...message, prevLogIndex: 1 });
    expect(node.raft.commitIndex).toBe(1);
    node.say({ ...message, prevLogIndex: 3 });
    expect(node.applied.map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  test('[C1] a repeated old message moves no commit back and gets an answer', () => {
    const node = new SingleNode();
    const entries = [entry(1, 1), entry(2, 1)];
    node.say({ ...append, term: 1, prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 2 });
    const said = node.say({ ...append, term: 1, prevLogIndex: 0, prevLogTerm: 0, entries });
    expect(ofType(said, 'AppendEntriesResponse')).toMatchObject([{ success: true, matchIndex: 2 }]);
    expect(node.raft.commitIndex).toBe(2);
  });

  test.each([
    ['a gap', [entry(5, 1)]],
    ['terms that fall', [entry(1, 1), entry(2, 0)]],
    ['a term beyond the leader', [entry(1, 7)]],
  ])('entries with %s are ignored', (_what, entries) => {
    const node = new SingleNode();
    const said = node.say({ ...append, term: 1, prevLogIndex: 0, prevLogTerm: 0, entries });
    expect(said).toEqual([]);
    expect(node.raft.status().lastIndex).toBe(0);
  });
});

describe('a leader', () => {
  test('[C4] begins with an entry of its term, sent at once', () => {
    const said = new SingleNode().becomeLeader();
    const appends = ofType(said, 'AppendEntries');
    expect(appends.map(({ to, entries }) => [to, entries.length, entries[0]?.kind])).toEqual([
      [2, 1, 2],
      [3, 1, 2],
    ]);
  });

  test('sends in parallel with its own disk', () => {
    const node = new SingleNode();
    node.becomeLeader();
    node.say({ ...ok(2), matchIndex: 1 });
    node.raft.propose([command('x')]);
    expect(ofType(node.take(), 'AppendEntries').map(({ to }) => to)).toContain(2);
    expect(node.unsynced.some((ready) => ready.entries.length === 1)).toBe(true);
  });

  test('[L8] [C2] one follower and no own sync are no majority; two followers are', () => {
    const node = new SingleNode();
    node.becomeLeader();
    for (const from of [2, 3]) node.say({ ...ok(from), matchIndex: 1 });
    node.raft.propose([command('x')]);
    node.take();
    node.raft.step({ ...ok(2), to: 1, matchIndex: 2 });
    expect(node.raft.commitIndex).toBe(1);
    node.raft.step({ ...ok(3), to: 1, matchIndex: 2 });
    expect(node.raft.commitIndex).toBe(2);
  });

  test('[C2] its own sync and one follower are a majority', () => {
    const node = new SingleNode();
    node.becomeLeader();
    node.raft.propose([command('x')]);
    node.settle();
    expect(node.raft.commitIndex).toBe(0);
    node.say({ ...ok(2), matchIndex: 2 });
    expect(node.raft.commitIndex).toBe(2);
    expect(node.applied.map(textOf)).toEqual(['<2>', 'x']);
  });

  // Raft paper figure 8: an entry of an earlier term on a majority is not committed by counting.
  test('[C3] figure 8: an old entry commits only with one of the own term', () => {
    const node = new SingleNode({ hardState: { currentTerm: 3 }, logTerms: [1, 2] });
    node.becomeLeader();
    node.say({ ...ok(2, 4), matchIndex: 2 });
    node.say({ ...ok(3, 4), matchIndex: 2 });
    expect(node.raft.commitIndex).toBe(0);
    node.say({ ...ok(2, 4), matchIndex: 3 });
    expect(node.raft.commitIndex).toBe(3);
  });

  test('an acknowledgement of what it never had is ignored', () => {
    const node = new SingleNode();
    node.becomeLeader();
    expect(node.say({ ...ok(2), matchIndex: 1000 })).toEqual([]);
    expect(node.raft.commitIndex).toBe(0);
  });

  test('[L5] skips whole terms when a follower refuses', () => {
    const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const node = new SingleNode({ hardState: { currentTerm: 7 }, logTerms: leaderTerms });
    node.becomeLeader();
    // Figure 7, follower (f): terms 2 and 3 that nobody else has; its best hint is index 3.
    const said = node.say({ ...no(2, 8), prevLogIndex: 10, conflictIndex: 10, conflictTerm: 3 });
    expect(ofType(said, 'AppendEntries')).toMatchObject([{ to: 2, prevLogIndex: 3, prevLogTerm: 1 }]);
  });

  test('a stale refusal changes nothing', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1, 1, 1] });
    node.becomeLeader();
    node.say({ ...ok(2, 2), matchIndex: 4 });
    const said = node.say({ ...no(2, 2), prevLogIndex: 3, conflictIndex: 0, conflictTerm: 0 });
    expect(said).toEqual([]);
    expect(node.raft.status().progress.find(({ id }) => id === 2)).toMatchObject({
      matchIndex: 4,
      nextIndex: 5,
    });
  });

  test('[L6] the window bounds what is under way to a silent follower, in messages and in bytes', () => {
    const node = new SingleNode({ raft: { inflightMessagesMax: 4, inflightBytesMax: 1000 } });
    node.becomeLeader();
    for (const from of [2, 3]) node.say({ ...ok(from), matchIndex: 1 });
    const sent = [];
    for (let turn = 0; turn < 20; turn++) {
      node.raft.propose([command(`v${turn}`)]);
      sent.push(...ofType(node.settle(), 'AppendEntries').filter(({ to }) => to === 2));
    }
    expect(sent).toHaveLength(4);
    const said = node.say({ ...ok(2), matchIndex: 3 });
    expect(ofType(said, 'AppendEntries')).toHaveLength(1);
    for (let turn = 0; turn < 5; turn++) {
      node.raft.propose([command('y'.repeat(600))]);
      node.settle();
    }
    expect(node.raft.status().progress[0]?.inflightBytes).toBeLessThan(1000 + 6000);
  });

  test('[L6] one message holds at most messageBytesMax, and a larger entry travels alone', () => {
    const node = new SingleNode({ raft: { messageBytesMax: 200 } });
    node.becomeLeader();
    node.raft.propose([command('a'.repeat(100)), command('b'.repeat(500)), command('c'), command('d')]);
    node.settle();
    const said = node.say({ ...ok(2), matchIndex: 1 });
    const appends = ofType(said, 'AppendEntries').map(({ entries }) => entries.length);
    expect(appends).toEqual([1, 1, 2]);
  });

  test('[L7] too much uncommitted is refused, and taken again after the commit', () => {
    const node = new SingleNode({ raft: { uncommittedBytesMax: 500 } });
    node.becomeLeader();
    node.say({ ...ok(2), matchIndex: 1 });
    expect(node.raft.propose([command('a'.repeat(450))])).toMatchObject({ accepted: true });
    expect(node.raft.propose([command('b'.repeat(450))])).toEqual({
      accepted: false,
      why: 'tooMuchUncommitted',
    });
    node.settle();
    node.say({ ...ok(2), matchIndex: 2 });
    expect(node.raft.propose([command('b'.repeat(450))])).toMatchObject({ accepted: true, firstIndex: 3 });
  });

  test('[L9] a lost message is made up for by the next heartbeat', () => {
    const cluster = new CoreCluster({ seed: 7 });
    const leader = cluster.elect();
    cluster.tick(6);
    const target = leader.id === 1 ? 2 : 1;
    cluster.passes = (message) => message.to !== target || message.type !== 'AppendEntries';
    cluster.propose('x', leader);
    cluster.settle();
    cluster.passes = () => true;
    cluster.tick(DEFAULT_RAFT_OPTIONS.heartbeatTicks * 3);
    expect(cluster.node(target).applied.map(textOf)).toContain('x');
  });

  test('[L10] a follower that lost what it acknowledged is brought level again', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1, 1, 1, 1] });
    node.becomeLeader();
    node.say({ ...ok(2, 2), matchIndex: 5 });
    expect(node.raft.commitIndex).toBe(5);
    node.raft.peerConnected(2);
    const [probe] = ofType(node.settle(), 'AppendEntries');
    expect(probe).toMatchObject({ prevLogIndex: 5, entries: [] });
    const said = node.say({ ...no(2, 2), prevLogIndex: 5, conflictIndex: 2, conflictTerm: 1 });
    expect(ofType(said, 'AppendEntries')).toMatchObject([{ prevLogIndex: 2 }]);
    node.say({ ...ok(2, 2), matchIndex: 5 });
    expect(node.raft.status().progress[0]).toMatchObject({ id: 2, matchIndex: 5 });
    expect(node.raft.commitIndex).toBe(5);
  });

  test('proposals on a follower are refused', () => {
    expect(new SingleNode().raft.propose([command('x')])).toEqual({ accepted: false, why: 'notLeader' });
  });
});

describe('reads', () => {
  test('[R1] wait for the first commit of the term', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1, commitIndex: 2 }, logTerms: [1, 1] });
    node.becomeLeader();
    node.raft.readIndex(1);
    expect(node.raft.hasReady()).toBe(false);
    node.say({ ...ok(2, 2), matchIndex: 3 });
    node.say({ type: 'HeartbeatResponse', from: 2, term: 2, readRound: 1 });
    expect(node.reads).toEqual([{ token: 1, index: 3 }]);
  });

  test('[R2] all reads of a turn share one round, confirmed by a majority only', () => {
    const node = new SingleNode({ voters: [1, 2, 3, 4, 5] });
    node.raft.campaign();
    node.settle();
    for (const from of [2, 3]) node.say({ type: 'PreVoteResponse', from, term: 1, voteGranted: true });
    for (const from of [2, 3]) node.say({ type: 'RequestVoteResponse', from, term: 1, voteGranted: true });
    for (const from of [2, 3]) node.say({ ...ok(from), matchIndex: 1 });
    for (const token of [1, 2, 3]) node.raft.readIndex(token);
    expect(ofType(node.settle(), 'Heartbeat').map(({ to, readRound }) => [to, readRound])).toEqual([
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
    ]);
    node.say({ type: 'HeartbeatResponse', from: 2, term: 1, readRound: 1 });
    node.say({ type: 'HeartbeatResponse', from: 2, term: 1, readRound: 1 });
    node.say({ type: 'HeartbeatResponse', from: 4, term: 1, readRound: 0 });
    expect(node.reads).toEqual([]);
    node.say({ type: 'HeartbeatResponse', from: 5, term: 1, readRound: 1 });
    expect(node.reads.map(({ token }) => token)).toEqual([1, 2, 3]);
  });

  test('[R2] a later round confirms the earlier ones', () => {
    const node = new SingleNode();
    node.becomeLeader();
    node.say({ ...ok(2), matchIndex: 1 });
    for (const token of [1, 2]) {
      node.raft.readIndex(token);
      node.settle();
    }
    node.say({ type: 'HeartbeatResponse', from: 3, term: 1, readRound: 2 });
    expect(node.reads).toEqual([
      { token: 1, index: 1 },
      { token: 2, index: 1 },
    ]);
  });

  test('[R3] a deposed leader serves none of them', () => {
    const node = new SingleNode();
    node.becomeLeader();
    node.say({ ...ok(2), matchIndex: 1 });
    node.raft.readIndex(1);
    node.settle();
    node.say({ type: 'Heartbeat', from: 3, term: 2, leaderCommit: 0, readRound: 0 });
    node.say({ type: 'HeartbeatResponse', from: 2, term: 1, readRound: 1 });
    expect(node.reads).toEqual([{ token: 1, index: 0 }]);
  });

  test('[R4] a follower serves at the index that its leader vouches for', () => {
    const cluster = new CoreCluster({ seed: 8 });
    const leader = cluster.elect();
    cluster.propose('x', leader);
    cluster.settle();
    const follower = cluster.node(leader.id === 1 ? 2 : 1);
    for (const token of [7, 8]) follower.raft.readIndex(token);
    cluster.settle();
    expect(follower.reads).toEqual([
      { token: 7, index: 2 },
      { token: 8, index: 2 },
    ]);
  });

  test('[R4] without a leader, or without an answer, a follower fails its reads', () => {
    const node = new SingleNode();
    node.raft.readIndex(1);
    node.settle();
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    node.raft.readIndex(2);
    expect(ofType(node.settle(), 'ReadIndex')).toMatchObject([{ to: 2 }]);
    node.tick(DEFAULT_RAFT_OPTIONS.electionTimeoutTicks[0]);
    expect(node.reads).toEqual([
      { token: 1, index: 0 },
      { token: 2, index: 0 },
    ]);
  });
});

test('garbage of any kind, in any order, breaks nothing (seeds 1 to 200)', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const pick = (max: number): number => Math.floor(random() * max);
    const node = new SingleNode({ logTerms: [1, 1, 2], hardState: { currentTerm: 2 } });
    for (let turn = 0; turn < 100; turn++) {
      const types = [
        'PreVote',
        'RequestVote',
        'AppendEntries',
        'Heartbeat',
        'TimeoutNow',
        'ReadIndex',
      ] as const;
      const answers = [
        'PreVoteResponse',
        'RequestVoteResponse',
        'AppendEntriesResponse',
        'HeartbeatResponse',
      ] as const;
      const type = random() < 0.5 ? types[pick(types.length)] : answers[pick(answers.length)];
      const message = {
        type,
        from: 2 + pick(3),
        to: 1,
        term: pick(6),
        lastLogIndex: pick(6),
        lastLogTerm: pick(4),
        leadershipTransfer: random() < 0.3,
        voteGranted: random() < 0.7,
        prevLogIndex: 3 + pick(4),
        prevLogTerm: pick(4),
        entries: random() < 0.5 ? [] : [entry(4 + pick(3), pick(6))],
        leaderCommit: pick(9),
        success: random() < 0.5,
        matchIndex: pick(9),
        conflictIndex: pick(9),
        conflictTerm: pick(4),
        readRound: pick(5),
        requestId: pick(5),
      };
      node.say(message as Parameters<SingleNode['say']>[0]);
      if (random() < 0.3) node.tick(pick(20));
      const { commitIndex, lastApplied, lastIndex } = node.raft.status();
      if (!(lastApplied <= commitIndex && commitIndex <= lastIndex))
        throw new Error(`seed ${seed}: marks out of order`);
    }
  }
});

test('terms of the log survive a conflict as the leader has them', () => {
  const node = new SingleNode({ hardState: { currentTerm: 3 } });
  node.say({
    ...append,
    term: 3,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [entry(1, 1), entry(2, 2), entry(3, 3)],
  });
  node.say({ ...append, term: 4, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 4), entry(3, 4)] });
  expect(termsOf(node)).toEqual([1, 4, 4]);
});

function ok(from: number, term = 1) {
  const answer = { success: true, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 } as const;
  return { type: 'AppendEntriesResponse', from, term, ...answer } as const;
}

function no(from: number, term: number) {
  return { type: 'AppendEntriesResponse', from, term, success: false, matchIndex: 0 } as const;
}
