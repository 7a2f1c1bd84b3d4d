// Does the client port tell protocols apart, keep replies in order, and stay bounded whatever clients do?
import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { CLIENT_LIMITS_DEFAULT } from '../../engine/transport/client-limits.ts';
import { recognizeProtocol } from '../../engine/transport/client-protocol.ts';
import type { ClientServerOptions } from '../../engine/transport/client-server.ts';
import { connectClient, ping, type TestClient, TestServer } from './client-fixture.ts';
import { RecordingLog, seededRandom } from './peer-fixture.ts';
import { waitUntil, waitUntilPasses } from './wait-until.ts';

const servers: TestServer[] = [];
const clients: TestClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.server.close()));
});

async function open(options: Partial<ClientServerOptions> = {}): Promise<TestServer> {
  const server = await new TestServer().open(options);
  servers.push(server);
  return server;
}

async function client(server: TestServer): Promise<TestClient> {
  const opened = await connectClient(server.server);
  clients.push(opened);
  return opened;
}

function ids(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

describe('JSON lines', () => {
  test('pipelined requests answered in any order come back in theirs', async () => {
    const server = await open();
    const one = await client(server);
    const count = 500;
    one.socket.write(ids(0, count).map(ping).join(''));
    await waitUntil('all requests', () => server.waiting.length === count);
    const random = seededRandom(7);
    const shuffled = server.waiting.splice(0).map((waiting) => ({ waiting, rank: random() }));
    for (const { waiting } of shuffled.sort((a, b) => a.rank - b.rank)) {
      waiting.connection.reply(waiting.slot, `{"id":${waiting.request.id}}\n`);
      if (random() < 0.05) await new Promise((resolve) => setImmediate(resolve));
    }
    await waitUntilPasses(() => expect(one.replies.map(({ id }) => id)).toEqual(ids(0, count)));
  });

  test('everything readable at once is one batch', async () => {
    const server = await open();
    const one = await client(server);
    one.socket.write(ids(0, 100).map(ping).join(''));
    await waitUntil('all requests', () => server.waiting.length === 100);
    expect(server.batches).toEqual([100]);
  });

  test('broken lines are answered in their place and the connection goes on', async () => {
    const server = await open();
    const one = await client(server);
    one.socket.write(`${ping(1)}{oops\n{"command":"fly","id":2}\n${ping(3)}`);
    one.socket.write(Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(ping(4))]));
    await waitUntil('the sound requests', () => server.waiting.length === 3);
    expect(one.text).toBe('');
    server.answerAll();
    await waitUntilPasses(() =>
      expect(one.replies.map(({ id, code }) => code ?? id)).toEqual([
        1,
        'INVALID_JSON',
        'UNKNOWN_COMMAND',
        3,
        'INVALID_JSON',
        4,
      ]),
    );
    expect(server.server.status().requestsRefusedTotal).toBe(3);
  });

  test('a request cut anywhere, also inside a character, is read whole', async () => {
    const server = await open();
    const one = await client(server);
    const bytes = Buffer.from('  \n{"command":"get","key":"schlüssel-🗝","id":1}\r\n');
    for (const byte of bytes) {
      one.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await waitUntil('the request', () => server.waiting.length === 1);
    const [waiting] = server.waiting;
    const key = waiting?.request.type === 'get' ? waiting.request.key : '';
    expect(Buffer.from(key, 'latin1').toString('utf8')).toBe('schlüssel-🗝');
  });

  test('a line past the limit: TOO_LARGE names limit and setting, after the replies before it, then the end', async () => {
    const server = await open({ jsonLimits: { lineBytesMax: 1000 } });
    const one = await client(server);
    one.socket.write(`${ping(1)}{"command":"set","key":"k","value":"${'x'.repeat(200_000)}"}\n${ping(2)}`);
    await waitUntil('the first request', () => server.waiting.length === 1);
    server.answerAll();
    await waitUntil('the end', () => one.ended);
    expect(one.replies).toMatchObject([{ id: 1 }, { status: 'error', code: 'TOO_LARGE' }]);
    expect(one.lines[1]).toContain('1000');
    expect(one.lines[1]).toContain('lineBytesMax');
    expect(server.waiting).toEqual([]);
    one.socket.end();
    await waitUntil('the connection is gone', () => server.server.status().connections === 0);
  });

  test('a client that ends its side gets every reply, also to a last line without an end', async () => {
    const server = await open();
    const one = await client(server);
    one.socket.end(ping(1) + ping(2) + ping(3).trimEnd());
    await waitUntil('the requests', () => server.waiting.length === 3);
    await new Promise((resolve) => setImmediate(resolve));
    expect(one.ended).toBe(false);
    server.answerAll();
    await waitUntil('the close', () => one.closed);
    expect(one.replies.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(server.closed).toHaveLength(1);
  });

  test('replies to a connection that is gone go nowhere', async () => {
    const server = await open();
    const one = await client(server);
    one.socket.write(ping(1));
    await waitUntil('the request', () => server.waiting.length === 1);
    // A mere end could be a client that still waits for its replies; a reset could not.
    one.socket.resetAndDestroy();
    await waitUntil('the close', () => server.closed.length === 1);
    server.answerAll();
    expect(server.server.status()).toMatchObject({ connections: 0, heldBytes: 0 });
  });
});

describe('bounds', () => {
  test('a connection with too much under way is not read, and read again later', async () => {
    const server = await open({ limits: { requestsOutstandingMax: 10 } });
    const one = await client(server);
    const padding = ' '.repeat(8000);
    const total = 400;
    for (const id of ids(0, total)) one.socket.write(`{"command":"ping","id":${id}${padding}}\n`);
    await waitUntil('the first requests', () => server.waiting.length >= 10);
    // Nothing more comes, however long the loop turns: one read of 64 KiB is all that may exceed the limit.
    const endMs = performance.now() + 100;
    await waitUntil('a while', () => performance.now() > endMs);
    expect(server.waiting.length).toBeLessThan(30);
    await waitUntil('all requests', () => {
      server.answerAll();
      return one.lines.length === total;
    });
    expect(one.replies.map(({ id }) => id)).toEqual(ids(0, total));
  });

  const line = `${JSON.stringify({ value: 'x'.repeat(100_000) })}\n`;

  test('a slow reader is waited for: it gets everything, and little is held for it meanwhile', async () => {
    const server = await open({ limits: { replyBytesPauseMax: 64 * 1024, requestsOutstandingMax: 10 } });
    const slow = await client(server);
    slow.socket.pause();
    // 30 MB of replies: far more than the sockets' own buffers take.
    for (const id of ids(0, 300)) slow.socket.write(`{"command":"ping","id":${id}${' '.repeat(8000)}}\n`);
    const endMs = performance.now() + 200;
    await waitUntil('a while', () => {
      server.answerAll(() => line);
      expect(server.server.status().heldBytes).toBeLessThan(3_000_000);
      return performance.now() > endMs;
    });
    slow.socket.resume();
    await waitUntil('everything', () => {
      server.answerAll(() => line);
      return slow.text.length === 300 * line.length;
    });
    expect(server.server.status().slowReadersCutTotal).toBe(0);
  });

  test('a reader that lets its replies pile up past the limit is cut off, and the others go on', async () => {
    const log = new RecordingLog();
    const replyBytesMax = 4 * 1024 * 1024;
    const server = await open({ limits: { replyBytesPauseMax: 64 * 1024, replyBytesMax }, log });
    const [slow, healthy] = [await client(server), await client(server)];
    slow.socket.pause();
    slow.socket.write(ids(0, 500).map(ping).join(''));
    await waitUntil('the requests', () => server.waiting.length === 500);
    let heldBytes = 0;
    server.answerAll(() => {
      heldBytes = Math.max(heldBytes, server.server.status().heldBytes);
      return line;
    });
    expect(server.server.status().slowReadersCutTotal).toBe(1);
    expect(heldBytes).toBeLessThan(replyBytesMax + line.length + 500 * 40);
    expect(log.lines.join()).toContain('slowReader');
    await waitUntil('the cut connection is forgotten', () => server.server.status().connections === 1);
    expect(server.server.status().heldBytes).toBe(0);
    healthy.socket.write(ping(9999));
    await waitUntil('the request', () => server.waiting.length === 1);
    server.answerAll();
    await waitUntil('the reply', () => healthy.replies.some(({ id }) => id === 9999));
  });

  test('unfinished lines of many connections together are bounded: the greediest is cut off', async () => {
    const server = await open({ limits: { heldBytesMax: 3_000_000 } });
    const greedy = await client(server);
    greedy.socket.write(`{"command":"set","key":"k","value":"${'x'.repeat(2_000_000)}`);
    await waitUntil('the unfinished line', () => server.server.status().heldBytes > 1_900_000);
    const modest = await client(server);
    modest.socket.write(`{"command":"set","key":"k","value":"${'x'.repeat(1_500_000)}`);
    await waitUntil('the cut', () => server.server.status().memoryCutTotal === 1);
    await waitUntil('the greedy client notices', () => greedy.ended || greedy.closed);
    modest.socket.write('"}\n');
    await waitUntil('the request', () => server.waiting.length === 1);
    expect(server.waiting[0]?.connection.id).toBe(2);
  });

  test('one connection past the limit is told so and closed', async () => {
    const server = await open({ limits: { connectionsMax: 3 } });
    const accepted = [await client(server), await client(server), await client(server)];
    const refused = await client(server);
    await waitUntil('the refusal', () => refused.ended);
    expect(refused.replies).toMatchObject([{ status: 'error', code: 'UNAVAILABLE' }]);
    expect(refused.text).toContain('connectionsMax');
    expect(server.server.status()).toMatchObject({ connections: 3, refusedTotal: 1 });
    accepted[0]?.socket.destroy();
    await waitUntil('room', () => server.server.status().connections === 2);
    const next = await client(server);
    next.socket.write(ping(1));
    await waitUntil('the request', () => server.waiting.length === 1);
  });

  test('random bytes never bring the port down', async () => {
    const server = await open();
    const seed = Number(process.env.SEED ?? Date.now() % 100_000);
    console.log(`replay: SEED=${seed} npx vitest run --project unit test/transport/client-server.test.ts`);
    const random = seededRandom(seed);
    for (let round = 0; round < 60; round++) {
      const one = await client(server);
      const bytes = Buffer.from(
        Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256)),
      );
      const opening = ['', '{', '{"command":', 'GET / HTTP/1.1\r\n', '*3\r\n$', '\n\n  {'][
        Math.floor(random() * 6)
      ];
      one.socket.write(Buffer.concat([Buffer.from(opening ?? ''), bytes, Buffer.from('\n')]));
      const ending = Math.floor(random() * 3);
      if (ending === 0) one.socket.end();
      if (ending === 1) one.socket.resetAndDestroy();
    }
    const last = await client(server);
    last.socket.write(ping(1));
    await waitUntil('the request', () =>
      server.waiting.some(({ request }) => request.type === 'ping' && request.id === 1),
    );
  });
});

describe('protocols on one port', () => {
  async function get(server: TestServer, path: string, method = 'GET') {
    const { port } = server.server.listening;
    return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
      (resolve, reject) => {
        const request = httpRequest({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => {
            body += text;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          );
        });
        request.on('error', reject);
        request.end();
      },
    );
  }

  test('HTTP pages beside JSON lines', async () => {
    const server = await open();
    const one = await client(server);
    one.socket.write(ping(1));
    expect(await get(server, '/metrics')).toMatchObject({ status: 200, body: 'quorumlab_up 1\n' });
    expect(await get(server, '/livez')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await get(server, '/livez?verbose')).toMatchObject({ body: '[+]loop ok\nlivez check passed\n' });
    expect(await get(server, '/readyz')).toMatchObject({
      status: 503,
      body: '[-]leader failed: nobody leads\n[+]disk ok\nreadyz check failed\n',
    });
    const status = await get(server, '/status');
    expect(JSON.parse(status.body)).toEqual({ nodeId: 1 });
    expect(status.headers).not.toHaveProperty('access-control-allow-origin');
    expect(await get(server, '/status', 'HEAD')).toMatchObject({ status: 200, body: '' });
    expect(await get(server, '/nothing')).toMatchObject({ status: 404 });
    expect(await get(server, '/status', 'POST')).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    await waitUntil('the request', () => server.waiting.length === 1);
    server.answerAll();
    await waitUntil('the reply', () => one.lines.length === 1);
  });

  test('an HTTP request cut anywhere, and two on one connection', async () => {
    const server = await open();
    const one = await client(server);
    const request = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const character of request) {
      one.socket.write(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await waitUntil('a page', () => one.text.endsWith('ok\n'));
    one.socket.write(request);
    await waitUntil('another page', () => one.text.split('HTTP/1.1 200 OK').length === 3);
    expect(server.server.status()).toMatchObject({ httpConnections: 1, connections: 1 });
    one.socket.end();
    await waitUntil('the end', () => server.server.status().connections === 0);
  });

  test('a page that fails is a 500, HTTP connections are bounded', async () => {
    const pages = {
      metrics: async () => {
        throw new Error('no figures today');
      },
      live: () => [],
      ready: () => [],
      status: () => ({}),
    };
    const server = await open({ pages, limits: { httpConnectionsMax: 1 } });
    expect(await get(server, '/metrics')).toMatchObject({ status: 500, body: 'no figures today\n' });
    const first = await client(server);
    first.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitUntil('a page', () => first.text.endsWith('ok\n'));
    const second = await client(server);
    second.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitUntil('the refusal', () => second.text.startsWith('HTTP/1.1 503'));
    expect(server.server.status().refusedTotal).toBe(1);
  });

  test('a request body in JSON lines, sent by a web page, runs nothing', async () => {
    const server = await open();
    const one = await client(server);
    const body = '{"command":"delete","key":"k"}\n';
    one.socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await waitUntil('the answer', () => one.ended);
    expect(one.text).toMatch(/^HTTP\/1\.1 405 /);
    expect(server.waiting).toEqual([]);
  });

  test('another protocol is told what is spoken here', async () => {
    const server = await open();
    const one = await client(server);
    one.socket.write('*1\r\n$4\r\nPING\r\n');
    await waitUntil('the end', () => one.ended);
    expect(one.replies).toMatchObject([{ status: 'error', message: expect.stringContaining('JSON lines') }]);
  });

  test('another protocol is served by its handler, with the bytes that told it', async () => {
    const received: string[] = [];
    const server = await open({
      resp: (connection) => ({
        bufferedBytes: 0,
        onBytes: (bytes) => {
          received.push(bytes.toString());
          connection.reply(connection.reserve(), Buffer.from('+PONG\r\n'));
        },
        onEnd: () => {},
      }),
    });
    const one = await client(server);
    one.socket.write('PING\r\n');
    await waitUntil('the reply', () => one.text === '+PONG\r\n');
    expect(received).toEqual(['PING\r\n']);
  });

  const openings: [string, string, ReturnType<typeof recognizeProtocol>][] = [
    ['an object', '{"command"', 'jsonLines'],
    ['an object behind white space', ' \r\n\t{', 'jsonLines'],
    ['white space', ' \n', null],
    ['endless white space', ' '.repeat(100), 'resp'],
    ['half a method', 'GE', null],
    ['a method', 'GET ', null],
    ['half a request line', 'GET /status HT', null],
    ['a request line', 'GET /status HTTP/1.1\r\n', 'http'],
    ['an inline command that looks like one', 'GET /status\r\n', 'resp'],
    ['an inline command', 'GET status\r\n', 'resp'],
    ['an inline command without arguments', 'PING\r\n', 'resp'],
    ['a long word', 'INCRBYFLOAT x 1\r\n', 'resp'],
    ['an array', '*1\r\n', 'resp'],
    ['an endless request line', `GET /${'x'.repeat(9000)}`, 'resp'],
    ['TLS', '\u0016\u0003\u0001', 'resp'],
  ];
  for (const [name, opening, protocol] of openings) {
    test(`${name}: ${protocol ?? 'too early to tell'}`, () => {
      expect(recognizeProtocol(Buffer.from(opening, 'latin1'))).toBe(protocol);
    });
  }
});

describe('opening and closing', () => {
  test('a taken port is replaced when asked so, and said so', async () => {
    const server = await open();
    const { port } = server.server.listening;
    await expect(new TestServer().open({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const log = new RecordingLog();
    const other = await open({ port, replaceTakenPort: true, log });
    expect(other.server.listening.portReplaced).toBe(true);
    expect(log.lines.join()).toContain(`client port ${port} is taken`);
  });

  test('closing sends the replies given so far and does not wait for readers that never read', async () => {
    const server = await open();
    const [one, stuck] = [await client(server), await client(server)];
    stuck.socket.pause();
    one.socket.write(ping(1));
    stuck.socket.write(ping(2));
    await waitUntil('the requests', () => server.waiting.length === 2);
    server.answerAll(({ request }) =>
      request.id === 1 ? '{"id":1}\n' : `${'x'.repeat(CLIENT_LIMITS_DEFAULT.replyBytesMax / 2)}\n`,
    );
    await server.server.close();
    await waitUntil('the reply', () => one.replies.length === 1);
  });
});
