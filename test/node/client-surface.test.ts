// The client library against real nodes in this process: ends, transactions, watches, the password.
import { afterEach, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../engine/client/client.ts';
import { ClientError } from '../../engine/client/client-error.ts';
import type { Watch, WatchEvent } from '../../engine/client/watch.ts';
import type { NodeConfigInput } from '../../engine/node/node-config.ts';
import { waitUntil } from '../main/wait-until.ts';
import { type InProcessCluster, startCluster } from './in-process-cluster.ts';
import { JsonClient } from './json-client.ts';

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function cluster(size = 3, settings: Partial<NodeConfigInput> = {}): Promise<InProcessCluster> {
  const started = await startCluster(size, settings);
  open.push(() => started.close());
  await started.elected();
  return started;
}

function clientOf({ nodes }: InProcessCluster, password?: string): Client {
  const addresses = nodes.map(({ node }) => node.clientAddress);
  const client = createClient({ addresses, deadlineMs: 20_000, password });
  open.push(() => client.close());
  return client;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  if (!(error instanceof ClientError)) throw error;
  return error.code;
}

async function take(watch: Watch, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  while (events.length < count) {
    const step = await watch.next();
    if (step.done === true) throw new Error(`the watch ended after ${events.length} events`);
    events.push(step.value);
  }
  return events;
}

const spell = ({ type, key, value, revision }: WatchEvent) => `${revision} ${type} ${key} ${value}`;

describe('ends of keys', () => {
  test('come by themselves on every node, are told, and can be changed', async () => {
    const three = await cluster();
    const client = clientOf(three);
    const watch = client.watch({ prefix: 'session:' });
    await watch.started;
    await client.set('session:1', 'a', { ttlMs: 60_000 });
    await client.set('session:2', 'b', { ttlMs: 50 });
    const { ttlMs } = await client.ttl('session:1');
    expect(ttlMs).toBeGreaterThan(30_000);
    expect(ttlMs).toBeLessThanOrEqual(60_000);
    const events = await take(watch, 3);
    expect(events.map(({ type, key, expired }) => [type, key, expired])).toEqual([
      ['put', 'session:1', false],
      ['put', 'session:2', false],
      ['delete', 'session:2', true],
    ]);
    expect((await client.get('session:2')).found).toBe(false);
    for (const { node } of three.nodes) {
      await waitUntil('every node has one key', () => node.status().keyspace.keys === 1);
    }
    expect((await client.persist('session:1')).changed).toBe(true);
    expect(await client.ttl('session:1')).toMatchObject({ exists: true, ttlMs: null, expiresAt: null });
    expect((await client.expire('session:1', 40, { onlyIf: 'some' })).changed).toBe(false);
    expect((await client.expire('session:1', { expiresAt: 1 })).changed).toBe(true);
    expect(await client.ttl('session:1')).toMatchObject({ exists: false, ttlMs: null });
  });

  test('a read that comes when the end has come does not see the key', async () => {
    const client = clientOf(await cluster(1));
    for (let round = 0; round < 5; round++) {
      const { receipt } = await client.set('k', 'v', { ttlMs: 30 });
      const { expiresAt } = await client.ttl('k');
      if (expiresAt === null) throw new Error(`no end: ${JSON.stringify(receipt)}`);
      await waitUntil('the end has come by the clock', () => Date.now() >= expiresAt);
      expect((await client.get('k')).found).toBe(false);
    }
  });
});

describe('transactions', () => {
  test('compare, then do one side or the other, and say what each operation gave', async () => {
    const client = clientOf(await cluster());
    const big = 2n ** 60n + 1n;
    const create = {
      compare: [{ key: 'lock', exists: false }],
      success: [
        { command: 'set', key: 'lock', value: 'mine', ttlMs: 60_000 },
        { command: 'incr', key: 'n', by: big },
        { command: 'ttl', key: 'lock' },
      ],
      failure: [{ command: 'get', key: 'lock' }],
    } as const;
    const first = await client.txn(create);
    expect(first.succeeded).toBe(true);
    expect(first.results).toMatchObject([{ success: true }, { value: big }, { ttlMs: 60_000 }]);
    const second = await client.txn(create);
    expect(second).toMatchObject({ succeeded: false, results: [{ value: 'mine' }] });
    const { revision } = await client.get('lock');
    const byRevision = await client.txn({
      compare: [{ key: 'lock', revision: revision ?? 0 }],
      success: [{ command: 'delete', key: 'lock' }],
    });
    expect(byRevision).toMatchObject({ succeeded: true, results: [{ success: true }] });
  });

  test('that fail inside are undone, and the error is definite', async () => {
    const client = clientOf(await cluster(1));
    await client.set('text', 'x');
    const steps = [
      { command: 'set', key: 'a', value: '1' },
      { command: 'incr', key: 'text' },
    ] as const;
    const error = await client.txn({ success: steps }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', outcome: 'definite' });
    expect(error).toHaveProperty('message', expect.stringContaining('operation 1 (incr)'));
    expect((await client.get('a')).found).toBe(false);
    const { results } = await client.txn({ success: steps, onFailure: 'continue' });
    expect(results).toMatchObject([
      { success: true },
      { success: false, error: { code: 'INVALID_ARGUMENT' } },
    ]);
    expect((await client.get('a')).found).toBe(true);
  });

  test('a set can be bound to absence, keep an end and give the old value back', async () => {
    const client = clientOf(await cluster(1));
    expect(await client.set('k', 'a', { onlyIf: 'present' })).toMatchObject({ written: false });
    expect(await client.set('k', 'a', { onlyIf: 'absent', ttlMs: 60_000 })).toMatchObject({ written: true });
    const kept = await client.set('k', 'b', { keepTtl: true, returnPrevious: true });
    expect(kept).toMatchObject({ written: true, previous: 'a' });
    expect((await client.ttl('k')).ttlMs).toBeGreaterThan(0);
    await client.bulkSet([
      ['p', 1, { ttlMs: 60_000 }],
      ['q', 2],
    ]);
    expect([(await client.ttl('p')).ttlMs === null, (await client.ttl('q')).ttlMs === null]).toEqual([
      false,
      true,
    ]);
  });
});

describe('watches', () => {
  test('go on at another node when theirs stops, without loss or repetition', async () => {
    const three = await cluster();
    const client = clientOf(three);
    const watch = client.watch({ prefix: 'k' });
    await watch.started;
    const told: string[] = [];
    const done: string[] = [];
    const reading = (async () => {
      for await (const event of watch) {
        told.push(spell(event));
        if (event.value === 'last') break;
      }
    })();
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 50; at++) {
        const { receipt } = await client.set(`k${at}`, round);
        done.push(`${receipt.index} put k${at} ${round}`);
        if (at !== 25 || round === 2) continue;
        const { id, node } = await three.elected();
        await node.stop('the test wants it');
        await three.restart(id);
      }
      const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
      const { receipt } = await client.bulkSet(keys.map((key) => [key, 'bulk'] as const));
      for (const key of keys) done.push(`${receipt.index} put ${key} bulk`);
    }
    const { receipt } = await client.set('k', 'last');
    done.push(`${receipt.index} put k last`);
    await reading;
    expect(told).toEqual(done);
  });

  test('end with COMPACTED when what they need is forgotten', async () => {
    const one = await cluster(1, { limits: { watchHistoryBytesMax: 64 * 1024 } });
    const client = clientOf(one);
    for (let at = 0; at < 40; at++) await client.set('k', 'x'.repeat(4096));
    const watch = client.watch({ prefix: '', fromRevision: 1 });
    expect(await codeOf(watch.started)).toBe('COMPACTED');
    expect(await codeOf(watch.next())).toBe('COMPACTED');
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });

  test('end when they are closed, aborted, or their client is', async () => {
    const client = clientOf(await cluster(1));
    const abort = new AbortController();
    const watches = [client.watch(), client.watch({ signal: abort.signal }), client.watch()] as const;
    for (const watch of watches) await watch.started;
    const ends = watches.map((watch) => watch.next());
    watches[0].close();
    abort.abort();
    client.close();
    for (const end of ends) expect(await end).toEqual({ done: true, value: undefined });
    expect(() => client.watch()).toThrow(ClientError);
  });
});

describe('the password', () => {
  const password = 'correct horse';

  test('is asked of everybody, and named by the client, its watches and nodes that pass requests on', async () => {
    const three = await cluster(3, { password });
    expect(await codeOf(clientOf(three).get('k'))).toBe('UNAUTHENTICATED');
    expect(await codeOf(clientOf(three, 'wrong').set('k', 'v'))).toBe('UNAUTHENTICATED');
    const wrong = clientOf(three, 'wrong').watch();
    expect(await codeOf(wrong.next())).toBe('UNAUTHENTICATED');
    const client = clientOf(three, password);
    const watch = client.watch({ key: 'k' });
    await watch.started;
    await client.set('k', 'v');
    expect((await take(watch, 1)).map((event) => event.value)).toEqual(['v']);

    const follower = three.nodes.find(({ node }) => node.status().raft.role !== 'leader');
    if (follower === undefined) throw new Error('all of three lead');
    const raw = new JsonClient(follower.node.clientAddress);
    open.push(() => raw.close());
    const set = { command: 'set', key: 'k', value: 'w', forward: true };
    expect(await raw.ask(set)).toMatchObject({ status: 'error', code: 'UNAUTHENTICATED' });
    expect(await raw.ask({ command: 'auth', password: 'wrong' })).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await raw.ask({ command: 'member_list' })).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await raw.ask({ command: 'auth', password })).toMatchObject({ status: 'ok' });
    expect(await raw.ask(set)).toMatchObject({ status: 'ok', success: true });
    expect((await client.get('k')).value).toBe('w');
  });
});
