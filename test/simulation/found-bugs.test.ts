// Bugs that the simulator found in the engine, each as the smallest setting that shows it. docs/BUGS.md tells of them.

import { describe, expect, it } from 'vitest';
import { configurationCodec } from '../../engine/protocol/configuration-codec.ts';
import type { RaftStart } from '../../engine/raft/core.ts';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { Raft } from '../../engine/raft/raft.ts';
import type { Ready } from '../../engine/raft/ready.ts';
import { type Configuration, type Entry, EntryKind } from '../../engine/raft/types.ts';
import { drawPlan, type FaultKind, type SimulationPlan } from '../../engine/simulator/plan.ts';
import { simulate } from '../../engine/simulator/simulation.ts';

/** Round trips of three ticks and more, heartbeats every two. */
function slowLinks(seed: number, faults: ReadonlyMap<FaultKind, number>): SimulationPlan {
  const plan = drawPlan(seed, { theme: 'mixed', nodes: 3, steps: 4000 });
  const raft = { ...plan.raft, electionTimeoutTicks: [10, 20] as const, heartbeatTicks: 2 };
  return { ...plan, faults, faultRate: 1, linkTime: [150, 200], syncTime: [2, 10], raft };
}

function entry(index: number, term: number): Entry {
  return { index, term, kind: EntryKind.command, data: new Uint8Array([index, term]) };
}

const THREE: Configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [] };

/** Node 1, of three if not told otherwise. */
function createCore(start: Partial<RaftStart>, configuration = THREE): Raft {
  const hardState = { currentTerm: 2, votedFor: 0, commitIndex: 0 };
  return new Raft(
    { ...DEFAULT_RAFT_OPTIONS, nodeId: 1, configuration, configurationCodec, random: () => 0.5 },
    { hardState, lastIncludedIndex: 0, lastIncludedTerm: 0, entries: [], ...start },
  );
}

/** The disk keeps up with everything. */
function drain(raft: Raft): Ready[] {
  const readies: Ready[] = [];
  while (raft.hasReady()) {
    const ready = raft.ready();
    readies.push(ready);
    raft.advance(ready);
  }
  return readies;
}

describe('bugs that simulations found', () => {
  it('[E14] a member without memory comes back even where a round trip takes longer than a heartbeat', () => {
    let rejoined = 0;
    for (let seed = 1; seed <= 5; seed++) {
      const faults: [FaultKind, number][] = [
        ['kill', 1],
        ['wipe', 1],
      ];
      const result = simulate(slowLinks(seed, new Map(faults)));
      expect(result.violation, `seed ${seed}`).toBeNull();
      rejoined += result.counts.get('rejoined') ?? 0;
    }
    expect(rejoined).toBeGreaterThan(0);
  });

  it('[C5] a heartbeat commits nothing in a log with a hole, whose last entry may have been replaced in it', () => {
    // Entry 5 of term 1 was replaced by one of term 2, and the replacement is what corruption took.
    const entries = [entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1), entry(5, 1)];
    const raft = createCore({ entries, refetchIndex: 7 });
    // The leader still believes what this node acknowledged before.
    raft.step({ type: 'Heartbeat', from: 3, to: 1, term: 2, leaderCommit: 7, readRound: 0 });
    drain(raft);
    expect(raft.commitIndex).toBe(0);

    const matching = { prevLogIndex: 4, prevLogTerm: 1, leaderCommit: 7 };
    const replaced = [entry(5, 2), entry(6, 2), entry(7, 2)];
    raft.step({ type: 'AppendEntries', from: 3, to: 1, term: 2, ...matching, entries: replaced });
    const committed = drain(raft).flatMap((ready) => ready.committed);
    expect(committed.map(({ index, term }) => [index, term])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 2],
      [6, 2],
      [7, 2],
    ]);
  });

  it('[E4] a leader that is deposed in the turn in which a follower needs a snapshot asks for none', () => {
    const raft = createCore({ lastIncludedIndex: 5, lastIncludedTerm: 2 });
    raft.campaign();
    raft.step({ type: 'PreVoteResponse', from: 2, to: 1, term: 3, voteGranted: true });
    drain(raft);
    raft.step({ type: 'RequestVoteResponse', from: 2, to: 1, term: 3, voteGranted: true });
    drain(raft);
    expect(raft.role).toBe('leader');
    const refusal = { success: false, matchIndex: 0, prevLogIndex: 5, conflictIndex: 0, conflictTerm: 0 };
    const needsSnapshot = () =>
      raft.step({ type: 'AppendEntriesResponse', from: 2, to: 1, term: 3, ...refusal });
    needsSnapshot();
    raft.step({ type: 'Heartbeat', from: 3, to: 1, term: 4, leaderCommit: 0, readRound: 0 });
    const wanted = drain(raft).flatMap((ready) => ready.snapshotsWanted);
    expect(raft.role).toBe('follower');
    expect(wanted).toEqual([]);
  });

  it('[M7] a voter that the newest configuration dismisses is needed until that is committed', () => {
    // The leader is gone for good; of the two that are left, only the one that is to go has the newest entries.
    const joint = { voters: [2, 3], votersOutgoing: [1, 2, 3], learners: [] };
    const after = { voters: [2, 3], votersOutgoing: [], learners: [] };
    const placed = (index: number, configuration: Configuration): Entry => {
      return {
        index,
        term: 2,
        kind: EntryKind.configuration,
        data: configurationCodec.encode(configuration),
      };
    };
    const raft = createCore({
      entries: [entry(1, 1), placed(2, joint), placed(3, after)],
      hardState: { currentTerm: 2, votedFor: 0, commitIndex: 2 },
    });
    const electionTicks = DEFAULT_RAFT_OPTIONS.electionTimeoutTicks[1];
    for (let tick = 0; tick <= electionTicks; tick++) raft.tick();
    const asked = drain(raft).flatMap(({ messages }) => messages);
    expect(asked.map(({ type, to }) => [type, to])).toEqual([
      ['PreVote', 2],
      ['PreVote', 3],
    ]);
    for (const from of [2, 3]) {
      raft.step({ type: 'PreVoteResponse', from, to: 1, term: 3, voteGranted: true });
    }
    drain(raft);
    raft.step({ type: 'RequestVoteResponse', from: 2, to: 1, term: 3, voteGranted: true });
    drain(raft);
    // Its own vote counts for nothing.
    expect(raft.role).toBe('candidate');
    raft.step({ type: 'RequestVoteResponse', from: 3, to: 1, term: 3, voteGranted: true });
    drain(raft);
    expect(raft.role).toBe('leader');
    const known = { success: true, prevLogIndex: 3, conflictIndex: 0, conflictTerm: 0, matchIndex: 4 };
    for (const from of [2, 3]) raft.step({ type: 'AppendEntriesResponse', from, to: 1, term: 3, ...known });
    drain(raft);
    // It is committed, and nobody needs this node any more.
    expect(raft.role).toBe('follower');
    for (let tick = 0; tick <= 3 * electionTicks; tick++) raft.tick();
    expect(drain(raft).flatMap(({ messages }) => messages)).toEqual([]);
  });

  it('[M5] a learner that lacks the entry that took it in gets no vote: it would grant none', () => {
    const raft = createCore({}, { voters: [1], votersOutgoing: [], learners: [] });
    raft.campaign();
    drain(raft);
    expect(raft.role).toBe('leader');
    const member = { id: 2, client: '', peer: '' };
    const added = raft.proposeConfiguration({ type: 'addLearner', member });
    drain(raft);
    const { currentTerm: term } = raft;
    const answer = { success: true, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 };
    raft.step({ type: 'AppendEntriesResponse', from: 2, to: 1, term, ...answer, matchIndex: 1 });
    drain(raft);
    expect(raft.proposeConfiguration({ type: 'promote', id: 2 })).toMatchObject({ why: 'learnerBehind' });
    const matchIndex = added.accepted ? added.index : 0;
    raft.step({ type: 'AppendEntriesResponse', from: 2, to: 1, term, ...answer, matchIndex });
    expect(raft.proposeConfiguration({ type: 'promote', id: 2 })).toMatchObject({ accepted: true });
  });
});
