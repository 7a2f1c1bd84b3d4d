// Every key command against real nodes: what it prints, with and without --json, and its exit code.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freeBlock, TestCluster } from './harness.ts';
import { cli, type Finished } from './run-cli.ts';

let cluster: TestCluster;
let folder: string;

beforeAll(async () => {
  cluster = await TestCluster.start();
  folder = await mkdtemp(join(tmpdir(), 'quorumlab-cli-'));
});

afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
});

function quorumlab(args: readonly string[], input?: string | Uint8Array): Promise<Finished> {
  const env = { QUORUMLAB_ENDPOINTS: cluster.addresses.join(',') };
  return cli(args, input === undefined ? { env } : { env, input });
}

/** The one line that --json printed. */
async function json(args: readonly string[], exitCode = 0): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await quorumlab([...args, '--json']);
  expect({ code, stderr }).toEqual({ code: exitCode, stderr: '' });
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('keys', () => {
  test('set, get, delete', async () => {
    expect(await quorumlab(['set', 'greeting', 'hello world'])).toMatchObject({ code: 0, stdout: 'OK\n' });
    expect(await quorumlab(['get', 'greeting'])).toEqual({ code: 0, stdout: 'hello world\n', stderr: '' });
    expect(await json(['get', 'greeting'])).toMatchObject({
      key: 'greeting',
      found: true,
      value: 'hello world',
      receipt: { attempts: 1 },
    });
    expect(await quorumlab(['delete', 'greeting'])).toMatchObject({ code: 0, stdout: 'OK\n' });
    expect(await quorumlab(['delete', 'greeting'])).toMatchObject({ code: 1, stdout: '' });
    expect(await quorumlab(['get', 'greeting'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'no key "greeting"\n',
    });
    expect(await json(['get', 'greeting'], 1)).toMatchObject({ found: false, value: null });
  });

  test('a receipt names node, index and term', async () => {
    const { receipt, revision } = await json(['set', 'k', 'v']);
    const { node, nodeId, index, term } = receipt as Record<string, unknown>;
    expect(cluster.addresses).toContain(node);
    expect([1, 2, 3]).toContain(nodeId);
    expect(index).toBe(revision);
    expect(term).toBeGreaterThan(0);
  });

  test('values are text unless --parse; standard input is read as bytes', async () => {
    await quorumlab(['set', 'number', '42']);
    expect(await json(['get', 'number'])).toMatchObject({ value: '42' });
    await quorumlab(['set', 'number', '{"n":[1,2]}', '--parse']);
    expect(await json(['get', 'number'])).toMatchObject({ value: { n: [1, 2] } });
    expect(await quorumlab(['get', 'number'])).toMatchObject({ stdout: '{"n":[1,2]}\n' });
    expect(await quorumlab(['set', 'number', '{', '--parse'])).toMatchObject({ code: 2 });
    await quorumlab(['set', 'bytes'], Uint8Array.of(0xff, 0x00, 0x80));
    expect(await json(['get', 'bytes'])).toMatchObject({ value: '/wCA', encoding: 'base64' });
    await quorumlab(['set', 'text'], 'grün\n');
    expect(await quorumlab(['get', 'text'])).toMatchObject({ stdout: 'grün\n\n' });
  });

  test('incr counts in 64 bits', async () => {
    expect(await quorumlab(['incr', 'n'])).toMatchObject({ code: 0, stdout: '1\n' });
    expect(await quorumlab(['incr', 'n', '--', '-3'])).toMatchObject({ code: 0, stdout: '-2\n' });
    const large = await quorumlab(['incr', 'n', '9223372036854775800', '--json']);
    expect(large.stdout).toContain('"value":9223372036854775798,');
    expect((await quorumlab(['get', 'n'])).stdout).toBe('9223372036854775798\n');
    const overflow = await quorumlab(['incr', 'n', '100']);
    expect(overflow).toMatchObject({ code: 2, stdout: '' });
    expect(await quorumlab(['incr', 'n', 'many'])).toMatchObject({
      code: 2,
      stderr: 'error: "many" is no integer\n',
    });
  });

  test('cas swaps only what is expected', async () => {
    expect(await quorumlab(['cas', 'lock', 'me', '--absent'])).toMatchObject({ code: 0, stdout: 'OK\n' });
    expect(await quorumlab(['cas', 'lock', 'you', '--absent'])).toMatchObject({
      code: 1,
      stderr: 'it is me\n',
    });
    expect(await json(['cas', 'lock', 'other', 'you'], 1)).toMatchObject({
      swapped: false,
      current: { value: 'me' },
    });
    expect(await json(['cas', 'lock', 'me', 'you'])).toMatchObject({ swapped: true });
    expect(await quorumlab(['cas', 'lock', 'one'])).toMatchObject({ code: 2 });
  });

  test('the same --client and --seq apply once', async () => {
    const identity = ['--client', '11111111-2222-4333-8444-555555555555', '--seq', '1'];
    expect(await quorumlab(['incr', 'once', '7', ...identity])).toMatchObject({ code: 0, stdout: '7\n' });
    expect(await quorumlab(['incr', 'once', '7', ...identity])).toMatchObject({ code: 0, stdout: '7\n' });
    expect(await quorumlab(['incr', 'once', '7', '--seq', '2'])).toMatchObject({ code: 2 });
  });
});

describe('bulk-set and scan', () => {
  test('items from arguments, a file and standard input; scan lists them, copies them', async () => {
    expect(await quorumlab(['bulk-set', 'b:1=one', 'b:2=x=y'])).toMatchObject({ code: 0, stdout: 'OK 2\n' });
    const file = join(folder, 'items.jsonl');
    await writeFile(file, '{"key":"b:3","value":{"deep":true}}\n\n["b:4",4]\n');
    expect(await quorumlab(['bulk-set', '--file', file])).toMatchObject({ code: 0, stdout: 'OK 2\n' });
    expect(await quorumlab(['bulk-set'], '["b:5","five"]\n')).toMatchObject({ code: 0, stdout: 'OK 1\n' });
    const listed = await quorumlab(['scan', 'b:']);
    expect(listed.stdout).toBe('b:1\tone\nb:2\tx=y\nb:3\t{"deep":true}\nb:4\t4\nb:5\tfive\n');
    expect((await quorumlab(['scan', 'b:', '--keys', '--start', 'b:2', '--end', 'b:4'])).stdout).toBe(
      'b:2\nb:3\n',
    );
    const first = await json(['scan', 'b:', '--limit', '2']);
    expect(first.items).toHaveLength(2);
    const rest = await json(['scan', 'b:', '--all', '--cursor', String(first.cursor)]);
    expect(rest).toMatchObject({
      cursor: null,
      items: [{ key: 'b:3' }, { key: 'b:4', value: 4 }, { key: 'b:5' }],
    });
    const lines = await quorumlab(['scan', 'b:', '--lines', '--stale']);
    const copy = await quorumlab(['bulk-set', '--file', '-'], lines.stdout.replaceAll('"b:', '"c:'));
    expect(copy.stdout).toBe('OK 5\n');
    expect((await quorumlab(['scan', 'c:'])).stdout).toBe(listed.stdout.replaceAll('b:', 'c:'));
  });

  test('a broken line is named, and nothing is set', async () => {
    const broken = await quorumlab(['bulk-set'], '["z:1","a"]\n{"key":1}\n');
    expect(broken).toMatchObject({ code: 2, stdout: '' });
    expect(broken.stderr).toContain('line 2 is no item');
    expect((await quorumlab(['scan', 'z:'])).stdout).toBe('');
  });

  test('more items than a node takes are refused by the limit and its setting', async () => {
    const lines = Array.from({ length: 10_001 }, (_, i) => `["many:${i}",0]`).join('\n');
    const refused = await quorumlab(['bulk-set'], lines);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('bulkItemsMax');
  });
});

describe('status and errors', () => {
  test('status shows every node and the leader', async () => {
    const leader = await cluster.leader();
    const { stdout, code } = await quorumlab(['status']);
    expect(code).toBe(0);
    for (const address of cluster.addresses) expect(stdout).toContain(address);
    expect(stdout).toContain(`n${leader.id} leads in term`);
    const parsed = await json(['status']);
    expect(parsed.leader).toBe(leader.id);
    expect(parsed.nodes).toHaveLength(3);
  });

  test('nothing is there: exit code 3, in words and in JSON', async () => {
    const dead = `127.0.0.1:${await freeBlock([0])}`;
    const words = await cli(['get', 'k', '-e', dead, '--deadline', '200']);
    expect(words).toMatchObject({ code: 3, stdout: '' });
    expect(words.stderr).toContain(`${dead}: connection refused`);
    const line = await cli(['set', 'k', 'v', '-e', dead, '--deadline', '200', '--json']);
    expect(line).toMatchObject({ code: 3, stderr: '' });
    expect(JSON.parse(line.stdout)).toMatchObject({
      error: { code: 'UNAVAILABLE', outcome: 'definite' },
      exitCode: 3,
    });
    expect(await cli(['status', '-e', dead])).toMatchObject({ code: 3 });
  });

  test.each([
    [['frobnicate'], 'unknown command'],
    [['get'], "missing required argument 'key'"],
    [['get', 'k', '-e', 'nowhere'], 'write host:port'],
    [['get', 'k', '--deadline', '0'], 'an integer from 1'],
    [['bulk-set', 'novalue'], 'write key=value'],
  ])('quorumlab %j is wrong usage', async (args, words) => {
    const wrong = await cli(args);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain(words);
    const line = await cli([...args, '--json']);
    expect(line).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(line.stdout)).toMatchObject({ error: { code: 'USAGE' }, exitCode: 2 });
  });

  test.each([
    'cluster',
    'serve',
    'get',
    'set',
    'delete',
    'bulk-set',
    'scan',
    'status',
    'incr',
    'cas',
    'wal dump',
    'wal verify',
    'wal repair',
    'snapshot inspect',
  ])('%s --help teaches with examples', async (name) => {
    const help = await cli([...name.split(' '), '--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Examples:');
    expect(help.stdout).toMatch(/Exit codes?/);
    expect(help.stdout).toContain('--json');
  });

  test('--version is the package version', async () => {
    expect(await cli(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});
