// Do injected link faults act on messages alone, and as ordered?
import { afterEach, describe, expect, test } from 'vitest';
import type { LinkEffect, LinkFault } from '../../engine/protocol/faults.ts';
import type { Message } from '../../engine/raft/types.ts';
import { LinkFilter, linkConditions } from '../../engine/transport/link-filter.ts';
import {
  closeAllPeers,
  heartbeat,
  isConnected,
  linkOf,
  openPeers,
  readRounds,
  seededRandom,
  type TestPeer,
} from './peer-fixture.ts';
import { waitUntil, waitUntilPasses } from './wait-until.ts';

afterEach(closeAllPeers);

async function connectedPair(): Promise<[TestPeer, TestPeer]> {
  const [one, two] = await openPeers(2);
  await waitUntil('both connected', () => isConnected(one, 2) && isConnected(two, 1));
  return [one, two];
}

function fault(peer: number, direction: LinkFault['direction'], effect: LinkEffect): LinkFault {
  return { id: `${direction}-${effect.kind}`, peer, direction, effect };
}

/** Sends one numbered letter and waits for it: everything sent before it has arrived or never will. */
async function exchange(from: TestPeer, to: TestPeer, readRound: number): Promise<void> {
  from.transport.send([heartbeat(from.id, to.id, readRound)]);
  await waitUntil(`letter ${readRound}`, () => readRounds(to).includes(readRound));
}

describe('over real sockets', () => {
  for (const direction of ['inbound', 'outbound', 'both'] as const) {
    test(`a link cut ${direction} loses messages and raises no connection event`, async () => {
      const [one, two] = await connectedPair();
      one.transport.setLinkFaults([fault(2, direction, { kind: 'cut' })]);
      for (let round = 1; round <= 100; round++) {
        one.transport.send([heartbeat(1, 2, round)]);
        two.transport.send([heartbeat(2, 1, round)]);
      }
      const inboundCut = direction !== 'outbound';
      const outboundCut = direction !== 'inbound';
      const lost = (inboundCut ? 100 : 0) + (outboundCut ? 100 : 0);
      await waitUntil('the drops', () => linkOf(one, 2).dropped === lost);
      one.transport.setLinkFaults([]);
      await exchange(one, two, 1000);
      await exchange(two, one, 1000);
      const all = Array.from({ length: 100 }, (_, at) => at + 1);
      expect(readRounds(two)).toEqual(outboundCut ? [1000] : [...all, 1000]);
      expect(readRounds(one)).toEqual(inboundCut ? [1000] : [...all, 1000]);
      for (const peer of [one, two]) {
        expect(peer.listener.disconnections).toEqual([]);
        expect(peer.listener.connected).toHaveLength(1);
      }
    });
  }

  test('a delay holds messages back, keeps their order, and shows in the round trip', async () => {
    const [one, two] = await connectedPair();
    const delayMs = 60;
    one.transport.setLinkFaults([fault(2, 'outbound', { kind: 'delay', delayMs, jitterMs: 40 })]);
    const sentMs: number[] = [];
    for (let round = 1; round <= 50; round++) {
      sentMs.push(performance.now());
      one.transport.send([heartbeat(1, 2, round)]);
      if (round % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await waitUntilPasses(() =>
      expect(readRounds(two)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1)),
    );
    for (const [at, arrivedMs] of two.listener.arrivedMs.entries()) {
      expect(arrivedMs - (sentMs[at] ?? 0)).toBeGreaterThanOrEqual(delayMs - 1);
    }
    await waitUntil('a slow round trip', () => (linkOf(one, 2).roundTripMs ?? 0) > delayMs / 2);
  });

  test('healing a delay lets nothing wait on, in order', async () => {
    const [one, two] = await connectedPair();
    one.transport.setLinkFaults([fault(2, 'both', { kind: 'delay', delayMs: 60_000, jitterMs: 0 })]);
    for (let round = 1; round <= 20; round++) one.transport.send([heartbeat(1, 2, round)]);
    two.transport.send([heartbeat(2, 1, 1)]);
    expect(linkOf(one, 2).queuedBytes).toBeGreaterThan(0);
    one.transport.setLinkFaults([]);
    await exchange(one, two, 21);
    expect(readRounds(two)).toEqual(Array.from({ length: 21 }, (_, at) => at + 1));
  });

  test('a lossy link loses about its share', async () => {
    const [one, two] = await connectedPair();
    one.transport.setLinkFaults([fault(2, 'outbound', { kind: 'loss', probability: 0.3 })]);
    for (let round = 1; round <= 2000; round++) one.transport.send([heartbeat(1, 2, round)]);
    one.transport.setLinkFaults([]);
    await exchange(one, two, 5000);
    const arrived = readRounds(two).length - 1;
    // The generator of node 1 is seeded: 2,000 draws at 0.3 lie within five standard deviations of 1,400.
    expect(arrived).toBeGreaterThan(1400 - 103);
    expect(arrived).toBeLessThan(1400 + 103);
    expect(readRounds(two)).toEqual([...readRounds(two)].sort((a, b) => a - b));
  });

  test('a fault on one peer leaves the others alone, and a late peer gets its fault', async () => {
    const [one, two, three] = await openPeers(3);
    if (three === undefined) throw new Error('three peers were opened');
    await waitUntil('all connected', () => isConnected(one, 2) && isConnected(one, 3) && isConnected(two, 1));
    one.transport.removePeer(2);
    one.transport.setLinkFaults([fault(2, 'both', { kind: 'cut' })]);
    one.transport.addPeer(two.address);
    await waitUntil('connected again', () => isConnected(one, 2));
    one.transport.send([heartbeat(1, 2, 1)]);
    await exchange(one, three, 2);
    expect(linkOf(one, 2).dropped).toBeGreaterThan(0);
    expect(readRounds(two)).toEqual([]);
  });

  test('a real death is told through a cut', async () => {
    const [one, two] = await connectedPair();
    one.transport.setLinkFaults([fault(2, 'both', { kind: 'cut' })]);
    await two.transport.close();
    await waitUntil('the disconnection', () => one.listener.disconnections.length === 1);
  });
});

describe('the filter alone', () => {
  interface Bounds {
    delayedMessagesMax?: number;
    delayedBytesMax?: number;
  }

  function filterWith(effects: LinkEffect[], bounds: Bounds = {}) {
    const released: Message[] = [];
    const counts = { dropped: 0 };
    const filter = new LinkFilter({
      random: seededRandom(1),
      release: (messages) => released.push(...messages),
      onDropped: (messages) => {
        counts.dropped += messages.length;
      },
      ...bounds,
    });
    const where = { peer: 2, direction: 'outbound' } as const;
    const order = (next: LinkEffect[]) =>
      filter.setConditions(
        linkConditions(
          next.map((effect) => fault(2, 'both', effect)),
          where,
        ),
      );
    order(effects);
    return { filter, released, counts, order };
  }

  test('what a delay holds back is bounded by count and by bytes', () => {
    const delay: LinkEffect = { kind: 'delay', delayMs: 60_000, jitterMs: 0 };
    const byCount = filterWith([delay], { delayedMessagesMax: 10 });
    for (let round = 0; round < 25; round++) byCount.filter.admit(heartbeat(1, 2, round));
    expect(byCount.counts.dropped).toBe(15);
    byCount.order([]);
    expect(byCount.released).toHaveLength(10);
    expect(byCount.filter.clear).toBe(true);

    const byBytes = filterWith([delay], { delayedBytesMax: 1000 });
    for (let round = 0; round < 25; round++) byBytes.filter.admit(heartbeat(1, 2, round));
    expect(byBytes.filter.delayedBytes).toBeLessThanOrEqual(1000);
    expect(byBytes.counts.dropped).toBeGreaterThan(15);
    byBytes.filter.drop();
    expect(byBytes.counts.dropped).toBe(25);
  });

  test('a cut loses what a delay held back', () => {
    const { filter, released, counts, order } = filterWith([{ kind: 'delay', delayMs: 60_000, jitterMs: 0 }]);
    for (let round = 0; round < 5; round++) filter.admit(heartbeat(1, 2, round));
    order([{ kind: 'cut' }]);
    order([]);
    expect(released).toEqual([]);
    expect(counts.dropped).toBe(5);
    expect(filter.admit(heartbeat(1, 2, 9))).toBe(true);
  });

  test('faults of one link add up, and those of others do not count', () => {
    const faults = [
      fault(2, 'outbound', { kind: 'loss', probability: 0.5 }),
      fault(2, 'both', { kind: 'loss', probability: 0.5 }),
      fault(2, 'both', { kind: 'delay', delayMs: 10, jitterMs: 1 }),
      fault(2, 'outbound', { kind: 'delay', delayMs: 5, jitterMs: 2 }),
      fault(2, 'inbound', { kind: 'cut' }),
      fault(3, 'both', { kind: 'cut' }),
    ];
    expect(linkConditions(faults, { peer: 2, direction: 'outbound' })).toEqual({
      cut: false,
      lossProbability: 0.75,
      delayMs: 15,
      jitterMs: 3,
    });
    expect(linkConditions(faults, { peer: 2, direction: 'inbound' }).cut).toBe(true);
    expect(linkConditions(faults, { peer: 4, direction: 'inbound' }).cut).toBe(false);
  });
});
