// @vitest-environment node
// A link's state from the faults that both of its ends have, each seen from its own side.
import { expect, test } from 'vitest';
import type { LinkFault } from '../../engine/protocol/faults.ts';
import { linkCondition, linkStates } from '../../src/renderer/model/links.ts';
import { killed, linkOf, START, statusItem, viewAfter } from './sample-view.ts';

function linkWith(faultsOf1: readonly LinkFault[], faultsOf2: readonly LinkFault[] = []) {
  const view = viewAfter(
    statusItem(1, { faults: { disk: [], links: faultsOf1 }, at: START + 1 }),
    statusItem(2, { faults: { disk: [], links: faultsOf2 }, at: START + 1 }),
  );
  const link = linkStates(view.nodes).find(({ a, b }) => a === 1 && b === 2);
  if (link === undefined) throw new Error('no link 1-2');
  return link;
}

const cut = (peer: number, direction: LinkFault['direction']): LinkFault => ({
  id: `cut-${direction}`,
  peer,
  direction,
  effect: { kind: 'cut' },
});

test('three nodes have three links, whole while nobody has a fault', () => {
  const links = linkStates(viewAfter().nodes);
  expect(links.map(({ a, b }) => [a, b])).toEqual([
    [1, 2],
    [1, 3],
    [2, 3],
  ]);
  expect(links.map(linkCondition)).toEqual(['whole', 'whole', 'whole']);
});

test('cut both ways on either end is cut', () => {
  expect(linkCondition(linkWith([cut(2, 'both')]))).toBe('cut');
  expect(linkCondition(linkWith([], [cut(1, 'both')]))).toBe('cut');
});

test('outbound on one end and inbound on the other are the same lane', () => {
  const outbound = linkWith([cut(2, 'outbound')]);
  const inbound = linkWith([], [cut(1, 'inbound')]);
  for (const link of [outbound, inbound]) {
    expect(linkCondition(link)).toBe('halfCut');
    expect([link.forward.cut, link.backward.cut]).toEqual([true, false]);
  }
});

test('delays of both ends add up; losses multiply what gets through', () => {
  const slow: LinkFault = {
    id: 's',
    peer: 2,
    direction: 'both',
    effect: { kind: 'delay', delayMs: 30, jitterMs: 0 },
  };
  const lossy: LinkFault = {
    id: 'l',
    peer: 2,
    direction: 'both',
    effect: { kind: 'loss', probability: 0.5 },
  };
  const link = linkWith(
    [slow, lossy],
    [
      { ...slow, peer: 1 },
      { ...lossy, peer: 1 },
    ],
  );
  expect(linkCondition(link)).toBe('slow');
  expect(link.forward.delayMs).toBe(60);
  expect(link.forward.loss).toBeCloseTo(0.75);
  expect(link.faults.map(({ nodeId, fault }) => `${nodeId}:${fault.id}`)).toEqual([
    '1:s',
    '1:l',
    '2:s',
    '2:l',
  ]);
});

test('a round trip counts only while its connection stands', () => {
  const measured = [linkOf(2, { roundTripMs: 0.4 }), linkOf(3, { roundTripMs: 0.5, connected: false })];
  const view = viewAfter(statusItem(1, { links: measured, at: START + 1 }));
  expect(linkStates(view.nodes).map(({ roundTripMs }) => roundTripMs)).toEqual([0.4, null, null]);
  const dead = viewAfter(statusItem(1, { links: measured, at: START + 1 }), {
    type: 'process',
    process: killed(1),
  });
  expect(linkStates(dead.nodes).map(({ roundTripMs }) => roundTripMs)).toEqual([null, null, null]);
});
