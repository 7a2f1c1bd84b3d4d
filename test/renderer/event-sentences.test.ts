// @vitest-environment node
// The feed's sentences: plain words, the rule beside them, and nothing left of the machine's names.
import { expect, test } from 'vitest';
import type { NodeEvent } from '../../engine/protocol/node-status.ts';
import { isEcho, sentenceOf } from '../../src/renderer/model/event-sentences.ts';
import type { FailoverGap, FeedItem } from '../../src/shared/cluster-view.ts';
import { killed, START } from './sample-view.ts';

function said(event: NodeEvent['event']): FeedItem {
  return { id: 1, at: START, source: 'node', nodeId: 1, event };
}

test('a vote says who, for whom, why, and under which rule', () => {
  const sentence = sentenceOf(
    said({
      type: 'voteCast',
      term: 7,
      candidate: 2,
      preVote: false,
      granted: true,
      reason: 'its log is up to date',
      rule: '[E3]',
    }),
  );
  expect(sentence).toEqual({
    text: 'Granted its vote to n2 for term 7: its log is up to date',
    kind: 'vote',
    tone: 'plain',
    rule: 'E3',
  });
});

test('an election names its voters in order', () => {
  const sentence = sentenceOf(
    said({ type: 'leaderElected', term: 9, leaderId: 3, votes: [3, 1], rule: 'E4' }),
  );
  expect(sentence.text).toBe('Elected leader of term 9 with the votes of n1 and n3');
  expect(sentence.tone).toBe('good');
});

test('a killed process says why it ended', () => {
  const item: FeedItem = { id: 1, at: START, source: 'process', nodeId: 2, process: killed(2) };
  expect(sentenceOf(item)).toMatchObject({
    text: 'Process died: killed by SIGKILL',
    tone: 'bad',
    kind: 'process',
  });
});

test('a failover tells the gap that clients saw, and while it lasts that they cannot write', () => {
  const failover: FailoverGap = {
    id: 1,
    lastAcknowledgedAt: START,
    firstAcknowledgedAt: START + 183,
    gapMs: 183,
    measuredFrom: 'acknowledgement',
    cause: 'n1: killed by SIGKILL',
    fromLeader: 1,
    fromTerm: 4,
    toLeader: 2,
    toTerm: 5,
  };
  const over: FeedItem = { id: 1, at: START, source: 'failover', nodeId: null, failover };
  expect(sentenceOf(over).text).toBe(
    'Clients could not write for 183 ms (n1: killed by SIGKILL). Now n2 leads in term 5.',
  );
  const open: FeedItem = { ...over, failover: { ...failover, gapMs: null, toLeader: null, toTerm: null } };
  expect(sentenceOf(open)).toMatchObject({
    tone: 'bad',
    text: expect.stringContaining('Clients cannot write'),
  });
  const quiet: FeedItem = { ...over, failover: { ...failover, measuredFrom: 'loss' } };
  expect(sentenceOf(quiet).text).toMatch(/^Nobody led for 183 ms \(n1: killed by SIGKILL\)/);
});

test('faults are told in words, and so is their end', () => {
  const faults = {
    disk: [{ id: 'a', operations: ['sync'], effect: { kind: 'error', code: 'EIO' }, countMax: 1 }],
    links: [{ id: 'b', peer: 3, direction: 'outbound', effect: { kind: 'delay', delayMs: 80, jitterMs: 0 } }],
  } as const;
  expect(sentenceOf(said({ type: 'faultsChanged', faults })).text).toBe(
    'Suffers: sync fails (EIO), once; link to n3 slowed by 80 ms',
  );
  expect(sentenceOf(said({ type: 'faultsChanged', faults: { disk: [], links: [] } })).tone).toBe('good');
});

test('every event of the contract has a sentence', () => {
  const reason = 'because';
  const rule = 'E1';
  const events: NodeEvent['event'][] = [
    { type: 'roleChanged', term: 2, from: 'follower', to: 'candidate', leaderId: 0, reason, rule },
    { type: 'electionStarted', term: 2, preVote: true, reason, rule },
    { type: 'voteCast', term: 2, candidate: 1, preVote: true, granted: false, reason, rule },
    { type: 'leaderElected', term: 2, leaderId: 1, votes: [1, 2], rule },
    { type: 'leaderChanged', term: 2, leaderId: 0, rule },
    { type: 'logTruncated', term: 2, fromIndex: 5, toIndex: 9, rule },
    { type: 'quorumLost', term: 2, active: [1], rule },
    { type: 'transferStarted', term: 2, target: 3, rule },
    { type: 'transferEnded', term: 2, target: 3, completed: false, rule },
    { type: 'started', clientAddress: '', peerAddress: '', lastIndex: 9, recoveryMs: 3 },
    { type: 'recovery', message: 'cut a torn tail', lostBytes: 12, rule: 'W4' },
    { type: 'stopping', reason },
    { type: 'diskFailed', operation: 'sync', code: 'EIO', message: 'injected', rule: 'W2' },
    { type: 'alarmRaised', alarm: 'noQuorum', message: reason },
    { type: 'alarmCleared', alarm: 'noQuorum' },
    { type: 'faultsChanged', faults: { disk: [], links: [] } },
    { type: 'peerConnected', peer: 2 },
    { type: 'peerDisconnected', peer: 2, reason },
    { type: 'messageSent', message: 'PreVote', peer: 2, term: 2 },
    { type: 'messageReceived', message: 'RequestVoteResponse', peer: 2, term: 2, granted: true },
  ];
  for (const event of events) {
    const { text } = sentenceOf(said(event));
    expect(text, event.type).toMatch(/^[A-Z]/);
    expect(text, event.type).not.toMatch(/undefined|null|\[object|: $|PreVote|RequestVote|noQuorum/);
  }
});

test('a role that another event announces is an echo; falling back to follower is news', () => {
  const role = { type: 'roleChanged', term: 2, leaderId: 0, reason: '', rule: 'E2' } as const;
  expect(isEcho(said({ ...role, from: 'candidate', to: 'leader' }))).toBe(true);
  expect(isEcho(said({ ...role, from: 'leader', to: 'follower' }))).toBe(false);
});
