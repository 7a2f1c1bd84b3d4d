// @vitest-environment node
// The countdown between two statuses: runs when the timer runs, holds while heartbeats reset it.
import { expect, test } from 'vitest';
import { COUNTDOWN_STALE_MS, countdownAt } from '../../src/renderer/model/countdown.ts';
import { START, statusOf } from './sample-view.ts';

const said = (at: number, electionElapsedMs: number, role: 'follower' | 'leader' = 'follower') =>
  statusOf(2, { at, raft: { role, electionElapsedMs, electionTimeoutMs: 200 } });

test('a timer that nothing resets goes on', () => {
  const pair = { previous: said(START, 20), latest: said(START + 100, 120), receivedAtMs: 5000 };
  expect(countdownAt(pair, 5040)).toMatchObject({ elapsedMs: 160, remaining: 0.19999999999999996 });
});

test('it stops at the timeout', () => {
  const pair = { previous: said(START, 20), latest: said(START + 100, 120), receivedAtMs: 5000 };
  expect(countdownAt(pair, 5400)).toMatchObject({ elapsedMs: 200, remaining: 0 });
});

test('while heartbeats reset the timer, it holds what the node said last', () => {
  const pair = { previous: said(START, 30), latest: said(START + 100, 25), receivedAtMs: 5000 };
  expect(countdownAt(pair, 5090)?.elapsedMs).toBe(25);
});

test('a leader has no countdown, and neither has a node that fell silent', () => {
  expect(countdownAt({ previous: null, latest: said(START, 0, 'leader'), receivedAtMs: 0 }, 10)).toBeNull();
  const silent = { previous: null, latest: said(START, 10), receivedAtMs: 0 };
  expect(countdownAt(silent, COUNTDOWN_STALE_MS + 1)).toBeNull();
});
