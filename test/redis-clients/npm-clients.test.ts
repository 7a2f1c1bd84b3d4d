// ioredis and node-redis as their users know them: their documentation's first examples, then each family of
// commands, pipelines, transactions, scans, both versions of the protocol, and a failover in the middle of it.
import { Redis } from 'ioredis';
import { createClient, RESP_TYPES } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, TestCluster, type TestNode } from '../cluster/harness.ts';

let cluster: TestCluster;

beforeAll(async () => {
  // Nobody fails over here because the machine is busy; the default is a tenth of a second.
  cluster = await TestCluster.start({
    config: { electionTimeoutMs: [1000, 2000], heartbeatIntervalMs: 100 },
  });
});
afterAll(async () => {
  await cluster?.stop();
});

async function nodeOf(where: string): Promise<TestNode> {
  const node = where === 'the leader' ? await cluster.leader() : (await cluster.followers())[0];
  if (node === undefined) throw new Error(`no ${where}`);
  return node;
}

/** What a client says when the command was certainly not, or perhaps not, carried out. */
const PASSING = /^(CLUSTERDOWN|TRYAGAIN|TIMEOUT|MISCONF)|[Cc]onnection|[Ss]ocket|ECONN|closed|max retries/;

describe.each(['the leader', 'a follower'])('ioredis on %s', (where) => {
  let redis: Redis;

  beforeAll(async () => {
    redis = new Redis({ port: (await nodeOf(where)).port, host: '127.0.0.1' });
    await redis.flushall();
  });
  afterAll(() => redis?.disconnect());

  test('the first example of its documentation', async () => {
    expect(await redis.set('mykey', 'value')).toBe('OK');
    expect(await redis.get('mykey')).toBe('value');
    expect(await redis.set('mykey', 'hello', 'EX', 10)).toBe('OK');
    expect(await redis.ttl('mykey')).toBeGreaterThan(7);
  });

  test('strings, numbers and bytes', async () => {
    expect(await redis.incrby('count', 5)).toBe(5);
    expect(await redis.incrbyfloat('half', 0.5)).toBe('0.5');
    expect(await redis.mset({ a: '1', b: '2' })).toBe('OK');
    expect(await redis.mget('a', 'b', 'none')).toEqual(['1', '2', null]);
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    await redis.set('bytes', bytes);
    expect(await redis.getBuffer('bytes')).toEqual(bytes);
    expect(await redis.getrange('mykey', 1, 2)).toBe('el');
    await expect(redis.incr('mykey')).rejects.toThrow('ERR value is not an integer or out of range');
    await expect(redis.hset('h', 'f', 'v')).rejects.toThrow("ERR unknown command 'hset'");
  });

  test('a pipeline answers in its own order, reads see the writes before them', async () => {
    const pipeline = redis.pipeline();
    for (let round = 0; round < 500; round++) pipeline.set('p', String(round)).get('p').incr('p').get('p');
    const replies = (await pipeline.exec()) ?? [];
    for (let round = 0; round < 500; round++) {
      const values = replies.slice(round * 4, round * 4 + 4).map(([error, value]) => error ?? value);
      expect(values).toEqual(['OK', String(round), round + 1, String(round + 1)]);
    }
  });

  test('a transaction is one thing, and WATCH guards it', async () => {
    expect(await redis.multi().set('foo', 'bar').get('foo').exec()).toEqual([
      [null, 'OK'],
      [null, 'bar'],
    ]);
    await redis.watch('foo');
    const other = redis.duplicate();
    await other.set('foo', 'changed');
    expect(await redis.multi().set('foo', 'mine').exec()).toBeNull();
    expect(await redis.get('foo')).toBe('changed');
    other.disconnect();
  });

  test('a scan stream gives every key that stays', async () => {
    const keys = Array.from({ length: 2_000 }, (_, at) => `scan:${at}`);
    await redis.mset(Object.fromEntries(keys.map((key) => [key, 'x'])));
    const found = new Set<string>();
    let pages = 0;
    for await (const page of redis.scanStream({ match: 'scan:*', count: 100 })) {
      for (const key of page as string[]) found.add(key);
      // Others come and go meanwhile.
      await redis.set(`other:${pages++}`, 'x');
    }
    expect(found.size).toBe(keys.length);
  });
});

describe.each([
  ['the leader', 2],
  ['the leader', 3],
  ['a follower', 3],
] as const)('node-redis on %s, RESP %i', (where, version) => {
  test('the first examples of its documentation', async () => {
    const { port } = await nodeOf(where);
    const client = await createClient({ RESP: version, socket: { host: '127.0.0.1', port } })
      .on('error', () => {})
      .connect();
    await client.set('key', 'value');
    expect(await client.get('key')).toBe('value');
    await client.del('key');
    expect(await client.set('key', 'value', { expiration: { type: 'EX', value: 10 }, condition: 'NX' })).toBe(
      'OK',
    );
    expect(await client.set('key', 'again', { condition: 'NX' })).toBeNull();
    expect(await client.multi().set('key', 'in').get('key').exec()).toEqual(['OK', 'in']);
    expect(await Promise.all([client.incr('n'), client.incr('n'), client.get('n')])).toHaveLength(3);
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    expect(await binary.get('key')).toEqual(Buffer.from('in'));
    const found: string[] = [];
    for await (const keys of client.scanIterator({ MATCH: 'k*' })) found.push(...keys);
    expect(found).toContain('key');
    expect(await client.configGet('appendfsync')).toEqual({ appendfsync: 'always' });
    expect(await client.sendCommand(['RAFT', 'HELP'])).toContain('STATUS');
    client.destroy();
  });
});

describe('a failover in the middle', () => {
  test('ioredis on a follower goes on by itself, and no acknowledged write is lost', async () => {
    const killed = await cluster.leader();
    const follower = (await cluster.followers())[0] as TestNode;
    const redis = new Redis({ port: follower.port, host: '127.0.0.1', maxRetriesPerRequest: null });
    redis.on('error', () => {});
    const acknowledged: number[] = [];
    let next = 0;
    const write = async (): Promise<void> => {
      const number = next++;
      try {
        await redis.set(`failover:${number}`, String(number));
        acknowledged.push(number);
      } catch (error) {
        expect(String((error as Error).message)).toMatch(PASSING);
      }
    };
    await eventually('200 writes before', async () => {
      await Promise.all(Array.from({ length: 20 }, write));
      return acknowledged.length >= 200;
    });
    await killed.kill();
    const before = acknowledged.length;
    await eventually('200 writes after', async () => {
      await Promise.all(Array.from({ length: 20 }, write));
      return acknowledged.length >= before + 200;
    });
    const keys = acknowledged.map((number) => `failover:${number}`);
    const values = await eventually('all values', () => redis.mget(keys).catch(() => null));
    expect(values).toEqual(acknowledged.map(String));
    redis.disconnect();
    await killed.start();
  });

  test('node-redis counts exactly between what it knows and what it does not', async () => {
    const follower = (await cluster.followers())[0] as TestNode;
    const killed = await cluster.leader();
    const client = await createClient({ socket: { host: '127.0.0.1', port: follower.port } })
      .on('error', () => {})
      .connect();
    let certain = 0;
    let perhaps = 0;
    const add = async (): Promise<void> => {
      try {
        await client.incr('counted');
        certain++;
      } catch (error) {
        if (!/^(CLUSTERDOWN|TRYAGAIN)/.test((error as Error).message)) perhaps++;
      }
    };
    await eventually('a leader that answers', () =>
      client.del('counted').then(
        () => true,
        () => false,
      ),
    );
    const reached = (target: number) => async (): Promise<boolean> => {
      await add();
      return certain >= target;
    };
    await eventually('100 before', reached(100));
    const during = Promise.all(Array.from({ length: 50 }, add));
    await killed.kill();
    await during;
    const before = certain;
    await eventually('100 after', reached(before + 100));
    const counted = Number(await eventually('the count', () => client.get('counted').catch(() => null)));
    expect(counted).toBeGreaterThanOrEqual(certain);
    expect(counted).toBeLessThanOrEqual(certain + perhaps);
    client.destroy();
    await killed.start();
  });
});
