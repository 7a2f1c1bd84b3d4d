// What a node does about a disk that hangs or is full.
import { expect, test } from 'vitest';
import { Alarms } from '../../engine/node/alarms.ts';
import { EventRecorder } from '../../engine/node/event-recorder.ts';
import { parseNodeConfig } from '../../engine/node/node-config.ts';
import { Watchdog } from '../../engine/node/watchdog.ts';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { openMemoryLog } from '../../engine/storage/memory-log-store.ts';
import type { LogStore } from '../../engine/storage/types.ts';
import { SingleNode } from '../raft/single-node.ts';

const [, MAX_TICKS] = DEFAULT_RAFT_OPTIONS.electionTimeoutTicks;

/** A leader with two followers that are level, over a disk of which the test says how it is. */
function leaderOn(disk: { noSpace: boolean; syncInFlightMs: number }) {
  const single = new SingleNode();
  single.becomeLeader();
  const answer = () => {
    const level = { success: true, matchIndex: 1, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 };
    for (const from of [2, 3]) single.say({ type: 'AppendEntriesResponse', from, term: 1, ...level });
  };
  answer();
  const { store } = openMemoryLog();
  const sick: LogStore = Object.assign(Object.create(store) as LogStore, {
    health: () => ({ ...store.health(), ...disk }),
  });
  const peers = [1, 2, 3].map((id) => ({ id, peer: `127.0.0.1:${id}`, client: `127.0.0.1:${id}` }));
  const config = parseNodeConfig({
    clusterId: 'test',
    nodeId: 1,
    dataDir: '/nowhere',
    client: { port: 1 },
    peer: { port: 2 },
    peers,
  });
  const alarms = new Alarms(
    new EventRecorder(
      1,
      () => 0,
      () => {},
    ),
  );
  const watchdog = new Watchdog({ config, raft: single.raft, store: sick, alarms, onMemoryRestored: null });
  return { single, watchdog, alarms, answer };
}

const starts = (single: SingleNode) => {
  single.settle();
  return single.events.filter(({ type }) => type === 'transferStarted').length;
};

test.each([
  ['[W12] is full', 'noSpace', { noSpace: true, syncInFlightMs: 0 }],
  ['[W11] hangs', 'diskHung', { noSpace: false, syncInFlightMs: 10_000 }],
] as const)(
  'a leader whose disk %s hands over, again when the first try comes to nothing',
  (_how, alarm, disk) => {
    const { single, watchdog, alarms, answer } = leaderOn(disk);
    watchdog.watch(1);
    expect(alarms.list).toContain(alarm);
    expect(starts(single)).toBe(1);
    // The successor never hears of it.
    for (let tick = 0; tick <= MAX_TICKS; tick++) {
      answer();
      single.tick(1);
      watchdog.watch(1);
    }
    expect(starts(single)).toBe(2);
  },
);

test('[E13] a node whose disk takes nothing keeps time but does not campaign, and does again when it can write', () => {
  const disk = { noSpace: true, syncInFlightMs: 0 };
  const { single, watchdog, alarms } = leaderOn(disk);
  single.say({ type: 'HeartbeatResponse', from: 2, term: 2, readRound: 0 });
  watchdog.watch(1);
  expect(single.tick(MAX_TICKS * 2)).toEqual([]);
  expect(single.raft.status().electionElapsedTicks).toBe(MAX_TICKS * 2);
  disk.noSpace = false;
  watchdog.watch(1);
  expect(alarms.list).not.toContain('noSpace');
  expect(single.tick(1).map(({ type }) => type)).toEqual(['PreVote', 'PreVote']);
});
