// Exactly once under broken connections: the other end keeps sessions as a node does (the same pair again
// gets the first reply, a lower sequence is refused) and breaks off before or after applying, at random.
// QUORUMLAB_SEED=N npx vitest run --project unit test/client/exactly-once.test.ts replays a run.
import { afterEach, expect, test } from 'vitest';
import { createClient } from '../../engine/client/client.ts';
import { laneClientId } from '../../engine/client/session-lanes.ts';
import { follows, leaderStatus, type Script, ScriptedNode } from './scripted-node.ts';

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** mulberry32: small, seeded, good enough to choose what breaks. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const seed = Number(process.env.QUORUMLAB_SEED ?? Math.floor(Math.random() * 2 ** 32));

test(`seed ${seed}: 400 concurrent increments over 3 nodes that break off count exactly 400`, async () => {
  const random = generator(seed);
  const sessions = new Map<string, { seq: number; reply: object }>();
  const refused: string[] = [];
  let counter = 0;
  let leader = 0;
  let breaks = 0;
  const nodes: ScriptedNode[] = [];

  const apply = (client: string, seq: number): object => {
    const last = sessions.get(client);
    if (last?.seq === seq) return last.reply;
    if (last !== undefined && seq < last.seq) {
      refused.push(`${client} ${seq} after ${last.seq}`);
      return { status: 'error', code: 'INVALID_ARGUMENT', message: 'sequence is too low' };
    }
    const reply = { status: 'ok', value: ++counter, index: counter, term: 1 };
    sessions.set(client, { seq, reply });
    return reply;
  };

  const script =
    (id: number): Script =>
    (request, connection) => {
      if (leader !== id) return follows(id, () => nodes[leader]?.address ?? null)(request, connection);
      if (request.command === 'status') return leaderStatus(id);
      const draw = random();
      if (draw < 0.06) {
        breaks++;
        if (draw < 0.03) apply(String(request.client), Number(request.seq));
        if (draw < 0.045) leader = (leader + 1) % 3;
        connection.break();
        return undefined;
      }
      return apply(String(request.client), Number(request.seq));
    };

  for (let id = 0; id < 3; id++) {
    const node = new ScriptedNode(script(id));
    await node.start();
    open.push(() => node.kill());
    nodes.push(node);
  }
  const client = createClient({
    addresses: nodes.map((node) => node.address),
    writesInFlightMax: 32,
    deadlineMs: 15_000,
    random,
  });
  open.push(() => client.close());

  const values = await Promise.all(Array.from({ length: 400 }, () => client.incr('n')));
  expect(refused).toEqual([]);
  expect(counter).toBe(400);
  expect(new Set(values.map((each) => each.value)).size).toBe(400);
  expect(breaks).toBeGreaterThan(0);
});

test('lanes have ids of their own that are UUIDs', () => {
  const base = '123e4567-e89b-42d3-a456-4266fffffffe';
  expect(laneClientId(base, 0)).toBe(base);
  expect(laneClientId(base, 1)).toBe('123e4567-e89b-42d3-a456-4266ffffffff');
  expect(laneClientId(base, 2)).toBe('123e4567-e89b-42d3-a456-426600000000');
});
