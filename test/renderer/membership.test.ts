// @vitest-environment node
// What is said about members: the majority in words, catching up, removal, and the events of a change.
import { expect, test } from 'vitest';
import { appearanceOf } from '../../src/renderer/model/appearance.ts';
import { sentenceOf } from '../../src/renderer/model/event-sentences.ts';
import { healthOf } from '../../src/renderer/model/health.ts';
import { badgeOf, catchUpOf, quorumSentence, removalWords } from '../../src/renderer/model/member-words.ts';
import type { ClusterItem } from '../../src/shared/cluster-view.ts';
import { killed, processOf, progressOf, statusItem, viewAfter } from './sample-view.ts';

const THREE = { voters: [1, 2, 3], votersOutgoing: [], learners: [] };
const LEARNING = { ...THREE, learners: [4] };
const JOINT = { voters: [1, 2, 3, 4], votersOutgoing: [1, 2, 3], learners: [] };

function says(configuration: typeof JOINT | typeof LEARNING, learner = {}): ClusterItem[] {
  const raft = { configuration, configurationIndex: 119 };
  const progress = [
    progressOf(2),
    progressOf(3),
    progressOf(4, { learner: configuration === LEARNING, ...learner }),
  ];
  return [
    { type: 'process', process: processOf(4) },
    statusItem(1, { raft: { ...raft, role: 'leader', progress } }),
    { type: 'status', status: { ...statusItemOf(4, raft) } },
  ];
}

function statusItemOf(nodeId: number, raft: object) {
  const item = statusItem(nodeId, { raft });
  if (item.type !== 'status') throw new Error('not a status');
  return item.status;
}

test('the majority is a sentence, and two of them while the members change', () => {
  expect(quorumSentence(viewAfter())).toMatchObject({ majority: '2 of 3 votes', up: '3 up', holds: true });
  const joint = quorumSentence(viewAfter(...says(JOINT)));
  expect(joint).toMatchObject({ majority: '2 of 3 and 3 of 4 votes', up: '3 up and 4 up', isJoint: true });
  expect(joint.why).toContain('[M2]');
  expect(healthOf(viewAfter(...says(JOINT))).words).toBe('Healthy: members are changing');
});

test('a learner is drawn as one, does not count, and shows how far it is', () => {
  const view = viewAfter(...says(LEARNING, { matchIndex: 30, lagEntries: 90, lagMs: 9000 }));
  const n4 = view.nodes.find(({ process }) => process.nodeId === 4);
  expect(n4 && appearanceOf(n4)).toBe('learner');
  expect(n4 && badgeOf(view, n4)).toBe('no vote yet');
  expect(quorumSentence(view)).toMatchObject({ majority: '2 of 3 votes', up: '3 up' });
  expect(healthOf(view).words).toBe('Healthy');
  expect(catchUpOf(view, 4)).toEqual({ share: 0.25, words: '30 of 120 entries' });
  expect(catchUpOf(view, 2)).toBeNull();
  const installing = viewAfter(...says(LEARNING, { snapshot: { sentBytes: 512, totalBytes: 2048 } }));
  expect(catchUpOf(installing, 4)).toEqual({ share: 0.25, words: 'snapshot 25 % of 2.00 KiB' });
});

test('a removal says what it does to the majority, and refuses what would lose it', () => {
  const healthy = removalWords(viewAfter(), 1);
  expect(healthy.refusal).toBeNull();
  expect(healthy.details).toEqual([
    'A majority is 2 of 3 votes now, and 2 of 2 then: no node may fail instead of one.',
    'n1 leads: it hands leadership over first.',
  ]);
  const short = viewAfter({ type: 'process', process: killed(3) });
  expect(removalWords(short, 2).refusal).toMatch(/only n1 is up, and a majority is 2/);
  expect(removalWords(short, 3).refusal).toBeNull();
});

test('changes of the members are told in words, with their rule', () => {
  const told = (configuration: typeof JOINT | typeof LEARNING, committed: boolean, rule: string) =>
    sentenceOf({
      id: 1,
      at: 0,
      source: 'node',
      nodeId: 1,
      event: {
        type: 'configurationChanged',
        term: 4,
        index: 119,
        configuration,
        committed,
        reason: 'r',
        rule,
      },
    });
  expect(told(JOINT, false, 'M2')).toMatchObject({
    text: 'The members change: a majority of n1, n2 and n3 and one of n1, n2, n3 and n4 must agree (entry 119)',
    kind: 'members',
    rule: 'M2',
  });
  expect(told(LEARNING, true, 'M1').text).toBe(
    'The members are settled: n1, n2 and n3 vote, n4 learns (entry 119, committed)',
  );
});

test('a node that has left is gone from the picture, with what was being done about it', () => {
  const change = { nodeId: 4, kind: 'remove', stage: 'stopping', since: 0, failure: null } as const;
  const leaving = viewAfter({ type: 'process', process: processOf(4) }, { type: 'memberChange', change });
  expect(leaving.changes).toEqual([change]);
  const gone = viewAfter(
    { type: 'process', process: processOf(4) },
    { type: 'memberChange', change },
    { type: 'nodeGone', nodeId: 4 },
  );
  expect(gone.nodes.map(({ process }) => process.nodeId)).toEqual([1, 2, 3]);
  expect(gone.changes).toEqual([]);
});
