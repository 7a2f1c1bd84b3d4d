// SIGKILLs and power cuts of random nodes and of all three at once, while eight clients write: what was
// acknowledged is there. QUORUMLAB_ROUNDS=50 for fifty of each.
import { expect, test } from 'vitest';
import type { NodeEvent } from '../../engine/protocol/node-status.ts';
import { eventually, TestCluster, type TestNode } from './harness.ts';
import { everything, expectAll, type Load, staleView, startLoad } from './load.ts';
import { roundsOf, seededChoice } from './seed.ts';

const ROUNDS = roundsOf('QUORUMLAB_ROUNDS', 10);
const CLIENTS = 8;
/** Generous for two busy cores; a round takes about a second. */
const ROUND_MS_MAX = 15_000;

/** So small that snapshots are taken all the time, and whoever was away needs one. */
const OFTEN = { snapshotLogBytes: 32 * 1024, snapshotTrailingEntries: 100 };

type Blow = 'SIGKILL' | 'powerCut';

/** As many of each, in an order that the seed decides; each fifth hits all nodes at once. */
function schedule(pick: (below: number) => number): { blow: Blow; all: boolean }[] {
  const blows: Blow[] = ['SIGKILL', 'powerCut'];
  const plan = blows.flatMap((blow) =>
    Array.from({ length: ROUNDS }, (_, round) => ({ blow, all: round % 5 === 4 })),
  );
  for (let at = plan.length - 1; at > 0; at--) {
    const other = pick(at + 1);
    [plan[at], plan[other]] = [plan[other] as (typeof plan)[0], plan[at] as (typeof plan)[0]];
  }
  return plan;
}

async function writesFlow(load: Load, why: string): Promise<void> {
  const before = load.times.length;
  await eventually(`writes flow ${why}`, () => load.times.length >= before + CLIENTS);
}

/** What the node said when its power was cut: how many bytes it dropped. */
function bytesLostBy(node: TestNode): number {
  const said = node.lines.findLast((line) => line.startsWith('power cut'));
  return Number(/"bytesLost":(\d+)/.exec(said ?? '')?.[1] ?? Number.NaN);
}

test(`${ROUNDS} SIGKILLs and ${ROUNDS} power cuts under load from ${CLIENTS} clients: no acknowledged write is lost`, {
  timeout: 2 * ROUNDS * ROUND_MS_MAX,
}, async () => {
  const { integer, pick } = seededChoice('test/cluster/power-cut.test.ts');
  const cluster = await TestCluster.start({ config: OFTEN });
  try {
    const clients = Array.from({ length: CLIENTS }, () => cluster.client());
    const load = startLoad(clients, CLIENTS);
    let bytesLost = 0;
    let [tornTails, taken, installed] = [0, 0, 0];
    for (const { blow, all } of schedule(integer)) {
      await writesFlow(load, 'before the blow');
      const victims = all ? cluster.nodes : [pick(cluster.nodes)];
      const hit = (node: TestNode): Promise<void> =>
        blow === 'SIGKILL' ? node.kill() : node.powerCut(integer(2 ** 31));
      await Promise.all(victims.map(hit));
      for (const node of victims) {
        taken += count(node, 'snapshotTaken');
        installed += count(node, 'snapshotInstalled');
      }
      if (blow === 'powerCut') for (const node of victims) bytesLost += bytesLostBy(node);
      if (!all) await writesFlow(load, 'on the other two');
      await Promise.all(victims.map((node) => node.start()));
      await cluster.converged();
      for (const node of victims) tornTails += countTornTails(node);
    }
    await load.stop();
    console.info(
      `${2 * ROUNDS} blows: ${load.acknowledged.size} acknowledged, ${load.unknown} unknown; ` +
        `power cuts took ${bytesLost} unsynced bytes, ${tornTails} torn tails were cut; ` +
        `${taken} snapshots were taken, ${installed} installed`,
    );
    // Cuts that never took a byte from a write under way would prove nothing.
    expect(bytesLost).toBeGreaterThan(0);
    expect(taken).toBeGreaterThan(0);
    expectAll(await everything(cluster.client()), load.acknowledged);
    await cluster.converged();
    for (const node of cluster.nodes) expectAll(await staleView(node), load.acknowledged);
  } finally {
    await cluster.stop();
  }
});

function count(node: TestNode, type: NodeEvent['event']['type']): number {
  return node.events.filter(({ event }) => event.type === type).length;
}

function countTornTails(node: TestNode): number {
  return node.events.filter(({ event }) => event.type === 'recovery' && event.message.includes('torn write'))
    .length;
}
