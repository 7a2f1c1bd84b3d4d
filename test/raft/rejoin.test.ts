// A member whose folder was emptied: what it must not do before it is whole again. [E14]

import { describe, expect, test } from 'vitest';
import { configurationCodec } from '../../engine/protocol/configuration-codec.ts';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { Raft } from '../../engine/raft/raft.ts';
import {
  type Configuration,
  type Entry,
  EntryKind,
  type Message,
  type NodeId,
} from '../../engine/raft/types.ts';
import { CoreCluster, type CoreNode, command, seededRandom, textOf } from './core-cluster.ts';
import { entry, ofType, SingleNode } from './single-node.ts';

const { electionTimeoutTicks, heartbeatTicks } = DEFAULT_RAFT_OPTIONS;
const [, MAX_TICKS] = electionTimeoutTicks;

function others(node: CoreNode): [NodeId, NodeId] {
  const [first = 0, second = 0] = [1, 2, 3].filter((id) => id !== node.id);
  return [first, second];
}

/** Wiped while it was down: the others see a new connection, as they do of any node that starts. */
function wipe(cluster: CoreCluster, nodeId: NodeId): void {
  cluster.node(nodeId).wipe();
  for (const peer of cluster.nodes.values()) {
    if (peer.id !== nodeId && !cluster.down.has(peer.id)) peer.raft.peerConnected(nodeId);
  }
}

/** A leader, and some entries on all three. */
function settled(seed: number) {
  const cluster = new CoreCluster({ seed });
  const leader = cluster.elect();
  for (let turn = 0; turn < 5; turn++) cluster.propose(`v${turn}`, leader);
  cluster.tick(heartbeatTicks * 2);
  const [wiped, third] = others(leader);
  return { cluster, leader, wiped, third };
}

describe('a member without memory', () => {
  test('[E14] becomes a voter once it has everything back', () => {
    const { cluster, leader, wiped } = settled(1);
    wipe(cluster, wiped);
    expect(cluster.node(wiped).raft.isRefetching).toBe(true);
    cluster.tick(heartbeatTicks * 10);
    const node = cluster.node(wiped);
    expect(node.raft.isRefetching).toBe(false);
    expect(node.applied.map(textOf)).toEqual(leader.applied.map(textOf));
    expect(node.disk.hardState.currentTerm).toBe(leader.raft.currentTerm);
    expect(node.disk.hardState.votedFor).toBe(wiped);
    node.raft.campaign();
    cluster.settle();
    cluster.tick(MAX_TICKS * 2);
    cluster.down.add(leader.id);
    expect(cluster.elect().id).not.toBe(leader.id);
  });

  test('[E14] elects nobody who lacks what only it and the lost leader had', () => {
    const { cluster, leader, wiped, third } = settled(2);
    // Committed by the leader and the one that is wiped next; the third was cut off.
    cluster.passes = (message) => message.to !== third && message.from !== third;
    cluster.propose('precious', leader);
    cluster.settle();
    expect(leader.applied.map(textOf)).toContain('precious');
    wipe(cluster, wiped);
    cluster.down.add(leader.id);
    cluster.passes = () => true;
    cluster.tick(MAX_TICKS * 20);
    // The control: with the vote of a node that does not know what it forgot, the third would lead by now.
    expect(cluster.leader()).toBeUndefined();
    cluster.down.delete(leader.id);
    leader.restart();
    cluster.tick(MAX_TICKS * 20);
    expect(cluster.node(wiped).applied.map(textOf)).toContain('precious');
    expect(cluster.node(third).applied.map(textOf)).toContain('precious');
  });

  test('[E14] the same loss unannounced does lose the entry: the rule is not for show', () => {
    const { cluster, leader, wiped, third } = settled(2);
    cluster.passes = (message) => message.to !== third && message.from !== third;
    cluster.propose('precious', leader);
    cluster.settle();
    wipe(cluster, wiped);
    cluster.node(wiped).hasLostMemory = false;
    cluster.node(wiped).restart();
    cluster.down.add(leader.id);
    cluster.passes = () => true;
    cluster.tick(MAX_TICKS * 20);
    expect(cluster.leader()?.applied.map(textOf)).not.toContain('precious');
    expect(cluster.leader()).toBeDefined();
  });

  test('[E14] acknowledges nothing of a deposed leader, whose term it no longer knows', () => {
    const { cluster, leader, wiped, third } = settled(3);
    // The old leader is cut off; the other two go on without it.
    cluster.passes = (message) => message.to !== leader.id && message.from !== leader.id;
    cluster.node(third).raft.campaign();
    cluster.tick(MAX_TICKS * 4);
    const next = [wiped, third].map((id) => cluster.node(id)).find(({ raft }) => raft.role === 'leader');
    if (next === undefined) throw new Error('nobody leads the majority');
    const forgetful = next.id === wiped ? third : wiped;
    cluster.propose('precious', next);
    cluster.settle();
    expect(next.applied.map(textOf)).toContain('precious');
    // The follower is wiped, and now only the deposed leader reaches it.
    wipe(cluster, forgetful);
    cluster.down.add(next.id);
    cluster.passes = () => true;
    leader.raft.propose([command('usurper')]);
    cluster.tick(MAX_TICKS * 10);
    expect(cluster.node(forgetful).disk.entries).toEqual([]);
    expect(leader.applied.map(textOf)).not.toContain('usurper');
  });

  test('[E14] is not misled by a leader that still counts on what was lost', () => {
    const { cluster, leader, wiped, third } = settled(4);
    cluster.passes = (message) => message.to !== third && message.from !== third;
    // Acknowledged by the one that is wiped next, while the leader's own disk is slow.
    cluster.propose('counted', leader);
    cluster.settle();
    cluster.passes = () => true;
    wipe(cluster, wiped);
    const { raft } = cluster.node(wiped);
    for (let tick = 0; tick < heartbeatTicks * 20 && raft.isRefetching; tick++) cluster.tick();
    expect(raft.isRefetching).toBe(false);
    expect(cluster.node(wiped).disk.entries.map(textOf)).toContain('counted');
    expect(raft.commitIndex).toBeGreaterThanOrEqual(leader.raft.commitIndex);
  });

  test('[E14] waits for every other member, and hears them as soon as they connect', () => {
    const { cluster, wiped, third } = settled(5);
    cluster.down.add(third);
    const node = cluster.node(wiped);
    wipe(cluster, wiped);
    cluster.tick(MAX_TICKS * 5);
    expect(node.raft.status()).toMatchObject({ currentTerm: 0, leaderId: 0, lastIndex: 0 });
    cluster.down.delete(third);
    cluster.node(third).restart();
    node.raft.peerConnected(third);
    cluster.settle();
    expect(node.raft.currentTerm).toBeGreaterThan(0);
    cluster.tick(MAX_TICKS * 10);
    expect(node.raft.isRefetching).toBe(false);
  });

  test('[E14] begins anew when it is restarted half-way', () => {
    const { cluster, leader, wiped, third } = settled(6);
    const node = cluster.node(wiped);
    wipe(cluster, wiped);
    // Entries come, but no confirmed commit index.
    cluster.passes = (message) => message.type !== 'ReadIndexResponse';
    cluster.tick(heartbeatTicks * 10);
    expect(node.disk.entries.length).toBe(leader.raft.status().lastIndex);
    expect(node.raft.isRefetching).toBe(true);
    cluster.down.add(third);
    node.restart();
    cluster.passes = () => true;
    cluster.tick(MAX_TICKS * 2);
    expect(node.raft.isRefetching).toBe(true);
    cluster.down.delete(third);
    cluster.tick(MAX_TICKS * 10);
    expect(node.raft.isRefetching).toBe(false);
  });

  test('[E14] an answer that it did not ask for in this life ends nothing', () => {
    const node = new Raft(
      {
        ...DEFAULT_RAFT_OPTIONS,
        nodeId: 1,
        configuration: { voters: [1, 2, 3], votersOutgoing: [], learners: [] },
        configurationCodec,
        random: seededRandom(9),
      },
      {
        hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 },
        lastIncludedIndex: 0,
        lastIncludedTerm: 0,
        entries: [],
        hasLostMemory: true,
      },
    );
    const say = (message: Message) => {
      node.step(message);
      while (node.hasReady()) node.advance(node.ready());
    };
    for (const from of [2, 3]) say({ type: 'PreVoteResponse', from, to: 1, term: 3, voteGranted: false });
    say({ type: 'Heartbeat', from: 2, to: 1, term: 3, leaderCommit: 0, readRound: 0 });
    for (const requestId of [0, 1]) {
      say({ type: 'ReadIndexResponse', from: 2, to: 1, term: 3, requestId, readIndex: 0 });
      for (let tick = 0; tick < heartbeatTicks; tick++) node.tick();
    }
    expect(node.isRefetching).toBe(true);
    expect(node.status()).toMatchObject({ currentTerm: 3, votedFor: 1 });
  });

  test('[E14] [M1] asks members that it learns of on the way, before it acknowledges what names them', () => {
    // It was started with the founders, and its former life knew of n4 and n5.
    const five = { voters: [1, 2, 3, 4, 5], votersOutgoing: [], learners: [] };
    const node = new SingleNode({ hasLostMemory: true });
    node.tick(heartbeatTicks);
    const told = { type: 'PreVoteResponse', term: 7, voteGranted: false } as const;
    node.say({ ...told, from: 2 });
    node.say({ ...told, from: 3 });
    const data = configurationCodec.encode(five);
    const entries = [{ index: 1, term: 6, kind: EntryKind.configuration, data }];
    const sent = { prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 0 };
    const said = node.say({ type: 'AppendEntries', from: 2, term: 7, ...sent });
    expect(ofType(said, 'AppendEntriesResponse')).toEqual([]);
    // The others too: by now they may know that somebody left.
    expect(ofType(said, 'PreVote').map(({ to }) => to)).toEqual([2, 3, 4, 5]);
    // n4 leads a later term by this node's forgotten vote: the leader of term 7 gets nothing any more.
    node.say({ ...told, from: 5 });
    node.say({ ...told, from: 4, term: 8 });
    expect(node.raft.status()).toMatchObject({ currentTerm: 8, votedFor: 1 });
    const late = node.say({ type: 'AppendEntries', from: 2, term: 7, ...sent });
    expect(ofType(late, 'AppendEntriesResponse')).toMatchObject([{ success: false, term: 8 }]);
    const heard = node.say({ type: 'AppendEntries', from: 4, term: 8, ...sent });
    expect(ofType(heard, 'AppendEntriesResponse')).toMatchObject([{ success: true, matchIndex: 1 }]);
  });

  describe('where members have left', () => {
    function five(seed: number) {
      const ids = [1, 2, 3, 4, 5];
      const cluster = new CoreCluster({ ids, seed });
      const leader = cluster.elect();
      cluster.tick(heartbeatTicks);
      const [gone = 0, wiped = 0, third = 0] = ids.filter((id) => id !== leader.id);
      return { cluster, leader, gone, wiped, third };
    }

    test('[E14] [M7] does not wait for one that left, once all members know that it did', () => {
      const { cluster, leader, gone, wiped } = five(11);
      cluster.down.add(gone);
      cluster.change({ type: 'remove', id: gone });
      cluster.tick(heartbeatTicks * 2);
      wipe(cluster, wiped);
      cluster.tick(MAX_TICKS * 4);
      const { raft, applied } = cluster.node(wiped);
      expect(raft.isRefetching).toBe(false);
      expect(raft.configuration.voters).not.toContain(gone);
      expect(applied.length).toBe(leader.applied.length);
    });

    test('[E14] waits for it as long as one of the members does not know', () => {
      const { cluster, gone, wiped, third } = five(12);
      cluster.down.add(gone);
      // The third member hears nothing: it may still vote for the one that goes.
      cluster.passes = ({ from, to }) => from !== third && to !== third;
      cluster.change({ type: 'remove', id: gone });
      cluster.tick(heartbeatTicks * 2);
      wipe(cluster, wiped);
      // What it is asked it answers; only from the leader it hears nothing.
      cluster.passes = ({ type, to }) => type !== 'AppendEntries' || to !== third;
      cluster.tick(MAX_TICKS * 4);
      expect(cluster.node(third).raft.configuration.voters).toContain(gone);
      expect(cluster.node(wiped).raft.status()).toMatchObject({ currentTerm: 0, lastIndex: 0 });
      cluster.passes = () => true;
      cluster.tick(MAX_TICKS * 4);
      expect(cluster.node(wiped).raft.isRefetching).toBe(false);
    });

    test('[E14] asks members that only the others know of', () => {
      const cluster = new CoreCluster({ joiners: [4], seed: 13 });
      const leader = cluster.elect();
      cluster.tick(heartbeatTicks);
      const [wiped] = others(leader);
      cluster.addLearner(4);
      cluster.propose('so that all have written down that it is a member', leader);
      cluster.tick(heartbeatTicks * 2);
      wipe(cluster, wiped);
      const asked = new Set<NodeId>();
      cluster.passes = (message) => {
        if (message.type === 'PreVote' && message.from === wiped) asked.add(message.to);
        return message.from !== 4 || message.to !== wiped;
      };
      cluster.tick(MAX_TICKS * 2);
      // Its folder named the founders only.
      expect(asked).toContain(4);
      expect(cluster.node(wiped).raft.status()).toMatchObject({ currentTerm: 0, lastIndex: 0 });
      cluster.passes = () => true;
      cluster.tick(MAX_TICKS * 4);
      expect(cluster.node(wiped).raft.isRefetching).toBe(false);
    });
  });
});

/** n1 has the entries of three that were four: n4 has left, and at index 3 that is in the log. */
function afterRemoval(commitIndex: number) {
  const node = new SingleNode({ voters: [1, 2, 3, 4], hardState: { currentTerm: 1 } });
  const placed = (index: number, configuration: Configuration): Entry => {
    const data = configurationCodec.encode(configuration);
    return { index, term: 1, kind: EntryKind.configuration, data };
  };
  const left = { voters: [1, 2, 3], learners: [], former: [4] };
  const entries = [
    entry(1, 1),
    placed(2, { ...left, votersOutgoing: [1, 2, 3, 4] }),
    placed(3, { ...left, votersOutgoing: [] }),
  ];
  const sent = { prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: commitIndex };
  node.say({ type: 'AppendEntries', from: 2, term: 1, ...sent });
  return node;
}

describe('the other members', () => {
  const last = { lastLogIndex: 9, lastLogTerm: 1 };
  const question = { from: 3, term: 1, lastLogIndex: 0, lastLogTerm: 0, hasLostMemory: true } as const;

  test('[M7] [E14] elect nobody whose removal they know to be committed, however good its log', () => {
    // The one that left has a vote of the member without memory in its pocket; with one more it would lead, and lack
    // what was committed since.
    const node = afterRemoval(3);
    node.tick(MAX_TICKS);
    const asked = node.say({ type: 'PreVote', from: 4, term: 9, ...last });
    expect(ofType(asked, 'PreVoteResponse')).toMatchObject([{ voteGranted: false }]);
    const voted = node.say({ type: 'RequestVote', from: 4, term: 9, ...last, leadershipTransfer: false });
    expect(ofType(voted, 'RequestVoteResponse')).toMatchObject([{ voteGranted: false }]);
    expect(node.events).toContainEqual(
      expect.objectContaining({ type: 'voteCast', preVote: false, granted: false, rule: 'M7' }),
    );
  });

  test('[M7] elect it while they do not know: perhaps nobody else can be elected', () => {
    const node = afterRemoval(2);
    node.tick(MAX_TICKS);
    const voted = node.say({ type: 'RequestVote', from: 4, term: 9, ...last, leadershipTransfer: false });
    expect(ofType(voted, 'RequestVoteResponse')).toMatchObject([{ voteGranted: true }]);
  });

  test('[E14] tell only what they know after a restart too', () => {
    const node = afterRemoval(2);
    // The removal is committed, and nothing was written since.
    node.say({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 3, readRound: 0 });
    expect(node.raft.commitIndex).toBe(3);
    node.raft.step({ type: 'PreVote', to: 1, ...question });
    const first = ofType(node.take(), 'PreVoteResponse');
    expect(first).toMatchObject([{ term: 1, voteGranted: false }]);
    expect(first[0]?.committed).toMatchObject({ index: 2, configuration: { votersOutgoing: [1, 2, 3, 4] } });
    node.sync();
    expect(node.hardState.commitIndex).toBe(3);
    const [second] = ofType(node.say({ type: 'PreVote', ...question }), 'PreVoteResponse');
    expect(second?.committed).toMatchObject({ index: 3, configuration: { votersOutgoing: [], former: [4] } });
  });

  test('[E14] tell what the log on disk says, not what a snapshot alone does: that may be damaged', () => {
    const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [], former: [4] };
    const raft = new Raft(
      { ...DEFAULT_RAFT_OPTIONS, nodeId: 1, configuration, configurationCodec, random: seededRandom(4) },
      {
        hardState: { currentTerm: 1, votedFor: 0, commitIndex: 2 },
        lastIncludedIndex: 3,
        lastIncludedTerm: 1,
        entries: [],
        configuration,
      },
    );
    const ask = (): Message[] => {
      raft.step({ type: 'PreVote', to: 1, ...question });
      const messages: Message[] = [];
      while (raft.hasReady()) {
        const ready = raft.ready();
        messages.push(...ready.messages);
        raft.advance(ready);
      }
      return messages;
    };
    expect(ask()).toEqual([{ type: 'PreVoteResponse', from: 1, to: 3, term: 1, voteGranted: false }]);
    const [second] = ofType(ask(), 'PreVoteResponse');
    expect(second?.committed).toEqual({ index: 3, configuration });
  });

  test('[E14] [C7] tell nothing that stands in a log with a hole, whatever its hint says', () => {
    // What was in the hole replaced the configuration at index 2.
    const founders = { voters: [1, 2, 3], votersOutgoing: [], learners: [] };
    const data = configurationCodec.encode({ ...founders, learners: [9] });
    const raft = new Raft(
      {
        ...DEFAULT_RAFT_OPTIONS,
        nodeId: 1,
        configuration: founders,
        configurationCodec,
        random: seededRandom(4),
      },
      {
        hardState: { currentTerm: 1, votedFor: 0, commitIndex: 4 },
        lastIncludedIndex: 0,
        lastIncludedTerm: 0,
        entries: [entry(1, 1), { index: 2, term: 1, kind: EntryKind.configuration, data }],
        refetchIndex: 5,
      },
    );
    const say = (message: Message): Message[] => {
      raft.step(message);
      const messages: Message[] = [];
      while (raft.hasReady()) {
        const ready = raft.ready();
        messages.push(...ready.messages);
        raft.advance(ready);
      }
      return messages;
    };
    // A later term is written down, and the hint with it.
    say({ type: 'Heartbeat', from: 2, to: 1, term: 3, leaderCommit: 0, readRound: 0 });
    const [told] = ofType(say({ type: 'PreVote', to: 1, ...question }), 'PreVoteResponse');
    expect(told?.committed).toEqual({ index: 0, configuration: founders });
  });

  test('[E14] tell what was written, not what was committed while it was being written', () => {
    const node = afterRemoval(2);
    node.raft.step({ type: 'PreVote', to: 1, ...question });
    node.raft.step({
      type: 'AppendEntries',
      from: 2,
      to: 1,
      term: 1,
      prevLogIndex: 3,
      prevLogTerm: 1,
      entries: [entry(4, 1)],
      leaderCommit: 2,
    });
    node.take();
    // Handed to the disk with commit index 2.
    node.raft.step({ type: 'Heartbeat', from: 2, to: 1, term: 1, leaderCommit: 3, readRound: 0 });
    node.sync();
    const [told] = ofType(node.say({ type: 'PreVote', ...question }), 'PreVoteResponse');
    expect(told?.committed).toMatchObject({ index: 2, configuration: { votersOutgoing: [1, 2, 3, 4] } });
  });
});

test('[E14] the highest term that anybody ever said counts, and who is new is asked when it connects', () => {
  const node = new SingleNode({ hasLostMemory: true });
  node.tick(heartbeatTicks);
  const configuration = { voters: [1, 2, 3, 4], votersOutgoing: [], learners: [] };
  const told = {
    type: 'PreVoteResponse',
    voteGranted: false,
    committed: { index: 5, configuration },
  } as const;
  node.say({ ...told, from: 2, term: 9 });
  // An answer to an earlier question overtakes nothing.
  node.say({ ...told, from: 2, term: 7 });
  node.say({ ...told, from: 3, term: 7 });
  expect(node.raft.currentTerm).toBe(0);
  node.raft.peerConnected(4);
  expect(ofType(node.settle(), 'PreVote')).toMatchObject([{ to: 4, hasLostMemory: true }]);
  node.say({ ...told, from: 4, term: 8 });
  expect(node.raft.status()).toMatchObject({ currentTerm: 9, votedFor: 1 });
});
