// @vitest-environment node
// Election messages in flight: every one, in causal order, bounded.
import { expect, test } from 'vitest';
import type { NodeEvent } from '../../engine/protocol/node-status.ts';
import {
  EMPTY_PLAN,
  FLIGHT_DELAY_MAX_MS,
  FLIGHT_MS,
  FLIGHTS_MAX,
  planFlights,
} from '../../src/renderer/model/flights.ts';
import { START } from './sample-view.ts';

let sequence = 0;
function at(offsetMs: number, nodeId: number, event: NodeEvent['event']): NodeEvent {
  return { nodeId, sequence: ++sequence, at: START + offsetMs, event };
}

const sent = (message: 'PreVote' | 'PreVoteResponse' | 'RequestVote' | 'Heartbeat', peer: number, term = 5) =>
  ({ type: 'messageSent', message, peer, term }) as const;

test('an answer starts only when its question has landed, however the events arrived', () => {
  const events = [
    at(1, 2, sent('PreVoteResponse', 1)),
    at(0, 1, sent('PreVote', 2)),
    at(0.1, 1, sent('PreVote', 3)),
  ];
  const { flights } = planFlights(EMPTY_PLAN, events, { nowMs: 1000, inAir: 0 });
  expect(flights.map(({ from, to, startMs }) => [from, to, startMs])).toEqual([
    [1, 2, 1000],
    [1, 3, 1000],
    [2, 1, 1000 + FLIGHT_MS],
  ]);
});

test('the order also holds over two batches', () => {
  const first = planFlights(EMPTY_PLAN, [at(0, 1, sent('PreVote', 2))], { nowMs: 1000, inAir: 0 });
  const second = planFlights(first.plan, [at(1, 2, sent('PreVoteResponse', 1))], { nowMs: 1016, inAir: 1 });
  expect(second.flights[0]?.startMs).toBe(1000 + FLIGHT_MS);
});

test('an answer carries what its voter said, and nothing when nobody said it', () => {
  const vote = { type: 'voteCast', term: 5, candidate: 1, preVote: true, reason: '', rule: 'E6' } as const;
  const events = [
    at(0, 2, { ...vote, granted: true }),
    at(1, 2, sent('PreVoteResponse', 1)),
    at(2, 3, { ...vote, granted: false }),
    at(3, 3, sent('PreVoteResponse', 1)),
    at(4, 3, sent('PreVoteResponse', 1, 6)),
    at(5, 1, sent('RequestVote', 2)),
  ];
  const { flights } = planFlights(EMPTY_PLAN, events, { nowMs: 0, inAir: 0 });
  expect(flights.map(({ granted }) => granted)).toEqual([true, false, null, null]);
});

test('replication is no flight', () => {
  expect(planFlights(EMPTY_PLAN, [at(0, 1, sent('Heartbeat', 2))], { nowMs: 0, inAir: 0 }).flights).toEqual(
    [],
  );
});

test('a storm is bounded in number and in delay', () => {
  const events = Array.from({ length: 500 }, (_, step) =>
    at(step, 1 + (step % 2), sent('PreVote', 2 - (step % 2))),
  );
  const { flights } = planFlights(EMPTY_PLAN, events, { nowMs: 0, inAir: 5 });
  expect(flights).toHaveLength(FLIGHTS_MAX - 5);
  expect(Math.max(...flights.map(({ startMs }) => startMs))).toBeLessThanOrEqual(FLIGHT_DELAY_MAX_MS);
});
