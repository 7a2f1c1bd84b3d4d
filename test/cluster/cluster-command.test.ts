// `quorumlab cluster` and `quorumlab serve`: what they print, what they leave behind, and how they end.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../engine/client/client.ts';
import { eventually, freeBlock, isAlive } from './harness.ts';
import { type CliProcess, cli, startCli } from './run-cli.ts';

interface ClusterLine {
  nodes: { id: number; pid: number; client: string; peer: string }[];
  leader: number;
}

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const OFFSETS = [0, 1, 2, 100, 101, 102];

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-cli-'));
  open.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Temporary folders of the command go where the test can look at them. */
async function startCluster(
  args: readonly string[],
): Promise<{ command: CliProcess; line: ClusterLine; temp: string }> {
  const temp = await temporaryFolder();
  const command = await startCli(['cluster', '--json', ...args], { env: { TMPDIR: temp } });
  open.push(async () => {
    command.signal('SIGTERM');
    await command.exited();
  });
  return { command, line: await command.firstJson<ClusterLine>(), temp };
}

function clientOf(line: ClusterLine): Client {
  const client = createClient({ addresses: line.nodes.map((node) => node.client), deadlineMs: 20_000 });
  open.push(() => client.close());
  return client;
}

async function gone(line: ClusterLine): Promise<void> {
  for (const { id, pid } of line.nodes) await eventually(`n${id} (${pid}) is gone`, () => !isAlive(pid));
}

describe('cluster', () => {
  test('--json prints exactly one line once there is a leader; SIGTERM stops all and removes the folder', async () => {
    const base = await freeBlock(OFFSETS);
    const { command, line, temp } = await startCluster(['--ephemeral', '--base-port', String(base)]);
    const nodes = [1, 2, 3].map((id, i) => ({
      id,
      pid: line.nodes[i]?.pid,
      client: `127.0.0.1:${base + i}`,
      peer: `127.0.0.1:${base + 100 + i}`,
    }));
    expect([1, 2, 3]).toContain(line.leader);
    expect(line.nodes.every((node) => isAlive(node.pid))).toBe(true);
    expect(await readdir(temp)).toHaveLength(1);
    await clientOf(line).set('k', 'v');
    command.signal('SIGTERM');
    expect(await command.exited()).toEqual({ code: 0, signal: null });
    expect(command.stdout).toBe(`${JSON.stringify({ nodes, leader: line.leader })}\n`);
    await gone(line);
    expect(await readdir(temp)).toEqual([]);
  });

  test('SIGKILL of the command leaves no node behind, and the next one removes its folder', async () => {
    const base = await freeBlock(OFFSETS);
    const args = ['cluster', '--ephemeral', '--json', '--base-port', String(base)];
    const { command, line, temp } = await startCluster(args.slice(1));
    command.signal('SIGKILL');
    await command.exited();
    await gone(line);
    const abandoned = await readdir(temp);
    expect(abandoned).toHaveLength(1);
    const next = await startCli(args, { env: { TMPDIR: temp } });
    await next.firstJson();
    next.signal('SIGTERM');
    await next.exited();
    expect(await readdir(temp)).toEqual([]);
  });

  test('a node that dies stays dead, and the others go on', async () => {
    const base = await freeBlock(OFFSETS);
    const { command, line } = await startCluster(['--ephemeral', '--base-port', String(base)]);
    const client = clientOf(line);
    await client.set('k', 'before');
    const leader = line.nodes.find((node) => node.id === line.leader);
    process.kill(leader?.pid ?? 0, 'SIGKILL');
    await eventually('its death is told', () =>
      command.stderr.includes(`n${line.leader} was killed by SIGKILL`),
    );
    await client.set('k', 'after');
    const status = await cli(['status', '--json', '-e', line.nodes.map((node) => node.client).join(',')]);
    const parsed = JSON.parse(status.stdout) as { leader: number; nodes: { reachable: boolean }[] };
    expect(parsed.leader).not.toBe(line.leader);
    expect(parsed.nodes.filter((node) => node.reachable)).toHaveLength(2);
    // The promise of one line holds to the end.
    expect(command.stdout.trim().split('\n')).toHaveLength(1);
  });

  test('--restart brings a dead node back, with its data', async () => {
    const base = await freeBlock(OFFSETS);
    const { line } = await startCluster(['--ephemeral', '--restart', '--base-port', String(base)]);
    const client = clientOf(line);
    await client.set('k', 'v');
    const [victim] = line.nodes;
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await eventually('it is gone', () => !isAlive(victim?.pid ?? 0));
    const alone = createClient({ addresses: [victim?.client ?? ''], deadlineMs: 1_000 });
    open.push(() => alone.close());
    await eventually('it has the key again', async () => {
      const read = await alone.get('k', { consistency: 'stale' }).catch(() => null);
      return read?.value === 'v';
    });
  });

  test('--data-dir keeps the data, and is not shared by two commands', async () => {
    const folder = join(await temporaryFolder(), 'data');
    const args = ['--data-dir', folder, '--base-port', String(await freeBlock(OFFSETS))];
    const first = await startCluster(args);
    await clientOf(first.line).set('kept', 'yes');
    const rival = await cli([
      'cluster',
      '--data-dir',
      folder,
      '--json',
      '--base-port',
      String(await freeBlock(OFFSETS)),
    ]);
    expect(rival.code).toBe(2);
    expect(rival.stdout).toContain(`in use by the running process ${first.command.pid}`);
    first.command.signal('SIGINT');
    expect(await first.command.exited()).toEqual({ code: 0, signal: null });
    const second = await startCluster(args);
    expect((await clientOf(second.line).get('kept')).value).toBe('yes');
    const other = await cli(['cluster', '--data-dir', folder, '--nodes', '5']);
    expect(other.code).toBe(2);
  });

  test('a taken port is an error that names it', async () => {
    const base = await freeBlock(OFFSETS);
    const blocker = createServer().listen(base + 1, '127.0.0.1');
    open.push(() => new Promise((done) => blocker.close(done)));
    await eventually('the port is taken', () => blocker.listening);
    const refused = await cli(['cluster', '--ephemeral', '--base-port', String(base)]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(`port ${base + 1} is taken`);
  });

  test('when every node is dead it ends and says so', async () => {
    const base = await freeBlock(OFFSETS);
    const { command, line, temp } = await startCluster(['--ephemeral', '--base-port', String(base)]);
    for (const { pid } of line.nodes) process.kill(pid, 'SIGKILL');
    expect(await command.exited()).toEqual({ code: 3, signal: null });
    expect(await readdir(temp)).toEqual([]);
  });
});

describe('serve', () => {
  test('three of them with the same --peers are a cluster', async () => {
    const base = await freeBlock(OFFSETS);
    const folder = await temporaryFolder();
    const ids = [1, 2, 3];
    const member = (id: number) => `${id}=127.0.0.1:${base + 99 + id}/127.0.0.1:${base + id - 1}`;
    const peers = ids.map(member).join(',');
    const commands = await Promise.all(
      ids.map((id) =>
        startCli([
          'serve',
          '--id',
          String(id),
          '--peers',
          peers,
          '--data-dir',
          join(folder, `n${id}`),
          '--json',
        ]),
      ),
    );
    open.push(async () => {
      for (const command of commands) command.signal('SIGKILL');
      await Promise.all(commands.map((command) => command.exited()));
    });
    for (const [i, command] of commands.entries()) {
      expect(await command.firstJson()).toEqual({
        id: i + 1,
        pid: command.pid,
        client: `127.0.0.1:${base + i}`,
        peer: `127.0.0.1:${base + 100 + i}`,
      });
    }
    const endpoints = ids.map((id) => `127.0.0.1:${base + id - 1}`).join(',');
    expect(await cli(['set', 'k', 'v', '-e', endpoints])).toMatchObject({ code: 0, stdout: 'OK\n' });
    expect(await cli(['get', 'k', '-e', endpoints])).toMatchObject({ code: 0, stdout: 'v\n' });
    for (const command of commands) command.signal('SIGTERM');
    for (const command of commands) expect(await command.exited()).toEqual({ code: 0, signal: null });
    expect(existsSync(join(folder, 'n1'))).toBe(true);
  });

  test('one alone from a configuration file', async () => {
    const base = await freeBlock(OFFSETS);
    const folder = await temporaryFolder();
    const file = join(folder, 'n1.json');
    const config = {
      nodeId: 1,
      dataDir: join(folder, 'data'),
      client: { port: base },
      peer: { port: base + 100 },
    };
    await writeFile(file, JSON.stringify(config));
    const command = await startCli(['serve', '--config', file, '--json']);
    open.push(() => command.signal('SIGKILL'));
    await command.firstJson();
    expect(await cli(['set', 'k', 'v', '-e', String(base)])).toMatchObject({ code: 0 });
  });

  test.each([
    [['--id', '1', '--host', '0.0.0.0'], 'reaches beyond this machine'],
    [['--id', '1', '--host', '192.168.1.5'], 'need a password'],
    [[], 'which node is this'],
    [['--id', '2', '--peers', '1=127.0.0.1:7101/127.0.0.1:7001'], 'must name this node too'],
    [['--id', '1', '--peers', '1=nonsense'], 'id=host:peerPort/host:clientPort'],
    [['--config', '/nowhere.json'], 'no such file'],
  ])('serve %j is refused', async (args, words) => {
    const refused = await cli(['serve', ...args]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(words);
  });
});
