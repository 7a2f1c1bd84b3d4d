// How a node process ends: when it is told to, when its disk hangs, when its parent is gone.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import getPort from 'get-port';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NodeMessage } from '../../engine/protocol/control.ts';
import { waitUntil } from '../main/wait-until.ts';
import { JsonClient } from './json-client.ts';

const MAIN = fileURLToPath(new URL('../../engine/node/main.ts', import.meta.url));
const LOADER = ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
/** The sources are compiled on the way: a start takes a while on a busy machine. */
const START_MS = 30_000;

let folder = '';
const pids: number[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorumlab-process-'));
});

afterEach(async () => {
  for (const pid of pids.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function configuration(): Promise<string> {
  const host = '127.0.0.1';
  const [client, peer] = [await getPort({ host }), await getPort({ host })];
  return JSON.stringify({
    clusterId: 'test',
    nodeId: 1,
    dataDir: join(folder, 'n1'),
    client: { port: client },
    peer: { port: peer },
    peers: [{ id: 1, peer: `${host}:${peer}`, client: `${host}:${client}` }],
  });
}

async function startNode(): Promise<{ child: ChildProcess; messages: NodeMessage[]; address: string }> {
  const child = fork(MAIN, ['--config', await configuration()], { execArgv: LOADER, stdio: 'ignore' });
  pids.push(child.pid ?? 0);
  const messages: NodeMessage[] = [];
  child.on('message', (message) => messages.push(message as NodeMessage));
  await waitUntil('the node is ready', () => messages.some(({ type }) => type === 'ready'), START_MS);
  const ready = messages.find((message) => message.type === 'ready');
  return { child, messages, address: ready?.clientAddress ?? '' };
}

test('told to stop, it says so and ends with code 0', async () => {
  const { child, messages } = await startNode();
  child.send({ type: 'stop', requestId: 1 });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(messages).toContainEqual({ type: 'done', requestId: 1 });
}, 60_000);

test('[W11] told to stop while a sync hangs, it ends all the same', async () => {
  const { child, messages, address } = await startNode();
  const client = new JsonClient(address);
  await waitUntil('it leads', () =>
    messages.some((m) => m.type === 'status' && m.status.raft.role === 'leader'),
  );
  const hang = { id: 'hang', operations: ['sync'], effect: { kind: 'hang' } };
  child.send({ type: 'setFaults', requestId: 1, faults: { disk: [hang], links: [] } });
  void client.ask({ command: 'set', key: 'a', value: '1' });
  await waitUntil('the sync hangs', () =>
    messages.some((m) => m.type === 'status' && m.status.disk.syncInFlightMs > 50),
  );
  child.send({ type: 'stop', requestId: 2 });
  await once(child, 'exit');
  client.close();
}, 60_000);

/** A parent that starts a node, says its pid, and waits to be killed. */
const PARENT = `
  const { fork } = require('node:child_process');
  const [main, config, ...execArgv] = process.argv.slice(1);
  const child = fork(main, ['--config', config], { execArgv, stdio: 'ignore' });
  process.stdout.write(child.pid + '\\n');
  child.on('message', ({ type }) => type === 'ready' && process.stdout.write('ready\\n'));
`;

test.each([
  ['as soon as it is ready', 'ready'],
  ['before it has started', '\n'],
])(
  'its parent is killed %s: nothing is left behind',
  async (_when, sign) => {
    const parent = spawn(process.execPath, ['-e', PARENT, MAIN, await configuration(), ...LOADER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    parent.stdout.on('data', (bytes) => {
      said += String(bytes);
    });
    await waitUntil('the parent has started it', () => said.includes(sign), START_MS);
    const pid = Number(said.split('\n')[0]);
    pids.push(pid);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitUntil('the node is gone', () => !isAlive(pid), START_MS);
  },
  90_000,
);
