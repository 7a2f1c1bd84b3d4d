// @vitest-environment node
// Health in words: what the top bar says, and that it never says more than the nodes did.
import { expect, test } from 'vitest';
import { currentLeader, healthOf } from '../../src/renderer/model/health.ts';
import { killed, processOf, progressOf, START, statusItem, viewAfter } from './sample-view.ts';

const dead = (nodeId: number) => ({ type: 'process', process: killed(nodeId) }) as const;

test('three running nodes and a leader are healthy', () => {
  expect(healthOf(viewAfter())).toEqual({ level: 'good', words: 'Healthy' });
});

test('a dead follower is named', () => {
  expect(healthOf(viewAfter(dead(2)))).toEqual({ level: 'warn', words: 'Degraded: n2 is down' });
});

test('a paused node is not up, and is called paused', () => {
  const view = viewAfter({ type: 'process', process: processOf(3, { state: 'paused' }) });
  expect(healthOf(view).words).toBe('Degraded: n3 is paused');
});

test('one of three up is no quorum, whatever the survivor thinks it is', () => {
  const view = viewAfter(dead(2), dead(3));
  expect(healthOf(view)).toEqual({ level: 'bad', words: 'No quorum: 1 of 3 up' });
});

test('the dead leader leads nobody: the others elect', () => {
  const view = viewAfter(dead(1));
  expect(currentLeader(view)).toBeNull();
  expect(healthOf(view)).toEqual({ level: 'warn', words: 'Electing…' });
});

test('a leader that a majority has left behind in a later term is not the leader any more', () => {
  const moved = { raft: { currentTerm: 5, leaderId: 0, role: 'candidate' } } as const;
  const view = viewAfter(statusItem(2, moved), statusItem(3, { raft: { currentTerm: 5, leaderId: 0 } }));
  expect(currentLeader(view)).toBeNull();
  expect(healthOf(view).words).toBe('Electing…');
});

test('of two leaders in different terms, the later one leads', () => {
  const view = viewAfter(
    statusItem(2, { raft: { role: 'leader', currentTerm: 5, leaderId: 2 } }),
    statusItem(3, { raft: { currentTerm: 5, leaderId: 2 } }),
  );
  expect(currentLeader(view)?.process.nodeId).toBe(2);
});

test('nodes that start for the first time are no failure', () => {
  const starting = [1, 2, 3].map(
    (id) => ({ type: 'process', process: processOf(id, { state: 'starting', pid: 2000 + id }) }) as const,
  );
  expect(healthOf(viewAfter(...starting))).toEqual({ level: 'waiting', words: 'Starting…' });
});

test('cut links, disk faults and alarms are named', () => {
  const faults = {
    disk: [{ id: 'd', operations: ['sync'], effect: { kind: 'delay', delayMs: 50 } }],
    links: [{ id: 'l', peer: 3, direction: 'both', effect: { kind: 'cut' } }],
  } as const;
  const cut = viewAfter(statusItem(2, { faults: { disk: [], links: faults.links }, at: START + 1 }));
  expect(healthOf(cut).words).toBe('Degraded: link n2–n3 is cut');
  const disk = viewAfter(statusItem(2, { faults: { disk: faults.disk, links: [] }, at: START + 1 }));
  expect(healthOf(disk).words).toBe("Degraded: n2's disk has a fault");
  const alarm = viewAfter(statusItem(3, { alarms: ['noSpace'], at: START + 1 }));
  expect(healthOf(alarm).words).toBe("Degraded: n3's disk is full");
});

test('a node without a single whole link is cut off; its alarm and its links need no words then', () => {
  const cut = (peer: number) =>
    ({ id: `c${peer}`, peer, direction: 'both', effect: { kind: 'cut' } }) as const;
  const view = viewAfter(
    statusItem(3, { faults: { disk: [], links: [cut(1), cut(2)] }, alarms: ['noQuorum'], at: START + 1 }),
  );
  expect(healthOf(view).words).toBe('Degraded: n3 is cut off');
});

test('a follower that stays behind is catching up; one that is merely in flight is not', () => {
  const late = (lagMs: number) =>
    viewAfter(
      statusItem(1, {
        raft: { role: 'leader', progress: [progressOf(2), progressOf(3, { lagEntries: 5200, lagMs })] },
        at: START + 1,
      }),
    );
  expect(healthOf(late(4000)).words).toBe('Degraded: n3 is 5,200 entries behind');
  expect(healthOf(late(20)).words).toBe('Healthy');
});

test('many troubles are counted, not listed', () => {
  const view = viewAfter(
    dead(2),
    statusItem(1, {
      raft: { role: 'leader' },
      alarms: ['diskHung', 'noSpace'],
      at: START + 1,
    }),
  );
  expect(healthOf(view).words).toBe('Degraded: n2 is down, and 2 more');
});
