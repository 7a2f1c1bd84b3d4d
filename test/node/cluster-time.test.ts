// The leader's time under clocks that are wrong, and the entries that end keys.
import { describe, expect, test } from 'vitest';
import { Keyspace } from '../../engine/kv/keyspace.ts';
import { ClusterTime } from '../../engine/node/cluster-time.ts';
import { encodeProposal } from '../../engine/protocol/command-codec.ts';
import { SingleNode } from '../raft/single-node.ts';

const T = 1_700_000_000_000;

function open() {
  const { raft } = new SingleNode({});
  const keyspace = new Keyspace();
  const clocks = { wall: T, monotonic: 5 };
  const time = new ClusterTime({
    raft,
    keyspace,
    wallClock: () => clocks.wall,
    monotonicClock: () => clocks.monotonic,
  });
  const pass = (ms: number) => {
    clocks.wall += ms;
    clocks.monotonic += ms;
  };
  let index = 1;
  const apply = (at: number, ttlMs: number) => {
    const expiry = { type: 'after', ms: ttlMs } as const;
    const set = { type: 'setWith', key: `k${index}`, value: 'v', kind: 0, when: 'always', expiry } as const;
    const command = { ...set, returnsPrevious: false };
    keyspace.apply(++index, 1, encodeProposal({ command, session: null }, at).data);
  };
  return { raft, keyspace, clocks, time, pass, apply };
}

describe('[K7] the time of proposals', () => {
  test('is the clock of this node, in whole milliseconds', () => {
    const { time, pass } = open();
    expect(time.now()).toBe(T);
    pass(1.5);
    expect(time.now()).toBe(T + 1);
    pass(0.5);
    expect(time.now()).toBe(T + 2);
  });

  test('goes on from what the log says where the clock is behind it, and at its own pace', () => {
    const { time, pass, apply } = open();
    apply(T + 60_000, 1);
    expect(time.now()).toBe(T + 60_000);
    pass(500);
    expect(time.now()).toBe(T + 60_500);
    for (let step = 0; step < 1000; step++) {
      pass(0.25);
      time.now();
    }
    expect(time.now()).toBe(T + 60_750);
  });

  test('does not follow a clock that is turned back, and does follow one that is set right', () => {
    const { time, clocks, pass } = open();
    expect(time.now()).toBe(T);
    clocks.wall -= 3_600_000;
    pass(100);
    expect(time.now()).toBe(T + 100);
    clocks.wall = T + 5000;
    expect(time.now()).toBe(T + 5000);
  });

  test('is one for all proposals of a turn', () => {
    const { time, pass } = open();
    expect(time.stamp()).toBe(T);
    pass(10);
    expect(time.stamp()).toBe(T);
    time.keep();
    expect(time.stamp()).toBe(T + 10);
  });
});

describe('[K8] the end of a key', () => {
  test('is proposed by the leader alone, once it has come, and one entry at a time', () => {
    const { raft, keyspace, time, pass, apply } = open();
    apply(T, 100);
    pass(100);
    time.keep();
    expect(time.waitIndex).toBe(0); // it does not lead
    raft.campaign();
    drain(raft);
    for (const type of ['PreVoteResponse', 'RequestVoteResponse'] as const) {
      raft.step({ type, from: 2, to: 1, term: 1, voteGranted: true });
      drain(raft);
    }
    expect(raft.role).toBe('leader');
    // As long as it has not come, there is nothing to propose.
    const early = new ClusterTime({ raft, keyspace, wallClock: () => T + 99 });
    early.keep();
    expect(early.waitIndex).toBe(0);
    time.keep();
    const index = time.waitIndex;
    expect(index).toBe(2);
    pass(1000);
    time.keep();
    expect(time.waitIndex).toBe(index);
    expect(raft.status().lastIndex).toBe(2);
    // Deposed: what it proposed may never come, and nothing waits for it.
    raft.step({ type: 'Heartbeat', from: 3, to: 1, term: 9, leaderCommit: 0, readRound: 0 });
    expect(time.waitIndex).toBe(0);
  });
});

function drain(raft: SingleNode['raft']): void {
  while (raft.hasReady()) raft.advance(raft.ready());
}
