// redis-cli, redis-benchmark and redis-py as Debian ships them, unchanged, against a cluster, also while it fails over
// (redis-benchmark ends at the first error that it is told, whatever it is).
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, TestCluster } from '../cluster/harness.ts';
import { isInstalled } from './redis-server.ts';

const runFile = promisify(execFile);
const PYTHON = '/usr/bin/python3';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ config: { electionTimeoutMs: [1000, 2000] } });
});
afterAll(async () => {
  await cluster?.stop();
});

async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const promise = runFile(program, args, { timeout: 50_000, maxBuffer: 64 * 1024 * 1024 });
  // A program that asks for nothing may end before it is given nothing.
  promise.child.stdin?.on('error', () => {}).end(input);
  return (await promise).stdout;
}

describe.skipIf(!isInstalled('redis-cli'))('redis-cli', () => {
  const cli = async (args: readonly string[], input = ''): Promise<string> =>
    await run('redis-cli', ['-p', String((await cluster.leader()).port), ...args], input);

  test('the examples of its documentation', async () => {
    expect(await cli(['PING'])).toBe('PONG\n');
    expect(await cli(['INCR', 'mycounter'])).toBe('1\n');
    expect(await cli(['-r', '3', 'INCR', 'mycounter'])).toBe('2\n3\n4\n');
    expect(await cli(['-x', 'SET', 'net_services'], 'some text')).toBe('OK\n');
    expect(await cli(['GETRANGE', 'net_services', '0', '3'])).toBe('some\n');
    expect(await cli(['--csv', 'MGET', 'mycounter', 'none'])).toBe('"4",NULL\n');
    expect(await cli(['-3', '--json', 'CONFIG', 'GET', 'appendonly'])).toBe('{"appendonly":"yes"}\n');
    expect(await cli(['INFO', 'replication'])).toContain('role:master');
  });

  test('mass insertion, scan and statistics', async () => {
    const commands = Array.from({ length: 5_000 }, (_, at) => `SET bulk:${at} ${at}\r\n`).join('');
    expect(await cli(['--pipe'], commands)).toContain('errors: 0, replies: 5000');
    const found = (await cli(['--scan', '--pattern', 'bulk:*'])).trim().split('\n');
    expect(new Set(found).size).toBe(5_000);
    expect(await cli(['DBSIZE'])).toBe('5002\n');
  });

  test('typed commands with quotes', async () => {
    expect(
      await cli([], 'SET greeting "hello \\"world\\"\\x00"\nSTRLEN greeting\nMULTI\nINCR n\nGET n\nEXEC\n'),
    ).toBe('OK\n14\nOK\nQUEUED\nQUEUED\n1\n1\n');
  });

  test('RAFT TRANSFER hands leadership over, as the cluster sees it too', async () => {
    const leader = await cluster.leader();
    const target = (await cluster.followers())[0];
    expect(await cli(['RAFT', 'TRANSFER', String(target?.id)])).toBe('OK\n');
    expect((await cluster.leader((node) => node !== leader)).id).toBe(target?.id);
    expect(await cli(['RAFT', 'SNAPSHOT'])).toBe('OK\n');
  });
});

describe.skipIf(!isInstalled('redis-cli'))('redis-cli on a follower', () => {
  test('a failover in the middle: its next command is served, and counting is exact', async () => {
    const [follower] = await cluster.followers();
    const killed = await cluster.leader();
    const args = ['-p', String(follower?.port)];
    await run('redis-cli', [...args, 'DEL', 'hits']);
    // A command every 10 ms, and a line for each reply.
    const counting = run('redis-cli', [...args, '-r', '400', '-i', '0.01', 'INCR', 'hits']);
    try {
      await eventually(
        'it counts',
        async () => Number(await run('redis-cli', [...args, 'GET', 'hits'])) > 50,
      );
      await killed.kill();
      const lines = (await counting)
        .trim()
        .split('\n')
        .filter((line) => line !== '');
      const counts = lines.filter((line) => /^\d+$/.test(line)).map(Number);
      const others = lines.filter((line) => !/^\d+$/.test(line));
      for (const line of others) expect(line).toMatch(/^(CLUSTERDOWN|TRYAGAIN|TIMEOUT)/);
      // Each acknowledged one is counted once; one of an unknown end at most once.
      const perhaps = others.filter((line) => line.startsWith('TIMEOUT')).length;
      expect(counts.every((count, at) => at === 0 || count > (counts[at - 1] as number))).toBe(true);
      expect(counts.at(-1)).toBeGreaterThanOrEqual(counts.length);
      expect(counts.at(-1)).toBeLessThanOrEqual(counts.length + perhaps);
      expect(counts.length).toBeGreaterThan(100);
    } finally {
      await killed.start();
    }
  });
});

describe.skipIf(!isInstalled('redis-benchmark'))('redis-benchmark', () => {
  test.each([
    ['the leader', []],
    ['the leader', ['-P', '32']],
    ['a follower', ['-P', '32']],
  ])('its own tests run to their end on %s with %j', async (where, options) => {
    const node = where === 'the leader' ? await cluster.leader() : (await cluster.followers())[0];
    const args = [
      '-p',
      String(node?.port),
      '-t',
      'set,get,incr,mset,ping',
      '-c',
      '16',
      '-n',
      '4000',
      '--csv',
    ];
    const lines = (await run('redis-benchmark', [...args, ...options])).trim().split('\n');
    expect(lines.map((line) => line.split(',')[0])).toEqual([
      '"test"',
      '"PING_INLINE"',
      '"PING_MBULK"',
      '"SET"',
      '"GET"',
      '"INCR"',
      '"MSET (10 keys)"',
    ]);
  });
});

describe.skipIf(!isInstalled(PYTHON, '-c', 'import redis'))('redis-py', () => {
  test.each(['the leader', 'a follower'])('its examples on %s', async (where) => {
    const node = where === 'the leader' ? await cluster.leader() : (await cluster.followers())[0];
    const script = join(import.meta.dirname, 'redis-py-examples.py');
    expect(await run(PYTHON, [script, String(node?.port)])).toBe('all right\n');
  });

  test('a failover in the middle: no acknowledged write is lost, and counting is exact', async () => {
    const [follower] = await cluster.followers();
    const killed = await cluster.leader();
    const script = join(import.meta.dirname, 'redis-py-failover.py');
    const python = spawn(PYTHON, [script, String(follower?.port)]);
    const said = { out: '', error: '' };
    python.stdout.on('data', (chunk) => {
      said.out += chunk;
    });
    python.stderr.on('data', (chunk) => {
      said.error += chunk;
    });
    const ended = new Promise<number | null>((resolve) => python.on('close', resolve));
    try {
      await eventually('200 writes before', () => said.out.startsWith('ready\n') || python.exitCode !== null);
      // In the middle of its writes, not between them.
      python.stdin.end('\n');
      await killed.kill();
      expect([await ended, said]).toEqual([0, { out: 'ready\nall right\n', error: '' }]);
    } finally {
      python.kill('SIGKILL');
      await killed.start();
    }
  });
});
