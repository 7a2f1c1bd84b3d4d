// What a Redis client finds on the client port of a running cluster, command by command where redis-server itself is
// no model: several nodes, bounds, passwords, and what this store adds.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bulks } from '../../engine/protocol/resp-encode.ts';
import { elementsOf } from '../../engine/protocol/resp-reply-reader.ts';
import { waitUntil } from '../main/wait-until.ts';
import { type InProcessCluster, type InProcessNode, startCluster } from '../node/in-process-cluster.ts';
import { RespConnection, untilReply } from './resp-connection.ts';

const connections: RespConnection[] = [];

function connectTo({ node }: InProcessNode): RespConnection {
  const connection = new RespConnection(Number(node.clientAddress.split(':')[1]));
  connections.push(connection);
  return connection;
}

function followerOf(cluster: InProcessCluster): InProcessNode {
  const leader = cluster.leader();
  const follower = cluster.nodes.find((one) => one !== leader);
  if (follower === undefined) throw new Error('no follower');
  return follower;
}

/** A bulk string's or verbatim string's text. */
function textOf(reply: string): string {
  return reply.slice(reply.indexOf('\r\n') + 2, -2);
}

describe('three nodes', () => {
  let cluster: InProcessCluster;
  let leader: RespConnection;
  let follower: RespConnection;

  beforeAll(async () => {
    process.env.QUORUMLAB_DEBUG = '1';
    cluster = await startCluster(3);
    leader = connectTo(await cluster.elected());
    follower = connectTo(followerOf(cluster));
  });
  afterAll(async () => {
    for (const connection of connections.splice(0)) connection.close();
    await cluster?.close();
    delete process.env.QUORUMLAB_DEBUG;
  });

  test('a follower passes commands on, in the order of its pipeline', async () => {
    const commands = Array.from({ length: 500 }, (_, at) => [
      ['SET', 'order', String(at)],
      ['GET', 'order'],
      ['PING', String(at)],
    ]).flat();
    const replies = await follower.pipeline(commands);
    for (let at = 0; at < 500; at++) {
      expect(replies.slice(at * 3, at * 3 + 3)).toEqual(['+OK\r\n', bulk(at), bulk(at)]);
    }
    expect(await leader.ask('GET', 'order')).toBe('$3\r\n499\r\n');
  });

  test('[R7] [R8] reads and writes of one pipeline see each other in its order, whoever else writes', async () => {
    const others = [0, 1].map(() => connectTo(cluster.leader()));
    const noise = others.map((other, id) =>
      other.pipeline(Array.from({ length: 1000 }, (_, at) => ['SET', `noise:${id}`, String(at)])),
    );
    const replies: string[] = [];
    for (let round = 0; round < 30; round++) {
      replies.push(
        ...(await leader.pipeline([
          ['GET', 'seen'],
          ['SET', 'seen', `a${round}`],
          ['GET', 'seen'],
          ['SET', 'seen', `b${round}`],
          ['STRLEN', 'seen'],
          ['GET', 'seen'],
        ])),
      );
    }
    for (let round = 0; round < 30; round++) {
      const [first, , second, , , third] = replies.slice(round * 6, round * 6 + 6);
      expect(first).toBe(round === 0 ? '$-1\r\n' : `$${`b${round - 1}`.length}\r\nb${round - 1}\r\n`);
      expect(textOf(second as string)).toBe(`a${round}`);
      expect(textOf(third as string)).toBe(`b${round}`);
    }
    await Promise.all(noise);
  });

  test('READONLY: a follower answers reads itself, once it has the entry', async () => {
    await leader.ask('SET', 'local', '1');
    expect(await follower.ask('READONLY')).toBe('+OK\r\n');
    await untilReply(follower, ['GET', 'local'], /^\$1\r\n1\r\n$/);
    expect(await follower.ask('SET', 'local', '2')).toBe('+OK\r\n');
    expect(await follower.ask('READWRITE')).toBe('+OK\r\n');
    expect(await follower.ask('GET', 'local')).toBe('$1\r\n2\r\n');
  });

  test.each([
    ['the leader', () => leader],
    ['a follower', () => follower],
  ])(
    'WATCH and EXEC in one pipeline on %s: the guard is known before it is needed',
    async (_where, client) => {
      await leader.ask('SET', 'w', '0');
      const commands = [['WATCH', 'w'], ['GET', 'w'], ['MULTI'], ['INCR', 'w'], ['PING'], ['EXEC']];
      expect((await client().pipeline(commands)).at(-1)).toBe('*2\r\n:1\r\n+PONG\r\n');
      expect(await client().ask('WATCH', 'w')).toBe('+OK\r\n');
      await leader.ask('SET', 'w', 'changed');
      const after = await client().pipeline([['MULTI'], ['SET', 'w', 'mine'], ['EXEC']]);
      expect(after).toEqual(['+OK\r\n', '+QUEUED\r\n', '*-1\r\n']);
      expect(await leader.ask('GET', 'w')).toBe('$7\r\nchanged\r\n');
    },
  );

  test('a transaction is one entry', async () => {
    const before = cluster.leader().node.status().raft.lastIndex;
    await leader.pipeline([['MULTI'], ['SET', 't1', 'x'], ['INCR', 't2'], ['DEL', 't1'], ['EXEC']]);
    expect(cluster.leader().node.status().raft.lastIndex).toBe(before + 1);
  });

  test('reads cost no entry', async () => {
    const before = cluster.leader().node.status().raft.lastIndex;
    await leader.pipeline([['GET', 'a'], ['MGET', 'a', 'b'], ['DBSIZE'], ['MULTI'], ['GET', 'a'], ['EXEC']]);
    expect(cluster.leader().node.status().raft.lastIndex).toBe(before);
  });

  test('WAIT tells how many followers hold the write', async () => {
    await leader.ask('SET', 'waited', '1');
    expect(await leader.ask('WAIT', '2', '5000')).toBe(':2\r\n');
    expect(await leader.ask('WAIT', '3', '50')).toBe(':2\r\n');
    expect(
      (
        await leader.pipeline([
          ['SET', 'waited', '2'],
          ['WAIT', '1', '0'],
        ])
      )[1],
    ).toMatch(/^:[12]\r\n$/);
  });

  test('SCAN returns whatever is there all the time, while others come and go', async () => {
    const kept = Array.from({ length: 700 }, (_, at) => `kept:${at}`);
    await leader.ask('MSET', ...kept.flatMap((key) => [key, 'x']));
    for (const client of [leader, follower]) {
      const found = new Set<string>();
      let cursor = '0';
      let page = 0;
      do {
        const [next, keys] =
          elementsOf(await client.ask('SCAN', cursor, 'MATCH', 'kept:*', 'COUNT', '37')) ?? [];
        cursor = textOf(next as string);
        expect(cursor).toMatch(/^\d+$/);
        expect(Number(cursor)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
        for (const key of elementsOf(keys as string) ?? []) found.add(textOf(key));
        await leader.pipeline([
          ['SET', `kept:new:${page}`, 'x'],
          ['DEL', `kept:new:${page - 1}`],
        ]);
        page++;
      } while (cursor !== '0');
      expect(kept.filter((key) => !found.has(key))).toEqual([]);
    }
    // A cursor of another node, or one that is forgotten, begins anew instead of leaving keys out.
    const [, keys] = elementsOf(await leader.ask('SCAN', '123456789', 'COUNT', '100000')) ?? [];
    expect((elementsOf(keys as string) ?? []).length).toBeGreaterThanOrEqual(kept.length);
  });

  test('HELLO, RESET, CLIENT REPLY, QUIT', async () => {
    const client = connectTo(cluster.leader());
    expect(await client.ask('HELLO', '3', 'SETNAME', 'me')).toContain('$5\r\nproto\r\n:3\r\n');
    expect(await client.ask('GET', 'no such key')).toBe('_\r\n');
    expect(await client.ask('CLIENT', 'GETNAME')).toBe('$2\r\nme\r\n');
    expect(await client.ask('CLIENT', 'LIST')).toMatch(/name=me .*cmd=client .*resp=3/);
    expect(await client.ask('RESET')).toBe('+RESET\r\n');
    expect(await client.ask('GET', 'no such key')).toBe('$-1\r\n');
    client.send(
      ['CLIENT', 'REPLY', 'SKIP'],
      ['SET', 'quiet', '1'],
      ['CLIENT', 'REPLY', 'OFF'],
      ['INCR', 'quiet'],
      ['GET', 'quiet'],
    );
    expect(await client.ask('CLIENT', 'REPLY', 'ON')).toBe('+OK\r\n');
    expect(await client.ask('GET', 'quiet')).toBe('$1\r\n2\r\n');
    client.send(['QUIT'], ['SET', 'after', 'the end']);
    expect(await client.take(1)).toEqual(['+OK\r\n']);
    await waitUntil('the connection is closed', () => client.closed);
    expect(await leader.ask('EXISTS', 'after')).toBe(':0\r\n');
  });

  test('INFO has its sections, and RAFT STATUS says the same', async () => {
    const info = textOf(await leader.ask('INFO'));
    for (const section of [
      'Server',
      'Clients',
      'Memory',
      'Persistence',
      'Stats',
      'Replication',
      'CPU',
      'Raft',
      'Keyspace',
    ]) {
      expect(info).toContain(`# ${section}\r\n`);
    }
    expect(info).toContain('role:master\r\nconnected_slaves:2\r\n');
    expect(info).toMatch(/db0:keys=\d+/);
    expect(textOf(await follower.ask('INFO', 'replication'))).toContain('role:slave');
    expect(textOf(await leader.ask('INFO', 'raft'))).not.toContain('# Server');
    expect(await leader.ask('RAFT', 'STATUS')).toContain(`leader_id\r\n:${cluster.leader().id}\r\n`);
  });

  test('SLOWLOG and DEBUG SLEEP: the connection waits, the node does not', async () => {
    expect(await leader.ask('CONFIG', 'SET', 'slowlog-log-slower-than', '0')).toBe('+OK\r\n');
    await leader.ask('KEYS', 'nothing*');
    expect(await leader.ask('SLOWLOG', 'GET', '1')).toContain('$8\r\nnothing*\r\n');
    expect(await leader.ask('CONFIG', 'SET', 'slowlog-log-slower-than', '10000')).toBe('+OK\r\n');
    expect(await leader.ask('SLOWLOG', 'RESET')).toBe('+OK\r\n');
    const sleeper = connectTo(cluster.leader());
    sleeper.send(['DEBUG', 'SLEEP', '0.3'], ['PING']);
    expect(await leader.ask('PING')).toBe('+PONG\r\n');
    expect(sleeper.received).toBe(0);
    expect(await sleeper.take(2)).toEqual(['+OK\r\n', '+PONG\r\n']);
  });

  test('what is too large is refused by name, and the connection goes on', async () => {
    const value = 'x'.repeat(8 * 1024 * 1024 + 1);
    expect(await leader.ask('SET', 'large', value)).toContain('setting valueBytesMax');
    expect(await leader.ask('SET', 'k'.repeat(64 * 1024 + 1), 'v')).toContain('setting keyBytesMax');
    expect(await leader.ask('PING')).toBe('+PONG\r\n');
    expect(await leader.ask('SET', 'large', value.slice(1))).toBe('+OK\r\n');
    expect((await follower.ask('GET', 'large')).length).toBe(8 * 1024 * 1024 + 12);
    const closed = connectTo(cluster.leader());
    closed.sendBytes('*2\r\n$3\r\nGET\r\n$99999999\r\n');
    expect((await closed.take(1))[0]).toMatch(/^-ERR Protocol error: invalid bulk length .*lineBytesMax/);
    await waitUntil('the connection is closed', () => closed.closed);
  });
});

describe('bounds', () => {
  test('a reader that never reads is cut off at its bound; others do not notice', async () => {
    const cluster = await startCluster(1, { limits: { replyBytesMax: 4 * 1024 * 1024 } });
    const own = await cluster.elected();
    const client = connectTo(own);
    await client.ask('SET', 'large', 'x'.repeat(1024 * 1024));
    const slow = connectTo(own);
    slow.pause();
    slow.sendBytes(bulks(['GET', 'large']).repeat(64));
    await untilReply(client, ['INFO', 'stats'], /client_output_buffer_limit_disconnections:1\r\n/);
    expect(await client.ask('PING')).toBe('+PONG\r\n');
    client.close();
    slow.close();
    await cluster.close();
  });

  test('with a password: nothing before AUTH, and nothing large', async () => {
    const cluster = await startCluster(3, { password: 'pässword' });
    const leader = connectTo(await cluster.elected());
    const utf8 = Buffer.from('pässword').toString('latin1');
    expect(await leader.ask('GET', 'a')).toBe('-NOAUTH Authentication required.\r\n');
    expect(await leader.ask('HELLO', '3')).toMatch(/^-NOAUTH HELLO must be called/);
    expect(await leader.ask('AUTH', 'wrong')).toMatch(/^-WRONGPASS /);
    expect(await leader.ask('AUTH', 'default', utf8)).toBe('+OK\r\n');
    expect(await leader.ask('SET', 'a', 'x'.repeat(20_000))).toBe('+OK\r\n');
    const follower = connectTo(followerOf(cluster));
    expect(await follower.ask('HELLO', '2', 'AUTH', 'default', utf8)).toContain('proto');
    expect((await follower.ask('GET', 'a')).length).toBe(20_010);
    const stranger = connectTo(cluster.leader());
    stranger.sendBytes('*11\r\n');
    expect(await stranger.take(1)).toEqual(['-ERR Protocol error: unauthenticated multibulk length\r\n']);
    const another = connectTo(cluster.leader());
    another.sendBytes('*1\r\n$16385\r\n');
    expect(await another.take(1)).toEqual(['-ERR Protocol error: unauthenticated bulk length\r\n']);
    for (const connection of connections.splice(0)) connection.close();
    await cluster.close();
  });

  test('without a majority: no leader is said so, a write that hangs says it may have happened', async () => {
    const cluster = await startCluster(3, { requestTimeoutMs: 300 });
    const old = await cluster.elected();
    const client = connectTo(old);
    expect(await client.ask('SET', 'a', '1')).toBe('+OK\r\n');
    const pending = client.ask('SET', 'a', '2');
    for (const one of cluster.nodes) if (one !== old) await one.node.stop('the test wants no majority');
    expect(await pending).toMatch(/^(\+OK|-TIMEOUT .*may have happened)/);
    await untilReply(client, ['GET', 'a'], /^-CLUSTERDOWN no leader; term \d+\r\n$/);
    expect(await client.ask('PING')).toBe('+PONG\r\n');
    client.close();
    await cluster.close();
  });
});

function bulk(value: number): string {
  return `$${String(value).length}\r\n${value}\r\n`;
}
