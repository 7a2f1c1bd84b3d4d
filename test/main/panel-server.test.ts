import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createChildProcessLauncher } from '../../src/main/cluster/child-process-launcher.ts';
import { createPanelHost, type PanelHost } from '../../src/main/cluster/panel-host.ts';
import { type PanelServer, startPanelServer } from '../../src/main/panel-server.ts';
import { SOCKET_PATH, SOCKET_PROTOCOL, TOKEN_PROTOCOL_PREFIX } from '../../src/shared/wire-messages.ts';

let root: string;
let host: PanelHost;
let server: PanelServer;
let token: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'quorumlab-server-'));
  mkdirSync(join(root, 'renderer/assets'), { recursive: true });
  writeFileSync(join(root, 'renderer/index.html'), '<title>the page</title>');
  writeFileSync(join(root, 'renderer/assets/app.js'), 'the script');
  writeFileSync(join(root, 'secret.txt'), 'the secret');
  symlinkSync(join(root, 'secret.txt'), join(root, 'renderer/link.txt'));
  host = await createPanelHost({
    launcher: createChildProcessLauncher({
      entryPath: resolve(import.meta.dirname, 'fixtures/tiny-node.mjs'),
    }),
    dataDir: join(root, 'data'),
    host: 'browser',
    version: '0.0.0',
    runtime: 'test',
    anyPorts: true,
  });
  server = await startPanelServer({ host, rendererDir: join(root, 'renderer'), port: 0 });
  token = new URL(server.url).searchParams.get('token') ?? '';
  await host.started;
});

afterAll(async () => {
  server.close();
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

/** A request exactly as written: fetch would tidy the path and refuse to set Host. */
function rawRequest(path: string, options: { host?: string; method?: string } = {}): Promise<string> {
  const { method = 'GET', host: hostHeader = `127.0.0.1:${server.port}` } = options;
  return new Promise((done, fail) => {
    let answer = '';
    const socket = connect(server.port, '127.0.0.1');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => done(answer));
    socket.on('error', fail);
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${hostHeader}\r\nConnection: close\r\n\r\n`);
  });
}

const statusOf = (answer: string) => Number(answer.split(' ')[1]);

describe('files', () => {
  it('the page comes with a policy that allows its own scripts only', async () => {
    const answer = await rawRequest('/');
    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain('the page');
    const policy = /content-security-policy: (.*)/i.exec(answer)?.[1] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'self'(;|$)/);
    expect(policy).not.toContain('unsafe-eval');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(answer).toMatch(/x-content-type-options: nosniff/i);
  });

  it.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '//etc/passwd',
    '/link.txt',
    '/%00',
    '/nothing-here',
    '/assets',
  ])('%s leads nowhere', async (path) => {
    const answer = await rawRequest(path);
    expect([400, 404]).toContain(statusOf(answer));
    expect(answer).not.toContain('the secret');
    expect(answer).not.toContain('root:');
  });

  it.each(['/%zz', '/%', '/%c3%28', '*', 'http://127.0.0.1/%zz'])(
    '%s is refused, and the server goes on',
    async (path) => {
      expect([400, 404]).toContain(statusOf(await rawRequest(path)));
      expect(statusOf(await rawRequest('/assets/app.js?v=1'))).toBe(200);
    },
  );

  it('another Host or method is refused', async () => {
    expect(statusOf(await rawRequest('/', { host: 'evil.example' }))).toBe(421);
    expect(statusOf(await rawRequest('/', { host: `127.0.0.1.nip.io:${server.port}` }))).toBe(421);
    expect(statusOf(await rawRequest('/', { host: `localhost:${server.port}` }))).toBe(200);
    expect(statusOf(await rawRequest('/', { method: 'POST' }))).toBe(405);
  });
});

interface SocketOptions {
  path?: string;
  protocols?: string[];
  origin?: string;
  headers?: Record<string, string>;
}

/** The open socket, or the status code that refused it. */
function openSocket(options: SocketOptions = {}): Promise<WebSocket | number> {
  const origin = options.origin ?? `http://127.0.0.1:${server.port}`;
  const protocols = options.protocols ?? [SOCKET_PROTOCOL, TOKEN_PROTOCOL_PREFIX + token];
  return new Promise((done, fail) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${options.path ?? SOCKET_PATH}`, protocols, {
      origin,
      headers: options.headers ?? {},
    });
    socket.on('open', () => done(socket));
    socket.on('unexpected-response', (_request, response) => {
      response.destroy();
      done(response.statusCode ?? 0);
    });
    socket.on('error', fail);
  });
}

async function mustOpen(options?: SocketOptions): Promise<WebSocket> {
  const socket = await openSocket(options);
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`);
  return socket;
}

function nextAnswer(
  socket: WebSocket,
  id: number,
): Promise<{ ok: boolean; result?: unknown; message?: string }> {
  return new Promise((done) => {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.id === id) done(message);
    });
  });
}

async function ask(socket: WebSocket, id: number, channel: string, argument?: unknown) {
  const answer = nextAnswer(socket, id);
  socket.send(JSON.stringify({ id, channel, argument }));
  return answer;
}

describe('the socket', () => {
  it.each<[string, number, () => SocketOptions]>([
    ['without a token', 401, () => ({ protocols: [SOCKET_PROTOCOL] })],
    ['with a wrong token', 401, () => ({ protocols: [SOCKET_PROTOCOL, `${TOKEN_PROTOCOL_PREFIX}wrong`] })],
    [
      'with a part of the token',
      401,
      () => ({ protocols: [`${TOKEN_PROTOCOL_PREFIX}${token.slice(0, -1)}`] }),
    ],
    ['from another site', 403, () => ({ origin: 'https://evil.example' })],
    ['from another port of this machine', 403, () => ({ origin: 'http://127.0.0.1:1' })],
    ['from a file', 403, () => ({ origin: 'null' })],
    ['for another Host', 421, () => ({ headers: { host: 'evil.example' }, origin: 'http://evil.example' })],
    ['elsewhere', 404, () => ({ path: '/other' })],
  ])('%s it stays closed (%i)', async (_how, status, options) => {
    expect(await openSocket(options())).toBe(status);
  });

  it('with the token it answers calls, pushes batches, and never echoes the token', async () => {
    const socket = await mustOpen();
    expect(socket.protocol).toBe(SOCKET_PROTOCOL);
    const info = await ask(socket, 1, 'app:info');
    expect(info).toMatchObject({ ok: true, result: { host: 'browser', name: 'Quorumlab' } });
    const pushed = new Promise((done) => {
      socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        if (message.push === 'cluster:batch') done(message.payload);
      });
    });
    expect(await ask(socket, 2, 'node:kill', { nodeId: 1 })).toMatchObject({ ok: true });
    expect(await pushed).toMatchObject({ items: expect.any(Array) });
    socket.close();
  });

  it('parses what it is given, and refuses in words', async () => {
    const socket = await mustOpen();
    expect((await ask(socket, 1, 'node:kill', { nodeId: '1' })).message).toMatch(
      /node:kill was refused: nodeId/,
    );
    expect((await ask(socket, 2, 'node:kill', { nodeId: 1, more: 1 })).message).toMatch(/refused/);
    expect((await ask(socket, 3, 'node:kill')).ok).toBe(false);
    expect((await ask(socket, 4, 'constructor')).message).toBe('There is no call "constructor".');
    expect((await ask(socket, 5, 'node:pause', { nodeId: 9 })).message).toMatch(/There is no n9/);
    const closed = new Promise<number>((done) => socket.once('close', done));
    socket.send('{"id":1');
    expect(await closed).toBe(1008);
  });
});

it('a taken port is said so when it was asked for', async () => {
  const another = startPanelServer({ host, rendererDir: join(root, 'renderer'), port: server.port });
  await expect(another).rejects.toThrow(`Port ${server.port} is taken`);
});
