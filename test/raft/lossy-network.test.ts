import { expect, test } from 'vitest';
import { CoreCluster, textOf } from './core-cluster.ts';

test('elects, replicates, commits, applies everywhere', () => {
  const cluster = new CoreCluster();
  const leader = cluster.elect();
  cluster.propose('a');
  cluster.settle();
  cluster.propose('b');
  cluster.settle();
  cluster.tick(6);
  for (const node of cluster.nodes.values()) expect(node.applied.map(textOf)).toEqual(['<2>', 'a', 'b']);
  leader.raft.readIndex(7);
  cluster.settle();
  expect(leader.reads).toEqual([{ token: 7, index: 3 }]);
});

for (let seed = 1; seed <= 100; seed++) {
  test(`seed ${seed} (lost messages, unsynced restarts): logs agree, terms have one leader`, () => {
    const cluster = new CoreCluster({ seed });
    const leaders = new Map<number, number>();
    const history: string[] = [];
    cluster.passes = () => cluster.random() > 0.2;
    const check = () => {
      for (const node of cluster.nodes.values()) {
        for (const event of node.events.splice(0)) {
          if (event.type !== 'leaderElected') continue;
          expect(leaders.get(event.term) ?? node.id).toBe(node.id);
          leaders.set(event.term, node.id);
        }
        node.applied.slice(-20).forEach((entry) => {
          const position = entry.index - 1;
          const text = `${entry.index}:${entry.term}:${textOf(entry)}`;
          history[position] ??= text;
          if (text !== history[position])
            throw new Error(`n${node.id} applied ${text}, not ${history[position]}`);
        });
      }
    };
    for (let turn = 0; turn < 300; turn++) {
      const draw = cluster.random();
      const id = 1 + Math.floor(cluster.random() * 3);
      if (draw < 0.03) cluster.node(id).restart();
      else if (draw < 0.06) cluster.leader()?.raft.transferLeadership(id);
      else if (draw < 0.1) cluster.node(id).raft.peerLost(cluster.node(id).raft.leaderId);
      else if (draw < 0.6 && cluster.leader()) cluster.propose(`v${turn}`);
      else cluster.tick();
      if (draw > 0.5) cluster.settle();
      check();
    }
    cluster.passes = () => true;
    cluster.elect();
    // A handing over that the lost messages stopped half-way must have been given up by then.
    cluster.tick(60);
    expect(cluster.propose('end', cluster.elect())).toMatchObject({ accepted: true });
    cluster.settle();
    cluster.tick(10);
    check();
    const logs = [...cluster.nodes.values()].map((node) => node.applied.map(textOf).join());
    expect(new Set(logs).size).toBe(1);
    expect(logs[0]).toContain('end');
  });
}
