// The client against real sockets whose other end is scripted: what it sends, to whom, how often, and what
// it says when things go wrong. Real nodes are in test/cluster.
import { afterEach, describe, expect, test } from 'vitest';
import { type Client, type ClientOptions, createClient } from '../../engine/client/client.ts';
import { ClientError } from '../../engine/client/client-error.ts';
import {
  eventually,
  followerStatus,
  follows,
  leaderStatus,
  leads,
  type Script,
  ScriptedNode,
} from './scripted-node.ts';

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function node(script: Script): Promise<ScriptedNode> {
  const started = new ScriptedNode(script);
  await started.start();
  open.push(() => started.kill());
  return started;
}

function clientOf(nodes: readonly ScriptedNode[], options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ addresses: nodes.map((each) => each.address), ...options });
  open.push(() => client.close());
  return client;
}

async function failure(promise: Promise<unknown>): Promise<ClientError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ClientError)) throw error;
  return error;
}

const ok: Script = () => ({ status: 'ok', success: true, index: 7, term: 1, revision: 7 });

describe('one node', () => {
  test('a reply carries its receipt', async () => {
    const only = await node(leads(3, ok));
    const { revision, receipt } = await clientOf([only]).set('k', 'v');
    expect(revision).toBe(7);
    expect(receipt).toMatchObject({ node: only.address, nodeId: 3, index: 7, term: 1, attempts: 1 });
    expect(receipt.elapsedMs).toBeGreaterThan(0);
  });

  test('requests of one turn leave in one write', async () => {
    const only = await node(leads(1, ok));
    const client = clientOf([only]);
    await client.set('first', 'connects');
    only.chunks = 0;
    await Promise.all(Array.from({ length: 200 }, (_, i) => client.set(`k${i}`, 'v')));
    expect(only.chunks).toBe(1);
  });

  test('replies answer requests in order, however they are cut into pieces', async () => {
    const values = ['grün', '漢字 '.repeat(500), '', 'x'];
    const only = await node(
      leads(1, (request, connection) => {
        const value = values[Number(request.key)];
        const bytes = Buffer.from(`${JSON.stringify({ status: 'ok', value, revision: 1 })}\n`);
        for (let at = 0; at < bytes.length; at += 7) connection.raw(bytes.subarray(at, at + 7));
        return undefined;
      }),
    );
    const client = clientOf([only]);
    const read = await Promise.all(values.map((_, i) => client.get(String(i))));
    expect(read.map((each) => each.value)).toEqual(values);
  });

  test('a missing key and a stored null are told apart', async () => {
    const only = await node(
      leads(1, ({ key }) =>
        key === 'nil' ? { status: 'ok', value: null, revision: 4 } : { status: 'ok', value: null },
      ),
    );
    const client = clientOf([only]);
    expect(await client.get('nil')).toMatchObject({ found: true, value: null, revision: 4 });
    expect(await client.get('none')).toMatchObject({ found: false, value: null, revision: null });
  });

  test('scan follows cursors to the end', async () => {
    const only = await node(
      leads(1, ({ cursor }) => {
        const at = Number(cursor ?? 0);
        const items = [at, at + 1].map((n) => ({ key: `k${n}`, value: n, revision: n + 1 }));
        return { status: 'ok', items, cursor: at < 4 ? String(at + 2) : null };
      }),
    );
    const keys: string[] = [];
    for await (const item of clientOf([only]).scan({ prefix: 'k', limit: 2 })) keys.push(String(item.key));
    expect(keys).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'k5']);
    expect(only.requests.map((request) => request.prefix)).toEqual(['k', 'k', 'k']);
  });

  test('what the node calls wrong is told at once, and is definite', async () => {
    const only = await node(
      leads(1, () => ({ status: 'error', code: 'INVALID_ARGUMENT', message: 'key is empty' })),
    );
    const error = await failure(clientOf([only]).set('', 'v'));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      outcome: 'definite',
      attempts: 1,
      message: 'key is empty',
    });
    expect(only.requests).toHaveLength(1);
  });

  test('UNAVAILABLE is tried again until it works', async () => {
    let refusals = 3;
    const only = await node(
      leads(1, (request, connection) =>
        refusals-- > 0
          ? { status: 'error', code: 'UNAVAILABLE', message: 'no quorum' }
          : ok(request, connection),
      ),
    );
    const { receipt } = await clientOf([only]).set('k', 'v');
    expect(receipt.attempts).toBe(4);
    expect(new Set(only.requests.map((request) => `${request.client}/${request.seq}`)).size).toBe(1);
  });
});

describe('finding the leader', () => {
  test('asks every node and sends only to the one that leads', async () => {
    const third = await node(leads(3, ok));
    const first = await node(follows(1, () => third.address));
    const second = await node(follows(2, () => third.address));
    const { receipt } = await clientOf([first, second, third]).set('k', 'v');
    expect(receipt).toMatchObject({ node: third.address, attempts: 1 });
    expect(first.requests.length + second.requests.length).toBe(0);
  });

  test('learns a leader that it was not told of', async () => {
    const leader = await node(leads(2, ok));
    const follower = await node(follows(1, () => leader.address));
    const { receipt } = await clientOf([follower]).set('k', 'v');
    expect(receipt.node).toBe(leader.address);
  });

  test('a redirect sends the same request to the node it names', async () => {
    const leader = await node(ok);
    const former = await node(leads(1, () => ({ status: 'redirect', leader_id: 2, leader: leader.address })));
    leader.script = (request, connection) =>
      request.command === 'status' ? followerStatus(2) : ok(request, connection);
    const { receipt } = await clientOf([former]).set('k', 'v');
    expect(receipt).toMatchObject({ node: leader.address, attempts: 2 });
    expect(leader.requests).toEqual(former.requests);
  });

  test('a redirect to nobody waits for the election', async () => {
    const [first, second] = [await node(follows(1, () => null)), await node(follows(2, () => null))];
    const client = clientOf([first, second]);
    const write = client.set('k', 'v');
    await eventually('both are asked', () => first.connectionsTotal > 0 && second.connectionsTotal > 0);
    second.script = leads(2, ok, 2);
    expect((await write).receipt.node).toBe(second.address);
  });

  test('two nodes that name each other do not make it spin', async () => {
    const first = await node(() => undefined);
    const second = await node(() => undefined);
    first.script = follows(1, () => second.address);
    second.script = follows(2, () => first.address);
    const client = clientOf([first, second], { deadlineMs: 400 });
    const error = await failure(client.set('k', 'v'));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'definite' });
    expect(first.requests.length + second.requests.length).toBeLessThan(60);
  });

  test('a leader that falls silent is left for the one that leads now', async () => {
    const silent = await node(leads(1, () => undefined));
    const other = await node(follows(2, () => silent.address));
    const client = clientOf([silent, other], { suspectAfterMs: 40 });
    const write = client.set('k', 'v');
    await eventually('the write has arrived', () => silent.requests.length === 1);
    other.script = leads(2, ok, 2);
    const { receipt } = await write;
    expect(receipt).toMatchObject({ node: other.address, attempts: 2 });
    expect(other.requests[0]).toEqual(silent.requests[0]);
  });

  test('a slow leader is waited for while the others still follow it', async () => {
    const slow = await node(
      leads(1, (request, connection) => {
        setTimeout(() => connection.reply(ok(request, connection) ?? {}), 300);
        return undefined;
      }),
    );
    const other = await node(follows(2, () => slow.address));
    const { receipt } = await clientOf([slow, other], { suspectAfterMs: 30 }).set('k', 'v');
    expect(receipt).toMatchObject({ node: slow.address, attempts: 1 });
    expect(slow.requests).toHaveLength(1);
  });

  test('a cluster that was reset begins at term 1 again', async () => {
    const first = await node(leads(1, ok, 9));
    const second = await node(follows(2, () => first.address, 9));
    const client = clientOf([first, second]);
    await client.set('k', 'v');
    second.script = leads(2, ok, 1);
    await first.kill();
    expect((await client.set('k', 'w')).receipt.node).toBe(second.address);
  });

  test('stale reads go to any node', async () => {
    const value: Script = (request) =>
      request.command === 'status' ? followerStatus(1) : { status: 'ok', value: 'v', revision: 2, index: 5 };
    const follower = await node(value);
    const { receipt } = await clientOf([follower]).get('k', { consistency: 'stale' });
    expect(receipt).toMatchObject({ node: follower.address, index: 5 });
    expect(follower.requests[0]).toMatchObject({ consistency: 'stale' });
  });
});

describe('when the reply is lost', () => {
  test('a write is repeated with its client id and sequence at the next leader', async () => {
    const first = await node(leads(1, (_request, connection) => void connection.break()));
    const second = await node(follows(2, () => first.address));
    const client = clientOf([first, second]);
    const write = client.incr('counter');
    await eventually('the first leader has it', () => first.requests.length === 1);
    second.script = leads(2, () => ({ status: 'ok', value: 1, index: 9, term: 2 }), 2);
    expect((await write).value).toBe(1n);
    expect(first.requests[0]).toMatchObject({ command: 'incr', seq: 1 });
    expect(second.requests).toEqual([first.requests[0]]);
  });

  test('a write without session is unknown, and is not repeated', async () => {
    const first = await node(leads(1, (_request, connection) => void connection.break()));
    const second = await node(leads(2, ok, 1));
    second.script = follows(2, () => first.address);
    const error = await failure(clientOf([first, second], { sessions: false }).set('k', 'v'));
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown', attempts: 1, session: null });
    expect(error.message).toContain('Read the key to find out');
    expect(first.requests[0]).not.toHaveProperty('seq');
    expect(second.requests).toHaveLength(0);
  });

  test('a node that does not know the outcome is asked again with the same pair', async () => {
    let first = true;
    const only = await node(
      leads(1, (request, connection) => {
        if (!first) return ok(request, connection);
        first = false;
        return { status: 'error', code: 'TIMEOUT', outcome: 'unknown', message: 'not committed in time' };
      }),
    );
    await clientOf([only]).set('k', 'v');
    expect(only.requests).toHaveLength(2);
    expect(only.requests[1]).toEqual(only.requests[0]);
  });

  test('the deadline leaves a write unknown and says how to find out', async () => {
    const only = await node(leads(1, () => undefined));
    const error = await failure(clientOf([only], { deadlineMs: 60 }).set('k', 'v'));
    const sent = only.requests[0];
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      outcome: 'unknown',
      session: { client: sent?.client, seq: 1 },
    });
    expect(error.message).toContain(`client ${sent?.client}, seq 1: it applies once`);
  });

  test('the deadline of a read is definite', async () => {
    const only = await node(leads(1, () => undefined));
    const error = await failure(clientOf([only]).get('k', { deadlineMs: 60 }));
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'definite' });
  });

  test('a write that never left is definite, and the nodes are described', async () => {
    const dead = await node(ok);
    const follower = await node(follows(2, () => null, 6));
    await dead.kill();
    const error = await failure(clientOf([dead, follower], { deadlineMs: 150 }).set('k', 'v'));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'definite', attempts: 0 });
    expect(error.message).toContain(`${dead.address}: connection refused`);
    expect(error.message).toContain(`${follower.address}: follower in term 6, no leader`);
  });

  test('a port that speaks something else is named', async () => {
    const web = await node((_request, connection) => void connection.raw('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const error = await failure(clientOf([web], { deadlineMs: 150 }).get('k'));
    expect(error.message).toContain(
      'this is no Quorumlab client port: it answered "HTTP/1.1 400 Bad Request',
    );
  });

  test('a node that refuses the connection is quoted', async () => {
    const full = await node(() => undefined);
    full.greeting = {
      status: 'error',
      code: 'UNAVAILABLE',
      message: 'too many connections: clients.connectionsMax',
    };
    const error = await failure(clientOf([full], { deadlineMs: 150 }).get('k'));
    expect(error.message).toContain('too many connections: clients.connectionsMax');
  });
});

describe('bounds', () => {
  test('more than pendingMax calls are refused, and nothing of them is sent', async () => {
    const only = await node(leads(1, () => undefined));
    const client = clientOf([only], { pendingMax: 3 });
    const pending = [1, 2, 3].map((n) => failure(client.set(`k${n}`, 'v')));
    const error = await failure(client.set('k4', 'v'));
    expect(error).toMatchObject({ code: 'BUSY', outcome: 'definite', attempts: 0 });
    await eventually('the others arrive', () => only.requests.length === 3);
    client.close();
    for (const each of await Promise.all(pending)) {
      expect(each).toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
    }
  });

  test('pending bytes are bounded, but one large request alone goes', async () => {
    const only = await node(leads(1, ok));
    const client = clientOf([only], { pendingBytesMax: 1000 });
    const large = client.set('large', 'x'.repeat(5000));
    expect(await failure(client.set('small', 'x'))).toMatchObject({ code: 'BUSY' });
    await large;
    await client.set('small', 'x');
  });

  test('writes beyond writesInFlightMax wait their turn', async () => {
    let held: (() => void)[] = [];
    const only = await node(
      leads(1, (request, connection) => {
        held.push(() => connection.reply(ok(request, connection) ?? {}));
        return undefined;
      }),
    );
    const client = clientOf([only], { writesInFlightMax: 2 });
    const writes = Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => client.set(key, 'v')));
    for (let served = 0; served < 5; ) {
      await eventually('the next ones arrive', () => held.length === Math.min(2, 5 - served));
      const turn = held;
      held = [];
      served += turn.length;
      for (const answer of turn) answer();
    }
    await writes;
    expect(only.requests.map((request) => request.key)).toEqual(['a', 'b', 'c', 'd', 'e']);
    const lanes = new Set(only.requests.map((request) => request.client));
    expect(lanes.size).toBe(2);
  });

  test('a closed client refuses', async () => {
    const client = createClient({ addresses: ['127.0.0.1:1'] });
    client.close();
    expect(await failure(client.get('k'))).toMatchObject({ code: 'CLOSED', outcome: 'definite' });
  });

  test('options that make no sense throw', () => {
    expect(() => createClient({ addresses: [] })).toThrow('at least one node');
    expect(() => createClient({ addresses: ['localhost'] })).toThrow('write host:port');
    expect(() => createClient({ addresses: ['localhost:70000'] })).toThrow('write host:port');
    expect(() => createClient({ addresses: ['[::1]:7001'], clientId: 'me' })).toThrow('is no UUID');
  });

  test('status of one address fails at once when that node is down', async () => {
    const up = await node(() => leaderStatus(1));
    const down = await node(ok);
    await down.kill();
    const client = clientOf([up, down]);
    expect((await client.status({ address: up.address })).status).toMatchObject({ role: 'leader' });
    const error = await failure(client.status({ address: down.address }));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: `${down.address}: connection refused` });
    expect(error.elapsedMs).toBeLessThan(2_000);
  });
});
