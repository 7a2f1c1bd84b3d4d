// Watches, ends of keys and transactions on real processes that are killed, and the same from the command line.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WatchEvent } from '../../engine/client/watch.ts';
import { eventually, TestCluster, type TestNode } from './harness.ts';
import { startCli } from './run-cli.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});

afterAll(async () => {
  await cluster.stop();
});

async function killTheLeader(): Promise<TestNode> {
  const leader = await cluster.leader();
  await leader.kill();
  await cluster.leader((node) => node !== leader);
  return leader;
}

describe('a watch', () => {
  test('across kills of the leader and of the node that it is served by: nothing lost, nothing twice', async () => {
    const client = cluster.client();
    const watch = client.watch({ prefix: 'w' });
    await watch.started;
    const told: WatchEvent[] = [];
    const reading = (async () => {
      for await (const event of watch) {
        told.push(event);
        if (event.key === 'w-end') return;
      }
    })();
    const acknowledged: string[] = [];
    let killing = true;
    /** How many values it wrote: it goes on as long as there are kills to come. */
    const writer = async (name: string): Promise<number> => {
      let n = 0;
      for (; n < 120 || killing; n++) {
        const { receipt } = await client.set(`w${name}`, n);
        acknowledged.push(`${receipt.index} w${name} ${n}`);
      }
      return n;
    };
    const killer = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        const seen = told.length;
        await eventually('some progress', () => told.length > seen + 30);
        await (await killTheLeader()).start();
      }
      killing = false;
    };
    const [a, b, c] = await Promise.all([writer('a'), writer('b'), writer('c'), killer()]);
    await client.bulkSet(Array.from({ length: 50 }, (_, at) => [`w-bulk${at}`, at] as const));
    await client.set('w-end', true);
    await reading;

    const spelled = told.map(({ key, value, revision }) => `${revision} ${key} ${value}`);
    expect(new Set(spelled).size).toBe(spelled.length);
    expect(told.map(({ revision }) => revision)).toEqual(
      told.map(({ revision }) => revision).toSorted((a, b) => a - b),
    );
    for (const line of acknowledged) expect(spelled).toContain(line);
    for (const [name, count] of [
      ['wa', a],
      ['wb', b],
      ['wc', c],
    ] as const) {
      const values = told.filter(({ key }) => key === name).map(({ value }) => value);
      expect(values).toEqual(Array.from({ length: count }, (_, n) => n));
    }
    expect(told.filter(({ key }) => String(key).startsWith('w-bulk'))).toHaveLength(50);
  });
});

describe('the end of a key', () => {
  test('comes under another leader as well, once, and the key never comes back', async () => {
    const client = cluster.client();
    const watch = client.watch({ prefix: 't' });
    await watch.started;
    await client.set('t-short', 'v', { ttlMs: 600 });
    await client.set('t-long', 'v', { ttlMs: 120_000 });
    const killed = await killTheLeader();
    const events: WatchEvent[] = [];
    while (events.length < 3) {
      const step = await watch.next();
      if (step.done === true) throw new Error('the watch ended');
      events.push(step.value);
    }
    expect(events.map(({ type, key, expired }) => `${type} ${key} ${expired}`)).toEqual([
      'put t-short false',
      'put t-long false',
      'delete t-short true',
    ]);
    await killed.start();
    await cluster.converged();
    await killTheLeader().then((node) => node.start());
    expect((await client.get('t-short')).found).toBe(false);
    const { ttlMs } = await client.ttl('t-long');
    expect(ttlMs).toBeGreaterThan(60_000);
    expect(ttlMs).toBeLessThanOrEqual(120_000);
    for (const node of cluster.nodes) {
      const stale = cluster.client({ addresses: [node.clientAddress] });
      await eventually('the node has the state', async () => {
        const { found } = await stale.get('t-long', { consistency: 'stale' });
        return found && !(await stale.get('t-short', { consistency: 'stale' })).found;
      });
    }
    watch.close();
  });

  test('is not decided by a leader that is cut off: it ends nothing, and its time does not count', async () => {
    const client = cluster.client();
    await client.set('t-kept', 'v', { ttlMs: 1500 });
    const old = await cluster.leader();
    old.pause();
    await cluster.leader((node) => node !== old);
    expect((await client.persist('t-kept')).changed).toBe(true);
    const { expiresAt } = await client.ttl('t-kept');
    expect(expiresAt).toBeNull();
    const woken = Date.now() + 1600;
    await eventually('the end would have come', () => Date.now() > woken);
    old.resume();
    await cluster.converged();
    expect((await client.get('t-kept')).value).toBe('v');
  });
});

describe('a transaction', () => {
  test('under SIGKILL is done as a whole or not at all: no money is made or lost', async () => {
    const client = cluster.client();
    const accounts = ['m-a', 'm-b', 'm-c', 'm-d'];
    await client.bulkSet(accounts.map((key) => [key, 100] as const));
    let moved = 0;
    let stopping = false;
    const mover = async (seed: number): Promise<void> => {
      for (let n = 0; !stopping; n++) {
        const from = accounts[(seed + n) % 4] ?? '';
        const to = accounts[(seed + n * 3 + 1) % 4] ?? '';
        if (from === to) continue;
        const done = await client.txn({
          compare: [{ key: from, value: 0, op: '>' }],
          success: [
            { command: 'incr', key: from, by: -1 },
            { command: 'incr', key: to, by: 1 },
          ],
        });
        if (done.succeeded) moved++;
      }
    };
    const movers = [0, 1, 2, 3].map(mover);
    for (let round = 0; round < 3; round++) {
      const before = moved;
      await eventually('some transfers', () => moved > before + 40);
      await (await killTheLeader()).start();
    }
    stopping = true;
    await Promise.all(movers);
    const balances = await Promise.all(accounts.map(async (key) => Number((await client.get(key)).value)));
    expect(balances.reduce((sum, each) => sum + each, 0)).toBe(400);
    await cluster.converged();
    for (const node of cluster.nodes) {
      const only = cluster.client({ addresses: [node.clientAddress] });
      const { items } = await only.scanPage({ prefix: 'm-', consistency: 'stale' });
      expect(items.map(({ value }) => value)).toEqual(balances);
    }
  });
});

describe('on the command line', () => {
  test('watch, txn, ttl, expire and persist', async () => {
    const endpoints = ['-e', cluster.addresses.join(',')];
    const run = async (...args: string[]) => {
      const command = await startCli([...args, ...endpoints]);
      const { code } = await command.exited();
      return { code, out: command.stdout.trim(), error: command.stderr };
    };
    const watch = await startCli(['watch', 'c-', '--count', '3', '--json', ...endpoints]);
    const human = await startCli(['watch', 'c-', '--count', '3', ...endpoints]);
    await eventually('it watches', () => human.stderr.includes('from revision'));
    expect(await run('set', 'c-1', 'a', '--ttl', '2h')).toMatchObject({ code: 0, out: 'OK' });
    expect(await run('set', 'c-1', 'b', '--only-if', 'absent')).toMatchObject({ code: 1, out: '' });
    expect((await run('ttl', 'c-1')).out).toMatch(/^(2h|1h 59m)$/);
    expect(await run('persist', 'c-1')).toMatchObject({ code: 0, out: 'OK' });
    expect(await run('ttl', 'c-1')).toMatchObject({ code: 0, out: 'no end' });
    expect(await run('expire', 'c-none', '5s')).toMatchObject({ code: 1 });
    expect(await run('expire', 'c-1', '5')).toMatchObject({ code: 2 });
    const steps = {
      compare: [{ key: 'c-1', value: 'a' }],
      // biome-ignore lint/suspicious/noThenProperty: the protocol's word; nobody awaits it.
      then: [
        { command: 'set', key: 'c-2', value: 5, ttl_ms: 60_000 },
        { command: 'ttl', key: 'c-2' },
      ],
      else: [{ command: 'get', key: 'c-1' }],
    };
    expect(await run('txn', JSON.stringify(steps))).toMatchObject({ code: 0, out: 'then\n  OK\n  60000 ms' });
    await run('set', 'c-1', 'z');
    expect(await run('txn', JSON.stringify(steps))).toMatchObject({ code: 1, out: 'else\n  z' });
    expect((await run('txn', '{"then":[{"command":"fly"}]}')).code).toBe(2);
    await human.exited();
    expect(human.stdout).toMatch(/c-1 = a .*until .*\n.*c-1 = a\n.*c-2 = 5 .*until/);
    expect((await watch.exited()).code).toBe(0);
    const events = watch.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toMatchObject([
      { event: 'put', key: 'c-1', value: 'a' },
      { event: 'put', key: 'c-1', value: 'a', expires_at: null },
      { event: 'put', key: 'c-2', value: 5 },
    ]);
  });
});
