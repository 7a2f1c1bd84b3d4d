// The core's part in snapshots: who needs one, when it takes the log's place, and how it ends whatever is lost.
import { describe, expect, test } from 'vitest';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { command } from './core-cluster.ts';
import { entry, ofType, SingleNode } from './single-node.ts';

const { heartbeatTicks } = DEFAULT_RAFT_OPTIONS;

/** A leader of term 1 whose log up to `compacted` of 20 is in a snapshot, and follower 3, which has none of it. */
function leaderWithSnapshot(compacted: number): SingleNode {
  const node = new SingleNode();
  node.becomeLeader();
  for (let turn = 0; turn < 19; turn++) node.raft.propose([command(`v${turn}`)]);
  node.settle();
  node.say(acknowledged({ from: 2, matchIndex: 20 }));
  expect(node.raft.commitIndex).toBe(20);
  node.raft.compact(compacted);
  node.say({ ...refused({ from: 3, prevLogIndex: 0 }), conflictIndex: 0, conflictTerm: 0 });
  return node;
}

function stateOf(node: SingleNode) {
  return node.raft.status().progress.find(({ id }) => id === 3);
}

const wanted = (node: SingleNode) => node.history.flatMap((ready) => ready.snapshotsWanted);

describe('a leader', () => {
  test('[S7] asks its host for a snapshot when the entries that a follower needs are compacted away', () => {
    const node = leaderWithSnapshot(10);
    expect(stateOf(node)?.state).toBe('snapshot');
    expect(wanted(node)).toEqual([3]);
    const said = node.say(acknowledged({ from: 3, matchIndex: 15 }));
    expect(ofType(said, 'AppendEntries')).toMatchObject([{ to: 3, prevLogIndex: 15 }]);
    expect(stateOf(node)).toMatchObject({ state: 'replicate', matchIndex: 15 });
  });

  test('[S7] a follower whose snapshot was overtaken by a compaction gets the next one', () => {
    const node = leaderWithSnapshot(10);
    // Two more snapshots were taken while the first travelled.
    node.raft.compact(18);
    node.say(acknowledged({ from: 3, matchIndex: 10 }));
    expect(stateOf(node)).toMatchObject({ state: 'snapshot', matchIndex: 10 });
    expect(wanted(node)).toEqual([3, 3]);
  });

  test('[S7] [L9] that the snapshot is in force is enough, should the acknowledgement be lost', () => {
    const node = leaderWithSnapshot(10);
    const answer = { lastIncludedIndex: 10, offset: 99, installed: true };
    const said = node.say({ type: 'InstallSnapshotResponse', from: 3, term: 1, ...answer });
    expect(ofType(said, 'AppendEntries')).toMatchObject([{ to: 3, prevLogIndex: 10 }]);
    expect(stateOf(node)?.state).toBe('probe');
  });

  test('[S7] the host gives up: asked again with the next heartbeat', () => {
    const node = leaderWithSnapshot(10);
    node.raft.snapshotFailed(3);
    node.tick(heartbeatTicks);
    node.say({ type: 'HeartbeatResponse', from: 3, term: 1, readRound: 0 });
    node.say({ ...refused({ from: 3, prevLogIndex: 10 }), conflictIndex: 0, conflictTerm: 0 });
    expect(wanted(node)).toEqual([3, 3]);
  });
});

describe('a follower', () => {
  const chunk = { lastIncludedIndex: 9, lastIncludedTerm: 1, offset: 0, done: true, totalBytes: 1 } as const;
  const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [] };
  const data = new Uint8Array(1);

  test('[S8] [E11] a snapshot brings back what was lost', () => {
    const node = new SingleNode({ hardState: { currentTerm: 1 }, logTerms: [1], refetchIndex: 5 });
    node.say({ type: 'InstallSnapshot', from: 2, term: 1, configuration, data, ...chunk });
    expect(node.history.flatMap((ready) => ready.snapshotChunks)).toHaveLength(1);
    expect(node.raft.installSnapshot({ index: 9, term: 1, configuration })).toBe(true);
    expect(ofType(node.settle(), 'AppendEntriesResponse')).toMatchObject([
      { to: 2, success: true, matchIndex: 9 },
    ]);
    expect(node.raft.isRefetching).toBe(false);
    expect(node.raft.status()).toMatchObject({ lastIncludedIndex: 9, lastApplied: 9, stableIndex: 9 });
  });

  test('[S8] a log that holds the entry keeps what follows it', () => {
    const node = new SingleNode({
      hardState: { currentTerm: 1 },
      logTerms: Array.from({ length: 12 }, () => 1),
    });
    node.say({ type: 'InstallSnapshot', from: 2, term: 1, configuration, data, ...chunk });
    expect(node.raft.installSnapshot({ index: 9, term: 1, configuration })).toBe(false);
    expect(node.raft.status()).toMatchObject({ commitIndex: 9, lastIndex: 12, lastIncludedIndex: 0 });
  });

  test('what is compacted counts as durable: the snapshot is', () => {
    const node = new SingleNode();
    const entries = [entry(1, 1), entry(2, 1)];
    const sent = { prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 2 };
    node.raft.step({ type: 'AppendEntries', from: 2, to: 1, term: 1, ...sent });
    node.take();
    node.raft.compact(2);
    expect(node.raft.status().stableIndex).toBe(2);
    node.sync();
    expect(node.raft.status()).toMatchObject({ stableIndex: 2, lastIndex: 2 });
  });
});

function acknowledged(answer: { from: number; matchIndex: number }) {
  const rest = { success: true, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 } as const;
  return { type: 'AppendEntriesResponse', term: 1, ...answer, ...rest } as const;
}

function refused(answer: { from: number; prevLogIndex: number }) {
  return { type: 'AppendEntriesResponse', term: 1, success: false, matchIndex: 0, ...answer } as const;
}
