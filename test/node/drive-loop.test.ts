// The order of side effects: what may overtake the disk and what may not, however slow the disk is.
import { describe, expect, test } from 'vitest';
import { DriveLoop, type DriveLoopHost } from '../../engine/node/drive-loop.ts';
import type { Message } from '../../engine/raft/types.ts';
import { type MemoryLogStore, openMemoryLog } from '../../engine/storage/memory-log-store.ts';
import { command, textOf } from '../raft/core-cluster.ts';
import { entry, SingleNode, type SingleStart } from '../raft/single-node.ts';

/** A loop over a disk that completes one write when it is told to, and a host that notes what it is asked for. */
function hosted(start: SingleStart = {}, before: (notes: string[], single: SingleNode) => void = () => {}) {
  const single = new SingleNode(start);
  const { raft } = single;
  const completions: (() => void)[] = [];
  const { store } = openMemoryLog({ schedule: (complete) => void completions.push(complete) });
  const notes: string[] = [];
  const sent: Message[] = [];
  const host: DriveLoopHost = {
    beforeReady: () => before(notes, single),
    send: (messages) => {
      for (const message of messages) {
        sent.push(message);
        notes.push(noted(message, store));
      }
    },
    apply: (entries) => notes.push(`apply ${entries.map(textOf).join(' ')}`),
    serveReads: (reads) =>
      notes.push(`reads ${reads.map(({ token, index }) => `${token}@${index}`).join(' ')}`),
    snapshots: () => notes.push('snapshots'),
    softStateChanged: ({ role }) => notes.push(role),
    configurationChanged: ({ voters }) => notes.push(`members ${voters.join(' ')}`),
    happened: () => {},
    afterReady: () => {},
  };
  const loop = new DriveLoop(raft, store, host);
  return {
    ...{ single, raft, store, loop, notes, sent },
    /** The disk finishes the write in flight. */
    sync: () => completions.shift()?.(),
    turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
    said: () => notes.splice(0),
  };
}

function noted(message: Message, store: MemoryLogStore): string {
  const { hardState, entries } = store.durable();
  return `${message.type} to ${message.to} over term ${hardState.currentTerm}, vote ${hardState.votedFor}, ${entries.length} entries`;
}

const append = { type: 'AppendEntries', from: 2, to: 1, term: 1, leaderCommit: 0 } as const;

describe('the disk', () => {
  test('[L8] an acknowledgement waits for its own batch and for every earlier one', async () => {
    const { raft, loop, said, sync, turn } = hosted();
    loop.start();
    raft.step({ ...append, prevLogIndex: 0, prevLogTerm: 0, entries: [entry(1, 1)] });
    loop.wake();
    await turn();
    raft.step({ ...append, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 1)] });
    loop.wake();
    await turn();
    // Nothing to persist, and still behind the others.
    raft.step({ ...append, prevLogIndex: 2, prevLogTerm: 1, entries: [] });
    loop.wake();
    await turn();
    expect(said()).toEqual(['follower']);
    sync();
    expect(said()).toEqual(['AppendEntriesResponse to 2 over term 1, vote 0, 1 entries']);
    sync();
    expect(said()).toEqual([
      'AppendEntriesResponse to 2 over term 1, vote 0, 2 entries',
      'AppendEntriesResponse to 2 over term 1, vote 0, 2 entries',
    ]);
  });

  test('[E3] a vote leaves with the vote on disk', async () => {
    const { raft, loop, said, sync, turn } = hosted();
    loop.start();
    const candidate = { lastLogIndex: 0, lastLogTerm: 0, leadershipTransfer: false };
    raft.step({ type: 'RequestVote', from: 3, to: 1, term: 4, ...candidate });
    loop.wake();
    await turn();
    expect(said()).toEqual([]);
    sync();
    expect(said()).toEqual(['RequestVoteResponse to 3 over term 4, vote 3, 0 entries']);
  });

  test('a leader sends its entries at once and commits them by itself only when they are on its disk', async () => {
    const { raft, loop, said, sync, turn } = hosted({ voters: [1] });
    loop.start();
    raft.campaign();
    loop.wake();
    await turn();
    sync();
    await turn();
    raft.propose([command('a')]);
    loop.wake();
    await turn();
    expect(said()).toEqual(['candidate', 'leader']);
    sync();
    await turn();
    expect(said()).toEqual(['apply <2>']);
    sync();
    await turn();
    expect(said()).toEqual(['apply a']);
  });

  test('a completion wakes the loop: what it committed is applied without any other event', async () => {
    const { raft, loop, said, sync, turn } = hosted({ voters: [1] });
    loop.start();
    raft.campaign();
    loop.wake();
    await turn();
    sync();
    await turn();
    expect(said()).toEqual(['candidate', 'leader']);
    sync();
    await turn();
    expect(said()).toEqual(['apply <2>']);
    expect(raft.hasReady()).toBe(false);
  });
});

describe('turns', () => {
  test('what comes before the host is complete waits for the start', async () => {
    const { raft, loop, said, turn } = hosted();
    raft.step({ type: 'Heartbeat', from: 2, to: 1, term: 1, leaderCommit: 0, readRound: 0 });
    loop.wake();
    await turn();
    expect(said()).toEqual([]);
    loop.start();
    await turn();
    expect(said()).toEqual(['follower']);
  });

  test('the host may still propose when a turn begins', async () => {
    let proposed = false;
    const { raft, loop, said, turn, sync } = hosted({ voters: [1] }, (_notes, single) => {
      if (single.raft.role === 'leader' && !proposed)
        proposed = single.raft.propose([command('late')]).accepted;
    });
    loop.start();
    raft.campaign();
    loop.wake();
    await turn();
    loop.wake();
    await turn();
    for (let write = 0; write < 3; write++) {
      sync();
      await turn();
    }
    expect(said().join()).toContain('late');
  });

  test('after a stop nothing leaves, whatever the disk still completes', async () => {
    const { raft, loop, said, sync, turn } = hosted();
    loop.start();
    raft.step({ ...append, prevLogIndex: 0, prevLogTerm: 0, entries: [entry(1, 1)] });
    loop.wake();
    await turn();
    said();
    loop.stop();
    sync();
    loop.wake();
    await turn();
    expect(said()).toEqual([]);
  });
});
